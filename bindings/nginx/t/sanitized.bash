# SPDX-License-Identifier: MIT
# The module under the address and undefined behaviour sanitizers, in a master and a worker that end in order: nothing is
# said, and nothing leaks.
# Shows: no promise of the library, but that the module is free of such faults.
# shellcheck shell=bash

sanitizers="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"

no_complaints() {
    ! cat "$PLACE"/complaints.* 2>/dev/null || return 1
    ! grep -A 20 'runtime error' "$PLACE/error.log"
}

asks_of_each_kind() {
    local n
    for n in {1..20}; do
        status /values
        status /page.shtml
        status /redirected
        status /status
        status /metrics
        document "$n" | status /document -T -
        status /document -H 'If-None-Match: "1-00000000", *'
        status /document -X DELETE
    done
}

refuses_and_follows() {
    is 400 "$(echo '[' | status /document -T -)"
    is 413 "$(bytes 100000 | status /document -T -)"
    is 413 "$(python3 $client chunks "$PORT" 1000000)"
    spoil
    status /index.html
    document 9 | seqshare set "$share" -
    wait_until is 9 "$(header /index.html X-Late)"
    seqshare rm "$share"
    sleep 1.2
    is 9 "$(header /index.html X-Late)"
    is 404 "$(status /document)"
    make_share 10
    wait_until asks_the_number 10
    seqshare replace "$share" --size 128K --mode 666
    publish 11
    wait_until asks_the_number 11
}

asks_the_number() {
    [ "$(header /index.html X-Late)" = "$1" ]
}

# A client that goes while it waits for the lock.
goes_while_waiting() {
    local owner
    exec 7< <(exec seqshare lock "$share" -- sh -c 'echo $$; exec sleep 100')
    read -r -u 7 owner
    document 12 | curl -s --max-time 1 -T - "$url/document" || true
    kill -KILL "$owner"
    exec 7<&-
    is 204 "$(document 13 | status /document -T -)"
}

under_sanitizers() {
    local runtime
    runtime=$(gcc -print-file-name=libasan.so)
    new_place
    make_share
    chmod 777 "$PLACE"
    sed -i 's/^worker_processes.*/worker_processes 1;/' "$PLACE/nginx.conf"
    wrapper=(env LD_PRELOAD="$runtime" ASAN_OPTIONS="log_path=$PLACE/complaints:log_exe_name=0:detect_leaks=1"
        LSAN_OPTIONS="suppressions=$PLACE/known:print_suppressions=0" UBSAN_OPTIONS="print_stacktrace=1")
    # What nginx itself keeps until its end.
    printf 'leak:%s\n' ngx_set_environment ngx_init_setproctitle ngx_save_argv ngx_event_process_init ngx_alloc \
        OPENSSL CRYPTO >"$PLACE/known"
}

sanitized() {
    local MODULE workers=1
    MODULE=$work/nginx-sanitized/build/ngx_http_seqshare_module.so
    under_sanitizers
    begin "sanitized: a server starts"
    check "sanitized: it answers, again and again" asks_of_each_kind
    check "sanitized: refuses and follows" refuses_and_follows
    check "sanitized: a client that goes is forgotten" goes_while_waiting
    reload
    check "sanitized: it is reloaded, and goes on" asks_the_number 13
    kill_children
    check "sanitized: a worker is killed" asks_the_number 13
    stop
    check "sanitized: no complaints" no_complaints
}

check "sanitized: the library builds and installs" install_release "$work/sanitized" sanitized
check "sanitized: the module builds" build_module sanitized CC=gcc CFLAGS="-O1 -g $sanitizers"
sanitized
wrapper=()
