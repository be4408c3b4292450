#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: a process is killed or stopped at every instruction of a call, and everybody else goes on
# tier: quick
# budget: 60
# quick budget: 20
# quick leaves out: most instructions: each 11th is a sample
# long budget: 1800
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../ptrace/part.sh"

if [ -z "${SEQSHARE_MUTANTS:-}" ]; then
    build_and_run crash
fi

prepare_mutants crash
mutant "the lock is taken over without judging its owner" \
    src/lock.c 's/if \(identity_is_dead\(word\)\)/if (word)/'
mutant "a dead owner is never noticed" \
    src/lock.c 's/if \(identity_is_dead\(word\)\)/if (!word)/'
mutant "a zombie counts as alive" \
    src/identity.c "s/state == 'Z' \|\| //"
mutant "the lock is taken in two steps: a bit first, the owner after" \
    src/lock.h 's/return __atomic_compare_exchange_n\(&lock->owner, &from, to, (.*)\);/if (!__atomic_compare_exchange_n(\&lock->owner, \&from, 1, \1)) return false; __atomic_store_n(\&lock->owner, to, __ATOMIC_RELEASE); return true;/'
mutant "the lock is given back before the publication" \
    src/write.c 's/^        finish\(share, self, version, length, tag\);/        lock_leave(lock_of(share), self->owner);\n&/'
mutant "a version is published before its bytes are there" \
    src/write.c '/copy_in\(slot_bytes/d; s/^        finish\(share, self, version, length, tag\);/&\n        copy_in(slot_bytes(share, version), value, length);/'
mutant "whoever takes over announces again" \
    include/seqshare/protocol.h 's/if \(\(sequence & 1\) == 0\)/if (sequence != UINT64_MAX)/'
mutant "the name is given to an empty file" \
    src/share.c 's/^    error = create_in_file\(/    if (!old)\n        name_link(name, fd, temporary);\n&/; s/error = name_link\(name, share->region.file.write_fd, temporary\);/error = 0;/'
mutant "the header is written after the name is given" \
    src/create.c 's/return error \? error : write_contents\(region, fd, value\);/return error || !region->anonymous ? error : write_contents(region, fd, value);/; s/^int create_in_file\(/int create_late(struct region *region, int fd, const struct first_value *value);\nint create_late(struct region *region, int fd, const struct first_value *value)\n{\n    return write_contents(region, fd, value);\n}\n\n&/' \
    src/share.c 's/^int share_make_file\(/int create_late(struct region *region, int fd, const struct first_value *value);\n&/; s/^    error = name_link\(name, share->region.file.write_fd, temporary\);/&\n    if (!error)\n        error = create_late(\&share->region, share->region.file.write_fd, request->first ? \&value : NULL);/; s/^    share_aim\(share\);\n    return 0;/    if (old)\n        error = create_late(\&share->region, fd, value);\n&/'
mutant "the mode is set after the name is given" \
    src/share.c 's/return fchmod\(fd, request->mode\) == 0/return fchmod(fd, 0600) == 0/; s/^    error = name_link\(name, share->region.file.write_fd, temporary\);/&\n    if (!error \&\& fchmod(share->region.file.write_fd, request->mode) != 0)\n        error = -errno;/'
mutant "replace unlinks the name first" \
    src/rename.c '/^static int take_name\(/,/^}/{s/^    int error = swap\(/    if (old.inode)\n        return unlinkat(name->directory, name->base, 0) || renameat(name->directory, temporary, name->directory, name->base);\n&/}'
mutant "replace marks the old region before the new one is in place" \
    src/replace.c 's/^    error = rename_replace\(/    if (old->locked)\n        retire(theirs);\n&/'
mutant "nobody says that the name is about to move" \
    src/move.c 's/return !\(region_retire\(region, SEQSHARE_LOOK\) & SEQSHARE_LOOK_OUTSIDE\) \|\|/return true ||/'
mutant "replace does not mark the old region" \
    src/replace.c 's/^        retire\(theirs\);/        (void)theirs;/'
mutant "a writer does not ask the name" \
    src/follow.c 's/^    if \(marks & \(SEQSHARE_LOOK \| SEQSHARE_LOOK_OUTSIDE\)\)/    if (marks == UINT32_MAX)/'
mutant "a mark that nobody needs any more stays" \
    src/follow.c '/^static int look/,/^}/s/^    region_unmark\(.*//'
mutant "unlink does not mark the region" \
    src/unlink.c 's/region_retire\(region, SEQSHARE_UNLINKED\);/(void)region;/'
mutant "replace forgets the value" \
    src/replace.c 's/request, &old->value, /request, NULL, /'
finish_mutants
