/* SPDX-License-Identifier: MIT */
/*
 * A question: something to be measured of every contender, in several variants. Each is a small file, and
 * registered in suite.c.
 */
#ifndef BENCH_SUITE_QUESTION_H
#define BENCH_SUITE_QUESTION_H

#include "scene.h"

/* A variant of a question to a contender: a line of the table. */
struct row {
    char name[96]; /* row_add makes it */
    bool wanted, once;
    const struct contender *contender;
    int (*ask)(struct scene *scene); /* 0 or a negative errno value, the figures are in the scene's answer */
    size_t bytes;
    long rate;
    unsigned number;
};

struct question {
    bool loops;                       /* asked of contenders that only have loops, as well */
    bool wakes;                       /* asked of contenders that only wake, as well */
    bool once;                        /* the answer is the same each time: one round is enough */
    size_t sizes[10], quick_sizes[4]; /* bytes of the values, each list ends with 0 */

    /* Add the rows for one contender with values of one size. */
    void (*rows)(const struct contender *contender, size_t size);
};

/* The row is copied, its name made: question/contender and what format says. */
void row_add(const struct row *row, const char *question, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* idle, 1k, 100k, free */
const char *rate_name(long rate);

extern const struct question question_read, question_readers, question_latency, question_write, question_seen,
    question_woken, question_killed, question_memory, question_retries, question_big, question_coherence,
    question_calls, question_takeover;

/* Their list, NULL at the end: seqshare first, which the others are compared with. */
extern const struct contender *const suite_contenders[];

/* What is known but has not been built: its name, and why. */
struct absent {
    const char *name, *why;
};
extern const struct absent suite_absent[]; /* a NULL name at the end */

#endif
