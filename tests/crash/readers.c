/* SPDX-License-Identifier: MIT */
/*
 * A reader is killed at every instruction: not a bit of the region has changed, and writers go on.
 *
 * Shows: READ-3, WAIT-3.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "crash.h"

struct reading {
    const char *name;
    struct kind kind;
    long (*read)(void);
    bool copies;
};

/* ---- the calls: how many bytes there now are in stage->bytes, or an error ----------------------------- */

static long call_get(void)
{
    return seqshare_get(reader, stage->bytes, STAGE_BYTES, NULL);
}

static long call_row_get(void)
{
    struct row row;
    int error = row_get(reader, &row);

    memcpy(stage->bytes, &row, sizeof row);
    return error ? error : (long)sizeof row;
}

static long call_get_alloc(void)
{
    void *bytes;
    ssize_t length = seqshare_get_alloc(reader, &bytes, NULL);

    if (length >= 0)
        memcpy(stage->bytes, bytes, (size_t)length);
    return length;
}

static long call_peek(void)
{
    seqshare_view view = {NULL, 0, 0};
    int error = seqshare_peek(reader, &view);

    if (error)
        return error;
    memcpy(stage->bytes, view.data, view.length);
    return seqshare_valid(reader, &view) ? (long)view.length : -EAGAIN;
}

/* The value itself is not looked at; its length is. */
static long call_stat(void)
{
    struct seqshare_stat stat;
    int error = seqshare_stat(reader, &stat);

    return error ? error : (long)stat.length;
}

static long call_wait(void)
{
    return seqshare_wait(reader, seqshare_version(reader), -1);
}

static const struct reading readings[] = {
    {"get, 8 bytes", {8, false}, call_get, true},
    {"get, 1 KiB", {1024, false}, call_get, true},
    {"typed get, 64 bytes", {64, true}, call_row_get, true},
    {"get_alloc, 1 KiB", {1024, false}, call_get_alloc, true},
    {"peek and valid, 1 KiB", {1024, false}, call_peek, true},
    {"stat", {8, false}, call_stat, false},
    {"wait, until it sleeps", {8, false}, call_wait, false},
    {NULL, {0, false}, NULL, false},
};

/* ---- killing it --------------------------------------------------------------------------------------- */

static void run_reading(const void *argument)
{
    const struct reading *reading = argument;

    tracee_mark();
    stage->result = reading->read();
    stage->over = true;
    tracee_mark();
}

static bool is_right(const struct reading *reading)
{
    if (!reading->copies)
        return stage->result == (long)value_length(reading->kind, stage->key);
    return stage->result >= 0 && value_is(reading->kind, stage->key, stage->bytes, (size_t)stage->result);
}

static pid_t start_reading(const struct reading *reading)
{
    stage->over = false;
    return tracee_start(run_reading, reading);
}

/* Was it point k of the recorded way? */
static bool kill_at(const struct reading *reading, const struct path *path, size_t k,
                    const unsigned char *region, size_t size)
{
    static unsigned char before[1 << 16];
    struct published next = {seqshare_version(reader) + 1, new_key_less(0)};
    pid_t pid = start_reading(reading);
    bool on_path;

    report_alive();
    if (size > sizeof before)
        die("the region is larger than thought");
    memcpy(before, region, size);
    on_path = path_go(path, pid, 0, k);
    tracee_kill(pid);
    if (memcmp(before, region, size) != 0)
        report_wrong("point %zu: the reader has changed the region", k);
    if (stage->over && !is_right(reading))
        report_wrong("point %zu: it was through with %ld, or with another value", k, stage->result);
    stage->key = next.key;
    if (value_set(share, reading->kind, next.key) != 0 || values_read(reader, reading->kind, &next, 1) < 0)
        report_wrong("point %zu: the next writer fails", k);
    tracee_reap(pid);
    return on_path;
}

static void kill_everywhere(const struct reading *reading)
{
    unsigned long points = 0, strays = 0, before = tracee_steps;
    struct path path;
    const unsigned char *region;
    size_t size;
    pid_t recorded;
    char name[128];

    snprintf(name, sizeof name, "a reader killed in %s", reading->name);
    report_check(name);
    fresh_region(reading->kind, 2);
    region = map_region(&size);
    stage->key = new_key_less(0);
    if (value_set(share, reading->kind, stage->key) != 0)
        die("set failed");
    recorded = start_reading(reading);
    path_record(&path, recorded, stage, NULL);
    tracee_kill(recorded);
    tracee_reap(recorded);
    for (size_t k = 0; k <= path.length; k++) {
        if (!path_wanted(&path, k))
            continue;
        points++;
        if (!kill_at(reading, &path, k, region, size) && !kill_at(reading, &path, k, region, size))
            strays++; /* (a copy goes two ways, as its slot lies; the second time it is the other slot) */
    }
    munmap((void *)(uintptr_t)region, size);
    report_done("%lu kill points of %zu instructions (%lu not met again), %lu steps", points, path.length,
                strays, tracee_steps - before);
    kills += points;
    path_free(&path);
}

void test_killed_readers(void)
{
    for (const struct reading *reading = readings; reading->name; reading++)
        kill_everywhere(reading);
}
