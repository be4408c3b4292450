/* SPDX-License-Identifier: MIT */
/*
 * Values: every process that has the share reads the bytes that were set, and no byte further.
 *
 * Shows: READ-1, READ-5, WRITE-3.
 */
#include "support.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

TestSuite(values, .timeout = 120);

enum { PAGE = 4096, MEBI = 1 << 20 };

/*
 * Memory between two pages that nobody may touch: a copy that begins a byte early at its start, or ends a
 * byte late at its end, crashes the test.
 */
struct walled {
    unsigned char *start;
    size_t size;
};

static struct walled walled_new(size_t size)
{
    size_t whole = (size + PAGE - 1) / PAGE * PAGE;
    unsigned char *memory = mmap(NULL, whole + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    check(memory != MAP_FAILED);
    check(mprotect(memory + PAGE, whole, PROT_READ | PROT_WRITE) == 0);
    return (struct walled){memory + PAGE, whole};
}

static unsigned char *at_end(struct walled memory, size_t length)
{
    return memory.start + memory.size - length;
}

Test(values, nothing_is_there_before_the_first_set)
{
    seqshare *share = new_share(100);
    char buffer[100];
    void *copy;
    seqshare_view view = {0};

    equals(seqshare_version(share), 0);
    equals(seqshare_get(share, buffer, sizeof buffer, NULL), -ENODATA);
    equals(seqshare_try_get(share, buffer, sizeof buffer, NULL), -ENODATA);
    equals(seqshare_get_alloc(share, &copy, NULL), -ENODATA);
    equals(seqshare_length(share, NULL), -ENODATA);
    equals(seqshare_peek(share, &view), -ENODATA);
    equals(seqshare_capacity(share), 100);
    seqshare_close(share);
}

/* It shows no version, so none of its bytes is part of one. */
Test(values, a_view_that_was_never_filled_in_is_not_valid)
{
    seqshare *share = new_share(100);
    seqshare_view view = {0};

    check(!seqshare_valid(share, &view));
    for (int i = 0; i < 3; i++) {
        equals(seqshare_set(share, "x", 1), 0);
        check(!seqshare_valid(share, &view));
    }
    equals(seqshare_peek(share, &view), 0);
    check(seqshare_valid(share, &view));
    seqshare_close(share);
}

Test(values, every_set_makes_the_next_version)
{
    seqshare *share = new_share(8);

    for (uint64_t i = 1; i <= 1000; i++) {
        uint64_t value = 0, version = 0;

        equals(seqshare_set(share, &i, sizeof i), 0);
        equals(seqshare_version(share), i);
        equals(seqshare_get(share, &value, sizeof value, &version), sizeof value);
        equals(value, i);
        equals(version, i);
    }
    seqshare_close(share);
}

/* All ways to read a value of this length, from and to memory whose next byte is forbidden. */
static void round_trip(seqshare *share, struct walled from, struct walled to, size_t length, uint64_t seed)
{
    uint64_t version = 0, before = seqshare_version(share);
    seqshare_view view = {0};
    void *copy = NULL;

    make_pattern(at_end(from, length), length, seed);
    equals(seqshare_set(share, at_end(from, length), length), 0);
    equals(seqshare_length(share, &version), length);
    equals(version, before + 1);

    memset(to.start, 0xa5, to.size);
    equals(seqshare_get(share, at_end(to, length), length, &version), length);
    check(is_pattern(at_end(to, length), length, seed));
    check(length == to.size || at_end(to, length)[-1] == 0xa5);
    equals(version, before + 1);

    memset(to.start, 0xa5, to.size);
    equals(seqshare_try_get(share, to.start, to.size, NULL), length);
    check(is_pattern(to.start, length, seed));
    for (size_t i = length; i < length + 64 && i < to.size; i++)
        equals(to.start[i], 0xa5); /* a copy of whole words writes here */

    equals(seqshare_get_alloc(share, &copy, &version), length);
    check(is_pattern(copy, length, seed));
    free(copy);

    equals(seqshare_peek(share, &view), 0);
    equals(view.length, length);
    equals(view.version, before + 1);
    check(is_pattern(view.data, length, seed));
    check(seqshare_valid(share, &view));
}

Test(values, sizes_0_to_600_are_exact)
{
    seqshare *share = new_share(600);
    struct walled from = walled_new(600), to = walled_new(600);

    for (size_t length = 0; length <= 600; length++)
        round_trip(share, from, to, length, length + 1);
    for (size_t length = 600; length > 0; length--) /* and behind a longer one */
        round_trip(share, from, to, length - 1, length);
    seqshare_close(share);
}

/* Up to where the copy goes another way, in steps that hit every remainder of a vector. */
Test(values, sizes_up_to_20000_are_exact)
{
    seqshare *share = new_share(20000);
    struct walled from = walled_new(20000), to = walled_new(20000);

    for (size_t length = 601; length <= 20000; length += 37)
        round_trip(share, from, to, length, length);
    seqshare_close(share);
}

Test(values, powers_of_two_and_their_neighbours_are_exact)
{
    seqshare *share = new_share(MEBI + 1);
    struct walled from = walled_new(MEBI + 1), to = walled_new(MEBI + 1);

    for (size_t power = 1; power <= MEBI; power *= 2) {
        for (size_t length = power - 1; length <= power + 1; length++)
            round_trip(share, from, to, length, power + length);
    }
    round_trip(share, from, to, 1, 1); /* a short one after the long ones */
    seqshare_close(share);
}

/* Aligned or not: vector code differs by where its ends lie. */
Test(values, buffers_at_any_address)
{
    seqshare *share = new_share(1024);
    unsigned char from[1024 + 64], to[1024 + 128];

    for (size_t offset = 0; offset < 64; offset++) {
        static const size_t lengths[] = {1, 7, 8, 15, 16, 31, 33, 64, 100, 255, 256, 511, 1000, 1024};

        for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
            size_t length = lengths[k];

            make_pattern(from + offset, length, offset * 100 + k);
            equals(seqshare_set(share, from + offset, length), 0);
            memset(to, 0x5a, sizeof to);
            equals(seqshare_get(share, to + 63 - offset + 1, length, NULL), length);
            check(is_pattern(to + 64 - offset, length, offset * 100 + k));
            equals(to[64 - offset - 1], 0x5a);
            equals(to[64 - offset + length], 0x5a);
        }
    }
    seqshare_close(share);
}

Test(values, an_empty_value_is_a_value)
{
    seqshare *share = new_share(10);
    char buffer[10];
    void *copy = NULL;
    uint64_t version = 0;
    seqshare_view view = {0};

    equals(seqshare_set(share, "x", 1), 0);
    equals(seqshare_set(share, NULL, 0), 0);
    equals(seqshare_length(share, &version), 0);
    equals(version, 2);
    equals(seqshare_get(share, buffer, sizeof buffer, NULL), 0);
    equals(seqshare_get(share, buffer, 0, NULL), 0);
    equals(seqshare_get_alloc(share, &copy, NULL), 0);
    free(copy);
    equals(seqshare_peek(share, &view), 0);
    equals(view.length, 0);
    seqshare_close(share);
}

static void set_in_child(void *share)
{
    uint64_t version = 0;
    char buffer[20];

    equals(seqshare_get(share, buffer, sizeof buffer, &version), 6);
    check(memcmp(buffer, "parent", 6) == 0);
    equals(seqshare_set(share, "child", 5), 0);
}

Test(values, parent_and_child_see_each_others_values)
{
    seqshare *share = new_share(20);
    char buffer[20];
    uint64_t version = 0;

    equals(seqshare_set(share, "parent", 6), 0);
    child_run(set_in_child, share);
    equals(seqshare_get(share, buffer, sizeof buffer, &version), 5);
    check(memcmp(buffer, "child", 5) == 0);
    equals(version, 2);
    seqshare_close(share);
}

/* ---- a busy writer: nothing torn, nothing older than what was there before ---- */

struct traffic {
    seqshare *share;
    int stop;
};

enum { TRAFFIC_LONGEST = 5000 };

static size_t traffic_length(uint64_t version)
{
    return (size_t)(version * 7919 % TRAFFIC_LONGEST);
}

static void write_traffic(void *context)
{
    struct traffic *traffic = context;
    unsigned char value[TRAFFIC_LONGEST];

    while (!__atomic_load_n(&traffic->stop, __ATOMIC_RELAXED)) {
        uint64_t version = seqshare_version(traffic->share) + 1;

        make_pattern(value, traffic_length(version), version);
        equals(seqshare_set(traffic->share, value, traffic_length(version)), 0);
    }
}

/* Until the writer has got somewhere meanwhile, however seldom it runs. */
static void read_traffic(struct traffic *traffic, uint64_t reads)
{
    unsigned char value[TRAFFIC_LONGEST];
    uint64_t last = 0;

    for (uint64_t i = 0; i < reads || last <= 10; i++) {
        uint64_t floor = seqshare_version(traffic->share), version = 0;
        ssize_t length = seqshare_get(traffic->share, value, sizeof value, &version);

        if (length == -ENODATA || length == -EAGAIN)
            continue;
        check(version >= floor && version >= last);
        equals(length, traffic_length(version));
        check(is_pattern(value, (size_t)length, version));
        last = version;
    }
}

static void beside_a_busy_writer(unsigned slots)
{
    struct traffic *traffic = shared_memory(sizeof *traffic);
    pid_t writer;

    equals(seqshare_new_slots(&traffic->share, TRAFFIC_LONGEST, slots), 0);
    writer = child_start(write_traffic, traffic);
    while (seqshare_version(traffic->share) == 0)
        ;
    read_traffic(traffic, 20000);
    set_flag(&traffic->stop, 1);
    equals(child_end(writer), 0);
    seqshare_close(traffic->share);
}

/* Fails with: the copy after the check, one slot only, a length taken from another version than the bytes. */
Test(values, reads_beside_a_busy_writer_are_whole_with_2_slots)
{
    beside_a_busy_writer(2);
}

Test(values, reads_beside_a_busy_writer_are_whole_with_4_slots)
{
    beside_a_busy_writer(4);
}

Test(values, reads_beside_a_busy_writer_are_whole_with_8_slots)
{
    beside_a_busy_writer(8);
}

/* ---- views ---- */

/* A view holds as long as its slot is not being filled again: with n slots, over n - 1 publications. */
static void views_hold(unsigned slots)
{
    seqshare *share = NULL;
    seqshare_view view = {0};
    void *slot;

    equals(seqshare_new_slots(&share, 64, slots), 0);
    for (int round = 0; round < 10; round++) {
        equals(seqshare_set(share, "the old value", 13), 0);
        equals(seqshare_peek(share, &view), 0);
        equals((uintptr_t)view.data % 64, 0);
        for (unsigned i = 0; i < slots - 1; i++) {
            equals(seqshare_set(share, "new", 3), 0);
            check(memcmp(view.data, "the old value", 13) == 0);
            check(seqshare_valid(share, &view));
        }
        equals(seqshare_fill(share, 64, &slot), 0); /* this is the view's slot */
        check(!seqshare_valid(share, &view));
        equals(seqshare_abandon(share), 0);
        check(!seqshare_valid(share, &view));
        equals(seqshare_set(share, "newer", 5), 0);
        check(!seqshare_valid(share, &view));
    }
    seqshare_close(share);
}

/* Fails with: an acceptance one publication further, or one less. */
Test(values, a_view_holds_for_one_publication_with_2_slots)
{
    views_hold(2);
}

Test(values, a_view_holds_for_three_publications_with_4_slots)
{
    views_hold(4);
}

Test(values, a_view_holds_for_seven_publications_with_8_slots)
{
    views_hold(8);
}

/* ---- set_if: a lost update never happens ---- */

Test(values, set_if_publishes_only_over_the_version_it_was_told)
{
    seqshare *share = new_share(20);
    uint64_t version = 3;
    char buffer[20];

    equals(seqshare_set_if(share, &version, "x", 1), -ESTALE);
    equals(version, 0);
    equals(seqshare_version(share), 0);
    equals(seqshare_set_if(share, &version, "one", 3), 0);
    equals(version, 1);
    equals(seqshare_set_if(share, &version, "two", 3), 0);
    equals(version, 2);

    version = 1;
    equals(seqshare_set_if(share, &version, "old", 3), -ESTALE);
    equals(version, 2);
    equals(seqshare_get(share, buffer, sizeof buffer, &version), 3);
    check(memcmp(buffer, "two", 3) == 0);
    equals(version, 2);

    version = 3; /* one that is yet to come */
    equals(seqshare_set_if(share, &version, "old", 3), -ESTALE);
    equals(version, 2);
    equals(seqshare_trylock(share), 0);                      /* a refusal gave the lock back */
    equals(seqshare_set_if(share, &version, "three", 5), 0); /* and under the own lock it works too */
    equals(version, 3);
    equals(seqshare_unlock(share), 0);
    seqshare_close(share);
}

enum { ADDERS = 3, ADDITIONS = 3000 };

static void add_with_set_if(void *share)
{
    uint64_t count, version;

    for (int i = 0; i < ADDITIONS; i++) {
        equals(seqshare_get(share, &count, sizeof count, &version), sizeof count);
        count++;
        while (seqshare_set_if(share, &version, &count, sizeof count) == -ESTALE) {
            equals(seqshare_get(share, &count, sizeof count, &version), sizeof count);
            count++;
        }
    }
}

static void *add_in_thread(void *share)
{
    add_with_set_if(share);
    return NULL;
}

static void counts_exactly(seqshare *share)
{
    uint64_t count = 0, version = 0;

    equals(seqshare_get(share, &count, sizeof count, &version), sizeof count);
    equals(count, ADDERS * ADDITIONS);
    equals(version, ADDERS * ADDITIONS + 1);
}

/* Fails with: the version compared before the lock is held. */
Test(values, set_if_loses_no_update_of_several_processes)
{
    seqshare *share = new_share(8);
    pid_t adder[ADDERS];

    equals(seqshare_set(share, &(uint64_t){0}, 8), 0);
    for (int i = 0; i < ADDERS; i++)
        adder[i] = child_start(add_with_set_if, share);
    for (int i = 0; i < ADDERS; i++)
        equals(child_end(adder[i]), 0);
    counts_exactly(share);
    seqshare_close(share);
}

Test(values, set_if_loses_no_update_of_several_threads)
{
    seqshare *share = new_share(8);
    pthread_t adder[ADDERS];

    equals(seqshare_set(share, &(uint64_t){0}, 8), 0);
    for (int i = 0; i < ADDERS; i++)
        equals(pthread_create(&adder[i], NULL, add_in_thread, share), 0);
    for (int i = 0; i < ADDERS; i++)
        equals(pthread_join(adder[i], NULL), 0);
    counts_exactly(share);
    seqshare_close(share);
}
