/* SPDX-License-Identifier: MIT */
/*
 * Bad input to a share that is there: every call answers with the promised error, and nothing changes.
 * Each row is asked of four handles: the maker's, a read-only one, the maker's in a child of fork, and one
 * that has dropped writing. Names, descriptors and files that are not shares: bad_region.c.
 *
 * Shows: WRITE-2, WRITE-6.
 */
#include "support.h"

#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

TestSuite(bad_input, .timeout = 60);

enum { CAPACITY = 100 };
static const char standing[] = "the current value";

struct scene {
    seqshare *share;
    bool writable;
    void (*row)(seqshare *share, bool writable);
};

static void unchanged(const seqshare *share)
{
    char buffer[CAPACITY];
    uint64_t version = 0;
    struct seqshare_stat stat;

    equals(seqshare_get(share, buffer, sizeof buffer, &version), sizeof standing);
    check(memcmp(buffer, standing, sizeof standing) == 0);
    equals(version, 1);
    equals(seqshare_load_relaxed(&share->head->sequence), 2);
    equals(seqshare_capacity(share), CAPACITY);
    equals(seqshare_stat(share, &stat), 0);
    equals(stat.owner, 0);
    check(!stat.retired);
}

static void play(void *context)
{
    struct scene *scene = context;

    scene->row(scene->share, scene->writable);
    unchanged(scene->share);
}

static void drop_and_play(void *context)
{
    struct scene *scene = context;

    equals(seqshare_drop_write(scene->share), 0);
    scene->writable = false;
    play(scene);
}

static void everywhere(void (*row)(seqshare *share, bool writable))
{
    struct scene scene = {.writable = true, .row = row};
    struct scene reader = {.row = row};

    scene.share = new_share(CAPACITY);
    equals(seqshare_set(scene.share, standing, sizeof standing), 0);
    reader.share = another_handle(scene.share, SEQSHARE_READ);

    play(&scene);
    child_run(play, &scene);
    play(&reader);
    child_run(play, &reader);
    child_run(drop_and_play, &scene); /* in a child: in this process it is for good */
    drop_and_play(&scene);
    unchanged(reader.share);
    seqshare_close(reader.share);
    seqshare_close(scene.share);
}

/* Through a share that only reads, -EROFS may come before the promised error. */
static void refused(int got, int wanted, bool writable)
{
    if (writable || got != -EROFS)
        equals(got, wanted);
}

/* ---- a value or a room that is too long ---- */

static void too_long(seqshare *share, bool writable)
{
    static const size_t lengths[] = {CAPACITY + 1,     CAPACITY + 28,  CAPACITY + 29, CAPACITY * 2,
                                     CAPACITY * 2 + 1, UINT32_MAX,     SIZE_MAX / 2,  SIZE_MAX - 7,
                                     SIZE_MAX - 63,    SIZE_MAX - 127, SIZE_MAX};
    char value[1];

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        uint64_t version = 1;
        void *slot = value;

        refused(seqshare_set(share, value, lengths[i]), -EMSGSIZE, writable);
        refused(seqshare_set_if(share, &version, value, lengths[i]), -EMSGSIZE, writable);
        equals(version, 1);
        refused(seqshare_set_typed(share, value, lengths[i], 7), -EMSGSIZE, writable);
        refused(seqshare_fill(share, lengths[i], &slot), -EMSGSIZE, writable);
        check(slot == value);
    }
}

Test(bad_input, longer_than_the_capacity)
{
    everywhere(too_long);
}

/* ---- NULL ---- */

static void null_arguments(seqshare *share, bool writable)
{
    uint64_t version = 1;
    void *copy;

    refused(seqshare_set(share, NULL, 1), -EINVAL, writable);
    refused(seqshare_set_if(share, &version, NULL, 1), -EINVAL, writable);
    refused(seqshare_set_if(share, NULL, "x", 1), -EINVAL, writable);
    refused(seqshare_set_typed(share, NULL, 8, 1), -EINVAL, writable);
    refused(seqshare_fill(share, 1, NULL), -EINVAL, writable);
    equals(seqshare_get(share, NULL, CAPACITY, NULL), -EINVAL);
    equals(seqshare_try_get(share, NULL, CAPACITY, NULL), -EINVAL);
    equals(seqshare_get_typed(share, NULL, 8, 1), -EINVAL);
    equals(seqshare_get_alloc(share, NULL, NULL), -EINVAL);
    equals(seqshare_peek(share, NULL), -EINVAL);
    check(!seqshare_valid(share, NULL));
    equals(seqshare_stat(share, NULL), -EINVAL);
    equals(seqshare_get_alloc(share, &copy, NULL), sizeof standing); /* the version alone is optional */
    free(copy);
}

Test(bad_input, null_value_buffer_or_result)
{
    everywhere(null_arguments);
}

Test(bad_input, null_share)
{
    uint64_t version = 5;
    char buffer[8];
    void *slot = buffer, *copy = buffer;
    seqshare_view view = {buffer, 1, 1};
    struct seqshare_stat stat;

    equals(seqshare_set(NULL, "x", 1), -EINVAL);
    equals(seqshare_set(NULL, NULL, 0), -EINVAL);
    equals(seqshare_set_if(NULL, &version, "x", 1), -EINVAL);
    equals(seqshare_set_typed(NULL, "x", 1, 1), -EINVAL);
    equals(seqshare_get(NULL, buffer, sizeof buffer, &version), -EINVAL);
    equals(seqshare_try_get(NULL, buffer, sizeof buffer, &version), -EINVAL);
    equals(seqshare_get_typed(NULL, buffer, sizeof buffer, 1), -EINVAL);
    equals(seqshare_get_alloc(NULL, &copy, &version), -EINVAL);
    equals(seqshare_length(NULL, &version), -EINVAL);
    equals(seqshare_version(NULL), 0);
    equals(seqshare_capacity(NULL), 0);
    equals(seqshare_peek(NULL, &view), -EINVAL);
    check(!seqshare_valid(NULL, &view));
    check(!seqshare_retired(NULL));
    equals(seqshare_fill(NULL, 1, &slot), -EINVAL);
    equals(seqshare_publish(NULL, 0), -EINVAL);
    equals(seqshare_abandon(NULL), -EINVAL);
    equals(seqshare_lock(NULL), -EINVAL);
    equals(seqshare_trylock(NULL), -EINVAL);
    equals(seqshare_lock_for(NULL, 0), -EINVAL);
    equals(seqshare_unlock(NULL), -EINVAL);
    equals(seqshare_wait(NULL, 0, 0), -EINVAL);
    equals(seqshare_stat(NULL, &stat), -EINVAL);
    equals(seqshare_fd(NULL, SEQSHARE_READ), -EINVAL);
    equals(seqshare_reopen(NULL), -EINVAL);
    equals(seqshare_drop_write(NULL), -EINVAL);
    equals(seqshare_prefault(NULL), -EINVAL);
    seqshare_close(NULL);
    equals(version, 5);
    check(slot == buffer && copy == buffer);
}

/* ---- a buffer that is too small ---- */

static void small_buffer(seqshare *share, bool writable)
{
    char buffer[sizeof standing + 16];

    (void)writable;
    for (size_t size = 0; size < sizeof standing; size++) {
        memset(buffer, '#', sizeof buffer);
        equals(seqshare_get(share, buffer, size, NULL), -ENOBUFS);
        equals(seqshare_try_get(share, buffer, size, NULL), -ENOBUFS);
        for (size_t i = 0; i < sizeof buffer; i++)
            equals(buffer[i], '#');
    }
}

Test(bad_input, buffer_smaller_than_the_value)
{
    everywhere(small_buffer);
}

static void another_type(seqshare *share, bool writable)
{
    char buffer[sizeof standing];

    (void)writable;
    equals(seqshare_get_typed(share, buffer, sizeof buffer, 1), -EBADMSG); /* untyped stands */
    equals(seqshare_get_typed(share, buffer, 8, 0), -EBADMSG);
    equals(seqshare_get_typed(share, buffer, 8, 1), -EBADMSG);
}

Test(bad_input, another_type_or_size)
{
    everywhere(another_type);
}

/* ---- times, access ---- */

static void bad_times(seqshare *share, bool writable)
{
    static const int64_t times[] = {-2, -1000, INT32_MIN, INT64_MIN + 1, INT64_MIN};

    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        refused(seqshare_lock_for(share, times[i]), -EINVAL, writable);
        equals(seqshare_wait(share, 1, times[i]), -EINVAL);
        equals(seqshare_wait(share, 0, times[i]), -EINVAL); /* also when there is nothing to wait for */
    }
}

Test(bad_input, negative_times_other_than_minus_1)
{
    everywhere(bad_times);
}

static const int bad_access[] = {0, SEQSHARE_ANY_OWNER, 8, 8 | SEQSHARE_READ, 16, 1 << 30, INT_MIN, -1};

static void bad_access_bits(seqshare *share, bool writable)
{
    int fd = seqshare_fd(share, SEQSHARE_READ);

    (void)writable;
    check(fd >= 0);
    for (size_t i = 0; i < sizeof bad_access / sizeof *bad_access; i++) {
        seqshare *other = share;

        equals(seqshare_fd(share, bad_access[i]), -EINVAL);
        equals(seqshare_attach(&other, fd, bad_access[i]), -EINVAL);
        equals(seqshare_open(&other, "name", bad_access[i]), -EINVAL);
        check(other == share);
    }
    close(fd);
}

Test(bad_input, unknown_access_bits_or_none)
{
    everywhere(bad_access_bits);
}

Test(bad_input, slots_other_than_2_4_or_8)
{
    static const unsigned slots[] = {0, 1, 3, 5, 6, 7, 9, 10, 16, 256 + 2, 65536 + 4, 1U << 31, UINT_MAX};
    seqshare *share = NULL;

    for (size_t i = 0; i < sizeof slots / sizeof *slots; i++)
        equals(seqshare_new_slots(&share, CAPACITY, slots[i]), -EINVAL);
    check(share == NULL);
}

/* ---- writing through a share that only reads ---- */

static void writes(seqshare *share, bool writable)
{
    uint64_t version = 1;
    void *slot;

    if (writable)
        return;
    equals(seqshare_set(share, "x", 1), -EROFS);
    equals(seqshare_set(share, NULL, 0), -EROFS);
    equals(seqshare_set_if(share, &version, "x", 1), -EROFS);
    equals(version, 1);
    equals(seqshare_set_typed(share, "x", 1, 1), -EROFS);
    equals(seqshare_fill(share, 1, &slot), -EROFS);
    equals(seqshare_publish(share, 0), -EROFS);
    equals(seqshare_abandon(share), -EROFS);
    equals(seqshare_lock(share), -EROFS);
    equals(seqshare_trylock(share), -EROFS);
    equals(seqshare_lock_for(share, 1), -EROFS);
    equals(seqshare_unlock(share), -EROFS);
    equals(seqshare_fd(share, SEQSHARE_WRITE), -EROFS);
    equals(seqshare_fd(share, SEQSHARE_READ | SEQSHARE_WRITE), -EROFS);
    equals(seqshare_drop_write(share), 0); /* there is nothing to drop */
}

Test(bad_input, write_or_lock_through_a_share_that_only_reads)
{
    everywhere(writes);
}

/* ---- out of turn ---- */

static void out_of_turn(seqshare *share, bool writable)
{
    refused(seqshare_publish(share, 0), -EPERM, writable);
    refused(seqshare_publish(share, SIZE_MAX), -EPERM, writable);
    refused(seqshare_abandon(share), -EPERM, writable);
    refused(seqshare_unlock(share), -EPERM, writable);
    if (!writable)
        return;
    equals(seqshare_lock(share), 0);
    equals(seqshare_publish(share, 0), -EPERM);
    equals(seqshare_abandon(share), -EPERM);
    equals(seqshare_lock(share), -EDEADLK);
    equals(seqshare_lock_for(share, 0), -EDEADLK);
    equals(seqshare_drop_write(share), -EBUSY);
    equals(seqshare_unlock(share), 0);
    equals(seqshare_unlock(share), -EPERM);
}

Test(bad_input, publish_abandon_unlock_without_fill_or_lock)
{
    everywhere(out_of_turn);
}

static void every_write_is_busy(seqshare *share)
{
    uint64_t version = 1;
    void *slot = NULL;

    equals(seqshare_set(share, "x", 1), -EBUSY);
    equals(seqshare_set_if(share, &version, "x", 1), -EBUSY);
    version = 9;
    equals(seqshare_set_if(share, &version, "x", 1), -EBUSY); /* not -ESTALE: nothing is compared yet */
    equals(version, 9);
    equals(seqshare_set_typed(share, "x", 1, 1), -EBUSY);
    equals(seqshare_fill(share, 1, &slot), -EBUSY);
    equals(seqshare_lock(share), -EBUSY);
    equals(seqshare_trylock(share), -EBUSY);
    equals(seqshare_lock_for(share, 0), -EBUSY);
    equals(seqshare_lock_for(share, -1), -EBUSY);
    equals(seqshare_unlock(share), -EBUSY);
    equals(seqshare_drop_write(share), -EBUSY);
}

static void within_fill(seqshare *share, bool writable)
{
    seqshare *second;
    void *slot;

    if (!writable)
        return;
    second = another_handle(share, SEQSHARE_WRITE);
    for (int locked = 0; locked <= 1; locked++) {
        if (locked)
            equals(seqshare_lock(share), 0);
        equals(seqshare_fill(share, 10, &slot), 0);
        every_write_is_busy(share);
        every_write_is_busy(second); /* another handle of the same thread */
        equals(seqshare_publish(second, 0), -EPERM);
        equals(seqshare_publish(share, 11), -EMSGSIZE);
        equals(seqshare_abandon(share), 0);
        if (locked)
            equals(seqshare_unlock(share), 0);
    }
    seqshare_close(second);
    /* Abandoning leaves the sequence odd, as a dead writer does; put it back for the next scene. */
    equals(seqshare_load_relaxed(&share->head->sequence), 3);
    seqshare_store_release(&((struct seqshare_head *)(uintptr_t)share->head)->sequence, 2);
}

Test(bad_input, set_fill_lock_unlock_between_fill_and_publish)
{
    everywhere(within_fill);
}

/* ---- a longjmp out of set ---- */

static sigjmp_buf out_of_set;

static void jump_out(int signal)
{
    (void)signal;
    siglongjmp(out_of_set, 1);
}

/* Its value may not be read, and the handler that hears of it does not return. */
static void leave_a_set(seqshare *share)
{
    struct sigaction jump = {.sa_handler = jump_out}, before;
    void *forbidden = mmap(NULL, CAPACITY, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    check(forbidden != MAP_FAILED && sigaction(SIGSEGV, &jump, &before) == 0);
    if (sigsetjmp(out_of_set, 1) == 0)
        equals(seqshare_set(share, forbidden, CAPACITY), INT_MIN); /* it does not come back */
    sigaction(SIGSEGV, &before, NULL);
    munmap(forbidden, CAPACITY);
}

static void longjmp_out_of_set(seqshare *share, bool writable)
{
    if (!writable)
        return;
    for (int locked = 0; locked <= 1; locked++) {
        if (locked)
            equals(seqshare_lock(share), 0);
        leave_a_set(share);
        every_write_is_busy(share);
        equals(seqshare_abandon(share), 0);
        equals(seqshare_abandon(share), -EPERM);
        if (locked)
            equals(seqshare_unlock(share), 0);
        equals(seqshare_trylock(share), 0);
        equals(seqshare_unlock(share), 0);
    }
    seqshare_store_release(&((struct seqshare_head *)(uintptr_t)share->head)->sequence, 2); /* as above */
}

Test(bad_input, abandon_after_a_longjmp_out_of_set_gives_the_lock_back)
{
    skip_under_valgrind();
    everywhere(longjmp_out_of_set);
}

Test(bad_input, close_after_a_longjmp_out_of_set_gives_the_lock_back)
{
    seqshare *share = new_share(CAPACITY);
    char buffer[CAPACITY];

    skip_under_valgrind();
    equals(seqshare_set(share, standing, sizeof standing), 0);
    for (int locked = 0; locked <= 1; locked++) {
        seqshare *second = another_handle(share, SEQSHARE_WRITE);

        if (locked)
            equals(seqshare_lock(second), 0);
        leave_a_set(second);
        equals(seqshare_trylock(share), -EBUSY);
        seqshare_close(second);
        equals(seqshare_trylock(share), 0);
        equals(seqshare_unlock(share), 0);
        equals(seqshare_get(share, buffer, sizeof buffer, NULL), sizeof standing);
        check(memcmp(buffer, standing, sizeof standing) == 0);
    }
    equals(seqshare_set(share, "next", 4), 0);
    equals(seqshare_version(share), 2);
    seqshare_close(share);
}
