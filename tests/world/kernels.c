/* SPDX-License-Identifier: MIT */
/*
 * Old kernels and narrow sandboxes: filters that answer, in the place of a system call, what a kernel without
 * it would.
 *
 * Shows: NAME-1, NAME-6, WRITE-8.
 */
#include "world.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

TestSuite(kernels, .timeout = 120);

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif
#define NOEXEC_SEAL 0x0008U /* of memfd_create */

/* ---- filters ---- */

/* Call `number`, if `mask` of its argument is `value`, fails with `error`. mask 0: always. */
struct refusal {
    unsigned number;
    unsigned argument;
    uint32_t mask, value;
    uint16_t error;
};

static void refuse(const struct refusal *refusal)
{
    uint32_t argument = (uint32_t)(offsetof(struct seccomp_data, args) + 8 * refusal->argument);
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, refusal->number, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, argument), /* its low half: these are little-endian machines */
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, refusal->mask),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, refusal->value, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | refusal->error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};

    if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__ || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        _exit(NOT_POSSIBLE);
}

static void refuse_call(unsigned number, uint16_t error)
{
    refuse(&(struct refusal){number, 0, 0, 0, error});
}

/* ---- no memfd ---- */

struct scene {
    seqshare *share;
    int stage;
};

static void write_in_child(void *context)
{
    writes_everything(((struct scene *)context)->share, "child");
}

static void lock_and_stay(void *context)
{
    struct scene *scene = context;

    equals(seqshare_lock(scene->share), 0);
    set_flag(&scene->stage, 1);
    pause();
}

/* After drop_write by mprotect: what was read can still be read, and a store kills who tries it. */
static void drop_and_store(void *context)
{
    struct scene *scene = context;
    seqshare_view view = {0};

    equals(seqshare_drop_write(scene->share), 0);
    equals(seqshare_drop_write(scene->share), 0);
    writes_nothing(scene->share, -EROFS);
    reads_everything(scene->share, "child");
    equals(seqshare_peek(scene->share, &view), 0);
    *(volatile char *)(uintptr_t)view.data = 'x';
}

static void live_without_memfd(struct scene *scene)
{
    struct seqshare_stat stat;
    seqshare *huge = NULL;
    pid_t owner;

    equals(seqshare_new(&scene->share, 1 << 20), 0);
    writes_everything(scene->share, "parent");
    reads_everything(scene->share, "parent");
    equals(seqshare_fd(scene->share, SEQSHARE_READ), -EOPNOTSUPP);
    equals(seqshare_fd(scene->share, SEQSHARE_WRITE), -EOPNOTSUPP);
    child_run(write_in_child, scene); /* it is inherited all the same */
    reads_everything(scene->share, "child");
    owner = child_start(lock_and_stay, scene);
    await_flag(&scene->stage, 1);
    equals(seqshare_trylock(scene->share), -EBUSY);
    child_kill(owner);
    equals(seqshare_lock(scene->share), 1);
    equals(seqshare_unlock(scene->share), 0);
    equals(child_end(child_start(drop_and_store, scene)), -SIGSEGV);
    reads_everything(scene->share, "child");
    writes_everything(scene->share, "parent"); /* it gave up for itself alone */
    equals(seqshare_stat(scene->share, &stat), 0);
    equals(stat.allocated, 0);                                                   /* not known */
    equals(seqshare_new(&huge, (size_t)1 << (sizeof(size_t) > 4 ? 36 : 28)), 0); /* costs nothing either */
    writes_everything(huge, "huge");
    seqshare_close(huge);
    seqshare_close(scene->share);
}

static void without_the_call(void *context)
{
    refuse_call(SYS_memfd_create, ENOSYS);
    live_without_memfd(context);
}

static void forbidden_the_call(void *context)
{
    refuse_call(SYS_memfd_create, EPERM);
    live_without_memfd(context);
}

Test(kernels, without_memfd_an_anonymous_share_is_inherited_and_has_no_descriptor)
{
    try_in_child(without_the_call, shared_memory(sizeof(struct scene)));
    try_in_child(forbidden_the_call, shared_memory(sizeof(struct scene)));
}

/* ---- a kernel of 2018 and one of 2013: executed again, because the library asks for some of it at the start ---- */

static void refuse_what_came_after_2018(void)
{
    static const struct refusal refusals[] = {
        {SYS_memfd_create, 1, NOEXEC_SEAL, NOEXEC_SEAL, EINVAL},
        {SYS_madvise, 2, UINT32_MAX, MADV_POPULATE_READ, EINVAL},
        {SYS_madvise, 2, UINT32_MAX, MADV_POPULATE_WRITE, EINVAL},
#ifdef SYS_pidfd_open
        {SYS_pidfd_open, 0, 0, 0, ENOSYS},
#endif
    };

    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        refuse(&refusals[i]);
}

static void in_2018(void *directory)
{
    refuse_what_came_after_2018();
    execute("everything", directory);
}

static void in_2013(void *directory)
{
    const uint32_t tmpfile = O_TMPFILE & ~(uint32_t)O_DIRECTORY;

    refuse_what_came_after_2018();
    refuse_call(SYS_memfd_create, ENOSYS);
    refuse(&(struct refusal){SYS_openat, 2, tmpfile, tmpfile, EISDIR});
    refuse(&(struct refusal){SYS_madvise, 2, UINT32_MAX, MADV_WIPEONFORK, EINVAL});
    execute("everything", directory);
}

Test(kernels, everything_works_on_a_kernel_of_2018)
{
    try_in_child(in_2018, (void *)(uintptr_t)temp_directory("/tmp"));
}

Test(kernels, everything_works_on_a_kernel_of_2013)
{
    try_in_child(in_2013, (void *)(uintptr_t)temp_directory("/tmp"));
}

/* ---- a file system without fallocate ---- */

static char big[1 << 20];

static void fill_without_fallocate(void *context)
{
    const char *directory = context;
    seqshare *share;

    own_mounts();
    check(mount("none", directory, "tmpfs", 0, "size=512k,mode=0755") == 0);
    refuse_call(SYS_fallocate, EOPNOTSUPP);
    share = share_with(format("%s/name", directory), sizeof big, "value");
    writes_everything(share, "value");
    equals(seqshare_set(share, big, 100000), 0);
    equals(seqshare_set(share, "value", 5), 0);
    equals(seqshare_set(share, big, sizeof big), -ENOSPC); /* said, and not a SIGBUS in the middle */
    reads_everything(share, "value");
    writes_everything(share, "value");
    refuse(&(struct refusal){SYS_madvise, 2, UINT32_MAX, MADV_POPULATE_WRITE, EINVAL});
    equals(seqshare_set(share, big, 300000), -EOPNOTSUPP); /* nothing left that could tell */
    reads_everything(share, "value");
}

Test(kernels, without_fallocate_a_full_file_system_is_still_an_error)
{
    skip_unless_admin();
    try_in_child(fill_without_fallocate, (void *)(uintptr_t)temp_directory("/tmp"));
}

/* ---- calls that fail altogether leave nothing behind ---- */

static void make_without(void *context)
{
    const char *directory = context;
    seqshare *share = NULL;
    int before = entries("/proc/self/fd");

    refuse_call(SYS_getrandom, ENOSYS);
    equals(seqshare_new(&share, 100), -EIO);
    equals(seqshare_create(&share, format("%s/name", directory), 100, 0600), -EIO);
    equals(seqshare_replace(&share, format("%s/name", directory), 100, 0600), -EIO);
    check(share == NULL);
    equals(entries(directory), 0);
    equals(entries("/proc/self/fd"), before);
}

Test(kernels, without_random_numbers_nothing_is_made_and_nothing_left)
{
    try_in_child(make_without, (void *)(uintptr_t)temp_directory("/tmp"));
}
