# SPDX-License-Identifier: MIT
# Sourced by the run.sh of a part whose programs have many threads, for the thread sanitizer.
# shellcheck shell=bash
export TSAN_OPTIONS="halt_on_error=1:exitcode=66:second_deadlock_stack=1"

# Where the kernel randomises more address bits than the sanitizer knows, it needs this; not everybody may.
unrandomised() { # COMMAND...
    if setarch "$(uname -m)" -R true 2>/dev/null; then
        setarch "$(uname -m)" -R "$@"
    else
        "$@"
    fi
}
