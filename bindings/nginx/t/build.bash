# SPDX-License-Identifier: MIT
# Sourced: builds the library and the module that the tests use, in $work; and says what a server needs.
# shellcheck shell=bash
sources=$(cd .. && pwd) # of the module; a planted fault has others

# FOLDER MAKE-ARGUMENT...: the module on the library in that folder, built from a copy of its sources
build_module() {
    local folder=$work/nginx-$1 prefix=$work/$1
    rm -rf "$folder"
    mkdir "$folder"
    cp "$sources"/*.[ch] "$sources/Makefile" "$sources/config" "$folder"
    PKG_CONFIG_PATH=$prefix/lib/pkgconfig make -j 2 -C "$folder" LDFLAGS="-Wl,-rpath,$prefix/lib" "${@:2}"
}

# As nginx's own Makefile compiles it, but for the compiler.
passes_clang() {
    local folder=$work/nginx-plain from=/usr/share/nginx/src/src
    (cd "$folder" && clang -fsyntax-only -Wall -Wextra -Wshadow -Werror -isystem $from/core -isystem $from/event \
        -isystem $from/os/unix -isystem $from/http -isystem $from/http/modules -isystem $from/http/v2 -isystem $from/http/v3 -isystem $from/event/quic -isystem build -I "$work/plain/include" ./*.c)
}

says_what_is_missing() {
    cp -r "$work/nginx-plain" "$work/bare"
    rm -r "$work/bare/build"
    (PKG_CONFIG=false make -C "$work/bare" 2>&1 || true) | grep 'install seqshare with json-c'
    (make -C "$work/bare" NGINX=/nowhere OPTIONS= 2>&1 || true) | grep 'install nginx-dev'
}

module_installs() {
    make -C "$work/nginx-plain" install DESTDIR="$work/installed"
    [ -f "$work/installed/usr/lib/nginx/modules/ngx_http_seqshare_module.so" ]
}

build_for_a_sample() {
    local tool
    for tool in nginx curl jq python3; do
        PATH=$PATH:/usr/sbin command -v $tool >/dev/null && [ -e /usr/share/nginx/src/configure ] && continue
        skip "ngx_http_seqshare_module" "needs $tool and nginx's sources: apt-get install nginx nginx-dev curl jq python3"
        finish
    done
    check "the library builds and installs" install_release "$work/plain"
    check "it builds, by gcc" build_module plain CC=gcc
}

build_all() {
    check "the library builds and installs" install_release "$work/plain"
    check "it builds without a warning, by gcc" build_module plain CC=gcc CFLAGS="-O2 -g -Werror"
    check "clang has no warning" passes_clang
    check "without the library or nginx's sources, make says what is missing" says_what_is_missing
    check "it installs" module_installs
    check "mod_seqshare builds, to be compared with" build_other
}

# mod_seqshare, in the folder where its own tests have it.
build_other() {
    mkdir "$work/module-plain"
    cp ../../httpd/*.[ch] ../../httpd/Makefile "$work/module-plain"
    PKG_CONFIG_PATH=$work/plain/lib/pkgconfig make -C "$work/module-plain" LDFLAGS="-Wl,-rpath,$work/plain/lib" \
        CC=gcc CFLAGS="-O2 -g"
}

# A server of root's becomes www-data, which a container's root may lack the right to do.
may_serve() {
    if [ "$(id -u)" -eq 0 ] && ! setpriv --reuid 65534 --clear-groups true 2>/dev/null; then
        skip "all that needs a server" \
            "needs root who may become another user: CAP_SETUID and the like, which docker run gives"
        finish
    fi
    new_place
    cat >"$PLACE/nginx.conf" <<CONF
include $PLACE/main.conf;
worker_processes 4;
pid $PLACE/nginx.pid;
events {}
http {
    access_log off;
    server {
        listen 127.0.0.1:$PORT;
        root $PLACE/htdocs;
    }
}
CONF
    start >"$work/nginx-alone" 2>&1 && stop || {
        skip "all that needs a server" "nginx does not run here: $(tail -n 1 "$work/nginx-alone")"
        finish
    }
}
