#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: users, namespaces, limits, full file systems, old kernels, crowds; also with the sanitizers
# tier: full
# budget: 60
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh
source ../criterion.sh

# What needs root, or what this system does not let us do, is skipped and said. With SEQSHARE_MUTANTS, planted faults
# in a copy of the sources, each of which must be found.

# TEST FILE SED: that test must fail when the fault is in FILE.
finds() {
    local tree=$work/mutant flags=(-std=c11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -O1 -g -pthread) rc=0
    rm -rf "$tree"
    mkdir -p "$tree"
    cp -r "$SEQSHARE_SOURCE/include" "$SEQSHARE_SOURCE/src" "$tree"
    sed -i -E "$3" "$tree/$2"
    if cmp -s "$tree/$2" "$SEQSHARE_SOURCE/$2"; then
        echo "the place for this fault is not there any more in $2"
        return 1
    fi
    # shellcheck disable=SC2046 # what pkg-config says is words
    gcc "${flags[@]}" -I"$tree/include" -I"$tree/src" -I../unit -I. "$tree"/src/*.c ./*.c ../unit/support.c \
        -o "$work/mutant-tests" $(pkg-config --cflags --libs criterion)
    "$work/mutant-tests" --color=never --filter "$1" >"$work/mutant.log" 2>&1 || rc=$?
    grep -E 'Synthesis: Tested: [1-9]' "$work/mutant.log"
    [ $rc -eq 1 ]
}

mutants() {
    check "mutant: what /proc does not show is dead" finds 'namespaces/hidden_processes*' src/identity.c \
        's/return false; (\/\* hidepid)/return true; \1/'
    check "mutant: /proc of another namespace is believed" finds 'namespaces/a_container_that*' src/identity.c \
        's/^(static int proc_is_ours.*)$/\1 { return 1 + tid * 0; } int proc_was_ours(pid_t tid);\nint proc_was_ours(pid_t tid)/'
    check "mutant: any PID namespace will do" finds 'namespaces/*' src/write.c 's/here.pid_namespace != header->pid_namespace/false/'
    check "mutant: any boot will do" finds 'crowd/a_copy*' src/write.c \
        's/memcmp\(here.boot_id, header->boot_id, sizeof here.boot_id\) != 0/false/'
    check "mutant: links are followed" finds 'users/a_planted_link*' src/name.c 's/ \| O_NOFOLLOW//'
    check "mutant: a memfd keeps the mode that it is born with" finds 'users/a_reader*' src/create.c \
        's/if \(!error && fchmod\(fd, 0600\) != 0\)/if (false)/'
    check "mutant: memory is not allocated before it is written" finds 'full/file_systems*' src/memory.h \
        's/likely\(length <= region->reserved\[slot\]\)/true/'
    check "mutant: readers touch the next slot as well" finds 'full/file_systems*' src/read.c \
        's/^    length = seqshare_read_length\(head, mask, v\);/    (void)*(volatile const unsigned char *)(share->bytes + seqshare_slot_of(v + 1, mask) * share->stride + share->capacity \/ 2);\n&/'
    check "mutant: a length within the capacity is believed" finds 'full/a_length*' src/read.c \
        's/^    held = memory_held\(.*$/    held = share->capacity;/'
    check "mutant: no memfd is an error" finds 'kernels/*memfd*' src/create.c \
        's/return errno == ENOSYS .*$/return -errno;/'
    check "mutant: no file without a name is an error" finds 'kernels/*2013' src/name.c \
        's/if \(errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL\)/if (true)/'
    check "mutant: the limit of files is not asked for" finds 'limits/of_files*' src/descriptor.c \
        's/^    return getrlimit.*$/    return getrlimit(RLIMIT_FSIZE, \&limit) != 0 \&\& size > 0;/'
    check "mutant: a failed attach keeps its descriptor" finds 'limits/of_address*' src/region.c '/^int region_give_up/,/^}/s/^    close\(fd\);//'
    check "mutant: who moves on with a name is not told" finds 'crowd/hundreds*' src/replace.c 's/^        retire\(theirs\);/        (void)theirs;/'
}

if [ -n "${SEQSHARE_MUTANTS:-}" ]; then
    mutants
    finish
fi
for preset in release asan ubsan-clang; do
    build_part $preset
    run_tests $preset "$(program $preset world-tests)"
done
finish
