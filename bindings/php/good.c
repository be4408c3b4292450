/* SPDX-License-Identifier: MIT */
/*
 * The last good document, in memory that PHP makes when it starts and all workers inherit. The worker that finds a new
 * one keeps it here, and all use it. Nobody can cut this memory, so it may be read where it is mapped.
 */
#include "php_seqshare.h"

/* A worker that is stopped while it keeps a document does not stop the others. */
static const int64_t PATIENCE = INT64_C(1000000000);

/* Room for documents of a share that others make: they may replace it by one with a larger capacity. */
static const size_t ROOM_LEAST = 64 << 20;

/* ---- making it, before there are workers ------------------------------------------------------- */

static size_t room_needed(const struct served *served)
{
    const size_t room = seqshare_capacity(served->source); /* 0: there is none */

    return (room < ROOM_LEAST ? ROOM_LEAST : room) + sizeof(struct origin);
}

static void copy_value(seqshare *to, const seqshare *from)
{
    seqshare_reading reading = {.bytes = NULL};

    if (seqshare_read(from, &reading) == 0)
        seqshare_set(to, reading.bytes, reading.length);
    free(reading.bytes);
}

int good_make(struct served *served, seqshare *inherited)
{
    int error;

    if (inherited && seqshare_capacity(inherited) >= room_needed(served)) {
        served->good = inherited;
        return 0;
    }
    error = seqshare_new(&served->good, room_needed(served));
    if (error) /* another user's file may claim any capacity */
        error = seqshare_new(&served->good, ROOM_LEAST + sizeof(struct origin));
    if (error == 0 && inherited)
        copy_value(served->good, inherited);
    seqshare_close(inherited);
    return error;
}

/* ---- keeping a document ------------------------------------------------------------------------ */

/* Under the lock. */
static bool kept_origin(const seqshare *good, struct origin *origin)
{
    seqshare_view view;

    if (seqshare_peek(good, &view) != 0 || view.length < sizeof *origin)
        return false;
    memcpy(origin, view.data, sizeof *origin);
    return true;
}

/*
 * Should it replace the document that is kept? While we read and checked it, another worker may have kept one that was
 * published after it. In one region the version tells; otherwise the current document of the share does.
 */
static bool is_newer(const struct follower *follower, const struct origin *origin)
{
    struct origin kept, now;

    if (!kept_origin(follower->good, &kept))
        return true;
    if (origin_is_same(origin, &kept))
        return false;
    if (origin_is_of_same_region(origin, &kept) && origin->version > kept.version)
        return true;
    return origin_read(follower->source, &now) == 0 && origin_is_same(origin, &now);
}

static int write_good(seqshare *good, const struct origin *origin, const char *text, size_t length)
{
    void *slot;
    int error = seqshare_fill(good, sizeof *origin + length, &slot);

    if (error)
        return error;
    memcpy(slot, origin, sizeof *origin);
    memcpy((char *)slot + sizeof *origin, text, length);
    return seqshare_publish(good, sizeof *origin + length);
}

int good_keep(const struct follower *follower, const struct origin *origin, const char *text, size_t length)
{
    int error = seqshare_lock_for(follower->good, PATIENCE);

    if (error < 0)
        return error;
    error = is_newer(follower, origin) ? write_good(follower->good, origin, text, length) : 0;
    seqshare_unlock(follower->good);
    return error;
}

bool good_has(const seqshare *good, const struct origin *origin)
{
    struct origin kept;
    seqshare_view view;

    if (seqshare_peek(good, &view) != 0 || view.length < sizeof kept)
        return false;
    memcpy(&kept, view.data, sizeof kept);
    return seqshare_valid(good, &view) && origin_is_same(&kept, origin);
}

/* ---- using it ---------------------------------------------------------------------------------- */

char *good_get(const seqshare *good, struct origin *origin, size_t *length, uint64_t *version)
{
    void *bytes;
    const ssize_t got = seqshare_get_alloc(good, &bytes, version);

    if (got < 0)
        return NULL;
    if ((size_t)got < sizeof *origin) { /* a worker may write anything here */
        free(bytes);
        return NULL;
    }
    memcpy(origin, bytes, sizeof *origin);
    *length = (size_t)got - sizeof *origin;
    memmove(bytes, (char *)bytes + sizeof *origin, *length);
    ((char *)bytes)[*length] = 0;
    return bytes;
}
