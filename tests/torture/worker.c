/* SPDX-License-Identifier: MIT */
/* The readers and writers that main.c kills. */
#include "torture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "pattern.h"

enum { SMALL = 64, PAGE = 4096 };

struct small {
    unsigned char bytes[SMALL];
};
struct page {
    unsigned char bytes[PAGE];
};
SEQSHARE_TYPE(small, struct small)
SEQSHARE_TYPE(page, struct page)

/* One life of one worker. */
struct worker {
    struct arena *arena;
    const struct scenario *scenario;
    struct tally *tally;
    seqshare *share;
    unsigned char *buffer;
    uint64_t random;
    uint64_t last; /* reader: the version of the last read */
};

static void wrong(struct worker *me, const char *what, long result)
{
    complain(&me->tally->complaint, what, result);
}

static bool stopped(const struct worker *me)
{
    return __atomic_load_n(&me->arena->stop, __ATOMIC_RELAXED) != 0;
}

/* ---- readers ---- */

/* Read-only every other life; through a mapping of its own where the region can be reached otherwise. */
static int reader_reach(struct worker *me)
{
    int access = SEQSHARE_READ | SEQSHARE_ANY_OWNER;

    if (random_next(&me->random) & 1)
        return 0;
    if (me->scenario->reach == NAMED)
        return seqshare_open(&me->share, me->arena->name, access);
    if (me->scenario->reach == DESCRIPTOR)
        return seqshare_attach(&me->share, me->arena->fd, access);
    return seqshare_drop_write(me->share);
}

/* The four ways to read. Each gives the length, or an error, and says what it found through `whole`. */

static ssize_t read_get(struct worker *me, uint64_t *version, bool *whole)
{
    ssize_t length = seqshare_get(me->share, me->buffer, me->scenario->size, version);

    *whole = length >= 0 && value_whole(me->scenario, me->buffer, (size_t)length, *version);
    return length;
}

static ssize_t read_peek(struct worker *me, uint64_t *version, bool *whole)
{
    seqshare_view view;
    int error = seqshare_peek(me->share, &view);

    if (error)
        return error;
    *version = view.version;
    *whole = value_whole(me->scenario, view.data, view.length, view.version);
    return seqshare_valid(me->share, &view) ? (ssize_t)view.length : -EAGAIN;
}

/* A typed get gives no version. The one before and the one after, if they are the same, are its own. */
static ssize_t read_typed(struct worker *me, uint64_t *version, bool *whole)
{
    int error;

    *version = seqshare_version(me->share);
    if (me->scenario->size == SMALL)
        error = small_get(me->share, (struct small *)me->buffer);
    else
        error = page_get(me->share, (struct page *)me->buffer);
    if (error)
        return error;
    if (seqshare_version(me->share) == *version) {
        *whole = value_whole(me->scenario, me->buffer, me->scenario->size, *version);
    } else { /* whichever its stamp says, but none from before the call */
        uint64_t stamp;

        memcpy(&stamp, me->buffer + 8, 8);
        *whole = (stamp == 0 || stamp >= *version) &&
                 value_whole(me->scenario, me->buffer, me->scenario->size, stamp);
    }
    return (ssize_t)me->scenario->size;
}

static ssize_t read_alloc(struct worker *me, uint64_t *version, bool *whole)
{
    void *bytes = NULL;
    ssize_t length = seqshare_get_alloc(me->share, &bytes, version);

    if (length >= 0)
        *whole = value_whole(me->scenario, bytes, (size_t)length, *version);
    free(bytes);
    return length;
}

/* Wait for another version, not for ever: the writers may all have been stopped. */
static ssize_t read_wait(struct worker *me, uint64_t *version, bool *whole)
{
    ssize_t length;
    int error = seqshare_wait(me->share, me->last, 20000000);

    if (error != 0 && error != -ETIMEDOUT)
        return error;
    length = seqshare_try_get(me->share, me->buffer, me->scenario->size, version);
    *whole = length >= 0 && value_whole(me->scenario, me->buffer, (size_t)length, *version);
    return length;
}

static void judge(struct worker *me, uint64_t published, uint64_t version, bool whole)
{
    struct tally *tally = me->tally;

    count(&tally->torn, !whole);
    count(&tally->backwards, version < me->last);
    count(&tally->stale, version < published);
    count(&tally->seen, version != me->last);
    count(&tally->overtaken, seqshare_version(me->share) != version);
    count(&tally->done, 1);
    me->last = version;
}

/* The attempts that the library repeated by itself. */
static void count_retries(struct worker *me, uint64_t *before)
{
    struct seqshare_stat stat;

    if (seqshare_stat(me->share, &stat) != 0)
        return;
    count(&me->tally->retries, stat.retries - *before);
    *before = stat.retries;
}

static void read_on(struct worker *me, unsigned index)
{
    const struct {
        ssize_t (*read)(struct worker *, uint64_t *, bool *);
        bool repeats; /* by itself, so that its -EAGAIN is a whole second's */
    } methods[READERS] = {{read_get, true},
                          {read_peek, false},
                          {me->scenario->typed ? read_typed : read_alloc, true},
                          {read_wait, false}};
    uint64_t repeated = 0;
    int error = reader_reach(me);

    if (error) {
        wrong(me, "reader comes by the region", error);
        return;
    }
    count_retries(me, &repeated);
    for (unsigned i = 0; !stopped(me); i++) {
        /* Acquire: what was published before this call began has to be seen. Not always, lest it helps. */
        uint64_t published = i % 4 == 0 ? __atomic_load_n(&me->arena->published, __ATOMIC_ACQUIRE) : 0;
        uint64_t version = 0;
        bool whole = false;
        ssize_t length = methods[index].read(me, &version, &whole);

        if (length >= 0)
            judge(me, published, version, whole);
        else if (length == -EAGAIN)
            count(methods[index].repeats ? &me->tally->outrun : &me->tally->retries, 1);
        else
            wrong(me, "read", length);
        if (i % 64 == 63)
            count_retries(me, &repeated);
    }
    count_retries(me, &repeated);
}

/* ---- writers ---- */

static void acknowledge(struct worker *me, uint64_t version)
{
    uint64_t *highest = &me->arena->published, seen = counted(highest);

    count(&me->tally->done, 1);
    while (seen < version &&
           !__atomic_compare_exchange_n(highest, &seen, version, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        ;
}

int value_set(const struct scenario *scenario, seqshare *share, const void *value, size_t length)
{
    if (!scenario->typed)
        return seqshare_set(share, value, length);
    if (scenario->size == SMALL)
        return small_set(share, value);
    return page_set(share, value);
}

static void write_set(struct worker *me, uint64_t seed, size_t length)
{
    int error;

    value_make(me->buffer, length, seed, 0);
    error = value_set(me->scenario, me->share, me->buffer, length);
    if (error)
        wrong(me, "set", error);
    else
        acknowledge(me, 0);
}

/* Under the lock the next version is known, and what is read is the newest. */
static void write_locked(struct worker *me, uint64_t seed, size_t length)
{
    int locked = seqshare_lock(me->share), error;
    uint64_t version = seqshare_version(me->share) + 1, got = 0;
    ssize_t read;

    if (locked < 0) {
        wrong(me, "lock", locked);
        return;
    }
    read = seqshare_get(me->share, me->buffer, me->scenario->size, &got);
    if (read < 0 || got != version - 1 || !value_whole(me->scenario, me->buffer, (size_t)read, got))
        wrong(me, "get under the lock", read);
    value_make(me->buffer, length, seed, version);
    error = value_set(me->scenario, me->share, me->buffer, length);
    if (error || seqshare_version(me->share) != version)
        wrong(me, "set under the lock", error);
    else
        acknowledge(me, version);
    error = seqshare_unlock(me->share);
    if (error)
        wrong(me, "unlock", error);
}

static void write_if(struct worker *me, uint64_t seed, size_t length)
{
    uint64_t version = seqshare_version(me->share), next = version + 1;
    int error;

    value_make(me->buffer, length, seed, next);
    error = seqshare_set_if(me->share, &version, me->buffer, length);
    if (error == 0 && version == next)
        acknowledge(me, version);
    else if (error != -ESTALE || version < next)
        wrong(me, "set_if", error);
}

/* Forgotten every fourth time: nobody may ever see the stamp that is written then. */
static void write_fill(struct worker *me, uint64_t seed, size_t length)
{
    bool forget = seed % 4 == 0;
    void *slot;
    uint64_t version;
    int error = seqshare_fill(me->share, me->scenario->size, &slot);

    if (error) {
        wrong(me, "fill", error);
        return;
    }
    version = seqshare_version(me->share) + 1;
    value_make(slot, length, seed, forget ? UINT64_MAX : version);
    error = forget ? seqshare_abandon(me->share) : seqshare_publish(me->share, length);
    if (error)
        wrong(me, "publish or abandon", error);
    else if (!forget)
        acknowledge(me, version);
}

static void pause_now_and_then(struct worker *me, unsigned index)
{
    uint64_t draw = random_next(&me->random);

    if (index != READERS && draw % 4 == 0) /* the first writer never pauses */
        rest((int64_t)(draw >> 8) % 300000);
}

static void write_on(struct worker *me, unsigned index)
{
    void (*const methods[])(struct worker *, uint64_t, size_t) = {write_set, write_locked, write_if,
                                                                  write_fill};

    while (!stopped(me)) {
        uint64_t seed = random_next(&me->random);
        unsigned method = (unsigned)(random_next(&me->random) % (me->scenario->typed ? 2 : 4));

        methods[method](me, seed, value_length(me->scenario, seed));
        pause_now_and_then(me, index);
    }
}

_Noreturn void worker_run(struct arena *arena, unsigned index, uint64_t seed)
{
    struct worker me = {arena, &arena->scenario, &arena->tally[index], arena->share, NULL, seed, 0};

    me.buffer = malloc(arena->scenario.size);
    if (!me.buffer)
        wrong(&me, "memory", -ENOMEM);
    else if (index < READERS)
        read_on(&me, index);
    else
        write_on(&me, index);
    _exit(0);
}
