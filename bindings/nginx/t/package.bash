# SPDX-License-Identifier: MIT
# Debian's source package of nginx, built with the module as --add-dynamic-module, and with the module in the program.
# Shows: JSON-2, with an nginx that is built from its sources.
# shellcheck shell=bash

# The sources of this machine's Debian, by an apt with folders and sources of its own.
fetch_sources() {
    local options folder=$work/source codename
    codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    mkdir -p "$folder"/{lists/partial,cache/archives/partial}
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 2>/dev/null |
        sed -n "s/ $codename main\$//p" | head -n 1 | sed "s/.*/deb-src [trusted=yes] & $codename main/" >"$folder/sources.list"
    grep deb-src "$folder/sources.list"
    options=(-q -o "Dir::Etc::sourcelist=$folder/sources.list" -o Dir::Etc::sourceparts=/dev/null
        -o "Dir::State::lists=$folder/lists" -o "Dir::Cache=$folder/cache" -o APT::Sandbox::User=root)
    apt-get "${options[@]}" update
    (cd "$folder" && apt-get "${options[@]}" source nginx)
    mv "$folder"/nginx-*/ "$work/nginx-source"
}

# As README.md says; without what the tests do not use.
build_from_source() { # FOLDER CONFIGURE-OPTION...
    (cd "$work/nginx-source" && PKG_CONFIG_PATH=$work/plain/lib/pkgconfig ./configure --builddir="$work/$1" --with-compat \
        --with-http_v2_module --with-ld-opt="-Wl,-rpath,$work/plain/lib" --prefix="$work/$1" "${@:2}")
    make -j "$(nproc)" -f "$work/$1/Makefile" -C "$work/nginx-source" binary modules ||
        make -j "$(nproc)" -f "$work/$1/Makefile" -C "$work/nginx-source"
}

with_program_of() { # FOLDER
    export PATH=$work/$1:$PATH
    hash -r
    is "$work/$1/nginx" "$(command -v nginx)"
}

tests_with() { # FOLDER MODULE
    local MODULE=$2
    check "$1: that program is taken" with_program_of "$1"
    PATH=$work/$1:$PATH
    hash -r
    for test in agree cut changes; do
        # shellcheck source=/dev/null
        source "./$test.bash"
    done
}

package() {
    local plain=$PATH
    check "Debian's source package of nginx is there" fetch_sources
    [ -d "$work/nginx-source" ] || return 0
    check "it builds with --add-dynamic-module" build_from_source dynamic --add-dynamic-module="$work/nginx-plain"
    check "and with --add-module" build_from_source static --add-module="$work/nginx-plain"
    tests_with dynamic "$work/dynamic/ngx_http_seqshare_module.so"
    PATH=$plain
    write_configuration() { # which loads nothing
        sed "/^load_module/d; s|@PLACE@|$PLACE|g; s|@PORT@|$PORT|g" "${1:-nginx.conf}" >"$PLACE/nginx.conf"
    }
    tests_with static none
    PATH=$plain
}

package
