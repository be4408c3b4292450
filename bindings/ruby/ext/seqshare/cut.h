/* SPDX-License-Identifier: MIT */
/*
 * A process that touches mapped memory of a file that somebody has cut gets SIGBUS, and Ruby then ends with a report of
 * a bug. A look on every request cannot ask the file first. So each stretch of code that touches a region says so, for
 * its thread. A SIGBUS in it puts an empty page of the process's own in the place of the missing one, and notes that.
 * The stretch goes on, finds zeros, and learns at its end that they are not the file's. Every other SIGBUS goes to the
 * handler that was there before.
 *
 * Such a mapping is never trusted again: the region is opened again.
 */
#ifndef SEQSHARE_RUBY_CUT_H
#define SEQSHARE_RUBY_CUT_H

#include <features.h>
#include <stdbool.h>

/* The handler reads it, and must not allocate. glibc has room for it in a thread's own block; others fill theirs early. */
#ifdef __GLIBC__
#define CUT_PLACE __attribute__((tls_model("initial-exec")))
#else
#define CUT_PLACE
#endif

enum { CUT_OUTSIDE, CUT_INSIDE, CUT_MET };

extern _Thread_local volatile int cut_state CUT_PLACE;

int cut_prepare(void);

/* Was a page missing so far? */
static inline bool cut_met(void)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    return cut_state == CUT_MET;
}

/* They do not nest. */
static inline void cut_begin(void)
{
    cut_state = CUT_INSIDE;
    __atomic_signal_fence(__ATOMIC_SEQ_CST); /* a load of the region must not move out of the stretch */
}

/* True: a page was missing. What was read since cut_begin means nothing. */
static inline bool cut_end(void)
{
    const bool met = cut_met();

    cut_state = CUT_OUTSIDE;
    return met;
}

#endif
