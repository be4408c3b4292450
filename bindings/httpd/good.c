/* SPDX-License-Identifier: MIT */
/*
 * The last good document, in memory that the parent makes and all children inherit. The child that finds a new one
 * keeps it here, and all use it. Nobody can cut this memory, so it may be read where it is mapped.
 */
#include "mod_seqshare.h"

/* A child that is stopped while it keeps a document does not stop the others. */
static const int64_t PATIENCE = INT64_C(1000000000);

/* Room for documents of a share that others make: they may replace it by one with a larger capacity. */
static const size_t ROOM_LEAST = 64 << 20;

/* ---- making it, in the parent ---------------------------------------------------------------- */

static size_t room_needed(const struct web_share *share)
{
    size_t room = seqshare_capacity(share->source); /* 0: there is none */

    if (!share->created && room < ROOM_LEAST)
        room = ROOM_LEAST;
    return room + sizeof(struct origin);
}

static int make_room(const struct web_share *share, seqshare **good)
{
    int error = seqshare_new(good, room_needed(share));

    if (error && !share->created) /* another user's file may hold anything */
        error = seqshare_new(good, ROOM_LEAST + sizeof(struct origin));
    return error;
}

static int copy_value(seqshare *to, const seqshare *from)
{
    seqshare_reading reading = {.bytes = NULL};
    int error = from ? seqshare_pread(from, &reading) : -ENODATA;

    if (error)
        return error == -ENODATA ? 0 : error;
    error = seqshare_set(to, reading.bytes, reading.length);
    free(reading.bytes);
    return error;
}

int good_make(struct web_share *share)
{
    seqshare *good;
    int error;

    if (share->good && seqshare_capacity(share->good) >= room_needed(share))
        return 0;
    error = make_room(share, &good);
    if (error)
        return share->good ? 0 : error;
    error = copy_value(good, share->good);
    if (error) {
        seqshare_close(good);
        return 0;
    }
    seqshare_close(share->good);
    share->good = good;
    return 0;
}

/* ---- keeping a document, in a child ---------------------------------------------------------- */

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
 * Should it replace the document that is kept? While we read and checked it, another child may have kept one that was
 * published after it. In one region the version tells; otherwise the current document of the share does.
 */
static bool is_newer(const struct web_share *share, const struct origin *origin)
{
    struct origin kept, now;

    if (!kept_origin(share->good, &kept))
        return true;
    if (origin_is_same(origin, &kept))
        return false;
    if (origin_is_of_same_region(origin, &kept) && origin->version > kept.version)
        return true;
    return origin_read(share->source, &now) == 0 && origin_is_same(origin, &now);
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

int good_keep(const struct web_share *share, const struct origin *origin, const char *text, size_t length)
{
    int error = seqshare_lock_for(share->good, PATIENCE);

    if (error < 0)
        return error;
    error = is_newer(share, origin) ? write_good(share->good, origin, text, length) : 0;
    seqshare_unlock(share->good);
    return error;
}

int good_keep_published(struct web_share *share, const char *text, size_t length)
{
    struct origin origin;
    int error = origin_read(share->source, &origin);

    return error ? error : good_keep(share, &origin, text, length);
}
