/* SPDX-License-Identifier: MIT */
/* The right to refresh a cache, which one thread at a time has; and steps that nothing may interrupt. */
#ifndef SEQSHARE_CACHE_RIGHT_H
#define SEQSHARE_CACHE_RIGHT_H

#include <signal.h>
#include <stdbool.h>

/* All zeros: nobody has it. */
struct right {
    const void *holder; /* the thread that has it; NULL: none */
    struct right *next; /* of those that somebody has */
    bool inherited;     /* in a child of fork: its thread is not in the child */
};

/* Before all else. 0, or -ENOMEM, -EAGAIN (no key is left). */
int right_prepare(void);

/*
 * Take it, if no other thread has it. A thread gives it back, or ends, or is cancelled; or it was thrown or
 * jumped out of the code that it called: then it still has the right, and takes it again.
 */
bool right_take(struct right *right);
void right_give(struct right *right);

/* Does another thread have it? */
bool right_is_taken(const struct right *right);

/*
 * No fork, no cancellation and no signal handler interrupts the calling thread between these. It must be short,
 * because forks wait.
 */
struct undisturbed {
    sigset_t signals;
    int cancellation;
};

void right_begin_undisturbed(struct undisturbed *before);
void right_end_undisturbed(const struct undisturbed *before);

#endif
