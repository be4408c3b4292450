/* SPDX-License-Identifier: MIT */
/* seqshare_get and its kin: protocol.h's reader steps around the copy. Nothing here writes to the region. */
#include <errno.h>

#include "copy.h"
#include "memory.h"
#include "reading.h"
#include "retry.h"
#include "share.h"

/* ---- what the file holds ------------------------------------------------------------------------ */

bool seqshare_holds(const seqshare *share, unsigned slot, uint64_t length)
{
    const int saved = errno; /* a signal handler may ask */
    size_t held;

    if (slot > share->mask || length > share->capacity)
        return false;
    /*
     * Pairs with W2. A writer has touched the memory before that fence, and stored the length after it. A reader that
     * has seen the length must not get an older answer from the file.
     */
    seqshare_fence_acquire();
    held = memory_held(&share_of(share)->region, slot, (size_t)length);
    errno = saved;
    share_raise_held(share_of(share), slot, held);
    return length <= held;
}

/* ---- get ------------------------------------------------------------------------------------- */

/*
 * The bytes of version v, from its slot. A long value in pieces, so that an attempt that a writer has outrun ends
 * soon; then false. A piece is beyond the size from which memcpy passes the caches by. *copied: how many bytes.
 * Inlined, so that copy and barriers are in one function, where tests/arch can check them.
 */
static inline __attribute__((always_inline)) bool copy_value(const seqshare *share, uint64_t v, void *buffer,
                                                             size_t length, size_t *copied)
{
    const unsigned char *slot = share->place[seqshare_slot_of(v, share->mask)].bytes;

    for (*copied = 0; length - *copied > RETRY_PIECE;) {
        copy_out((unsigned char *)buffer + *copied, slot + *copied, RETRY_PIECE);
        *copied += RETRY_PIECE;
        if (!seqshare_read_accept(share->head, share->mask, v))
            return false;
    }
    copy_out((unsigned char *)buffer + *copied, slot + *copied, length - *copied);
    *copied = length;
    return true;
}

static ssize_t get_again(const seqshare *share, void *buffer, size_t size, uint64_t *version, bool failed);

/*
 * One attempt; without `copied`, one that calls nothing on the way to success: some dozen instructions around
 * the copy. *copied: how many bytes it has copied, even in vain.
 */
static inline __attribute__((always_inline)) ssize_t attempt(const seqshare *share, void *buffer, size_t size,
                                                             uint64_t *version, size_t *copied)
{
    const bool leaf = !copied;
    const struct seqshare_head *head = share->head;
    const unsigned mask = share->mask;
    const uint64_t v = seqshare_read_begin(head);
    const unsigned k = seqshare_slot_of(v, mask);
    const struct seqshare_place *place = &share->place[k];
    uint64_t length;
    bool fits;

    if (unlikely(v == 0))
        return -ENODATA;
    length = seqshare_read_length(head, mask, v);
    /* Relaxed, as in seqshare_may_touch. */
    fits = likely(length <= size) && likely(length <= __atomic_load_n(&place->held, __ATOMIC_RELAXED));
    if (unlikely(!fits) && leaf)
        return get_again(share, buffer, size, version, false);
    if (unlikely(!fits))
        fits = length <= size && seqshare_holds(share, k, length);
    if (likely(fits)) {
        if (leaf && unlikely(!copy_out_short(buffer, place->bytes, (size_t)length)))
            return get_again(share, buffer, size, version, false);
        if (!leaf && !copy_value(share, v, buffer, (size_t)length, copied))
            return -EAGAIN;
    }
    if (unlikely(!seqshare_read_accept(share->head, share->mask, v))) /* loaded again: cheaper than kept */
        return leaf ? get_again(share, buffer, size, version, true) : -EAGAIN;
    if (unlikely(!fits)) /* reported only now: before, the length may have been another version's */
        return length > size && seqshare_may_touch(share, k, length) ? -ENOBUFS : -EBADMSG;
    if (version)
        *version = v;
    return (ssize_t)length;
}

/* Tries until an attempt succeeds or time is up; `failed`: one attempt has failed already. */
static __attribute__((noinline)) ssize_t get_again(const seqshare *share, void *buffer, size_t size,
                                                   uint64_t *version, bool failed)
{
    struct retry retry = {0, 0};
    ssize_t length = -EAGAIN;
    size_t copied = 0;

    retry_before_copy(&retry, size);
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
        if (!seqshare_may_touch(share, seqshare_slot_of(v, share->mask), length))
            return -EBADMSG;
        if (version)
            *version = v;
        return (ssize_t)length;
    } while (retry_once_more(share, &retry));
    return -EAGAIN;
}

/* ---- all that belongs to one version ---- */

/* The header's facts about the current version. 0, -ENODATA, -EAGAIN, -EBADMSG. */
static int read_header(const seqshare *share, struct seqshare_reading *found)
{
    const struct slot_note *note;
    uint64_t length;
    unsigned k;

    found->version = seqshare_read_begin(share->head);
    if (found->version == 0)
        return -ENODATA;
    k = seqshare_slot_of(found->version, share->mask);
    note = &share_of(share)->region.map->note[k];
    length = seqshare_read_length(share->head, share->mask, found->version);
    found->tag = seqshare_read_tag(share->head, share->mask, found->version);
    found->published = (int64_t)seqshare_load_relaxed(&note->published); /* like the tag: between R1 and R2 */
    found->writer = (int32_t)__atomic_load_n(&note->writer, __ATOMIC_RELAXED); /* the same */
    if (!seqshare_read_accept(share->head, share->mask, found->version))
        return -EAGAIN;
    if (!seqshare_may_touch(share, k, length))
        return -EBADMSG;
    found->length = (size_t)length;
    return 0;
}

/*
 * One attempt; -EAGAIN: a writer outran it. A length sizes memory only after it has been accepted with the
 * rest of the header; then the bytes are copied, and all is accepted once more.
 */
static int attempt_read(const seqshare *share, struct reading_room *room, struct seqshare_reading *found,
                        struct retry *retry, size_t *copied)
{
    int error = read_header(share, found);

    *copied = 0;
    if (!error)
        error = reading_make_room(room, found->length);
    if (error)
        return error;
    retry_before_copy(retry, found->length);
    if (!copy_value(share, found->version, room->bytes, found->length, copied))
        return -EAGAIN;
    return seqshare_read_accept(share->head, share->mask, found->version) ? 0 : -EAGAIN;
}

int seqshare_read(const seqshare *share, struct seqshare_reading *reading)
{
    struct seqshare_reading found = {0};
    struct retry retry = {0, 0};
    struct reading_room room;
    size_t copied;
    int error;

    if (!share || !reading)
        return -EINVAL;
    reading_begin(&room, reading);
    do
        error = attempt_read(share, &room, &found, &retry, &copied);
    while (error == -EAGAIN && retry_after_copy(share, &retry, copied));
    return reading_end(reading, &room, &found, error);
}

/* ---- typed ----------------------------------------------------------------------------------- */

int seqshare_get_typed(const seqshare *share, void *value, size_t size, uint32_t tag)
{
    struct retry retry = {0, 0};
    size_t copied = 0;

    if (!share || !value)
        return -EINVAL;
    retry_before_copy(&retry, size);
    do {
        uint64_t v = seqshare_read_begin(share->head);
        unsigned k = seqshare_slot_of(v, share->mask);
        bool fits;

        if (v == 0)
            return -ENODATA;
        fits = seqshare_read_length(share->head, share->mask, v) == size &&
               seqshare_read_tag(share->head, share->mask, v) == tag && seqshare_may_touch(share, k, size);
        if (fits && !copy_value(share, v, value, size, &copied))
            continue;
        if (seqshare_read_accept(share->head, share->mask, v))
            return fits ? 0 : -EBADMSG;
    } while (retry_after_copy(share, &retry, copied));
    return -EAGAIN;
}
