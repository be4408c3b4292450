/* SPDX-License-Identifier: MIT */
/*
 * For how long a reader sleeps that cannot register: src/wake.c itself, over a futex and a clock of the test's own,
 * which stand still but while somebody sleeps. So each sleep is counted, and takes as long as it asked for.
 *
 * Shows: WAIT-2.
 */
#include "support.h"

#include <string.h>

/* Other names than the library's, which may be linked into the same program object by object. */
#define futex_wait        asleep_wait
#define futex_wake        asleep_wake
#define region_enter_wake asleep_enter
#define region_leave_wake asleep_leave
#define wake_await        asleep_await
#define wake_counted      asleep_counted
#define wake_sleepers     asleep_wake_sleepers

#include "region.h"

#define SEQSHARE_CLOCK_H /* in the place of src/clock.h */

static int64_t time_now, tick;

static int64_t clock_now(void)
{
    return time_now;
}

static int64_t clock_after(int64_t ns)
{
    return time_now + ns;
}

static uint64_t clock_date(void)
{
    return (uint64_t)(time_now - time_now % tick);
}

#include "wake.c"

TestSuite(asleep, .timeout = 120);

static struct layout layout;
static struct region region = {.map = &layout, .header.slots = 2};
static int sleeps;
static int64_t silent_at; /* when a version comes that wakes nobody */

uint32_t *region_enter_wake(struct region *one)
{
    return region_is_writable(one) ? &layout.wake : NULL;
}

void region_leave_wake(struct region *one)
{
    (void)one;
}

static void publish(void)
{
    uint64_t version = seqshare_write_begin(&layout.head);

    layout.note[seqshare_slot_of(version, 1)].published = clock_date();
    seqshare_write_publish(&layout.head, version);
}

int futex_wait(const uint32_t *word, uint32_t value, int64_t ns)
{
    int64_t end = time_now + ns;

    check(ns > 0);
    equals(*word, value);
    sleeps++;
    if (time_now < silent_at && silent_at <= end) {
        time_now = silent_at;
        publish();
    }
    time_now = end;
    return -ETIMEDOUT;
}

void futex_wake(const uint32_t *word, int32_t sleepers)
{
    (void)word;
    (void)sleepers;
}

static void begin(bool writable, int64_t clock_tick)
{
    memset(&layout, 0, sizeof layout);
    region.writable = writable;
    tick = clock_tick;
    time_now = 1000 * SECONDS + 12345;
    silent_at = 0;
    sleeps = 0;
}

static const int64_t ticks[] = {1, 1 * MILLISECONDS, 4 * MILLISECONDS, 10 * MILLISECONDS};
enum { TICKS = sizeof ticks / sizeof *ticks };

static int sleeps_in(int64_t ns)
{
    sleeps = 0;
    equals(wake_await(&region, seqshare_version_of(layout.head.sequence), NULL, ns), -ETIMEDOUT);
    return sleeps;
}

/* Fails with: a fixed interval, or one that begins at nothing. */
Test(asleep, at_most_ten_times_in_the_second_after_a_change_and_then_twice_a_second)
{
    for (int i = 0; i < TICKS; i++)
        for (int64_t late = 0; late < ticks[i]; late += ticks[i] / 10 + 1) {
            begin(false, ticks[i]);
            time_now += late;
            publish();
            check(sleeps_in(SECONDS) <= 10);
            for (int second = 0; second < 5; second++)
                equals(sleeps_in(SECONDS), 2);
        }
}

/* How long after it came is a version seen that woke nobody, where the one before stood that long? */
static int64_t noticed_after(int64_t stood, int64_t looked_at)
{
    int64_t came;

    publish();
    came = time_now + stood;
    time_now += looked_at;
    silent_at = came;
    equals(wake_await(&region, 1, NULL, -1), 0);
    return time_now - came;
}

/* Fails with: a reader that sleeps longer than the version is old. */
Test(asleep, a_version_that_woke_nobody_is_seen_after_as_long_again_as_the_one_before_stood)
{
    static const int64_t spans[] = {1,
                                    300000,
                                    1 * MILLISECONDS,
                                    5 * MILLISECONDS,
                                    30 * MILLISECONDS,
                                    200 * MILLISECONDS,
                                    499 * MILLISECONDS,
                                    5 * SECONDS};

    for (int i = 0; i < TICKS; i++)
        for (size_t k = 0; k < sizeof spans / sizeof *spans; k++)
            for (int part = 0; part < 10; part++) {
                int64_t late;

                begin(false, ticks[i]);
                late = noticed_after(spans[k], spans[k] * part / 10);
                check(late <= 500 * MILLISECONDS);
                check(late <= spans[k] + ticks[i] || late <= 4 * MILLISECONDS);
            }
}

static void sleeps_half_a_second_at(uint64_t published)
{
    begin(false, 4 * MILLISECONDS);
    publish();
    layout.note[1].published = published;
    equals(sleeps_in(10 * SECONDS), 20);
}

/* Fails with: a date that is believed. A clock that was set back must not keep readers awake, nor may an enemy. */
Test(asleep, a_date_that_cannot_be_counts_as_long_ago)
{
    sleeps_half_a_second_at(0);
    sleeps_half_a_second_at(1);
    sleeps_half_a_second_at(2000 * SECONDS);
    sleeps_half_a_second_at(UINT64_C(1) << 63);
    sleeps_half_a_second_at(UINT64_MAX);
    begin(false, 4 * MILLISECONDS); /* nothing published yet */
    equals(sleeps_in(10 * SECONDS), 20);
}

Test(asleep, who_may_register_does_and_looks_twice_a_second)
{
    begin(true, 4 * MILLISECONDS);
    publish();
    equals(sleeps_in(10 * SECONDS), 20);
    equals(layout.wake, 1);
}
