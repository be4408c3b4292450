# SPDX-License-Identifier: MIT
# Sourced: builds the library and the module that the tests use, in $work; and says what a server needs.
# shellcheck shell=bash
sources=$(cd .. && pwd) # of the module; a planted fault has others

# FOLDER MAKE-ARGUMENT...: the module on the library in that folder, built from a copy of its sources
build_module() {
    local folder=$work/module-$1 prefix=$work/$1
    rm -rf "$folder"
    mkdir "$folder"
    cp "$sources"/*.[ch] "$sources/Makefile" "$folder"
    PKG_CONFIG_PATH=$prefix/lib/pkgconfig make -C "$folder" LDFLAGS="-Wl,-rpath,$prefix/lib" "${@:2}"
}

says_what_is_missing() {
    cd ..
    (make -n PKG_CONFIG=false 2>&1 || true) | grep 'install seqshare with json-c'
    (PKG_CONFIG_PATH=$work/plain/lib/pkgconfig make -n APXS=false 2>&1 || true) | grep 'install apache2-dev'
}

module_installs() {
    PKG_CONFIG_PATH=$work/plain/lib/pkgconfig make -C "$work/module-plain" install DESTDIR="$work/root"
    [ -f "$work/root$(apxs -q LIBEXECDIR)/mod_seqshare.so" ]
}

build_for_a_sample() {
    local tool
    for tool in apxs apache2 curl jq python3; do
        PATH=$PATH:/usr/sbin command -v $tool >/dev/null && continue
        skip "mod_seqshare" "needs $tool: apt-get install apache2-dev apache2-bin curl jq python3"
        finish
    done
    check "the library builds and installs" install_release "$work/plain"
    check "it builds, by gcc" build_module plain CC=gcc
}

build_all() {
    check "the library builds and installs" install_release "$work/plain"
    check "without the library or apxs, make says what is missing" says_what_is_missing
    check "it builds without a warning, by clang" build_module plain CC=clang CFLAGS="-O2 -g -Werror"
    check "it builds without a warning, by gcc" build_module plain CC=gcc CFLAGS="-O2 -g -Werror"
    check "it installs" module_installs
}

# A server of root's becomes www-data, which a container's root may lack the right to do.
may_serve() {
    if [ "$(id -u)" -eq 0 ] && ! setpriv --reuid 65534 --clear-groups true 2>/dev/null; then
        skip "all that needs a server" \
            "needs root who may become another user: CAP_SETUID and the like, which docker run gives"
        finish
    fi
    apache_runs >"$work/apache" 2>&1 && stop || {
        skip "all that needs a server" "apache2 does not run here: $(tail -n 1 "$work/apache")"
        finish
    }
}

# Without the module: can there be a server here at all?
apache_runs() {
    new_place prefork
    sed -i '/^SetEnvIfExpr/,$d; /seqshare/Id; /^Include/d' "$PLACE/httpd.conf"
    cat "$EXTRA" >>"$PLACE/httpd.conf"
    start
}
