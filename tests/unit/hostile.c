/* SPDX-License-Identifier: MIT */
/*
 * Regions that no honest writer made: a sequence near its end, a writer that died in the middle, lengths and
 * sequences out of thin air. An error or a wrong value may come of it, never a crash, a hang, or a byte from
 * outside the region. What is planted here goes through the writable mapping, as an enemy would do it.
 *
 * Shows: READ-7, WRITE-5.
 */
#include "layout.h"
#include "support.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(hostile, .timeout = 120);

enum { CAPACITY = 5000 };

static struct seqshare_head *head_of(seqshare *share)
{
    return (struct seqshare_head *)(uintptr_t)share->head;
}

static seqshare *share_with(const char *text)
{
    seqshare *share = new_share(CAPACITY);

    for (int i = 0; i < 2; i++) /* in either slot */
        equals(seqshare_set(share, text, strlen(text)), 0);
    return share;
}

static void plant_sequence(seqshare *share, uint64_t sequence)
{
    seqshare_store_release(&head_of(share)->sequence, sequence);
}

/* ---- the end of the numbers ---- */

Test(hostile, the_last_version_is_published_and_none_after_it)
{
    seqshare *share = share_with("old");
    uint64_t version;
    void *slot;

    plant_sequence(share, 2 * (SEQSHARE_VERSION_MAX - 2));
    holds(share, "old", SEQSHARE_VERSION_MAX - 2);
    equals(seqshare_set(share, "last but one", 12), 0);
    holds(share, "last but one", SEQSHARE_VERSION_MAX - 1);
    equals(seqshare_set(share, "last", 4), 0);
    holds(share, "last", SEQSHARE_VERSION_MAX);

    equals(seqshare_set(share, "more", 4), -EOVERFLOW);
    version = SEQSHARE_VERSION_MAX;
    equals(seqshare_set_if(share, &version, "more", 4), -EOVERFLOW);
    equals(seqshare_fill(share, 4, &slot), -EOVERFLOW);
    holds(share, "last", SEQSHARE_VERSION_MAX);
    equals(seqshare_load_relaxed(&share->head->sequence), 2 * SEQSHARE_VERSION_MAX);
    equals(seqshare_trylock(share), 0); /* no refusal kept the lock, or went on filling */
    equals(seqshare_set(share, "more", 4), -EOVERFLOW);
    equals(seqshare_unlock(share), 0);
    seqshare_close(share);
}

/* Fails with: a version kept in 32 bits anywhere, the futex word included. */
Test(hostile, versions_go_on_beyond_32_bits)
{
    static const uint64_t edges[] = {UINT64_C(1) << 30, UINT64_C(1) << 31, UINT64_C(1) << 32,
                                     UINT64_C(1) << 33, UINT64_C(1) << 62};

    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        seqshare *share = share_with("old");
        uint64_t version = edges[i] - 2;

        plant_sequence(share, 2 * version);
        for (uint64_t next = version + 1; next < version + 6; next++) {
            uint64_t expected = next - 1;
            const char *text = format("value %ju", (uintmax_t)next);

            equals(seqshare_wait(share, next - 1, 0), -ETIMEDOUT);
            equals(seqshare_set_if(share, &expected, text, strlen(text)), 0);
            holds(share, text, next);
            equals(seqshare_wait(share, next - 1, -1), 0);
        }
        equals(seqshare_wait(share, 1, -1), 0);
        seqshare_close(share);
    }
}

/* ---- a writer that died between announcing and publishing ---- */

Test(hostile, an_odd_sequence_with_garbage_behind_it_is_recovered)
{
    for (unsigned slots = 2; slots <= SEQSHARE_SLOTS_MAX; slots *= 2) {
        seqshare *share = NULL;
        uint64_t version = 0;

        equals(seqshare_new_slots(&share, CAPACITY, slots), 0);
        for (unsigned i = 0; i < 2 * slots; i++) {
            const char *text = format("value %u", i);

            if (i > 0)
                holds(share, format("value %u", i - 1), i);
            plant_sequence(share, 2 * i + 1);
            seqshare_write_slot(head_of(share), slots - 1, i + 1, UINT64_MAX - i, 0xdead);
            if (i > 0)
                holds(share, format("value %u", i - 1), i);
            equals(seqshare_version(share), i);

            version = i;
            if (i % 2)
                equals(seqshare_set_if(share, &version, text, strlen(text)), 0);
            else
                equals(seqshare_set(share, text, strlen(text)), 0);
            holds(share, text, i + 1);
            equals(seqshare_load_relaxed(&share->head->sequence), 2 * (i + 1));
        }
        seqshare_close(share);
    }
}

/* ---- lengths and sequences out of thin air ---- */

/* Use all that reads; what it answers is open, that it answers is the point. */
static void read_all_ways(const seqshare *share)
{
    static unsigned char buffer[CAPACITY + 64];
    struct seqshare_stat stat;
    seqshare_view view = {0};
    void *copy = NULL;
    ssize_t length;

    memset(buffer + CAPACITY, 0x77, 64);
    length = seqshare_get(share, buffer, CAPACITY, NULL);
    check(length <= CAPACITY);
    length = seqshare_try_get(share, buffer, CAPACITY, NULL);
    check(length <= CAPACITY);
    for (int i = 0; i < 64; i++)
        equals(buffer[CAPACITY + i], 0x77);
    length = seqshare_get_alloc(share, &copy, NULL);
    if (length >= 0) {
        memset(copy, 0, (size_t)length);
        free(copy);
    }
    check(seqshare_length(share, NULL) <= CAPACITY);
    if (seqshare_peek(share, &view) == 0) {
        check(view.length <= CAPACITY);
        memcpy(buffer, view.data, view.length); /* whatever lies there is inside the region */
        seqshare_valid(share, &view);
    }
    seqshare_get_typed(share, buffer, 8, 0);
    seqshare_stat(share, &stat);
    seqshare_prefault(share);
    seqshare_wait(share, seqshare_version(share) + 1, 0);
}

/* `length` is what stands in the header. A buffer as large does not help: the slot ends where it ends. */
static void finds_corrupt(const seqshare *share, uint64_t length)
{
    static char large[4 << 20];
    struct seqshare_stat stat;
    seqshare_view view;
    char buffer[CAPACITY];
    void *copy;

    equals(seqshare_get(share, large, sizeof large, NULL), -EBADMSG);
    equals(seqshare_try_get(share, large, sizeof large, NULL), -EBADMSG);
    if (length <= sizeof large)
        equals(seqshare_get_typed(share, large, (size_t)length, 0), -EBADMSG);
    equals(seqshare_get(share, buffer, sizeof buffer, NULL), -EBADMSG);
    equals(seqshare_try_get(share, buffer, sizeof buffer, NULL), -EBADMSG);
    equals(seqshare_try_get(share, buffer, 1, NULL), -EBADMSG);
    equals(seqshare_get_alloc(share, &copy, NULL), -EBADMSG);
    equals(seqshare_length(share, NULL), -EBADMSG);
    equals(seqshare_peek(share, &view), -EBADMSG);
    equals(seqshare_stat(share, &stat), -EBADMSG);
    equals(seqshare_get_typed(share, buffer, 8, 0), -EBADMSG);
    read_all_ways(share);
}

Test(hostile, a_length_beyond_the_capacity_is_an_error_and_the_next_set_heals_it)
{
    static const uint64_t lengths[] = {
        CAPACITY + 1,      CAPACITY + 64,           100000,    3 << 20,           UINT32_MAX,
        UINT64_C(1) << 32, (UINT64_C(1) << 32) + 3, INT64_MAX, UINT64_C(1) << 63, UINT64_MAX - CAPACITY,
        UINT64_MAX - 63,   UINT64_MAX - 4095,       UINT64_MAX};
    seqshare *share = share_with("old"), *reader = another_handle(share, SEQSHARE_READ);

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        uint64_t version = seqshare_version(share);

        seqshare_write_slot(head_of(share), share->mask, version, lengths[i], 0);
        finds_corrupt(share, lengths[i]);
        finds_corrupt(reader, lengths[i]);
        equals(seqshare_set(share, "whole again", 11), 0);
        holds(reader, "whole again", version + 1);
    }
    seqshare_close(reader);
    seqshare_close(share);
}

Test(hostile, any_sequence_is_survived_by_readers_and_writers)
{
    seqshare *share = share_with("old"), *reader = another_handle(share, SEQSHARE_READ);

    for (unsigned bit = 0; bit < 64; bit++) {
        const uint64_t power = UINT64_C(1) << bit;
        const uint64_t sequences[] = {power - 2, power - 1, power, power + 1, ~power, ~power + 3, 0 - power};

        for (size_t i = 0; i < sizeof sequences / sizeof *sequences; i++) {
            uint64_t version = sequences[i] / 2;
            int set;

            plant_sequence(share, sequences[i]);
            equals(seqshare_version(reader), version);
            read_all_ways(share);
            read_all_ways(reader);
            set = seqshare_set(share, "healed", 6);
            equals(set, version >= SEQSHARE_VERSION_MAX ? -EOVERFLOW : 0);
            if (set == 0)
                holds(reader, "healed", version + 1);
        }
    }
    seqshare_close(reader);
    seqshare_close(share);
}

/* ---- lengths that name a hole ---- */

enum { ROOMY = 8 << 20, PAGE = 4096 };

static void finds_a_hole(const seqshare *share)
{
    seqshare_reading reading = {0};
    struct seqshare_stat stat;
    static char large[ROOMY];
    seqshare_view view;
    void *copy;

    equals(seqshare_get(share, large, sizeof large, NULL), -EBADMSG);
    equals(seqshare_get(share, large, 10, NULL), -EBADMSG);
    equals(seqshare_try_get(share, large, sizeof large, NULL), -EBADMSG);
    equals(seqshare_get_alloc(share, &copy, NULL), -EBADMSG);
    equals(seqshare_read(share, &reading), -EBADMSG);
    equals(seqshare_pread(share, &reading), -EBADMSG);
    equals(seqshare_length(share, NULL), -EBADMSG);
    equals(seqshare_peek(share, &view), -EBADMSG);
    equals(seqshare_stat(share, &stat), -EBADMSG);
    equals(seqshare_pstat(share, &stat), -EBADMSG);
    equals(seqshare_prefault(share), 0);
}

static uint64_t allocated(const seqshare *share)
{
    struct stat status;
    int fd = seqshare_fd(share, SEQSHARE_READ);

    check(fd >= 0 && fstat(fd, &status) == 0);
    close(fd);
    return (uint64_t)status.st_blocks;
}

static void holes_are_left_alone(seqshare *share)
{
    static const uint64_t lengths[] = {2 * PAGE, PAGE + 1, ROOMY - 1, ROOMY};
    seqshare *reader = another_handle(share, SEQSHARE_READ);
    uint64_t before;

    equals(seqshare_set(share, "small", 5), 0); /* slot 1; the other one has no memory at all */
    before = allocated(share);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        seqshare *fresh = another_handle(share, SEQSHARE_READ);

        seqshare_write_slot(head_of(share), share->mask, 1, lengths[i], 0);
        finds_a_hole(share);
        finds_a_hole(reader);
        finds_a_hole(fresh);
        seqshare_close(fresh);
    }
    seqshare_write_slot(head_of(share), share->mask, 1, 5, 0);
    holds(reader, "small", 1);
    plant_sequence(share, 4);
    for (size_t i = 0; i < 3; i++) {
        seqshare_write_slot(head_of(share), share->mask, 2, i ? 64 : ROOMY, 0);
        finds_a_hole(reader);
        equals(seqshare_get_typed(reader, (char[64]){0}, 64, 0), -EBADMSG);
    }
    equals(allocated(share), before);
    equals(seqshare_set(share, "whole again", 11), 0);
    holds(reader, "whole again", 3);
    seqshare_close(reader);
    seqshare_close(share);
}

/* Fails with: a length that is believed because the capacity is not less. */
Test(hostile, a_length_that_names_a_hole_touches_no_page)
{
    seqshare *named = NULL;

    holes_are_left_alone(new_share(ROOMY));
    equals(seqshare_create(&named, temp_name(), ROOMY, 0600), 0);
    holes_are_left_alone(named);
}

/* Values of all lengths, in slots that have memory for shorter ones, through handles that know of less. */
Test(hostile, memory_that_came_later_is_found)
{
    seqshare *share = new_share(ROOMY), *reader = another_handle(share, SEQSHARE_READ);
    static unsigned char value[ROOMY], copy[ROOMY];
    static const size_t lengths[] = {0, 1, 64, PAGE, 1, 3 * PAGE + 1, 64, ROOMY, PAGE, ROOMY - 1, 0, ROOMY};

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        seqshare *fresh = another_handle(share, SEQSHARE_READ);
        seqshare_view view = {0};

        make_pattern(value, lengths[i], i);
        equals(seqshare_set(share, value, lengths[i]), 0);
        equals(seqshare_try_get(reader, copy, sizeof copy, NULL), lengths[i]);
        check(is_pattern(copy, lengths[i], i));
        equals(seqshare_peek(fresh, &view), 0);
        check(view.length == lengths[i] && is_pattern(view.data, view.length, i));
        seqshare_close(fresh);
    }
    seqshare_close(reader);
    seqshare_close(share);
}

/* Fails with: memory that was allocated and never touched, which a file system calls a hole. */
Test(hostile, what_a_fill_leaves_untouched_is_read)
{
    seqshare *share = new_share(ROOMY), *reader = another_handle(share, SEQSHARE_READ);
    static unsigned char copy[ROOMY];
    void *slot;

    for (int i = 0; i < 3; i++) {
        equals(seqshare_fill(share, 40 * PAGE, &slot), 0);
        equals(seqshare_publish(share, 40 * PAGE), 0);
        equals(seqshare_get(reader, copy, sizeof copy, NULL), 40 * PAGE);
    }
    seqshare_close(reader);
    seqshare_close(share);
}

/* ---- somebody who writes rubbish all the time ---- */

static uint64_t random_word(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state >> *state % 64;
}

static void scribble_over_the_head(void *context)
{
    struct seqshare_head *head = head_of(context);
    uint64_t state = UINT64_C(88172645463325252);

    for (;;) {
        unsigned slot = (unsigned)random_word(&state) % SEQSHARE_SLOTS_MAX;

        __atomic_store_n(&head->slot[slot].length, random_word(&state), __ATOMIC_RELAXED);
        __atomic_store_n(&head->slot[slot].tag, (uint32_t)random_word(&state) % 2, __ATOMIC_RELAXED);
        if (random_word(&state) % 4096 == 0) /* rarely: a read that no attempt of succeeds takes a second */
            __atomic_store_n(&head->sequence, random_word(&state), __ATOMIC_RELAXED);
    }
}

/* Fails with: a length that is loaded twice, once to be bounded and once to be used. */
Test(hostile, an_enemy_who_scribbles_over_the_head_makes_no_reader_crash_or_hang)
{
    seqshare *share = share_with("old"), *reader = another_handle(share, SEQSHARE_READ);
    pid_t enemy = child_start(scribble_over_the_head, share);

    while (seqshare_load_relaxed(&share->head->slot[SEQSHARE_SLOTS_MAX - 1].length) == 0)
        usleep(100); /* nobody but the enemy writes there */
    for (int i = 0; i < 3000; i++) {
        read_all_ways(reader);
        read_all_ways(share);
    }
    equals(waitpid(enemy, NULL, WNOHANG), 0); /* it was at it until the end */
    child_kill(enemy);
    seqshare_close(reader);
    seqshare_close(share);
}

/* ---- the lock ---- */

/* The enemy's own mapping of the lock. */
static struct lock_line *lock_of(const seqshare *share)
{
    char *region = (char *)(uintptr_t)share->head - offsetof(struct layout, head);

    return &((struct layout *)(void *)region)->lock;
}

/* Fails with: close gives a lock back through a mapping that can no longer be written to. */
Test(hostile, a_lock_taken_away_and_given_back_after_drop_write_is_left_alone)
{
    seqshare *share = share_with("value"), *enemy = NULL;
    int fd = seqshare_fd(share, SEQSHARE_WRITE);
    struct lock_line held;

    equals(seqshare_attach(&enemy, fd, SEQSHARE_WRITE), 0);
    close(fd);
    equals(seqshare_lock(share), 0);
    held = *lock_of(enemy);
    *lock_of(enemy) = (struct lock_line){0};
    equals(seqshare_drop_write(share), 0);
    *lock_of(enemy) = held;
    equals(seqshare_unlock(share), -EROFS);
    seqshare_close(share);
    equals(memcmp(lock_of(enemy), &held, sizeof held), 0);
    seqshare_close(enemy);
}
