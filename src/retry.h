/* SPDX-License-Identifier: MIT */
/*
 * What a reader does when an attempt failed: a pause, another attempt, and after a second of failures an end.
 */
#ifndef SEQSHARE_RETRY_H
#define SEQSHARE_RETRY_H

#include "futex.h"
#include "pause.h"
#include "share.h"

enum {
    RETRY_LOOK = 64, /* failures between two looks at the clock */
    RETRY_FOR_NS = 1000000000,
};

struct retry {
    unsigned failures;
    int64_t deadline;
};

static inline void retry_count(const seqshare *share)
{
    __atomic_fetch_add(&share_of(share)->retries, 1, __ATOMIC_RELAXED); /* a statistic of this process */
}

/* Once more? A writer has published meanwhile (else nothing fails), so a pause is enough of a wait. */
static inline bool retry_once_more(const seqshare *share, struct retry *retry)
{
    retry_count(share);
    pause_briefly();
    if (++retry->failures % RETRY_LOOK != 0)
        return true;
    if (retry->failures == RETRY_LOOK)
        retry->deadline = clock_after(RETRY_FOR_NS);
    return clock_now() < retry->deadline;
}

#endif
