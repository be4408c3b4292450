/* SPDX-License-Identifier: MIT */
/* Limits of a process: what cannot be had is an error, and what it has works on. Shows: WRITE-8, NAME-2. */
#include "world.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

TestSuite(limits, .timeout = 120);

enum { BIG = 256 << 20, LONG = 64 << 20 };

/* ---- address space ---- */

static rlim_t address_space(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long pages = 0;

    check(file && fscanf(file, "%lu", &pages) == 1);
    fclose(file);
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static void live_in_little_space(void *context)
{
    const char *name = context, *other = format("%s-2", name);
    seqshare *small = NULL, *big = NULL, *share = NULL;
    struct rlimit limit;
    void *slot, *bytes = NULL;
    int before;

    equals(seqshare_new(&small, 4096), 0);
    equals(seqshare_open(&big, name, SEQSHARE_WRITE), 0);
    equals(seqshare_fill(big, LONG, &slot), 0);
    equals(seqshare_publish(big, LONG), 0);
    before = entries("/proc/self/fd");
    limit.rlim_cur = limit.rlim_max = address_space() + (32 << 20);
    check(setrlimit(RLIMIT_AS, &limit) == 0);
    equals(seqshare_new(&share, BIG), -ENOMEM);
    equals(seqshare_create(&share, other, BIG, 0600), -ENOMEM);
    check(access(other, F_OK) != 0);
    equals(seqshare_open(&share, name, SEQSHARE_READ), -ENOMEM);
    equals(seqshare_get_alloc(big, &bytes, NULL), -ENOMEM);
    check(share == NULL && bytes == NULL);
    equals(entries("/proc/self/fd"), before); /* nothing stays open */
    equals(seqshare_length(big, NULL), LONG);
    equals(seqshare_set(big, "value", 5), 0);
    reads_everything(big, "value");
    writes_everything(small, "small");
    equals(seqshare_drop_write(small), 0); /* a mapping over another takes no more space */
    reads_everything(small, "small");
}

#if defined __SANITIZE_ADDRESS__
#define NEEDS_SPACE 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define NEEDS_SPACE 1
#endif
#endif

Test(limits, of_address_space)
{
    const char *name = format("%s/name", temp_directory("/tmp")); /* a container's /dev/shm is small */

#ifdef NEEDS_SPACE
    cr_skip_test("the address sanitizer needs more space than we leave");
#endif
    skip_under_valgrind(); /* the same */
    seqshare_close(share_with(name, BIG, "value"));
    child_run(live_in_little_space, (void *)(uintptr_t)name);
}

/* ---- descriptors ---- */

struct scene {
    seqshare *share;
    const char *name;
    int stage;
};

static void lock_and_stay(void *context)
{
    struct scene *scene = context;

    equals(seqshare_lock(scene->share), 0);
    set_flag(&scene->stage, scene->stage + 1);
    pause();
}

static void use_up_descriptors(void)
{
    check(setrlimit(RLIMIT_NOFILE, &(struct rlimit){40, 40}) == 0);
    while (dup(STDERR_FILENO) >= 0)
        ;
    equals(errno, EMFILE);
}

static void live_without_descriptors(void *context)
{
    struct scene *scene = context;
    seqshare *named = share_with(scene->name, 4096, "value"), *share = NULL;
    int fd = seqshare_fd(scene->share, SEQSHARE_WRITE);
    pid_t owner;

    writes_everything(scene->share, "value"); /* knows by now who and where it is */
    owner = child_start(lock_and_stay, scene);
    await_flag(&scene->stage, 1);
    use_up_descriptors();
    equals(seqshare_new(&share, 100), -EMFILE);
    equals(seqshare_open(&share, scene->name, SEQSHARE_READ), -EMFILE);
    equals(seqshare_create(&share, format("%s-2", scene->name), 100, 0600), -EMFILE);
    equals(seqshare_attach(&share, fd, SEQSHARE_READ), -EMFILE);
    equals(seqshare_fd(scene->share, SEQSHARE_READ), -EMFILE);
    equals(seqshare_reopen(named), 0); /* nothing has moved, and to see that takes no descriptor */
    check(share == NULL);
    reads_everything(scene->share, "value");
    reads_everything(named, "value");
    writes_everything(named, "value");
    equals(seqshare_trylock(scene->share), -EBUSY); /* /proc cannot be read: no proof of a death */
    child_kill(owner);
    equals(seqshare_lock(scene->share), 1); /* a number that nobody has is one */
    equals(seqshare_unlock(scene->share), 0);
    equals(seqshare_drop_write(named), 0);
    reads_everything(named, "value");
}

Test(limits, of_descriptors)
{
    struct scene *scene = shared_memory(sizeof *scene);

    skip_under_valgrind(); /* which keeps some for itself */
    scene->name = temp_name();
    equals(seqshare_new(&scene->share, 4096), 0);
    equals(seqshare_set(scene->share, "value", 5), 0);
    child_run(live_without_descriptors, scene);
}

static void limit_descriptors(rlim_t soft)
{
    struct rlimit limit;

    check(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = soft;
    check(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

/* A thread that never wrote before, and cannot ask /proc who it is. Half an answer would be a wrong one. */
static void *write_first_without_descriptors(void *context)
{
    seqshare *share = context;
    struct rlimit limit;
    uint64_t version = 1;
    void *slot;

    check(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit_descriptors(0);
    equals(seqshare_set(share, "value", 5), -EMFILE);
    equals(seqshare_set_if(share, &version, "value", 5), -EMFILE);
    equals(seqshare_fill(share, 10, &slot), -EMFILE);
    equals(seqshare_lock(share), -EMFILE);
    equals(seqshare_trylock(share), -EMFILE);
    has_bytes(share, 10, 1);
    limit_descriptors(limit.rlim_cur);
    child_run(lock_is_free, share);
    sets_bytes(share, 20);
    has_bytes(share, 20, 2);
    equals(seqshare_lock(share), 0);
    equals(seqshare_unlock(share), 0);
    return NULL;
}

static void write_first_in_thread(void *share)
{
    pthread_t thread;

    sets_bytes(share, 10);
    equals(pthread_create(&thread, NULL, write_first_without_descriptors, share), 0);
    equals(pthread_join(thread, NULL), 0);
}

Test(limits, of_descriptors_are_an_error_to_a_new_thread_until_there_are_some)
{
    seqshare *share = NULL;

    equals(seqshare_new(&share, BYTES_MOST), 0);
    child_run(write_first_in_thread, share);
    has_bytes(share, 20, 2);
    seqshare_close(share);
}

/* ---- the size of files ---- */

static void replace_beyond_the_limit(void *context)
{
    const char *directory = context, *name = format("%s/name", directory);
    seqshare *old = share_with(name, 4096, "value"), *share = NULL;

    check(setrlimit(RLIMIT_FSIZE, &(struct rlimit){1 << 20, 1 << 20}) == 0);
    equals(seqshare_replace(&share, name, BIG, 0600), -EFBIG);
    equals(seqshare_create(&share, format("%s/new", directory), BIG, 0600), -EFBIG);
    equals(seqshare_new(&share, BIG), -EFBIG);
    check(share == NULL);
    equals(entries(directory), 1);
    check(!seqshare_retired(old));
    reads_everything(old, "value");
    writes_everything(old, "value");
    equals(seqshare_reopen(old), 0);
    equals(seqshare_replace(&share, name, 8192, 0600), 0); /* below it, all is well */
    equals(entries(directory), 1);
    reads_everything(share, "value");
}

/* Fails with: SIGXFSZ, an old region that is marked although nothing replaced it, a file left behind. */
Test(limits, of_files_leave_the_old_region_in_its_place)
{
    child_run(replace_beyond_the_limit, (void *)(uintptr_t)temp_directory("/tmp"));
}

static void set_with_limit(void *share)
{
    static char value[BYTES_MOST];
    struct rlimit limit = {8192, 8192};

    check(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    for (size_t length = 1; length <= 1 << 20; length *= 2) {
        uint64_t version = seqshare_version(share);
        int error;

        make_pattern(value, length, length);
        error = seqshare_set(share, value, length);
        check(error == 0 || error == -EFBIG);
        if (error == 0)
            has_bytes(share, length, version + 1);
        equals(seqshare_version(share), version + (error == 0));
    }
}

static void limited(seqshare *share)
{
    sets_bytes(share, 10);
    child_run(set_with_limit, share);
    sets_bytes(share, BYTES_MOST);
    has_bytes(share, BYTES_MOST, seqshare_version(share));
    seqshare_close(share);
}

/* The limit of one process is not a reason to kill it, nor to disturb others. */
Test(limits, of_file_sizes_kill_no_writer)
{
    seqshare *share = NULL;

    equals(seqshare_new(&share, BYTES_MOST), 0);
    limited(share);
    equals(seqshare_create(&share, temp_name(), BYTES_MOST, 0600), 0);
    limited(share);
    equals(seqshare_create(&share, format("%s/name", temp_directory("/tmp")), BYTES_MOST, 0600), 0);
    limited(share);
}
