/* SPDX-License-Identifier: MIT */
/*
 * No room: a full file system, a limit on files or descriptors. The answer is an error with the old value
 * standing; never SIGBUS, never SIGXFSZ, and as soon as there is room again, no trace of it.
 *
 * Shows: WRITE-8.
 */
#include "support.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(room, .timeout = 120);

enum { CAPACITY = 4 << 20 };

static char value[CAPACITY], copy[CAPACITY];

static void mount_small(const char *directory)
{
    own_mounts();
    check(mount("none", directory, "tmpfs", 0, "size=256k,mode=0755") == 0);
}

static int use_up_room(const char *directory)
{
    int fd = open(format("%s/ballast", directory), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    check(fd >= 0);
    while (write(fd, value, 4096) > 0)
        ;
    equals(errno, ENOSPC);
    return fd;
}

static void stands(const seqshare *share, size_t length, uint64_t version)
{
    uint64_t got = 0;

    equals(seqshare_get(share, copy, sizeof copy, &got), length);
    check(is_pattern(copy, length, length));
    equals(got, version);
    equals(seqshare_version(share), version);
}

static void set(seqshare *share, size_t length)
{
    make_pattern(value, length, length);
    equals(seqshare_set(share, value, length), 0);
}

/* Every way to write what there is no room for. */
static void no_room_for(seqshare *share, size_t length)
{
    uint64_t version = seqshare_version(share), was = version;
    struct seqshare_stat stat;
    void *slot;

    equals(seqshare_set(share, value, length), -ENOSPC);
    equals(seqshare_set_if(share, &version, value, length), -ENOSPC);
    equals(version, was);
    equals(seqshare_set_typed(share, value, length, 7), -ENOSPC);
    equals(seqshare_fill(share, length, &slot), -ENOSPC);
    equals(seqshare_publish(share, 0), -EPERM);
    child_run(lock_is_free, share);
    equals(seqshare_lock(share), 0); /* also under the own lock, which stays */
    equals(seqshare_set(share, value, length), -ENOSPC);
    equals(seqshare_fill(share, length, &slot), -ENOSPC);
    equals(seqshare_unlock(share), 0);
    equals(seqshare_version(share), was);
    equals(seqshare_stat(share, &stat), 0);
    equals(stat.owner, 0);
}

static void set_until_full(void *directory)
{
    seqshare *share = NULL;
    uint64_t version = 0;

    mount_small(directory);
    equals(seqshare_create(&share, format("%s/name", (char *)directory), CAPACITY, 0600), 0);
    for (size_t length = 1000; length < 100000; length += 10000) {
        set(share, length);
        stands(share, length, ++version);
    }
    no_room_for(share, 1 << 20);
    stands(share, 91000, version);
    no_room_for(share, CAPACITY);
    no_room_for(share, 260 << 10);
    for (int i = 0; i < 3; i++) { /* as long as what was there needs no more room */
        set(share, 91000);
        stands(share, 91000, ++version);
        set(share, 10);
        stands(share, 10, ++version);
    }
}

/* Fails with: a store into a hole (SIGBUS), and with an allocation after the sequence was made odd. */
Test(room, a_full_tmpfs_is_an_error_and_the_old_value_stands)
{
    skip_unless_admin();
    try_in_child(set_until_full, (void *)(uintptr_t)temp_directory("/tmp"));
}

static void fill_up_and_free(void *directory)
{
    seqshare *share = NULL;
    int ballast;

    mount_small(directory);
    equals(seqshare_create(&share, format("%s/name", (char *)directory), CAPACITY, 0600), 0);
    set(share, 10);
    ballast = use_up_room(directory);
    no_room_for(share, 100000);
    stands(share, 10, 1);
    check(ftruncate(ballast, 0) == 0);
    set(share, 100000);
    stands(share, 100000, 2);
    set(share, 100000);
    stands(share, 100000, 3);
}

Test(room, works_again_when_there_is_room_again)
{
    skip_unless_admin();
    try_in_child(fill_up_and_free, (void *)(uintptr_t)temp_directory("/tmp"));
}

static void make_where_it_is_full(void *directory)
{
    const char *old = format("%s/old", (char *)directory), *new = format("%s/new", (char *)directory);
    seqshare *share = NULL, *next = NULL;
    int ballast;

    mount_small(directory);
    equals(seqshare_create(&share, old, CAPACITY, 0600), 0);
    set(share, 50000);
    ballast = use_up_room(directory);
    equals(seqshare_create(&next, new, 100, 0600), -ENOSPC);
    equals(seqshare_replace(&next, new, 100, 0600), -ENOSPC);
    equals(seqshare_replace(&next, old, CAPACITY, 0600), -ENOSPC);
    check(next == NULL);
    equals(entries(directory), 2); /* the old share and the ballast */
    check(!seqshare_retired(share));
    stands(share, 50000, 1);

    check(ftruncate(ballast, lseek(ballast, 0, SEEK_CUR) - 8192) ==
          0); /* room for a header, not for the value */
    equals(seqshare_replace(&next, old, CAPACITY, 0600), -ENOSPC);
    equals(entries(directory), 2);
    check(!seqshare_retired(share));
    check(ftruncate(ballast, 0) == 0);
    set(share, 60000);
    equals(seqshare_replace(&next, old, CAPACITY, 0600), 0);
    stands(next, 60000, 2);
    equals(entries(directory), 2);
}

Test(room, create_and_replace_on_a_full_tmpfs_leave_nothing_behind)
{
    skip_unless_admin();
    try_in_child(make_where_it_is_full, (void *)(uintptr_t)temp_directory("/tmp"));
}

static void set_with_limit(void *share)
{
    struct rlimit limit = {8192, 8192};

    check(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    for (size_t length = 1; length <= 1 << 20; length *= 2) {
        uint64_t version = seqshare_version(share);
        int error;

        make_pattern(value, length, length);
        error = seqshare_set(share, value, length);
        check(error == 0 || error == -EFBIG);
        if (error == 0)
            stands(share, length, version + 1);
        equals(seqshare_version(share), version + (error == 0));
    }
}

static void limited(seqshare *share)
{
    set(share, 10);
    child_run(set_with_limit, share);
    set(share, CAPACITY);
    stands(share, CAPACITY, seqshare_version(share));
    seqshare_close(share);
}

/* The limit of one process is not a reason to kill it, nor to disturb others. */
Test(room, a_writer_with_a_file_size_limit_is_not_killed)
{
    seqshare *share = NULL;

    equals(seqshare_new(&share, CAPACITY), 0);
    limited(share);
    equals(seqshare_create(&share, temp_name(), CAPACITY, 0600), 0);
    limited(share);
    equals(seqshare_create(&share, format("%s/name", temp_directory("/tmp")), CAPACITY, 0600), 0);
    limited(share);
}

/* ---- no descriptors ---- */

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
    equals(seqshare_set(share, value, 10), -EMFILE);
    equals(seqshare_set_if(share, &version, value, 10), -EMFILE);
    equals(seqshare_fill(share, 10, &slot), -EMFILE);
    equals(seqshare_lock(share), -EMFILE);
    equals(seqshare_trylock(share), -EMFILE);
    stands(share, 10, 1);
    limit_descriptors(limit.rlim_cur);
    child_run(lock_is_free, share);
    set(share, 20);
    stands(share, 20, 2);
    equals(seqshare_lock(share), 0);
    equals(seqshare_unlock(share), 0);
    return NULL;
}

static void write_first_in_thread(void *share)
{
    pthread_t thread;

    set(share, 10);
    equals(pthread_create(&thread, NULL, write_first_without_descriptors, share), 0);
    equals(pthread_join(thread, NULL), 0);
}

Test(room, a_new_thread_without_descriptors_is_told_and_writes_when_there_are_some)
{
    seqshare *share = NULL;

    equals(seqshare_new(&share, CAPACITY), 0);
    child_run(write_first_in_thread, share);
    stands(share, 20, 2);
    seqshare_close(share);
}
