/* SPDX-License-Identifier: MIT */
/*
 * A reader is stepped. At every instruction a writer publishes none, one, two or three versions and leaves
 * another half made, or gives it up half made, or does not: from an even sequence and from an odd one.
 *
 * Shows: READ-1, READ-2, READ-5.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "step.h"

/* ---- the calls ---------------------------------------------------------------------------------------- */

static long read_get(void)
{
    uint64_t version = 0;
    long length = seqshare_get(reader, stage->bytes, stage->size, &version);

    stage->version = version;
    return length;
}

static long read_try_get(void)
{
    uint64_t version = 0;
    long length = seqshare_try_get(reader, stage->bytes, stage->size, &version);

    stage->version = version;
    return length;
}

static long read_get_alloc(void)
{
    uint64_t version = 0;
    void *bytes;
    long length = seqshare_get_alloc(reader, &bytes, &version);

    stage->version = version;
    if (length >= 0) {
        memcpy(stage->bytes, bytes, (size_t)length);
        free(bytes);
    }
    return length;
}

static long read_peek(void)
{
    seqshare_view view = {NULL, 0, 0};
    int error = seqshare_peek(reader, &view);

    if (error)
        return error;
    memcpy(stage->bytes, view.data, view.length);
    stage->version = view.version;
    return seqshare_valid(reader, &view) ? (long)view.length : -EAGAIN;
}

static long read_row(void)
{
    struct row row;
    int error = row_get(reader, &row);

    memcpy(stage->bytes, &row, sizeof row);
    return error ? error : (long)sizeof row;
}

/* As other languages do it. */
static long read_typed(void)
{
    int error = seqshare_get_typed(reader, stage->bytes, sizeof(struct row),
                                   seqshare_tag("row", 3, sizeof(struct row)));

    return error ? error : (long)sizeof(struct row);
}

const struct reading readings[] = {
    {"get, 8 bytes", {8, false}, 2, read_get, false, false},
    {"get, 24 bytes", {24, false}, 2, read_get, false, false},
    {"get, 1 KiB", {1024, false}, 2, read_get, false, false},
    {"get, 200 bytes, 8 slots", {200, false}, 8, read_get, false, false},
    {"try_get, 24 bytes", {24, false}, 2, read_try_get, true, false},
    {"get_alloc, 24 bytes", {24, false}, 2, read_get_alloc, false, false},
    {"peek and valid, 100 bytes", {100, false}, 2, read_peek, true, false},
    {"typed get, 64 bytes", {64, true}, 2, read_row, false, true},
    {"get_typed, 64 bytes", {64, true}, 2, read_typed, false, true},
    {NULL, {0, false}, 0, NULL, false, false},
};

void run_reading(const void *argument)
{
    const struct reading *reading = argument;

    for (;;) {
        tracee_mark();
        stage->result = reading->read();
        stage->over = true;
    }
}

bool reading_found(const struct reading *reading, const struct published *allowed, int count)
{
    long length = stage->result;

    for (int i = 0; length >= 0 && i < count; i++)
        if (values_find(reading->kind, allowed + i, 1, reading->bare ? allowed[i].version : stage->version,
                        stage->bytes, (size_t)length) == 0)
            return true;
    return false;
}

/* ---- what happens in between -------------------------------------------------------------------------- */

enum { PUBLISH_MOST = 3 };
enum half { NONE, HALF, GIVEN_UP, HALVES };

struct act {
    unsigned parity; /* of the current version */
    bool odd;        /* the sequence, before the reader starts: one has given up */
    int publish;
    enum half half;
};

static int do_act(const struct act *act, struct kind kind, struct published *allowed)
{
    for (int i = 1; i <= act->publish; i++) {
        allowed[i] = (struct published){allowed[0].version + (uint64_t)i, new_key()};
        if (value_set(share, kind, allowed[i].key) != 0)
            report_wrong("set fails");
    }
    if (act->half != NONE)
        make_half(kind);
    if (act->half == GIVEN_UP && seqshare_abandon(share) != 0)
        report_wrong("abandon fails");
    return 1 + act->publish;
}

/* An attempt may fail if, and only if, its slot has been announced again. */
static bool may_fail(const struct reading *reading, const struct act *act)
{
    unsigned moved = 2 * (unsigned)act->publish + (act->half != NONE || (act->odd && act->publish == 0));

    return moved > 2 * (reading->slots - 1);
}

static void check_result(const struct reading *reading, const struct act *act,
                         const struct published *allowed, int count, size_t k)
{
    if (reading_found(reading, allowed, count))
        return;
    if (stage->result == -EAGAIN && reading->once && may_fail(reading, act))
        return;
    report_wrong("point %zu, %d published, half %d, from %s: %ld (%s), version %llu; %llu stood", k,
                 act->publish, (int)act->half, act->odd ? "odd" : "even", stage->result,
                 stage->result < 0 ? seqshare_strerror((int)stage->result) : "not one of the values",
                 (unsigned long long)stage->version, (unsigned long long)allowed[0].version);
}

static void start_round(const struct reading *reading, const struct act *act, struct published *standing)
{
    *standing = stand(reading->kind, new_key_less(0), act->parity);
    if (act->odd) {
        make_half(reading->kind);
        seqshare_abandon(share);
    }
    stage->size = VALUE_MOST;
    stage->over = false;
    report_alive();
}

static bool run_round(const struct reading *reading, const struct act *act, const struct path *path,
                      pid_t pid, size_t k)
{
    struct published allowed[1 + PUBLISH_MOST];
    bool on_way;
    int count;

    start_round(reading, act, allowed);
    on_way = path_go(path, pid, 0, k);
    count = do_act(act, reading->kind, allowed);
    if (!tracee_continue(pid) || !stage->over)
        die("the reader did not come to its end");
    check_result(reading, act, allowed, count, k);
    if (act->half == HALF)
        seqshare_abandon(share);
    return on_way;
}

struct tally {
    unsigned long rounds, strays;
    size_t instructions;
};

/* All that can happen at point k. */
static void run_rounds(const struct reading *reading, unsigned parity, const struct path *path, pid_t pid,
                       size_t k, struct tally *tally)
{
    for (int odd = 0; odd < 2; odd++)
        for (int publish = 0; publish <= PUBLISH_MOST; publish++)
            for (enum half half = NONE; half < HALVES; half++) {
                struct act act = {parity, odd != 0, publish, half};

                tally->rounds++;
                if (!run_round(reading, &act, path, pid, k))
                    tally->strays++;
            }
}

static void step_reader(const struct reading *reading)
{
    struct tally tally = {0, 0, 0};
    unsigned long before = tracee_steps;
    char name[128];

    snprintf(name, sizeof name, "a reader stepped through %s", reading->name);
    report_check(name);
    fresh_region(reading->kind, reading->slots);
    for (unsigned parity = 0; parity < 2; parity++) {
        struct act none = {parity, false, 0, NONE};
        pid_t pid = tracee_start(run_reading, reading);
        struct published standing;
        struct path path;

        for (int warm = 0; warm < 2;
             warm++) { /* the first time is another way: page faults, memory for malloc */
            start_round(reading, &none, &standing);
            if (warm > 0)
                path_record(&path, pid, stage, NULL);
            tracee_continue(pid);
        }
        for (size_t k = 0; k <= path.length; k++)
            if (path_wanted(&path, k))
                run_rounds(reading, parity, &path, pid, k, &tally);
        tally.instructions = path.length;
        path_free(&path);
        tracee_kill(pid);
        tracee_reap(pid);
    }
    all_rounds += tally.rounds;
    report_done("%lu rounds at %zu instructions (%lu not there), %lu steps", tally.rounds, tally.instructions,
                tally.strays, tracee_steps - before);
}

void test_readers(void)
{
    for (const struct reading *reading = readings; reading->name; reading++)
        step_reader(reading);
}
