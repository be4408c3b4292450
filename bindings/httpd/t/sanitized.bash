# SPDX-License-Identifier: MIT
# Module and library with the sanitizers for addresses and undefined behaviour, in a server that has none: under
# load; and in one process, which at its end has let go of all that it had.
# Shows: no promise of the library, but that the module has no fault that sanitizers see.
# shellcheck shell=bash

sanitizers="-fsanitize=address,undefined -fno-sanitize-recover=undefined"
sanitized_module=$work/module-sanitized/mod_seqshare.so

no_complaints() {
    ! cat "$PLACE"/complaints.* 2>/dev/null
}

# OPTIONS: what the server and its children are started with
under_sanitizers() {
    local runtime
    runtime=$(gcc -print-file-name=libasan.so)
    wrapper=(env MODULE="$sanitized_module" LD_PRELOAD="$runtime"
        LSAN_OPTIONS="suppressions=$PLACE/known:print_suppressions=0" ASAN_OPTIONS="log_path=$PLACE/complaints:log_exe_name=0:$1" UBSAN_OPTIONS="print_stacktrace=1")
    # APR has its pools where the sanitizer does not look for pointers. A document that leaks is seen without.
    echo "leak:apr_pool_create_unmanaged_ex" >"$PLACE/known"
    chmod 777 "$PLACE" # it is the server's user who complains
}

under_load() { # MPM
    new_place "$1"
    under_sanitizers detect_leaks=0
    begin "sanitized, $1: a server starts"
    python3 client.py put "$PORT" 1000 50 "$PLACE/enough" >"$PLACE/put" 2>&1 &
    check "sanitized, $1: answers under load" python3 client.py check "$PORT" 4 20
    touch "$PLACE/enough"
    wait $! || true
    check "sanitized, $1: documents were put" holds "$PLACE/put" '.put >= 50'
    refuses_and_follows "sanitized, $1"
    restart USR1
    check "sanitized, $1: the value stays" is 9 "$(header /index.html X-Late)"
    stop
    check "sanitized, $1: no complaints" no_complaints
}

refuses_and_follows() { # NAME
    check "$1: malformed is refused" is 400 "$(echo '[' | status /document -T -)"
    check "$1: what is too long is refused" is 413 "$(bytes 100000 | status /document -T -)"
    echo '[' | seqshare set "$(created_share)" --force -
    check "$1: malformed and forced in is not used" status /index.html
    document 9 | seqshare set "$(created_share)" -
    check "$1: and then comes a good one" is 9 "$(header /index.html X-Late)"
}

asks_of_each_kind() {
    local _
    for _ in {1..20}; do
        header /values X-Values
        status /page.shtml
        status /status
        document 2 | status /document -T -
    done
}

in_one_process() {
    new_place prefork
    under_sanitizers "detect_leaks=1"
    options=(-X)
    begin "sanitized, in one process: a server starts"
    check "sanitized, in one process: it answers, again and again" asks_of_each_kind
    refuses_and_follows "sanitized, in one process"
    stop
    options=()
    check "sanitized, in one process: no complaints" no_complaints
}

if [ ! -d "$work/sanitized" ]; then # planted faults need it more than once
    check "sanitized: the library builds and installs" install_release "$work/sanitized" sanitized
fi
check "sanitized: the module builds" build_module sanitized CC=gcc CFLAGS="-O1 -g $sanitizers"
for mpm in "${mpms[@]}"; do
    [ "$mpm" = worker ] || under_load "$mpm"
done
in_one_process
wrapper=()
