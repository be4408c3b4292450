# SPDX-License-Identifier: MIT
# For helpers of tests in bats: processes that end with their test, and waiting for events.
# shellcheck shell=bash disable=SC2034

# Those whose numbers are in `started`, with their groups.
end_started() {
    local pid
    for pid in "${started[@]}"; do
        kill -KILL -- "-$pid" "$pid" 2>/dev/null || true
    done
    for pid in "${started[@]}"; do
        wait "$pid" 2>/dev/null || true
    done
}

# COMMAND...: until it succeeds. After forty seconds, and more on a busy machine, it is a hang.
eventually() {
    local i
    for ((i = 0; i < 2000; i++)); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.02
    done
    echo "never: $*"
    return 1
}

# COMMAND...: it works here, or the test is skipped, for it is root's.
allowed() {
    "$@" >/dev/null 2>&1 || skip "needs CAP_SYS_ADMIN: be root; docker run --cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
}
