#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: every call to the system fails in turn: a clean error, nothing left behind, and the next try works
# tier: full
# budget: 30
# long budget: 900
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../ptrace/part.sh"

if [ -z "${SEQSHARE_MUTANTS:-}" ]; then
    build_and_run faults
fi

# $only: the operations that meet the fault.
catches() {
    local rc=0
    timeout --kill-after=10 300 "$built/tests/faults/faults" --first "$only" >"$copy/output" 2>&1 || rc=$?
    [ "$rc" -eq 1 ] && grep -q '^FAILED' "$copy/output"
}

prepare_mutants faults
check "without a fault nothing fails" "$built/tests/faults/faults"

only=create
mutant "a descriptor stays open when making a region fails" \
    src/region.c '/^int region_give_up/,/^}/ s/^    close\(fd\);//'
mutant "a mapping stays when making a region fails" \
    src/region.c '/^int region_give_up/,/^}/ { /if \(region->map\)/d; /munmap/d }'
mutant "the region stays mapped when its name is taken" \
    src/share.c '/^int share_make_first/,/^}/ { /name_link/,/^}/ s/^    if \(error\)$/    if (error == 1)/ }'
mutant "a temporary name stays" \
    src/name.c '/^void name_discard/,/^}/ s/unlinkat\(name->directory, temporary, 0\)/(void)name/'
mutant "a temporary name stays when making the region fails" \
    src/share.c '/^int share_make_file/,/^}/ s/^        name_discard\(name, temporary\);//'
mutant "a mode that could not be set is ignored" \
    src/share.c 's/return fchmod\(fd, request->mode\) == 0 /return fchmod(fd, request->mode) >= -1 /'
mutant "the path is not freed" \
    src/name.c '/^void name_close/,/^}/ s/^    free\(name->path\);//'
mutant "the directory stays open" \
    src/name.c '/^void name_close/,/^}/ s/^    close\(name->directory\);//'
mutant "a truncation that failed is ignored" \
    src/create.c 's/ftruncate\(fd, \(off_t\)region->size\) != 0/ftruncate(fd, (off_t)region->size) > 0/'
mutant "a header that could not be written is ignored" \
    src/create.c 's/return wrote < 0 \? -errno : -ENOSPC;/return 0;/'
mutant "an interrupted write is an error" \
    src/create.c '/^static int write_all/,/^}/ s/if \(wrote < 0 && errno == EINTR\)/if (wrote > 1 \&\& length == 0)/'

only=new
mutant "seals that could not be set are ignored" \
    src/create.c 's/(fcntl\(fd, F_ADD_SEALS, [^)]*\)) != 0/\1 > 0/'
mutant "a private mode that could not be set is ignored" \
    src/create.c 's/fchmod\(fd, 0600\) != 0/fchmod(fd, 0600) > 0/'
mutant "one bad moment counts as another world" \
    src/identity.c '/^int world_get/,/^}/ s/return error;/return 0;/'

only=replace
mutant "the old region is marked although the new one has not its name" \
    src/replace.c 's/if \(!error && region_is_writable\(theirs\)\)/if (region_is_writable(theirs))/'
mutant "the old region stays locked" \
    src/replace.c '/^static void close_old/,/^}/ { /if \(old->locked\)/d; /share_end/d; s/seqshare_close\(old->share\)/(void)0/ }'
mutant "the copy of the value is not freed" \
    src/replace.c '/^static void close_old/,/^}/ s/^    free\(old->bytes\);//'

only=open
mutant "a file that is refused stays open" \
    src/name.c '/^int name_open_file/,/^}/ s/^        close\(fd\);//'
mutant "the found region stays mapped" \
    src/follow.c '/^static int move_to/,/^}/ s/region_close\(found\);//'

only=attach
mutant "the duplicate stays open" \
    src/share.c '/^int seqshare_attach/,/^}/ s/^        close\(own\);//'

only="unlink"
mutant "a name that could not be removed counts as removed" \
    src/unlink.c 's/return unlinkat\(name->directory, name->base, 0\) == 0 \? 0 : -errno;/return unlinkat(name->directory, name->base, 0) == 0 ? 0 : 0;/'
mutant "the region is not told when looking at it failed" \
    src/unlink.c '/^static bool says_nothing/,/^}/ s/return .*;/return error == 1;/'

only=drop_write
mutant "a mapping that could not be replaced is ignored" \
    src/region.c '/^int region_drop_write/,/^}/ s/error = map_read_only\(region\);/error = map_read_only(region) > 0;/'

only="set"
mutant "memory that is not there is ignored" \
    src/memory.c 's/return errno == ENOMEM \|\| errno == EDQUOT \? -ENOSPC : -errno;/return 0;/'
mutant "an interrupted allocation is an error" \
    src/memory.c '/^static int allocate/,/^}/ s/if \(errno == EINTR\)/if (errno == 0)/'
mutant "the lock is kept when there is no memory" \
    src/write.c '/^HOT_INLINE int set\(/,/^}/ s/^        end\(share, self->owner\);/        ;/'
only="fill and"
mutant "fill keeps the lock when there is no memory" \
    src/write.c '/^int seqshare_fill/,/^}/ s/^        share_end\(share\);//'

only=lock
mutant "a file below /proc stays open" \
    src/identity.c '/^static ssize_t read_file/,/^}/ s/^    close\(fd\);//'
only=trylock
mutant "a descriptor of a process stays open" \
    src/identity.c '/^static bool is_zombie/,/^}/ s/^    close\(ended.fd\);//'
mutant "who cannot be looked at is dead" \
    src/identity.c 's/(return )false(; \/\* hidepid)/\1true\2/'
only="trylock, owned"
mutant "who may not be signalled is dead" \
    src/identity.c 's/kill\(tid, 0\) != 0 && errno == ESRCH/kill(tid, 0) != 0/'
only=close
mutant "the handle is not freed" \
    src/share.c '/^void seqshare_close/,/^}/ s/^    free\(share\);//'
finish_mutants
