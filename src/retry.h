/* SPDX-License-Identifier: MIT */
/*
 * After a failed attempt to read: a pause, another attempt, and after a second of failures an end.
 */
#ifndef SEQSHARE_RETRY_H
#define SEQSHARE_RETRY_H

#include "clock.h"
#include "pause.h"
#include "share.h"

enum {
    RETRY_CHECK = 64,       /* failures between two looks at the clock */
    RETRY_BYTES = 64 << 10, /* so many bytes copied in vain count as a failure: a long copy takes its time */
    RETRY_PIECE = 32 << 20, /* a longer copy checks now and then if it was outrun */
    RETRY_FOR_NS = 1000000000,
};

struct retry {
    size_t failures;  /* since the last look */
    int64_t deadline; /* 0: not looked yet */
};

/* The second of a long copy begins before it: it may take a good part of that. */
static inline void retry_before_copy(struct retry *retry, size_t length)
{
    if (length > RETRY_PIECE && retry->deadline == 0)
        retry->deadline = clock_after(RETRY_FOR_NS);
}

static inline void retry_count(const seqshare *share)
{
    __atomic_fetch_add(&share_of(share)->retries, 1, __ATOMIC_RELAXED); /* a statistic of this process */
}

/*
 * Try again, after an attempt that copied so many bytes? A writer has published meanwhile (otherwise nothing
 * fails), so a pause is enough of a wait.
 */
static inline bool retry_after_copy(const seqshare *share, struct retry *retry, size_t copied)
{
    retry_count(share);
    pause_briefly();
    retry->failures += 1 + copied / RETRY_BYTES;
    if (retry->failures < RETRY_CHECK)
        return true;
    retry->failures = 0;
    if (retry->deadline == 0)
        retry->deadline = clock_after(RETRY_FOR_NS);
    return clock_now() < retry->deadline;
}

static inline bool retry_once_more(const seqshare *share, struct retry *retry)
{
    return retry_after_copy(share, retry, 0);
}

#endif
