/* SPDX-License-Identifier: MIT */
/*
 * Between these two, pthread_cancel ends no thread. A function that changes a handle needs that: a cancellation in
 * close(2), halfway through, would leave a handle that nobody can use or close.
 */
#ifndef SEQSHARE_CANCEL_H
#define SEQSHARE_CANCEL_H

#include <pthread.h>

/* The result goes to cancel_restore. */
static inline int cancel_disable(void)
{
    int before;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    return before;
}

static inline void cancel_restore(int before)
{
    pthread_setcancelstate(before, &before);
}

#endif
