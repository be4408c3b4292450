/* SPDX-License-Identifier: MIT */
/* set, set_if, fill, and the reads, which make no call at all. Shows: WRITE-2, WRITE-8, WRITE-9, READ-3. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "faults.h"

/* No room; another namespace, where /proc cannot be asked; a descriptor that cannot be told to be ours. */
static const int no_room[] = {-ENOSPC, -EOPNOTSUPP, -EBADF, 0};

/* The file ends early, as far as this process can see; a descriptor that cannot be told to be ours. */
static const int no_look[] = {-EBADMSG, -EBADF, 0};

static void make_empty(struct stage *stage)
{
    equals(seqshare_new(&stage->share, CAPACITY), 0);
}

static void make_empty_named(struct stage *stage)
{
    equals(seqshare_create(&stage->share, stage->path, CAPACITY, 0600), 0);
}

/* Both slots have memory for small values, and the process knows. */
static void make_busy(struct stage *stage)
{
    make_anonymous(stage);
    for (int i = 0; i < 3; i++)
        publish(stage, stage->share, SMALL);
}

/* And a publication is the first of its tick: its FUTEX_WAKE is for sleepers that cannot register. */
static void make_ticked(struct stage *stage)
{
    struct seqshare_stat stat;
    struct timespec now;

    make_busy(stage);
    equals(seqshare_stat(stage->share, &stat), 0);
    do
        equals(clock_gettime(CLOCK_REALTIME_COARSE, &now), 0);
    while (((int64_t)now.tv_sec * 1000000000 + now.tv_nsec) >> 19 == stat.published >> 19);
}

static int set_length(struct stage *stage, size_t length)
{
    int error = seqshare_set(stage->share, pattern(stage->version + 1), length);

    if (!error) {
        stage->version++;
        stage->length = length;
    }
    return error;
}

static int set_small(struct stage *stage)
{
    return set_length(stage, SMALL);
}

/* Whatever became of that call. (`fault` is empty where the set was tried again.) */
static void has_woken(struct stage *stage)
{
    check(stage->fault.calls == 0 || stage->fault.wakes == 1);
    stands(stage, stage->share);
    usable(stage, stage->share);
}

static int set_long(struct stage *stage)
{
    return set_length(stage, LONG);
}

static int set_if(struct stage *stage)
{
    uint64_t version = stage->version;
    int error = seqshare_set_if(stage->share, &version, pattern(version + 1), LONG);

    equals(version, error ? stage->version : stage->version + 1);
    if (!error) {
        stage->version = version;
        stage->length = LONG;
    }
    return error;
}

static int fill(struct stage *stage)
{
    void *slot;
    int error = seqshare_fill(stage->share, LONG, &slot);

    if (error)
        return error;
    memcpy(slot, pattern(stage->version + 1), SMALL);
    error = seqshare_publish(stage->share, SMALL);
    if (!error) {
        stage->version++;
        stage->length = SMALL;
    }
    return error;
}

static int fill_and_abandon(struct stage *stage)
{
    void *slot;
    int error = seqshare_fill(stage->share, LONG, &slot);

    return error ? error : seqshare_abandon(stage->share);
}

/* A call that fails under this thread's lock leaves it the lock. */
static int set_locked(struct stage *stage)
{
    int error;

    faults_pause();
    equals(seqshare_lock(stage->share), 0);
    faults_resume();
    error = set_long(stage);
    faults_pause();
    equals(seqshare_trylock(stage->share), -EDEADLK);
    equals(seqshare_unlock(stage->share), 0);
    faults_resume();
    return error;
}

static void is_usable(struct stage *stage)
{
    stands(stage, stage->share);
    usable(stage, stage->share);
}

static int read_all(struct stage *stage)
{
    unsigned char bytes[SMALL];
    seqshare_view view;
    uint64_t version;

    if (seqshare_get(stage->share, bytes, sizeof bytes, &version) != SMALL ||
        memcmp(bytes, pattern(version), SMALL) != 0 || seqshare_version(stage->share) != version ||
        seqshare_try_get(stage->share, bytes, sizeof bytes, NULL) != SMALL ||
        seqshare_length(stage->share, NULL) != SMALL || seqshare_peek(stage->share, &view) != 0 ||
        memcmp(view.data, pattern(view.version), view.length) != 0 || !seqshare_valid(stage->share, &view))
        return -EBADMSG;
    return seqshare_retired(stage->share) ? -EIDRM : 0;
}

static int read_and_allocate(struct stage *stage)
{
    void *bytes;
    ssize_t length = seqshare_get_alloc(stage->share, &bytes, NULL);

    if (length < 0)
        return (int)length;
    equals(length, stage->length);
    free(bytes);
    forget_block();
    return 0;
}

static int read_by_descriptor(struct stage *stage)
{
    seqshare_reading reading = {0};
    int error = seqshare_pread(stage->share, &reading);

    if (error)
        return error;
    equals(reading.length, stage->length);
    equals(reading.version, stage->version);
    check(memcmp(reading.bytes, pattern(reading.version), reading.length) == 0);
    free(reading.bytes);
    forget_block();
    return 0;
}

static int stat_by_descriptor(struct stage *stage)
{
    struct seqshare_stat stat;
    int error = seqshare_pstat(stage->share, &stat);

    if (error)
        return error;
    equals(stat.version, stage->version);
    equals(stat.length, stage->length);
    return 0;
}

static int lock_and_unlock(struct stage *stage)
{
    int error = seqshare_lock(stage->share);

    return error ? error : seqshare_unlock(stage->share);
}

/* Once this thread is known, and memory is there, writing makes no call either. */
static int write_again(struct stage *stage)
{
    int error;

    faults_pause();
    publish(stage, stage->share, SMALL);
    faults_resume();
    error = set_small(stage);
    if (!error)
        error = lock_and_unlock(stage);
    return error ? error : fill_and_abandon(stage);
}

/* Through a handle that has not yet asked what the file holds. */
static void make_fresh(struct stage *stage)
{
    make_named(stage);
    publish(stage, stage->share, SMALL);
    equals(seqshare_open(&stage->other, stage->path, SEQSHARE_READ), 0);
}

static int read_first(struct stage *stage)
{
    unsigned char bytes[3 * 4096];
    ssize_t length = seqshare_get(stage->other, bytes, sizeof bytes, NULL);

    if (length < 0)
        return (int)length;
    equals(length, stage->length);
    check(memcmp(bytes, pattern(stage->version), stage->length) == 0);
    return 0;
}

static void make_roomy(struct stage *stage)
{
    make_anonymous(stage);
    for (int i = 0; i < 2; i++)
        publish(stage, stage->share, LONG);
}

static void make_named_long(struct stage *stage)
{
    make_named(stage);
    publish(stage, stage->share, LONG);
}

const struct operation value_operations[] = {
    {"set, the first", 0, NO_MEMFD | NO_FALLOCATE | NO_PROC, false, false, no_room, make_empty, set_small,
     is_usable, is_usable, close_all},
    {"set, the first, by name", 0, NO_FALLOCATE, false, false, no_room, make_empty_named, set_small,
     is_usable, is_usable, close_all},
    {"set, longer", 0, NO_MEMFD | NO_FALLOCATE, false, false, no_room, make_busy, set_long, is_usable,
     is_usable, close_all},
    {"set, the first of its tick", 0, 0, false, false, no_room, make_ticked, set_small, has_woken, is_usable,
     close_all},
    {"set_if", 0, 0, false, false, no_room, make_busy, set_if, is_usable, is_usable, close_all},
    {"fill and publish", 0, NO_FALLOCATE, false, false, no_room, make_busy, fill, is_usable, is_usable,
     close_all},
    {"fill and abandon", 0, 0, false, false, no_room, make_busy, fill_and_abandon, is_usable, is_usable,
     close_all},
    {"set, holding the lock", 0, NO_FALLOCATE, false, false, no_room, make_busy, set_locked, is_usable,
     is_usable, close_all},
    {"every read", 0, 0, false, true, NULL, make_busy, read_all, is_usable, is_usable, close_all},
    {"get, the first", 0, OLD_KERNEL, false, false, no_look, make_fresh, read_first, is_usable, is_usable,
     close_all},
    {"get_alloc", 0, 0, false, false, NULL, make_busy, read_and_allocate, is_usable, is_usable, close_all},
    {"pread", 0, NO_MEMFD, false, false, no_look, make_named_long, read_by_descriptor, is_usable, is_usable,
     close_all},
    {"pstat", 0, NO_MEMFD, false, false, no_look, make_named_long, stat_by_descriptor, is_usable, is_usable,
     close_all},
    {"set, lock, fill once more", 0, 0, false, true, NULL, make_roomy, write_again, is_usable, is_usable,
     close_all},
    {0}};
