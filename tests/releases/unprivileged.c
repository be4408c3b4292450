/* SPDX-License-Identifier: MIT */
/*
 * Runs a command as in a container without privileges: with no capability (setpriv has dropped them) and
 * without the system calls that the default profiles of container engines refuse to such a process.
 */
#define _GNU_SOURCE // NOLINT: for the flags of clone
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/personality.h>
#include <unistd.h>

static scmp_filter_ctx filter;

/* Refuse `call` if any of `bits` is set in its argument; without `bits`, always. */
static int refuse(int call, int error, unsigned argument, unsigned bits)
{
    int wrong = 0;

    if (bits == 0)
        return seccomp_rule_add(filter, SCMP_ACT_ERRNO((unsigned)error), call, 0);
    for (unsigned bit = 1; bit && !wrong; bit <<= 1)
        if (bits & bit)
            wrong = seccomp_rule_add(filter, SCMP_ACT_ERRNO((unsigned)error), call, 1,
                                     SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, bit, bit));
    return wrong;
}

int main(int argc, char **argv)
{
    /* clang-format off */
    static const int calls[] = {
        SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(move_mount), SCMP_SYS(open_tree),
        SCMP_SYS(fsopen), SCMP_SYS(setns), SCMP_SYS(unshare), SCMP_SYS(bpf), SCMP_SYS(perf_event_open),
        SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(userfaultfd), SCMP_SYS(kcmp),
        SCMP_SYS(io_uring_setup), SCMP_SYS(name_to_handle_at), SCMP_SYS(open_by_handle_at)};
    /* clang-format on */
    const unsigned namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                                CLONE_NEWPID | CLONE_NEWNET;
    int wrong;

    if (argc < 2) {
        fprintf(stderr, "usage: %s COMMAND [ARGUMENT]...\n", argv[0]);
        return 2;
    }
    filter = seccomp_init(SCMP_ACT_ALLOW);
    wrong = !filter || seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 1);
    for (size_t i = 0; i < sizeof calls / sizeof *calls && !wrong; i++)
        wrong = refuse(calls[i], EPERM, 0, 0);
    wrong = wrong || refuse(SCMP_SYS(clone), EPERM, 0, namespaces);
    wrong = wrong || refuse(SCMP_SYS(clone3), ENOSYS, 0, 0); /* a filter cannot see its flags */
    wrong = wrong || refuse(SCMP_SYS(personality), EPERM, 0, ADDR_NO_RANDOMIZE);
    if (wrong || seccomp_load(filter)) {
        fprintf(stderr, "%s: the kernel does not take the filter\n", argv[0]);
        return 2;
    }
    execvp(argv[1], argv + 1);
    perror(argv[1]);
    return 127;
}
