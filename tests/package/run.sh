#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: what is installed is complete, and outside programs build and run with it
# tier: quick
# budget: 50
# quick budget: 10
# quick leaves out: CMake, static, clang, 32 bits
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh

work=$SEQSHARE_BUILD/package
rm -rf "$work"
mkdir -p "$work"
version=$(sed -nE 's/^#define SEQSHARE_VERSION_[A-Z]+ +([0-9]+)$/\1/p' "$SEQSHARE_SOURCE/include/seqshare/seqshare.h" |
    paste -sd.)
warnings=(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wundef -Werror)

# As a packager does it, but moved afterwards: nothing in it may know where it was made for.
install_library() {
    cmake -S "$SEQSHARE_SOURCE" -B "$work/build" -G Ninja -D CMAKE_BUILD_TYPE=RelWithDebInfo -D SEQSHARE_WERROR=ON \
        -D SEQSHARE_TESTS=OFF -D SEQSHARE_BENCH=OFF -D SEQSHARE_FEED=OFF -D CMAKE_INSTALL_LIBDIR=lib \
        -D CMAKE_INSTALL_PREFIX="$work/first"
    cmake --build "$work/build" -j "$(nproc)"
    cmake --install "$work/build"
    mv "$work/first" "$work/installed"
}

tree_is_as_listed() {
    (cd "$work/installed" && find . ! -type d ! -path '*/man[37]/*' | LC_ALL=C sort) >"$work/tree"
    sed "s/@VERSION@/$version/" tree | diff - "$work/tree"
}

# The pages are made from the headers: each function that the libraries export has one, and each one is well formed
# and lists its errors, if its header does. (The inline functions of compiled programs call two more.)
functions_have_man_pages() {
    local function man=$work/installed/share/man
    for function in $(nm -D --defined-only "$work"/installed/lib/lib*.so | sed -nE 's/.* T (seqshare_\w+)(@.*)?$/\1/p' | sort -u); do
        [[ $function = seqshare_@(holds|try_get_small) ]] || [ -s "$man/man3/$function.3" ] || { echo "$function has no page"; return 1; }
    done
    [ -s "$man/man7/seqshare.7" ] && [ -s "$man/man3/SEQSHARE_TYPE.3" ] && [ -s "$man/man3/seqshare_feed_age.3" ]
    (cd "$man" && groff -man -Tutf8 -ww -z man[37]/* 2>&1) | tee "$work/groff"
    [ ! -s "$work/groff" ]
    grep -A 1 -Fx '.B \-EROFS' "$man/man3/seqshare_set.3"
    fails grep -E '^\\-E[A-Z]+ ' "$man"/man3/* # an error that is not an item of the list
    grep -F 'SEQSHARE_ANY_OWNER = ' "$man/man3/seqshare_open.3"
}

# Also what an older version left; and nothing of anybody else.
uninstalls() {
    local root=$work/removed
    cmake --install "$work/build" --prefix "$root"
    mkdir -p "$root/include/other"
    touch "$root/lib/libseqshare.so.0.0.1" "$root/lib/libseqshare-json.so.0.0.1" "$root/include/seqshare/older.h" \
        "$root/lib/libseqshared.so" "$root/include/other/seqshare.h"
    cmake --build "$work/build" --target uninstall
    (cd "$root" && find . ! -type d | LC_ALL=C sort) >"$work/left"
    diff "$work/left" - <<<$'./include/other/seqshare.h\n./lib/libseqshared.so'
    [ ! -e "$root/include/seqshare" ]
    cmake --build "$work/build" --target uninstall # there is nothing left to do
}

needs_libc_alone() {
    readelf -d "$library" >"$work/dynamic"
    grep -F '(SONAME)' "$work/dynamic" | grep -F '[libseqshare.so.0]'
    ! grep -F '(NEEDED)' "$work/dynamic" | grep -vE '\[(libc\.so|ld-linux)'
}

# An archive has no hidden names: whatever it defines can clash with the program's own.
archives_keep_to_their_prefix() {
    nm --defined-only -g "$work"/installed/lib/lib*.a >"$work/names"
    grep -q ' T seqshare_set$' "$work/names"
    grep -q ' T seqshare_cache_refresh$' "$work/names"
    grep -q ' T seqshare_json_find$' "$work/names"
    ! grep -vE ' seqshare_[a-z0-9_]+$|^$|\.[ao]:$' "$work/names"
}

stack_is_not_executable() {
    readelf -lW "$library" | grep GNU_STACK | grep -q 'RW '
}

pc() { # LIBRARY OPTION...
    PKG_CONFIG_PATH=$work/installed/lib/pkgconfig pkg-config "${@:2}" "$1"
}

pc_says_the_version() { # LIBRARY
    [ "$(pc "$1" --modversion)" = "$version" ]
}

run_shared() {
    LD_LIBRARY_PATH=$work/installed/lib "$@"
}

with_pkg_config() { # COMPILER FILE STANDARD LIBRARY
    local flags libs
    read -ra flags <<<"$(pc "$4" --cflags)"
    read -ra libs <<<"$(pc "$4" --libs)"
    "$1" -std="$3" -D_GNU_SOURCE -O2 "${warnings[@]}" "${flags[@]}" "outside/$2" "${libs[@]}" -o "$work/$1-$2-shared"
    run_shared "$work/$1-$2-shared"
}

with_pkg_config_static() { # COMPILER FILE STANDARD LIBRARY
    local flags libs
    read -ra flags <<<"$(pc "$4" --static --cflags)"
    read -ra libs <<<"$(pc "$4" --static --libs)"
    "$1" -std="$3" -D_GNU_SOURCE -O2 "${flags[@]}" "outside/$2" -static "${libs[@]}" -o "$work/$1-$2-static"
    "$work/$1-$2-static"
}

# The first program in the README, as it is.
readme_program() {
    local flags
    read -ra flags <<<"$(pc seqshare --cflags --libs)"
    sed -n '/^```c$/,/^```$/p' "$SEQSHARE_SOURCE/README.md" | sed '1d; /^```$/,$d' >"$work/readme.c"
    gcc -Wall -Wextra -Werror -o "$work/readme" "$work/readme.c" "${flags[@]}"
    [ "$(run_shared "$work/readme")" = "a worker: 100 requests a second" ]
}

configure_outside() { # FOLDER OPTION...
    CMAKE_GENERATOR=Ninja cmake -S outside -B "$work/$1" -D CMAKE_PREFIX_PATH="$work/installed" "${@:2}"
}

with_cmake() { # FOLDER OPTION...
    local program
    configure_outside "$@"
    cmake --build "$work/$1" -j 2
    for program in {program,cached,document}-{c,cc}-{shared,static}; do
        "$work/$1/$program"
    done
}

# As on an old processor, or beside programs of 64 bits: the layout of a region is the same for both. By the cross
# compiler, for Debian's gcc-multilib cannot be installed beside it; its loader is not where programs look for one.
with_32_bits() {
    local build=$work/build-32 how
    cmake -S "$SEQSHARE_SOURCE" -B "$build" -G Ninja -D CMAKE_C_COMPILER=i686-linux-gnu-gcc \
        -D SEQSHARE_WERROR=ON \
        -D SEQSHARE_CLI=OFF -D SEQSHARE_URCU=OFF -D SEQSHARE_JSON=OFF -D SEQSHARE_TESTS=OFF -D SEQSHARE_BENCH=OFF
    cmake --build "$build" -j "$(nproc)"
    for how in libseqshare.a libseqshare.so; do
        i686-linux-gnu-gcc -std=c11 -D_GNU_SOURCE -O2 "${warnings[@]}" -I"$SEQSHARE_SOURCE/include" outside/program.c "$build/src/$how" \
            -Wl,-rpath,"$build/src" -Wl,-rpath,"$libc_32" -Wl,--dynamic-linker="$libc_32/ld-linux.so.2" -o "$work/program-32"
        "$work/program-32"
    done
}

if is_quick; then
    check "builds and installs" install_release "$work/installed"
    check "an outside program, by pkg-config" with_pkg_config gcc program.c c11 seqshare
    check "the README's first program, as it is" readme_program
    finish
fi
library=$work/installed/lib/libseqshare.so
check "builds and installs" install_library
check "the installed tree holds what it should, and nothing else" tree_is_as_listed
check "every public function has a man page, and each is well formed" functions_have_man_pages
check "it uninstalls, with what older versions left" uninstalls
check "the library needs libc alone, and is libseqshare.so.0" needs_libc_alone
check "the library's stack is not executable" stack_is_not_executable
check "the archives define only names that begin with seqshare_" archives_keep_to_their_prefix
for name in seqshare seqshare-cache seqshare-json; do
    check "pkg-config says version $version of $name" pc_says_the_version $name
done
for compilers in "gcc g++" "clang clang++"; do
    read -r cc cxx <<<"$compilers"
    while read -r program name; do
        check "$cc: $program, C, by pkg-config" with_pkg_config "$cc" $program.c c11 $name
        check "$cc: $program, C, by pkg-config, all static" with_pkg_config_static "$cc" $program.c c11 $name
        check "$cxx: $program, C++, by pkg-config" with_pkg_config "$cxx" $program.cc c++11 $name
        check "$cxx: $program, C++, by pkg-config, all static" with_pkg_config_static "$cxx" $program.cc c++17 $name
    done <<'LIST'
program seqshare
cached seqshare-cache
document seqshare-json
LIST
    check "$cc: a CMake project that finds the package" with_cmake "found-$cc" \
        -D CMAKE_C_COMPILER="$cc" -D CMAKE_CXX_COMPILER="$cxx" -D SEQSHARE_WANTED="$version"
done
check "the README's first program, as it is" readme_program
for wanted in 99 0.0; do # 0.0: before 1.0, each minor version is a world of its own
    check_fails "a CMake project that wants version $wanted is refused" configure_outside "other-$wanted" -D SEQSHARE_WANTED=$wanted
done
check "a CMake project that takes the sources along" with_cmake along -D SEQSHARE_SUBPROJECT="$SEQSHARE_SOURCE"
check "the same, by Makefiles" with_cmake makefiles -G "Unix Makefiles" -D SEQSHARE_SUBPROJECT="$SEQSHARE_SOURCE"
libc_32=/usr/i686-linux-gnu/lib
if i686-linux-gnu-gcc -static -xc -o "$work/probe" - <<<'int main(void) { return 0; }' 2>/dev/null && "$work/probe"; then
    check "library and program of 32 bits" with_32_bits
else
    skip "library and program of 32 bits" "no i686-linux-gnu-gcc here, or the kernel runs no such program"
fi
finish
