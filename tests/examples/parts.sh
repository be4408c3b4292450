# SPDX-License-Identifier: MIT
# The steps of the examples' part; sourced by run.sh, which is the list of them.
# shellcheck shell=bash
: "${work:?is set by run.sh}" "${installed:?is set by run.sh}" "${SERVER_MODULES:?is set by run.sh}" "${examples:?is set by run.sh} ${of_root?is set by run.sh}"

bindings=$SEQSHARE_SOURCE/bindings
modules=$SERVER_MODULES

sources_of() { # BINDING: a copy, which may be built in
    mkdir -p "$work/$1"
    tar -C "$bindings/$1" --exclude-from=<(cat "$bindings/$1/.gitignore" 2>/dev/null) -c . | tar -C "$work/$1" -x
}

install_all() {
    install_release "$installed"
    build_preset release src/feed/all
    cmake --install "$SEQSHARE_BUILD/release/src/feed" --prefix "$installed"
}

install_perl() {
    sources_of perl
    (cd "$work/perl" && perl Makefile.PL INSTALLSITELIB="$installed/perl" INSTALLSITEARCH="$installed/perl" \
        INSTALLMAN1DIR=none INSTALLMAN3DIR=none && make && make pure_install)
}

install_python() {
    cmake -S "$bindings/python" -B "$work/python" -G Ninja -D Python_EXECUTABLE=/usr/bin/python3 -D CMAKE_BUILD_TYPE=Release
    cmake --build "$work/python"
    mkdir -p "$installed/python"
    cp -r "$bindings/python/src/seqshare" "$installed/python"
    cp "$work"/python/_seqshare*.so "$installed/python/seqshare"
}

install_httpd() {
    sources_of httpd
    make -C "$work/httpd"
    mkdir -p "$modules/apache2"
    cp /usr/lib/apache2/modules/*.so "$work/httpd/mod_seqshare.so" "$modules/apache2"
}

install_nginx() {
    sources_of nginx
    make -C "$work/nginx" -j "$(nproc)"
    mkdir -p "$modules/nginx"
    cp /usr/lib/nginx/modules/*.so "$work/nginx/build/ngx_http_seqshare_module.so" "$modules/nginx"
}

install_lua() {
    cp -r "$bindings/lua/lib" "$installed/lua"
}

# Debian's php-fpm has its version in its name.
install_php() {
    local fpm
    sources_of php
    (cd "$work/php" && phpize && ./configure && make -j "$(nproc)")
    mkdir -p "$installed/php"
    echo "extension=$work/php/modules/seqshare.so" >"$installed/php/90-seqshare.ini"
    fpm=$(command -v "php-fpm$(php -r 'echo PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION;')")
    ln -s "$fpm" "$installed/bin/php-fpm"
}

install_ruby() {
    mkdir -p "$work/tree/bindings"
    cp -r "$SEQSHARE_SOURCE"/{src,include} "$work/tree"
    sources_of ruby
    mv "$work/ruby" "$work/tree/bindings"
    (cd "$work/tree/bindings/ruby/ext/seqshare" && ruby extconf.rb && make)
    cp -r "$work/tree/bindings/ruby/lib" "$installed/ruby"
    cp "$work/tree/bindings/ruby/ext/seqshare/seqshare.so" "$installed/ruby/seqshare"
}

# ---- what the READMEs say ----------------------------------------------------------------------

sandboxed() { # FOLDER COMMAND...: in a copy of this example, on a machine of its own
    ./sandbox.sh "$SEQSHARE_SOURCE/examples" "$@"
}

can_sandbox() {
    sandboxed . true 2>/dev/null
}

# Of these examples, as many at once as there are processors, and one more: they mostly wait.
follow_readmes() { # EXAMPLE...
    mkdir -p "$work/said"
    now "$# examples"
    # shellcheck disable=SC2016
    printf '%s\n' "$@" | xargs -P $(($(nproc) + 1)) -I{} bash -c '
        log=$1/said/${2//\//-}
        ./sandbox.sh "$3" "$2" python3 "$PWD/session.py" README.md >"$log" 2>&1 && echo done >"$log.done"
    ' follow "$work" {} "$SEQSHARE_SOURCE/examples" || true
}

did_as_it_says() { # EXAMPLE
    local log=$work/said/${1//\//-}
    cat "$log"
    [ -e "$log.done" ]
}

in_containers() { # kubernetes, compose or publisher
    local flags
    read -ra flags <<<"$(pkg-config --cflags --libs seqshare-json)"
    gcc -o "$installed/bin/server" "$SEQSHARE_SOURCE/examples/flag/c/server.c" "${flags[@]}"
    PREFIX=$installed sandboxed containers python3 "$PWD/containers.py" "$1"
}

# What comes out is another word; or nothing, and the command fails.
false_session_is_noticed() {
    local session=$work/session.md
    printf '```console\n$ echo one\none\n```\n' >"$session"
    sandboxed . python3 "$PWD/session.py" "$session"
    sed -i 's/^one/two/' "$session"
    fails sandboxed . python3 "$PWD/session.py" "$session"
    printf '```console\n$ false\n```\n' >"$session"
    fails sandboxed . python3 "$PWD/session.py" "$session"
    printf 'Nothing to run.\n' >"$session"
    fails sandboxed . python3 "$PWD/session.py" "$session"
}

# ---- what the pages say ------------------------------------------------------------------------

every_folder_is_an_example() {
    local folder
    for folder in "$SEQSHARE_SOURCE"/examples/*/*/; do
        folder=${folder#"$SEQSHARE_SOURCE/examples/"}
        [[ $folder != containers/* ]] || continue
        [[ " ${examples[*]} ${of_root[*]} " = *" ${folder%/} "* ]] || { echo "nobody runs examples/$folder" && return 1; }
        grep -qF "](${folder%/})" "$SEQSHARE_SOURCE/examples/README.md" || { echo "examples/README.md has no $folder" && return 1; }
    done
}

# A quotation with a line that the file does not have.
false_quote_is_noticed() {
    mkdir -p "$work/quotes/examples"
    echo 'int main(void);' >"$work/quotes/examples/main.c"
    # shellcheck disable=SC2016
    printf '<!-- quote: examples/main.c -->\n```c\nint main(%s);\n```\n' void void >"$work/quotes/README.md"
    ./quotes.py "$work/quotes"
    sed -i '/^int/s/void/int/' "$work/quotes/README.md"
    fails ./quotes.py "$work/quotes" | tee "$work/refused"
    grep -F 'the file does not have' "$work/refused"
}
