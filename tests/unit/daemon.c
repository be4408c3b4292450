/* SPDX-License-Identifier: MIT */
/*
 * Daemons close all descriptors and open their own under the same numbers; crashed workers dump core.
 *
 * Shows: NAME-6, NAME-7.
 */
#include "support.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(daemon, .timeout = 120);

enum { CAPACITY = 8 << 20, LONGER = 4 << 20, FILES = 64, CONTENT = 100 };

struct scene {
    seqshare *share;
    const char *name;
    const char *directory;
    int watch; /* a descriptor of the region, which is not the library's */
    unsigned char value[CAPACITY];
};

static struct scene *scene_new(void)
{
    struct scene *scene = shared_memory(sizeof *scene);

    scene->directory = temp_directory("/dev/shm"); /* a file there could be grown as our own can */
    scene->watch = -1;
    make_pattern(scene->value, CAPACITY, 1);
    return scene;
}

static void anonymous(struct scene *scene)
{
    equals(seqshare_new(&scene->share, CAPACITY), 0);
}

static void named(struct scene *scene)
{
    scene->name = temp_name();
    equals(seqshare_create(&scene->share, scene->name, CAPACITY, 0600), 0);
}

/* Close everything, and let every number be one of a stranger's files: as a daemon does, and then its logs. */
static void become_a_daemon(const struct scene *scene)
{
    unsigned char content[CONTENT];

    memset(content, 'c', sizeof content);
    for (int fd = STDERR_FILENO + 1; fd < FILES; fd++)
        close(fd);
    for (int fd = STDERR_FILENO + 1; fd < FILES; fd++) {
        equals(open(format("%s/%d", scene->directory, fd), O_RDWR | O_CREAT | O_TRUNC, 0600), fd);
        equals(write(fd, content, sizeof content), CONTENT);
    }
}

static void strangers_files_are_as_they_were(void)
{
    for (int fd = STDERR_FILENO + 1; fd < FILES; fd++) {
        unsigned char content[CONTENT + 1];
        struct stat status;

        check(fstat(fd, &status) == 0);
        equals(status.st_size, CONTENT);
        check(status.st_blocks * 512 < LONGER); /* where pages are huge, one is */
        equals(pread(fd, content, sizeof content, 0), CONTENT);
        for (int i = 0; i < CONTENT; i++)
            check(content[i] == 'c');
    }
}

static void value_is(const seqshare *share, const unsigned char *value, size_t length)
{
    static unsigned char got[CAPACITY];

    equals(seqshare_get(share, got, sizeof got, NULL), (ssize_t)length);
    check(memcmp(got, value, length) == 0);
}

static void daemon_life(void *context)
{
    struct scene *scene = context;
    uint64_t version = 2;
    void *slot;

    equals(seqshare_set(scene->share, scene->value, 100), 0); /* each slot has as much as this now */
    equals(seqshare_set(scene->share, scene->value, 100), 0);
    become_a_daemon(scene);
    equals(seqshare_set(scene->share, scene->value, LONGER), -EBADF);
    equals(seqshare_set_if(scene->share, &version, scene->value, LONGER), -EBADF);
    equals(seqshare_fill(scene->share, LONGER, &slot), -EBADF);
    equals(seqshare_unlock(scene->share), -EPERM); /* nothing is left locked */
    value_is(scene->share, scene->value, 100);
    equals(seqshare_set(scene->share, scene->value, 50), 0);
    equals(seqshare_set(scene->share, scene->value + 1, 100), 0);
    value_is(scene->share, scene->value + 1, 100);
    equals(seqshare_fd(scene->share, SEQSHARE_WRITE), -EBADF);
    equals(seqshare_fd(scene->share, SEQSHARE_READ), -EBADF);
    equals(seqshare_drop_write(scene->share), -EBADF);
    equals(seqshare_set(scene->share, scene->value, 10), 0);
    value_is(scene->share, scene->value, 10);
    strangers_files_are_as_they_were();
    seqshare_close(scene->share);
    strangers_files_are_as_they_were();
}

Test(daemon, strangers_files_under_our_numbers_are_left_alone)
{
    struct scene *scene = scene_new();

    anonymous(scene);
    child_run(daemon_life, scene);
    equals(seqshare_set(scene->share, scene->value, LONGER), 0); /* the parent has its descriptors still */
    value_is(scene->share, scene->value, LONGER);
    equals(seqshare_version(scene->share), 6);
    seqshare_close(scene->share);
}

Test(daemon, nor_with_a_named_share)
{
    struct scene *scene = scene_new();

    named(scene);
    child_run(daemon_life, scene);
    equals(seqshare_set(scene->share, scene->value, LONGER), 0);
    value_is(scene->share, scene->value, LONGER);
    seqshare_close(scene->share);
}

static void closes_all_and_no_more(void *context)
{
    struct scene *scene = context;

    for (int fd = STDERR_FILENO + 1; fd < FILES; fd++)
        close(fd);
    equals(seqshare_set(scene->share, scene->value, 100), 0);
    equals(seqshare_set(scene->share, scene->value, LONGER), -EBADF);
    equals(seqshare_fd(scene->share, SEQSHARE_READ), -EBADF);
    value_is(scene->share, scene->value, 100);
    seqshare_close(scene->share);
}

Test(daemon, closed_descriptors_are_noticed)
{
    struct scene *scene = scene_new();

    anonymous(scene);
    equals(seqshare_set(scene->share, scene->value, 100), 0);
    equals(seqshare_set(scene->share, scene->value, 100), 0);
    child_run(closes_all_and_no_more, scene);
    seqshare_close(scene->share);
}

/* The read-only descriptor that drop_write maps is the library's as well. */
static void drops_write_first(void *context)
{
    struct scene *scene = context;

    equals(seqshare_drop_write(scene->share), 0);
    become_a_daemon(scene);
    value_is(scene->share, scene->value, 100);
    equals(seqshare_fd(scene->share, SEQSHARE_READ), -EBADF);
    equals(seqshare_drop_write(scene->share), 0);
    seqshare_close(scene->share);
    strangers_files_are_as_they_were();
}

Test(daemon, readers_need_no_descriptor)
{
    struct scene *scene = scene_new();

    anonymous(scene);
    equals(seqshare_set(scene->share, scene->value, 100), 0);
    child_run(drops_write_first, scene);
    seqshare_close(scene->share);
}

/* A value whose memory is there needs no descriptor, whoever allocated it. */
static void sets_what_is_allocated(void *context)
{
    struct scene *scene = context;

    become_a_daemon(scene);
    equals(seqshare_set(scene->share, scene->value, LONGER), 0);
    equals(seqshare_set(scene->share, scene->value, LONGER), 0);
    value_is(scene->share, scene->value, LONGER);
    strangers_files_are_as_they_were();
}

Test(daemon, what_was_allocated_before_the_fork_is_known)
{
    struct scene *scene = scene_new();

    anonymous(scene);
    equals(seqshare_set(scene->share, scene->value, LONGER), 0);
    equals(seqshare_set(scene->share, scene->value, LONGER), 0);
    child_run(sets_what_is_allocated, scene);
    seqshare_close(scene->share);
}

/* ---- stdin, stdout and stderr, which a daemon closes, and may open again ---- */

static void standard_ones_are_free(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        equals(fcntl(fd, F_GETFD), -1);
}

static void use_without_standard_ones(void *name)
{
    seqshare *share[5] = {NULL};
    int fd;

    for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        close(fd);
    equals(seqshare_new(&share[0], 100), 0);
    standard_ones_are_free();
    equals(seqshare_create(&share[1], name, 100, 0600), 0);
    standard_ones_are_free();
    equals(seqshare_open(&share[2], name, SEQSHARE_WRITE), 0);
    equals(seqshare_open(&share[3], name, SEQSHARE_READ), 0);
    standard_ones_are_free();
    check((fd = seqshare_fd(share[0], SEQSHARE_READ)) > STDERR_FILENO);
    equals(seqshare_attach(&share[4], fd, SEQSHARE_READ), 0);
    seqshare_close(share[4]);
    check((fd = seqshare_fd(share[0], SEQSHARE_WRITE)) > STDERR_FILENO);
    equals(seqshare_attach(&share[4], fd, SEQSHARE_WRITE), 0);
    seqshare_close(share[4]);
    equals(seqshare_attach(&share[4], fd, SEQSHARE_READ), 0);
    standard_ones_are_free();
    seqshare_close(share[2]);
    equals(seqshare_replace(&share[2], name, 100, 0600), 0);
    equals(seqshare_reopen(share[1]), 1);
    equals(seqshare_reopen(share[3]), 1);
    standard_ones_are_free();
    for (int i = 0; i < 5; i++)
        seqshare_close(share[i]);
}

/* Fails with: a region that takes the place of stderr, and all that is printed there. */
Test(daemon, no_descriptor_is_stdin_stdout_or_stderr)
{
    child_run(use_without_standard_ones, (void *)(uintptr_t)temp_name());
}

/* ---- core dumps, where this machine writes any; for what keeps memory out of them see region.c ---- */

enum { NO_CORE = 77, HUGE_CAPACITY = 64 << 20 };

static int64_t blocks(int fd)
{
    struct stat status;

    check(fstat(fd, &status) == 0);
    return status.st_blocks;
}

static int64_t core_blocks(const char *directory)
{
    struct stat status;

    if (stat(format("%s/core", directory), &status) != 0 || status.st_size == 0)
        return -1;
    return status.st_blocks;
}

static void dump_core(void *context)
{
    struct scene *scene = context;
    struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};

    if (setrlimit(RLIMIT_CORE, &unlimited) != 0 || chdir(scene->directory) != 0)
        _exit(NO_CORE);
    signal(SIGABRT, SIG_DFL);
    abort();
}

/* Where the kernel writes `core` into the current folder, and dumps shared memory at all. */
static bool dumps_into_a_file(void)
{
    char pattern[16] = "", uses_pid[4] = "";
    FILE *file = fopen("/proc/sys/kernel/core_pattern", "re"),
         *pid = fopen("/proc/sys/kernel/core_uses_pid", "re");
    bool plain = file && fgets(pattern, sizeof pattern, file) && strcmp(pattern, "core\n") == 0 && pid &&
                 fgets(uses_pid, sizeof uses_pid, pid) && uses_pid[0] == '0';

    if (file)
        fclose(file);
    if (pid)
        fclose(pid);
    return plain;
}

/* The same memory, without what the library does for it: shows that a dump would allocate it. */
static int plain_memory(void)
{
    int fd = memfd_create("plain", MFD_CLOEXEC);

    check(fd >= 0 && ftruncate(fd, HUGE_CAPACITY) == 0);
    check(mmap(NULL, HUGE_CAPACITY, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED);
    return fd;
}

Test(daemon, a_core_dump_does_not_allocate_the_capacity)
{
    struct scene *scene = shared_memory(sizeof *scene);
    int64_t before, plain_before;
    int fd, plain;

    if (!dumps_into_a_file())
        cr_skip_test("core dumps are not written to a file `core` here (kernel.core_pattern)");
    scene->directory = temp_directory("/tmp");
    equals(seqshare_new(&scene->share, HUGE_CAPACITY), 0);
    equals(seqshare_set(scene->share, "x", 1), 0);
    fd = seqshare_fd(scene->share, SEQSHARE_READ);
    check(fd >= 0);
    plain = plain_memory();
    before = blocks(fd);
    plain_before = blocks(plain);
    equals(child_end(child_start(dump_core, scene)), -SIGABRT);
    if (core_blocks(scene->directory) < 0 || blocks(plain) == plain_before)
        cr_skip_test("no core was dumped, or none with shared memory in it");
    equals(blocks(fd), before);
    seqshare_close(scene->share);
}

/* ---- too few descriptors ---- */

/* With so few free, each of these either has all its descriptors or is an error. */
static void with_few_descriptors(void *context)
{
    const char *name = context;
    struct rlimit before = {0}, few;
    int refused = 0, fd = memfd_create("none", MFD_CLOEXEC);

    check(fd >= 0 && getrlimit(RLIMIT_NOFILE, &before) == 0);
    few = before;
    for (few.rlim_cur = (rlim_t)fd + 1; few.rlim_cur < (rlim_t)fd + 9; few.rlim_cur++) {
        seqshare *share[4] = {NULL};
        int error[4];

        check(setrlimit(RLIMIT_NOFILE, &few) == 0);
        error[0] = seqshare_open(&share[0], name, SEQSHARE_WRITE);
        seqshare_close(share[0]);
        share[0] = NULL;
        error[1] = seqshare_new(&share[1], 100);
        seqshare_close(share[1]);
        share[1] = NULL;
        error[2] = seqshare_create(&share[2], format("%s-%d", name, (int)few.rlim_cur), 100, 0600);
        check(setrlimit(RLIMIT_NOFILE, &before) == 0);
        for (int i = 0; i < 3; i++)
            check(error[i] == 0 || error[i] == -EMFILE);
        if (error[2] == 0) {
            int reads = seqshare_fd(share[2], SEQSHARE_READ);

            check(reads >= 0);
            close(reads);
        }
        seqshare_close(share[2]);
        refused += error[0] != 0;
        check(setrlimit(RLIMIT_NOFILE, &few) == 0);
        error[0] = seqshare_open(&share[0], name, SEQSHARE_WRITE);
        check(setrlimit(RLIMIT_NOFILE, &before) == 0);
        if (error[0] == 0) {
            int reads = seqshare_fd(share[0], SEQSHARE_READ);

            check(reads >= 0);
            close(reads);
            equals(seqshare_drop_write(share[0]), 0);
            check(mprotect((char *)(uintptr_t)share[0]->head - 128, 4096, PROT_READ | PROT_WRITE) != 0);
        }
        seqshare_close(share[0]);
    }
    check(refused > 0 && refused < 8);
}

/* Fails with: a moment without descriptors that is taken for a system without /proc. */
Test(daemon, no_share_lacks_its_read_only_descriptor_for_want_of_descriptors)
{
    const char *name = temp_name();

    skip_under_valgrind();
    seqshare_close(named_share(name, "value", 0600));
    child_run(with_few_descriptors, (void *)(uintptr_t)name);
}
