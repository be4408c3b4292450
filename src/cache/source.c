/* SPDX-License-Identifier: MIT */
#include "source.h"

#include <stdlib.h>
#include <time.h>

static uint64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
    return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

/* Threads ask for a time while another sets it; it orders nothing. 0, the usual case, asks for no clock. */

static bool reached(const seqshare_word *time)
{
    uint64_t when = seqshare_load_relaxed(time);

    return when == 0 || now() >= when;
}

static void in_a_second(seqshare_word *time)
{
    seqshare_store_relaxed(time, now() + SECOND);
}

static void at_any_time(seqshare_word *time)
{
    seqshare_store_relaxed(time, 0);
}

bool must_read(const struct source *source, const struct state *state)
{
    return seqshare_version(state->view.share) != state->view.seen && reached(&source->next_read);
}

bool must_follow(const struct source *source, const struct state *state)
{
    return seqshare_retired(state->view.share) && reached(&source->next_follow);
}

bool source_follow(struct source *source, struct state *state)
{
    int result = seqshare_reopen(source->share);

    in_a_second(&source->next_follow);
    state->stat.follow_error = result < 0 ? result : 0;
    if (result != 1)
        return false;
    state->stat.moved++;
    state->view.seen = NOTHING_SEEN;
    at_any_time(&source->next_read);
    return true;
}

void source_follow_never(struct source *source)
{
    seqshare_store_relaxed(&source->next_follow, UINT64_MAX);
}

struct value {
    char *bytes; /* malloc'ed; a zero byte follows them */
    size_t length;
    uint64_t version;
};

/* With twice the room each time that a longer value came in between: it comes to an end at the capacity. */
static int copy_value(struct value *value, const seqshare *share)
{
    const size_t most = seqshare_capacity(share);
    ssize_t length = seqshare_length(share, NULL);
    size_t room = length > 0 ? (size_t)length : 0;

    *value = (struct value){0};
    while (length >= 0 || length == -ENOBUFS) {
        void *bytes = realloc(value->bytes, room + 1);

        if (!bytes)
            return -ENOMEM;
        value->bytes = bytes;
        length = seqshare_get(share, bytes, room, &value->version);
        if (length >= 0) {
            value->length = (size_t)length;
            value->bytes[length] = 0;
            return 0;
        }
        room = room < most / 2 ? 2 * room + 64 : most;
    }
    return (int)length;
}

static void note_failure(struct state *state, uint64_t version, int error)
{
    state->stat.failed++;
    state->stat.failed_version = version;
    state->stat.failed_error = error;
}

void source_read_later(struct source *source, struct state *state, int error)
{
    in_a_second(&source->next_read);
    note_failure(state, seqshare_version(state->view.share), error);
}

static bool decode_value(struct source *source, struct state *state, const struct value *value)
{
    void *object;

    errno = 0;
    object = source->decode(value->bytes, value->length, value->version, source->context);
    if (!object && errno == ENOMEM) { /* which is not the value's fault */
        source_read_later(source, state, -ENOMEM);
        return false;
    }
    state->view.seen = value->version;
    if (!object) {
        note_failure(state, value->version, errno > 0 ? -errno : -EBADMSG);
        return false;
    }
    state->view.object = object;
    state->stat.version = value->version;
    state->stat.decoded++;
    return true;
}

bool source_read(struct source *source, struct state *state)
{
    struct value value;
    bool another = false;
    int error = copy_value(&value, state->view.share);

    if (error == -ENODATA) { /* a new region that has no value yet: the old one's goes on */
        state->view.seen = 0;
    } else if (error) {
        source_read_later(source, state, error);
    } else {
        at_any_time(&source->next_read);
        another = decode_value(source, state, &value);
    }
    free(value.bytes);
    return another;
}
