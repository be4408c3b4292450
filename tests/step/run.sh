#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: at every instruction of a reader others write, of a writer others read and write
# tier: full
# budget: 90
# long budget: 1800
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../ptrace/part.sh"

if [ -z "${SEQSHARE_MUTANTS:-}" ]; then
    build_and_run step
fi

prepare_mutants step
mutant "a read is accepted one step further" \
    include/seqshare/protocol.h 's/<= 2 \* \(uint64_t\)mask;/<= 2 * (uint64_t)mask + 1;/'
mutant "a read is refused one step too early" \
    include/seqshare/protocol.h 's/<= 2 \* \(uint64_t\)mask;/< 2 * (uint64_t)mask;/'
mutant "the sequence is not looked at again" \
    include/seqshare/protocol.h 's/<= 2 \* \(uint64_t\)mask;/<= (mask ? UINT64_MAX : 0);/'
mutant "the inline typed get does not look at the sequence again" \
    include/seqshare/typed.h 's/if \(!seqshare_read_accept\(head, mask, version\)\)/if (version == 0)/'
mutant "a writer does not announce" \
    include/seqshare/protocol.h 's/if \(\(sequence & 1\) == 0\)/if (sequence == UINT64_MAX)/'
mutant "whoever takes over announces again" \
    include/seqshare/protocol.h 's/if \(\(sequence & 1\) == 0\)/if (sequence != UINT64_MAX)/'
mutant "abandon goes back to an even sequence" \
    src/write.c 's/^    return lock_abandon\(.*the sequence stays odd.*/    seqshare_store_release(\&share->region.map->head.sequence, 2 * seqshare_write_current(\&share->region.map->head));\n&/'
mutant "a version is published before its bytes are there" \
    src/write.c '/copy_in\(slot_bytes/d; s/^        finish\(share, self, version, length, tag\);/&\n        copy_in(slot_bytes(share, version), value, length);/'
mutant "a value is too long before it is accepted" \
    src/read.c 's/^    if \(likely\(fits\)\)/    if (!fits)\n        return -ENOBUFS;\n&/'
mutant "a value has the wrong type before it is accepted" \
    src/read.c 's/^        if \(fits &&/        if (!fits)\n            return -EBADMSG;\n&/'
mutant "set_if compares versions before it has the lock" \
    src/write.c '/^HOT_INLINE int set\(/,/^}/{s/error = begin\(share, self\);/if (expected \&\& *expected != seqshare_version(handle)) {\n        *expected = seqshare_version(handle);\n        return -ESTALE;\n    }\n    &/; s/announce\(share, expected, length, /announce(share, NULL, length, /}'
mutant "the lock is given back before the publication" \
    src/write.c 's/^        finish\(share, self, version, length, tag\);/        lock_leave(lock_of(share), self->owner);\n&/'
mutant "the lock is taken over by a plain store" \
    src/lock.c 's/return lock_take\(lock, self, dead, want \| \(dead & OWNER_WAITERS\), by\);/__atomic_store_n(\&lock->owner, 0, __ATOMIC_RELEASE);\n    return lock_take(lock, self, 0, want | (dead \& OWNER_WAITERS), by);/'
mutant "one owner is judged, and the lock taken from another" \
    src/lock.c 's/return lock_take\(lock, self, dead, /return lock_take(lock, self, lock_word(lock), /'
mutant "replace reads the value before it has the lock" \
    src/replace.c 's/int error = lock_old\(old, name\);/int error = read_old(old, request->first);/; s/^        error = read_old\(old, request->first\);/        error = lock_old(old, name);/'
finish_mutants
