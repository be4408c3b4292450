# SPDX-License-Identifier: MIT
# The steps of the Ruby part; sourced by run.sh, which is the list of them.
# shellcheck shell=bash
: "${work:?is set by run.sh}" "${package:?is set by run.sh}"

warnings="-Wall -Wextra -Werror -Wno-unused-parameter"

# FOLDER OPTION...: the extension, built from the tree, in FOLDER/seqshare.
build_extension() {
    mkdir -p "$1/build" "$1/seqshare"
    (cd "$1/build" && ruby "$package/ext/seqshare/extconf.rb" "${@:2}" && make -j "$(nproc)" "warnflags=$warnings") | tee "$1/log"
    cp "$1/build/seqshare.so" "$1/seqshare"
}

smoke() {
    build_extension "$work/smoke" --disable-system-library --with-cflags=-O1
    ruby -I "$work/smoke" -I "$package/lib" smoke.rb
}

# Of the sources alone: somebody may have built in the tree.
make_gem() {
    mkdir -p "$work/tree/bindings/ruby"
    cp -r "$SEQSHARE_SOURCE"/{src,include,LICENSE} "$work/tree"
    tar -C "$package" --exclude-from="$package/.gitignore" -c . | tar -C "$work/tree/bindings/ruby" -x
    (cd "$work/tree/bindings/ruby" && rake gem)
    gem specification "$work"/tree/bindings/ruby/pkg/seqshare-*.gem files >"$work/gem.list"
    grep vendor/src/write.c "$work/gem.list"
    [ ! -e "$work/tree/bindings/ruby/vendor" ]
}

# A machine without the library: there is no pkg-config file of it, and the project's sources are not beside the gem.
install_gem() {
    PKG_CONFIG_LIBDIR=$work/nowhere gem install --local --no-document "$work"/tree/bindings/ruby/pkg/seqshare-*.gem
    cat "$GEM_HOME"/extensions/*/*/seqshare-*/gem_make.out >"$work/gem_make.out"
    grep "seqshare: its sources in $GEM_HOME/gems" "$work/gem_make.out"
    ! grep -i 'warning:' "$work/gem_make.out" || return 1
    ! ldd "$GEM_HOME"/gems/seqshare-*/lib/seqshare/seqshare.so | grep libseqshare || return 1
    nm -D --defined-only "$GEM_HOME"/gems/seqshare-*/lib/seqshare/seqshare.so | tee "$work/exports"
    [ "$(wc -l <"$work/exports")" -eq 1 ] # its beginning alone
}

build_on_the_library() {
    install_release "$work/installed"
    build_extension "$work/system"
    grep 'seqshare: the installed library' "$work/system/log"
    ldd "$work/system/seqshare/seqshare.so" | grep "$work/installed/lib/libseqshare-cache.so"
}

# FOLDER-OF-TESTS: all of them, by the installed gem.
test_gem() {
    ruby -w -I "$package/test" -e 'Dir["#{ARGV[0]}/test_*.rb"].sort.each { |path| require path }' "$1"
}

test_on_the_library() { # TEST...
    local name
    for name in "$@"; do
        ruby -w -I "$work/system" -I "$package/lib" -I "$package/test" "$package/test/test_$name.rb"
    done
}

rake_compiles() {
    (cd "$work/tree/bindings/ruby" && rake compile && rake test TEST=test/test_values.rb)
}

# The README's commands, in a folder of their own. The share's name is one that nobody else has.
readme_session() { # FOLDER
    local name=ruby-readme.$$
    mkdir -p "$1/session"
    cp "$work"/tree/bindings/ruby/pkg/seqshare-*.gem "$1/session"
    session README.md console | sed "s/\"shop\"/\"$name\"/g; s/:9292/:$(free_port)/" >"$1/session/commands"
    grep -c '' "$1/session/commands"
    (cd "$1/session" && GEM_HOME=$1/session/gems bash -eu commands >said 2>log) || { cat "$1/session/log" && return 1; }
    kill "$(cat "$1/session/puma.pid")"
    rm -f "/dev/shm/seqshare.$name"
    grep -x dark "$1/session/said"
}

# The commands of a file's first block of that kind: `$` begins one, and lines up to the END of a here-document follow.
session() { # FILE KIND
    sed -n "/^\`\`\`$2\$/,/^\`\`\`\$/p" "$package/$1" | awk '
        /^\$ / { print substr($0, 3); inside = /<<.END/; next }
        inside { print; if ($0 == "END") inside = 0 }' |
        sed 's/^curl /curl -s --retry 60 --retry-delay 1 --retry-connrefused /'
}

free_port() {
    ruby -rsocket -e 'puts TCPServer.open("127.0.0.1", 0) { |server| server.addr[1] }'
}

# The README's block of Ruby, line by line, with a name of the test's own.
readme_block() {
    mkdir -p "$work/block"
    sed -n '/^```ruby$/,/^```$/p' "$package/README.md" | sed '1d;/^```$/,$d' | sed "s|/run/shop/config|$work/block/config|" >"$work/block/block.rb"
    ruby -w "$work/block/block.rb"
}

# On the heap. Ruby jumps out of C functions in its own way, which the sanitizer of the stack takes for a fault; and it
# has signal stacks and handlers of its own.
test_sanitized() {
    local name flags="-O1 -g -fsanitize=address,undefined --param asan-stack=0 -fno-omit-frame-pointer"
    mkdir -p "$work/sanitized/build" "$work/sanitized/seqshare"
    (cd "$work/sanitized/build" &&
        ruby "$package/ext/seqshare/extconf.rb" --disable-system-library "--with-cflags=$flags -std=gnu11 -fvisibility=hidden -fexceptions -fPIC" &&
        make -j "$(nproc)" "DLDFLAGS=-fsanitize=address,undefined -Wl,-z,nodelete")
    cp "$work/sanitized/build/seqshare.so" "$work/sanitized/seqshare"
    export ASAN_OPTIONS=detect_leaks=0:handle_sigbus=0:handle_segv=0:handle_abort=0:use_sigaltstack=0 UBSAN_OPTIONS=halt_on_error=1
    LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)"
    for name in values typed meanwhile processes bad_input ractors; do
        LD_PRELOAD=$LD_PRELOAD ruby -I "$work/sanitized" -I "$package/lib" -I "$package/test" "$package/test/test_$name.rb"
    done
    LD_PRELOAD=$LD_PRELOAD ruby -I "$work/sanitized" -I "$package/lib" fuzz.rb 60 "$work/sanitized"
}

fuzz() { # SECONDS
    mkdir -p "$work/fuzz"
    ruby fuzz.rb "$1" "$work/fuzz" "$SEQSHARE_SOURCE"/tests/fuzz/corpus/*
}
