/* SPDX-License-Identifier: MIT */
/*
 * Threads of one process on one share: what the thread sanitizer can look at. Every program ends with 0, or
 * with 1 at the first wrong answer; a hang is a wrong answer too.
 *
 * The library's own accesses are atomic. Where a program touches a slot itself, in a view or while filling,
 * it has to do so by atomic words as well: load_word and store_word.
 */
#ifndef THREADS_H
#define THREADS_H

#include <errno.h>
#include <pthread.h>
#include <seqshare/seqshare.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SECONDS_TO_HANG = 240, THREADS_MAX = 16 };

#define check(condition)    check_at(__FILE__, __LINE__, #condition, (condition))
#define equals(got, wanted) equals_at(__FILE__, __LINE__, #got, (long long)(got), (long long)(wanted))

static inline void check_at(const char *file, int line, const char *text, bool condition)
{
    if (!condition) {
        fprintf(stderr, "%s:%d: not so: %s\n", file, line, text);
        _exit(1);
    }
}

static inline void equals_at(const char *file, int line, const char *text, long long got, long long wanted)
{
    if (got != wanted) {
        fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", file, line, text, got, wanted);
        _exit(1);
    }
}

struct team {
    pthread_t threads[THREADS_MAX];
    unsigned size;
};

static inline void team_add(struct team *team, void *(*body)(void *), void *context)
{
    check(team->size < THREADS_MAX);
    equals(pthread_create(&team->threads[team->size++], NULL, body, context), 0);
}

static inline void team_join(struct team *team)
{
    while (team->size > 0)
        equals(pthread_join(team->threads[--team->size], NULL), 0);
}

/* Another handle on the same region. */
static inline seqshare *another_handle(const seqshare *share, int access)
{
    int fd = seqshare_fd(share, access);
    seqshare *other;

    check(fd >= 0);
    equals(seqshare_attach(&other, fd, access), 0);
    close(fd);
    return other;
}

static inline uint64_t load_word(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline void store_word(uint64_t *word, uint64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

#endif
