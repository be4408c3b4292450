/* SPDX-License-Identifier: MIT */
/* Reads, decodes and follows the share of a cache. */
#include "source.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "right.h"

enum { PERIOD_MOST = 64 };

#define PERIOD_TIME (SECOND / 10)

static uint64_t nanoseconds(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

uint64_t source_time(void)
{
    return nanoseconds(CLOCK_MONOTONIC_COARSE);
}

static uint32_t load(const uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static void store(uint32_t *word, uint32_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

int source_begin(struct source *source, seqshare *share, seqshare_decode *decode, seqshare_destroy *destroy,
                 void *context)
{
    int error = right_prepare();

    *source = (struct source){
        .share = share,
        .decode = decode,
        .destroy = destroy,
        .context = context,
        .named = seqshare_reopen(share) != -EINVAL,
        .period = 1,
    };
    return error;
}

/* In this order: a fork may come between (another thread's, whose child takes over from here). */
static void free_bytes(struct source *source)
{
    void *bytes = source->bytes;

    source->bytes = NULL;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    free(bytes);
}

void source_end(struct source *source)
{
    free_bytes(source);
}

/* ---- when? ---- */

/*
 * Has that moment come, at this time (0: not asked)? More than a second off, it is a moment of another clock: a child of
 * fork may be in another time namespace.
 */
static bool has_come(const seqshare_word *moment, uint64_t time)
{
    uint64_t when = seqshare_load_relaxed(moment);

    return when == 0 || (time != 0 && (time >= when || when - time > SECOND));
}

/* 0, the usual case, asks for no clock. */
static bool reached(const seqshare_word *moment)
{
    return has_come(moment, 0) || has_come(moment, source_time());
}

bool source_must_read(const struct source *source, const struct state *state)
{
    uint64_t version = seqshare_version(state->view.share), put_off;

    if (version == state->view.seen)
        return false;
    put_off = seqshare_load_relaxed(&source->put_off);
    return (put_off != version && put_off != NOTHING_SEEN) || reached(&source->next_read);
}

uint32_t source_period(const struct source *source)
{
    return load(&source->period);
}

uint64_t source_take_turn(struct source *source)
{
    uint64_t time = source_time(), between = time - seqshare_load_relaxed(&source->asked_clock);
    uint32_t period = PERIOD_MOST;

    while (period > 1 && between / load(&source->period) * period > PERIOD_TIME)
        period /= 2;
    store(&source->period, period);
    seqshare_store_relaxed(&source->asked_clock, time);
    return time;
}

bool source_must_follow(struct source *source, const struct state *state, uint64_t time)
{
    uint32_t marks = load(&state->view.share->head->retired), known = load(&source->marks);

    if (!source->named)
        return false;
    if (marks & ~known)
        return true;
    if (marks != known) /* a mark was taken back, and is new when it comes again */
        store(&source->marks, marks);
    return has_come(&source->next_follow, time);
}

/* ---- following ---- */

bool source_follow(struct source *source, struct state *state)
{
    uint32_t marks = load(&state->view.share->head->retired); /* before the look, so that none is missed */
    int result = seqshare_reopen(source->share);

    seqshare_store_relaxed(&source->next_follow, source_time() + SECOND);
    store(&source->marks, result == 1 ? 0 : marks);
    state->stat.follow_error = result < 0 ? result : 0;
    if (result != 1)
        return false;
    state->view.seen = NOTHING_SEEN;
    seqshare_store_relaxed(&source->next_read, 0);
    return true;
}

/* ---- reading ---- */

static void note_failure(struct state *state, uint64_t version, int error)
{
    state->stat.failed++;
    state->stat.failed_version = version;
    state->stat.failed_error = error;
}

/* `what`: the version to leave alone for a while, or NOTHING_SEEN for any. */
static void put_off(struct source *source, uint64_t what)
{
    seqshare_store_relaxed(&source->put_off, what);
    seqshare_store_relaxed(&source->next_read, source_time() + SECOND);
}

void source_no_memory(struct source *source, struct state *state, uint64_t version)
{
    put_off(source, version);
    note_failure(state, version, -ENOMEM);
}

struct value {
    size_t length;
    uint64_t version;
};

/*
 * With twice the room each time that a longer value came in between: it comes to an end at the capacity. After
 * an error, the version is the one that could not be copied, as far as that is known.
 */
static int copy_value(struct source *source, struct value *value, const seqshare *share)
{
    const size_t most = seqshare_capacity(share);
    ssize_t length;
    size_t room;

    value->version = seqshare_version(share);
    length = seqshare_length(share, &value->version);
    room = length > 0 ? (size_t)length : 0;
    while (length >= 0 || length == -ENOBUFS) {
        free_bytes(source);
        source->bytes = malloc(room + 1);
        if (!source->bytes)
            return -ENOMEM;
        length = seqshare_get(share, source->bytes, room, &value->version);
        if (length >= 0) {
            value->length = (size_t)length;
            ((char *)source->bytes)[length] = 0;
            return 0;
        }
        room = room < most / 2 ? 2 * room + 64 : most;
    }
    return (int)length;
}

/* If the region does not have this version any more, a newer one was published just now, and this one before. */
static int64_t published(const seqshare *share, uint64_t version)
{
    struct seqshare_stat stat;

    if (seqshare_stat(share, &stat) == 0 && stat.version == version)
        return stat.published;
    return (int64_t)nanoseconds(CLOCK_REALTIME_COARSE);
}

static void *decode_value(struct source *source, const struct value *value)
{
    void *object;

    source->decoder = getpid();
    source->decoding = value->version; /* may not return: see source_was_left */
    errno = 0;
    object = source->decode(source->bytes, value->length, value->version, source->context);
    source->decoding = 0;
    return object;
}

static bool read_value(struct source *source, struct state *state, const struct value *value)
{
    int64_t time = published(state->view.share, value->version);
    void *object = decode_value(source, value);

    if (!object && errno == ENOMEM) { /* not the value's fault */
        source_no_memory(source, state, value->version);
        return false;
    }
    if (object) {
        state->view.object = object;
        state->stat.version = value->version;
        state->stat.decoded++;
        state->published = time;
    } else {
        note_failure(state, value->version, errno > 0 ? -errno : -EBADMSG);
    }
    __atomic_signal_fence(__ATOMIC_SEQ_CST); /* in this order, as in free_bytes */
    state->view.seen = value->version;
    return object != NULL;
}

bool source_read(struct source *source, struct state *state)
{
    struct value value;
    bool another = false;
    int error = copy_value(source, &value, state->view.share);

    if (error == -ENODATA) { /* a new region that has no value yet: the old one's goes on */
        state->view.seen = 0;
    } else if (error) { /* (writers that outran the copy will outrun the next version's as well) */
        put_off(source, error == -EAGAIN ? NOTHING_SEEN : value.version);
        note_failure(state, value.version, error);
    } else {
        seqshare_store_relaxed(&source->next_read, 0);
        another = read_value(source, state, &value);
    }
    free_bytes(source);
    return another;
}

bool source_was_left(struct source *source, struct state *state)
{
    const uint64_t version = source->decoding;

    source->decoding = 0;
    if (version == 0 || source->decoder != getpid())
        return false;
    put_off(source, version);
    note_failure(state, version, -ECANCELED);
    return true;
}

int64_t source_age(const struct state *state)
{
    int64_t age = (int64_t)nanoseconds(CLOCK_REALTIME_COARSE) - state->published;

    if (!state->view.object)
        return -ENODATA;
    return age > 0 ? age : 0;
}
