/* SPDX-License-Identifier: MIT */
/* get and its kin: protocol.h's reader steps around the copy. Nothing here writes to the region. */
#include <errno.h>
#include <stdlib.h>

#include "copy.h"
#include "retry.h"
#include "share.h"
#include "wait.h"

#define likely(condition)   __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

/* ---- get ------------------------------------------------------------------------------------- */

static ssize_t get_again(const seqshare *share, void *buffer, size_t size, uint64_t *version, bool failed);

/*
 * One attempt; with `leaf`, one that calls nothing on the way to success: some dozen instructions around the
 * copy.
 */
static inline __attribute__((always_inline)) ssize_t attempt(const seqshare *share, void *buffer, size_t size,
                                                             uint64_t *version, const bool leaf)
{
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
            copy_out(buffer, slot, (size_t)length);
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

    while (length == -EAGAIN && (!failed || retry_once_more(share, &retry))) {
        length = attempt(share, buffer, size, version, false);
        failed = true;
    }
    return length;
}

ssize_t seqshare_get(const seqshare *share, void *buffer, size_t size, uint64_t *version)
{
    if (unlikely(!share || !buffer))
        return -EINVAL;
    return attempt(share, buffer, size, version, true);
}

ssize_t seqshare_try_get(const seqshare *share, void *buffer, size_t size, uint64_t *version)
{
    ssize_t length;

    if (!share || !buffer)
        return -EINVAL;
    length = attempt(share, buffer, size, version, false);
    if (length == -EAGAIN)
        retry_count(share);
    return length;
}

ssize_t seqshare_get_alloc(const seqshare *share, void **buffer, uint64_t *version)
{
    struct retry retry = {0, 0};
    ssize_t length;

    if (!share || !buffer)
        return -EINVAL;
    do {
        void *bytes;

        length = seqshare_length(share, NULL);
        if (length < 0)
            return length;
        bytes = malloc(length > 0 ? (size_t)length : 1);
        if (!bytes)
            return -ENOMEM;
        length = seqshare_get(share, bytes, (size_t)length, version);
        if (length >= 0) {
            *buffer = bytes;
            return length;
        }
        free(bytes);
    } while (length == -ENOBUFS && retry_once_more(share, &retry)); /* it has grown since */
    return length == -ENOBUFS ? -EAGAIN : length;
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
    } while (retry_once_more(share, &retry));
    return -EAGAIN;
}

/* ---- wait ------------------------------------------------------------------------------------ */

int seqshare_wait(const seqshare *share, uint64_t seen, int64_t ns)
{
    if (!share || ns < -1)
        return -EINVAL;
    return wait_for_version(&share_of(share)->region, seen, ns);
}
