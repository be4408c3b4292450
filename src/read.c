/* SPDX-License-Identifier: MIT */
/* get and its kin: protocol.h's reader steps around the copy. Nothing here writes to the region. */
#include <errno.h>

#include "copy.h"
#include "reading.h"
#include "retry.h"
#include "share.h"

#define likely(condition)   __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

/* ---- get ------------------------------------------------------------------------------------- */

static ssize_t get_again(const seqshare *share, void *buffer, size_t size, uint64_t *version, bool failed);

/*
 * One attempt; without `copied`, one that calls nothing on the way to success: some dozen instructions around
 * the copy. *copied: how many bytes it has copied, also in vain.
 */
static inline __attribute__((always_inline)) ssize_t attempt(const seqshare *share, void *buffer, size_t size,
                                                             uint64_t *version, size_t *copied)
{
    const bool leaf = !copied;
    const struct seqshare_head *head = share->head;
    const unsigned mask = share->mask;
    const uint64_t v = seqshare_read_begin(head);
    uint64_t length;
    bool fits;

    if (unlikely(v == 0))
        return -ENODATA;
    length = seqshare_read_length(head, mask, v);
    fits = likely(length <= size) && likely(length <= share->capacity);
    if (likely(fits)) {
        const unsigned char *slot = share->bytes + seqshare_slot_of(v, mask) * share->stride;

        if (!leaf)
            copy_out(buffer, slot, *copied = (size_t)length);
        else if (unlikely(!copy_out_short(buffer, slot, (size_t)length)))
            return get_again(share, buffer, size, version, false);
    }
    if (unlikely(!seqshare_read_accept(share->head, share->mask, v))) /* loaded again: cheaper than kept */
        return leaf ? get_again(share, buffer, size, version, true) : -EAGAIN;
    if (unlikely(!fits)) /* said only now: before, the length may have been another version's */
        return length > share->capacity ? -EBADMSG : -ENOBUFS;
    if (version)
        *version = v;
    return (ssize_t)length;
}

/* Attempts until one succeeds or time is up, the first of them after a failure if `failed`. */
static __attribute__((noinline)) ssize_t get_again(const seqshare *share, void *buffer, size_t size,
                                                   uint64_t *version, bool failed)
{
    struct retry retry = {0, 0};
    ssize_t length = -EAGAIN;
    size_t copied = 0;

    while (length == -EAGAIN && (!failed || retry_after_copy(share, &retry, copied))) {
        length = attempt(share, buffer, size, version, &copied);
        failed = true;
    }
    return length;
}

ssize_t seqshare_get(const seqshare *share, void *buffer, size_t size, uint64_t *version)
{
    if (unlikely(!share || !buffer))
        return -EINVAL;
    return attempt(share, buffer, size, version, NULL);
}

ssize_t seqshare_try_get(const seqshare *share, void *buffer, size_t size, uint64_t *version)
{
    ssize_t length;
    size_t copied;

    if (!share || !buffer)
        return -EINVAL;
    length = attempt(share, buffer, size, version, &copied);
    if (length == -EAGAIN)
        retry_count(share);
    return length;
}

ssize_t seqshare_get_alloc(const seqshare *share, void **buffer, uint64_t *version)
{
    struct seqshare_reading reading = {0};
    int error;

    if (!share || !buffer)
        return -EINVAL;
    error = seqshare_read(share, &reading);
    if (error)
        return error;
    *buffer = reading.bytes;
    if (version)
        *version = reading.version;
    return (ssize_t)reading.length;
}

ssize_t seqshare_length(const seqshare *share, uint64_t *version)
{
    struct retry retry = {0, 0};

    if (!share)
        return -EINVAL;
    do {
        uint64_t v = seqshare_read_begin(share->head), length;

        if (v == 0)
            return -ENODATA;
        length = seqshare_read_length(share->head, share->mask, v);
        if (!seqshare_read_accept(share->head, share->mask, v))
            continue;
        if (length > share->capacity)
            return -EBADMSG;
        if (version)
            *version = v;
        return (ssize_t)length;
    } while (retry_once_more(share, &retry));
    return -EAGAIN;
}

/* ---- all that belongs to one version ---- */

/* What stands in the header about the version that is there. Nothing of it is accepted yet. */
static int look(const seqshare *share, struct seqshare_reading *found)
{
    const struct slot_note *note;
    uint64_t length;

    found->version = seqshare_read_begin(share->head);
    if (found->version == 0)
        return -ENODATA;
    length = seqshare_read_length(share->head, share->mask, found->version);
    found->tag = seqshare_read_tag(share->head, share->mask, found->version);
    note = &share_of(share)->region.map->note[seqshare_slot_of(found->version, share->mask)];
    found->published = (int64_t)seqshare_load_relaxed(&note->published); /* like the tag: between R1 and R2 */
    found->writer = (int32_t)__atomic_load_n(&note->writer, __ATOMIC_RELAXED); /* likewise */
    found->length = length <= share->capacity ? (size_t)length : 0;
    return length <= share->capacity ? 0 : -EBADMSG;
}

/*
 * One attempt; -EAGAIN: a writer outran it. A length sizes memory only after it has been accepted with the
 * rest of the header; then the bytes are copied, and all is accepted once more.
 */
static int attempt_read(const seqshare *share, struct reading_room *room, struct seqshare_reading *found)
{
    int error = look(share, found);

    if (error == -ENODATA)
        return error;
    if (!seqshare_read_accept(share->head, share->mask, found->version))
        return -EAGAIN;
    if (!error)
        error = reading_make_room(room, found->length);
    if (error)
        return error;
    copy_out(room->bytes, share->bytes + seqshare_slot_of(found->version, share->mask) * share->stride,
             found->length);
    return seqshare_read_accept(share->head, share->mask, found->version) ? 0 : -EAGAIN;
}

int seqshare_read(const seqshare *share, struct seqshare_reading *reading)
{
    struct seqshare_reading found = {0};
    struct retry retry = {0, 0};
    struct reading_room room;
    int error;

    if (!share || !reading)
        return -EINVAL;
    reading_begin(&room, reading);
    do
        error = attempt_read(share, &room, &found);
    while (error == -EAGAIN && retry_after_copy(share, &retry, found.length));
    return reading_end(reading, &room, &found, error);
}

/* ---- typed ----------------------------------------------------------------------------------- */

int seqshare_get_typed(const seqshare *share, void *value, size_t size, uint32_t tag)
{
    struct retry retry = {0, 0};

    if (!share || !value)
        return -EINVAL;
    do {
        uint64_t v = seqshare_read_begin(share->head);
        bool fits;

        if (v == 0)
            return -ENODATA;
        fits = seqshare_read_length(share->head, share->mask, v) == size && size <= share->capacity &&
               seqshare_read_tag(share->head, share->mask, v) == tag;
        if (fits)
            copy_out(value, share->bytes + seqshare_slot_of(v, share->mask) * share->stride, size);
        if (seqshare_read_accept(share->head, share->mask, v))
            return fits ? 0 : -EBADMSG;
    } while (retry_after_copy(share, &retry, size));
    return -EAGAIN;
}
