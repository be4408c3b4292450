/* SPDX-License-Identifier: MIT */
/*
 * Threads of one process on one share: what the thread sanitizer can look at. Every program ends with 0, or
 * with 1 at the first wrong answer; a hang is a wrong answer too.
 *
 * The library's own accesses are atomic. Where a program touches a slot itself, in a view or while filling,
 * it has to do so by atomic words as well: load_word and store_word.
 */
#ifndef SEQSHARE_TEST_THREADS_H
#define SEQSHARE_TEST_THREADS_H

#include <errno.h>
#include <pthread.h>
#include <seqshare/seqshare.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"

enum { SECONDS_TO_HANG = 240, THREADS_MAX = 16 };

struct team {
    pthread_t threads[THREADS_MAX];
    unsigned size;
};

void team_add(struct team *team, void *(*body)(void *), void *context);
void team_join(struct team *team);

/* Another handle on the same region. */
seqshare *another_handle(const seqshare *share, int access);

static inline uint64_t load_word(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline void store_word(uint64_t *word, uint64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

#endif
