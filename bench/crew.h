/* SPDX-License-Identifier: MIT */
/* A publisher and its workers around one contender: started, watched, killed, stopped. */
#ifndef BENCH_CREW_H
#define BENCH_CREW_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "roles.h"

/* For who promises to go on: so long is only what hangs, whatever else the machine is busy with. */
#define CREW_PATIENCE (10 * (int64_t)SECOND)

struct crew {
    struct stage stage;
    char directory[PATH_MAX];
    pid_t publisher; /* 0: none */
    pid_t *worker;
};

/*
 * Make the contender's store, start the publisher, and when the first value stands the workers; they wait for
 * crew_go. 0 or a negative errno value; -ETIMEDOUT: they did not get ready. crew_end in any case.
 */
int crew_begin(struct crew *crew, unsigned workers);
void crew_go(struct crew *crew);

/* Make all come to an end; kill, after a while, who does not: false. */
bool crew_stop(struct crew *crew);

/* Kill who is left and take everything down. */
void crew_end(struct crew *crew);

/* The error that ended a member; 0: none. */
int crew_error(const struct crew *crew);

uint64_t crew_reads(const struct crew *crew);
uint64_t crew_torn(const struct crew *crew);
uint64_t crew_backwards(const struct crew *crew);

/* Ctrl-C and SIGTERM: everything that waits looks at it. */
bool interrupted(void);
void catch_interrupts(void);

#endif
