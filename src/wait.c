/* SPDX-License-Identifier: MIT */
/*
 * seqshare_wait: asleep until something is published, or until the name leads elsewhere. It asks the name at once
 * when a mark is new, and once a second.
 */
#include <errno.h>

#include "cancel.h"
#include "clock.h"
#include "reopen.h"
#include "share.h"
#include "wake.h"

enum { ASK_AGAIN_NS = 1000000000 };

/*
 * For how long a thread need not ask the name. More than a second comes of another clock: a child of fork may be in
 * another time namespace than the thread that asked last.
 */
static int64_t rest_until_asking(const struct share *share, int64_t now)
{
    int64_t rest = (int64_t)seqshare_load_relaxed(&share->ask_at) - now; /* as in must_ask */

    return rest > ASK_AGAIN_NS ? 0 : rest;
}

/*
 * Relaxed, as all of `ask_at` and `marks_seen`: threads that wait through one handle share them. The worst
 * that may come of it is one question more, or one a second later.
 */
static bool must_ask(struct share *share, int64_t now)
{
    uint32_t marks = region_marks(&share->region);

    if (marks == __atomic_load_n(&share->marks_seen, __ATOMIC_RELAXED) && rest_until_asking(share, now) > 0)
        return false;
    __atomic_store_n(&share->marks_seen, marks, __ATOMIC_RELAXED);
    return true;
}

/* It opens a file, say, but seqshare_wait must not be a cancellation point. */
static bool ask_name(struct share *share, int64_t now)
{
    int cancellation = cancel_disable();
    bool moved = reopen_would_move(share);

    cancel_restore(cancellation);
    if (!moved) /* otherwise other threads that wait through this handle find it as well, at once */
        seqshare_store_relaxed(&share->ask_at, (uint64_t)(now + ASK_AGAIN_NS));
    return moved;
}

int seqshare_wait(const seqshare *handle, uint64_t seen, int64_t ns)
{
    struct share *share = share_of(handle);
    int64_t deadline;

    if (!handle || ns < -1)
        return -EINVAL;
    if (!share->path)
        return wake_await(&share->region, seen, NULL, ns);
    for (deadline = clock_after(ns);;) {
        int64_t now = clock_now(), left = deadline - now, nap = rest_until_asking(share, now);
        int result;

        nap = nap < left ? nap : left;
        result = wake_await(&share->region, seen, &share->marks_seen, nap > 0 ? nap : 0);
        if (result != -ETIMEDOUT)
            return result;
        now = clock_now();
        if (must_ask(share, now) && ask_name(share, now))
            return -EIDRM;
        if (now >= deadline)
            return -ETIMEDOUT;
    }
}
