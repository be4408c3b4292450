/* SPDX-License-Identifier: MIT */
/*
 * fill, publish, abandon: a value written where it will be read, seen by nobody before it is published.
 *
 * Shows: WRITE-2, WRITE-5.
 */
#include "support.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

TestSuite(fill, .timeout = 60);

static seqshare *share_with(const char *text)
{
    seqshare *share = new_share(4096);

    equals(seqshare_set(share, text, strlen(text)), 0);
    return share;
}

Test(fill, nobody_sees_it_before_publish)
{
    seqshare *share = share_with("old");
    void *slot = NULL;

    equals(seqshare_fill(share, 100, &slot), 0);
    memcpy(slot, "new value", 9);
    holds(share, "old", 1);
    child_run(lock_is_taken, share);
    equals(seqshare_publish(share, 9), 0);
    holds(share, "new value", 2);
    child_run(lock_is_free, share);
    seqshare_close(share);
}

Test(fill, every_room_can_be_written_and_published)
{
    seqshare *share = share_with("old");
    unsigned char buffer[4096];

    for (size_t room = 0; room <= 4096; room += room < 300 ? 1 : 949) {
        uint64_t version = 0;
        void *slot = NULL;

        equals(seqshare_fill(share, room, &slot), 0);
        check(slot != NULL);
        equals((uintptr_t)slot % 64, 0);
        make_pattern(slot, room, room);
        equals(seqshare_publish(share, room), 0);
        equals(seqshare_get(share, buffer, sizeof buffer, &version), room);
        check(is_pattern(buffer, room, room));
        equals(version, seqshare_version(share));
    }
    seqshare_close(share);
}

Test(fill, less_than_the_room_may_be_published)
{
    seqshare *share = share_with("old");
    void *slot = NULL;

    equals(seqshare_fill(share, 4096, &slot), 0);
    memcpy(slot, "abcdef", 6);
    equals(seqshare_publish(share, 3), 0);
    holds(share, "abc", 2);
    equals(seqshare_fill(share, 4096, &slot), 0);
    equals(seqshare_publish(share, 0), 0);
    holds(share, "", 3);
    seqshare_close(share);
}

/* Fails with: an abandon that goes back to an even sequence, which lets readers accept what was scribbled. */
Test(fill, abandon_leaves_the_old_value_and_an_odd_sequence)
{
    seqshare *share = share_with("old");
    seqshare_view view = {0};
    void *slot = NULL;

    equals(seqshare_set(share, "now", 3), 0);
    equals(seqshare_peek(share, &view), 0);
    equals(seqshare_fill(share, 4096, &slot), 0);
    memset(slot, '!', 4096);
    equals(seqshare_abandon(share), 0);
    equals(seqshare_load_relaxed(&share->head->sequence), 2 * 2 + 1);
    holds(share, "now", 2);
    check(seqshare_valid(share, &view));
    child_run(lock_is_free, share);

    equals(seqshare_set(share, "next", 4), 0);
    equals(seqshare_load_relaxed(&share->head->sequence), 2 * 3);
    holds(share, "next", 3);
    seqshare_close(share);
}

Test(fill, abandon_of_the_first_value_leaves_nothing)
{
    seqshare *share = NULL;
    void *slot = NULL;
    char buffer[8];

    equals(seqshare_new(&share, 8), 0);
    equals(seqshare_fill(share, 8, &slot), 0);
    memset(slot, 'x', 8);
    equals(seqshare_get(share, buffer, sizeof buffer, NULL), -ENODATA);
    equals(seqshare_abandon(share), 0);
    equals(seqshare_get(share, buffer, sizeof buffer, NULL), -ENODATA);
    equals(seqshare_set(share, "first", 5), 0);
    holds(share, "first", 1);
    seqshare_close(share);
}

Test(fill, under_lock_the_lock_stays)
{
    seqshare *share = share_with("old");
    void *slot = NULL;

    equals(seqshare_lock(share), 0);
    equals(seqshare_fill(share, 10, &slot), 0);
    memcpy(slot, "one", 3);
    equals(seqshare_publish(share, 3), 0);
    child_run(lock_is_taken, share);
    equals(seqshare_fill(share, 10, &slot), 0);
    equals(seqshare_abandon(share), 0);
    child_run(lock_is_taken, share);
    equals(seqshare_set(share, "two", 3), 0);
    child_run(lock_is_taken, share);
    equals(seqshare_unlock(share), 0);
    child_run(lock_is_free, share);
    holds(share, "two", 3);
    seqshare_close(share);
}

Test(fill, a_publish_that_is_too_long_can_be_repeated)
{
    seqshare *share = share_with("old");
    void *slot = NULL;

    equals(seqshare_fill(share, 4, &slot), 0);
    memcpy(slot, "good", 4);
    equals(seqshare_publish(share, 5), -EMSGSIZE);
    equals(seqshare_publish(share, SIZE_MAX), -EMSGSIZE);
    holds(share, "old", 1);
    child_run(lock_is_taken, share);
    equals(seqshare_publish(share, 4), 0);
    holds(share, "good", 2);
    seqshare_close(share);
}

static void fill_and_sleep(void *share)
{
    void *slot = NULL;

    equals(seqshare_fill(share, 4096, &slot), 0);
    memset(slot, '!', 4096);
    pause();
}

/* The old value stays; the next writer needs no help. */
Test(fill, a_filler_that_is_killed_leaves_the_old_value_and_the_next_set_works)
{
    seqshare *share = share_with("old");

    for (uint64_t version = 1; version < 20; version++) {
        const char *text = version == 1 ? "old" : format("after %d", (int)version);
        pid_t filler = child_start(fill_and_sleep, share);

        child_sleeps(filler);
        holds(share, text, version);
        child_kill(filler);
        holds(share, text, version);
        text = format("after %d", (int)version + 1);
        equals(seqshare_set(share, text, strlen(text)), 0);
        holds(share, text, version + 1);
    }
    seqshare_close(share);
}

static void close_share(void *share)
{
    seqshare_close(share);
}

Test(fill, close_abandons_what_this_thread_was_filling_but_not_in_a_child)
{
    seqshare *share = share_with("old"), *second = another_handle(share, SEQSHARE_WRITE);
    void *slot = NULL;

    equals(seqshare_fill(second, 10, &slot), 0);
    child_run(close_share, second);
    child_run(lock_is_taken, share);
    memcpy(slot, "mine", 4);
    equals(seqshare_publish(second, 4), 0);
    holds(share, "mine", 2);

    equals(seqshare_fill(second, 10, &slot), 0);
    seqshare_close(second);
    holds(share, "mine", 2);
    child_run(lock_is_free, share);
    equals(seqshare_set(share, "later", 5), 0);
    holds(share, "later", 3);
    seqshare_close(share);
}

/* Fails with: a publish that goes by who owns the lock, and takes the sequence back to its own version. */
Test(fill, publish_after_an_abandon_through_another_handle_is_refused)
{
    seqshare *share = share_with("old"), *second = another_handle(share, SEQSHARE_WRITE);
    void *slot = NULL;

    equals(seqshare_fill(share, 10, &slot), 0);
    memcpy(slot, "stale", 5);
    equals(seqshare_abandon(second), 0);
    equals(seqshare_publish(share, 5), -EPERM); /* nobody owns the lock */
    for (int i = 0; i < 3; i++)
        equals(seqshare_set(second, "newer", 5), 0);
    equals(seqshare_lock(second), 0);
    equals(seqshare_publish(share, 5), -EPERM); /* this thread does, and fills nothing */
    holds(share, "newer", 4);
    child_run(lock_is_taken, share);
    equals(seqshare_fill(second, 10, &slot), 0);
    equals(seqshare_publish(share, 5), -EPERM); /* it fills, but through the other */
    holds(share, "newer", 4);
    memcpy(slot, "newest", 6);
    equals(seqshare_publish(second, 6), 0);
    holds(share, "newest", 5);
    equals(seqshare_unlock(second), 0);
    seqshare_close(second);
    seqshare_close(share);
}

/* Fails with: a fill that is taken for another of its thread, of the same region and the same version. */
Test(fill, publish_after_an_abandon_and_another_fill_is_refused)
{
    seqshare *share = share_with("old"), *second = another_handle(share, SEQSHARE_WRITE);
    void *slot = NULL, *half = NULL;

    equals(seqshare_fill(share, 10, &slot), 0);
    memcpy(slot, "abandoned!", 10);
    equals(seqshare_abandon(second), 0);
    equals(seqshare_fill(second, 10, &half), 0);
    memcpy(half, "half", 4);
    equals(seqshare_publish(share, 10), -EPERM);
    holds(share, "old", 1);
    equals(seqshare_publish(second, 4), 0);
    holds(share, "half", 2);
    seqshare_close(second);
    seqshare_close(share);
}

/* Fails with: a handle that is closed, and takes along what its thread fills through another. */
Test(fill, close_leaves_a_fill_through_another_handle_alone)
{
    seqshare *share = share_with("old"), *second = another_handle(share, SEQSHARE_WRITE);
    void *slot = NULL;

    equals(seqshare_fill(second, 10, &slot), 0);
    equals(seqshare_abandon(share), 0);
    equals(seqshare_fill(share, 10, &slot), 0);
    memcpy(slot, "whole", 5);
    seqshare_close(second);
    child_run(lock_is_taken, share);
    equals(seqshare_publish(share, 5), 0);
    holds(share, "whole", 2);
    seqshare_close(share);
}

static void *publish_in_thread(void *share)
{
    equals(seqshare_publish(share, 1), -EPERM);
    equals(seqshare_abandon(share), -EPERM);
    equals(seqshare_unlock(share), -EPERM);
    return NULL;
}

static void publish_in_child(void *share)
{
    publish_in_thread(share);
}

Test(fill, only_the_thread_that_fills_may_publish)
{
    seqshare *share = share_with("old");
    void *slot = NULL;
    pthread_t other;

    equals(seqshare_fill(share, 10, &slot), 0);
    child_run(publish_in_child, share);
    equals(pthread_create(&other, NULL, publish_in_thread, share), 0);
    equals(pthread_join(other, NULL), 0);
    holds(share, "old", 1);
    memcpy(slot, "mine", 4);
    equals(seqshare_publish(share, 4), 0);
    holds(share, "mine", 2);
    seqshare_close(share);
}
