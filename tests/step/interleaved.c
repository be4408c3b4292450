/* SPDX-License-Identifier: MIT */
/*
 * Both are stepped: a writer publishes three times, and stands at some state of the memory when a reader
 * begins; the reader goes to some instruction; the writer goes on to a later state; the reader goes to its
 * end. All combinations (of every third state to begin with, unless SEQSHARE_LONG=1). A state is a point at
 * which the writer has just changed the region: all that lies between two of them is the same to a reader.
 * The second publication is one that the reader must refuse: longer than its buffer, or of another type. It
 * may do so only when that publication has happened.
 *
 * Shows: READ-1, READ-2, READ-5.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "step.h"

enum { SETS = 3, SECOND = 1, STATES_MOST = 256, BUFFER = 22 };

struct pair {
    const char *name;
    struct kind kind;
    const char *reading; /* by its name in readings */
    int refused;         /* the answer to the second publication */
};

static const struct pair pairs[] = {
    {"get into a buffer that just fits", {24, false}, "get, 24 bytes", -ENOBUFS},
    {"try_get into a buffer that just fits", {24, false}, "try_get, 24 bytes", -ENOBUFS},
    {"typed get", {64, true}, "typed get, 64 bytes", -EBADMSG},
    {"get_typed", {64, true}, "get_typed, 64 bytes", -EBADMSG},
    {NULL, {0, false}, NULL, 0},
};

/* ---- the writer --------------------------------------------------------------------------------------- */

static struct stage *writer_stage;
static volatile uint64_t *keys; /* of the three, and of the one before them; in writer_stage */

static int publish_one(const struct pair *pair, int i, const unsigned char *bytes)
{
    struct row row;

    if (!pair->kind.typed || i == SECOND)
        return seqshare_set(share, bytes, value_length(pair->kind, keys[i]));
    memcpy(&row, bytes, sizeof row);
    return row_set(share, &row);
}

static void run_writer(const void *argument)
{
    const struct pair *pair = argument;
    unsigned char bytes[SETS][VALUE_MOST];

    for (;;) {
        tracee_mark(); /* the tracer thinks of keys */
        for (int i = 0; i < SETS; i++)
            value_make(pair->kind, keys[i], bytes[i]);
        tracee_mark();
        writer_stage->result = 0;
        for (int i = 0; i < SETS; i++)
            writer_stage->result += publish_one(pair, i, bytes[i]);
        writer_stage->over = true;
    }
}

/* The writer from its first mark to its second, with what stands then. */
static struct published begin_writing(const struct pair *pair, pid_t writer)
{
    struct published standing = stand(pair->kind, new_key_less(2), 0);

    for (int i = 0; i < SETS; i++)
        keys[i] = new_key_less(i == SECOND ? 0 : 2);
    writer_stage->over = false;
    tracee_continue(writer);
    return standing;
}

static void end_writing(pid_t writer)
{
    tracee_continue(writer);
    if (!writer_stage->over || writer_stage->result != 0)
        report_wrong("the writer ends with %ld", writer_stage->result);
}

/* ---- its states --------------------------------------------------------------------------------------- */

static struct {
    size_t at[STATES_MOST]; /* the point of each state; the first is 0 */
    size_t count, last_of_first_set;
    const unsigned char *region;
    unsigned char *before;
    size_t size;
    uint64_t version;
} states;

/* At each point of the recording: has the region changed? */
static void look_for_state(size_t k)
{
    if (k > 0 && memcmp(states.before, states.region, states.size) == 0)
        return;
    if (states.count == STATES_MOST)
        die("too many states");
    memcpy(states.before, states.region, states.size);
    if (seqshare_version(reader) <= states.version + 1)
        states.last_of_first_set = states.count;
    states.at[states.count++] = k;
}

static void find_states(const struct pair *pair, pid_t writer, struct path *path)
{
    states.region = map_region(&states.size);
    states.before = malloc(states.size);
    if (!states.before)
        die("no memory for the states");
    for (int warm = 0; warm < 2; warm++) {
        states.version = begin_writing(pair, writer).version;
        states.count = 0;
        if (warm > 0)
            path_record(path, writer, writer_stage, look_for_state);
        end_writing(writer);
    }
    free(states.before);
    munmap((void *)(uintptr_t)states.region, states.size);
}

/* ---- rounds ------------------------------------------------------------------------------------------- */

struct round {
    size_t from, to; /* states of the writer */
    size_t k;        /* the reader's instruction */
};

static bool is_refused(const struct pair *pair, uint64_t first, uint64_t last, uint64_t version_before)
{
    uint64_t second = version_before + SECOND + 1;

    return stage->result == pair->refused && first <= second && second <= last;
}

/* One attempt may fail if there was a publication during it. (readers.c says exactly when it must not.) */
static bool may_fail(const struct reading *reading, uint64_t first, uint64_t last)
{
    return stage->result == -EAGAIN && reading->once && first < last;
}

static bool run_round(const struct pair *pair, const struct reading *reading, const struct path paths[2],
                      const pid_t pids[2], struct round round)
{
    struct published all[1 + SETS];
    uint64_t first, last;
    bool on_way;

    report_alive();
    all[0] = begin_writing(pair, pids[0]);
    for (int i = 0; i < SETS; i++)
        all[1 + i] = (struct published){all[0].version + 1 + (uint64_t)i, keys[i]};
    on_way = path_go(&paths[0], pids[0], 0, states.at[round.from]);
    stage->over = false;
    first = seqshare_version(reader);
    on_way = path_go(&paths[1], pids[1], 0, round.k) && on_way;
    on_way = path_go(&paths[0], pids[0], states.at[round.from], states.at[round.to]) && on_way;
    last = seqshare_version(reader);
    tracee_continue(pids[1]);
    if (!is_refused(pair, first, last, all[0].version) && !may_fail(reading, first, last) &&
        !reading_found(reading, all + (first - all[0].version), (int)(last - first) + 1))
        report_wrong("writer from %zu to %zu, reader at %zu: %ld (%s)", states.at[round.from],
                     states.at[round.to], round.k, stage->result,
                     stage->result < 0 ? seqshare_strerror((int)stage->result) : "not one of the values");
    end_writing(pids[0]);
    return on_way;
}

static void record_reader(const struct pair *pair, pid_t pid, struct path *path)
{
    for (int warm = 0; warm < 2; warm++) {
        stand(pair->kind, new_key_less(2), 0);
        stage->over = false;
        if (warm > 0)
            path_record(path, pid, stage, NULL);
        tracee_continue(pid);
    }
}

static void interleave(const struct pair *pair, const struct reading *reading)
{
    unsigned long rounds = 0, strays = 0, before = tracee_steps;
    struct path paths[2];
    pid_t pids[2];
    char name[128];

    snprintf(name, sizeof name, "writer and reader stepped: %s", pair->name);
    report_check(name);
    fresh_region(pair->kind, 2);
    stage->size = BUFFER;
    pids[0] = tracee_start(run_writer, pair);
    find_states(pair, pids[0], &paths[0]);
    pids[1] = tracee_start(run_reading, reading);
    record_reader(pair, pids[1], &paths[1]);
    for (size_t from = 0; from <= states.last_of_first_set; from += is_long() ? 1 : 3)
        for (size_t to = from + 1; to < states.count; to++)
            for (size_t k = 0; k <= paths[1].length; k++) {
                rounds++;
                strays += !run_round(pair, reading, paths, pids, (struct round){from, to, k});
            }
    for (int i = 0; i < 2; i++) {
        tracee_kill(pids[i]);
        tracee_reap(pids[i]);
        path_free(&paths[i]);
    }
    all_rounds += rounds;
    report_done("%lu rounds: %zu states of %zu instructions, %zu of the reader (%lu not there), %lu steps",
                rounds, states.count, paths[0].length, paths[1].length, strays, tracee_steps - before);
}

void test_interleaved(void)
{
    writer_stage = stage_new();
    keys = (volatile uint64_t *)(void *)writer_stage->bytes;
    for (const struct pair *pair = pairs; pair->name; pair++)
        for (const struct reading *reading = readings; reading->name; reading++)
            if (strcmp(reading->name, pair->reading) == 0)
                interleave(pair, reading);
}
