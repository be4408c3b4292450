/* SPDX-License-Identifier: MIT */
/*
 * Kills, with SIGKILL at random moments: workers in the middle of a read load, publishers in the middle of
 * their writing. Then: do the others go on, does a new publisher take over, does a respawned worker see the
 * newest value at its first read?
 */
#ifndef BENCH_CRASH_H
#define BENCH_CRASH_H

#include <stdbool.h>
#include <stdint.h>

#include "roles.h"

enum {
    CRASH_KILLS = 20, /* of each role */
    CRASH_RUNS = 3,   /* of a contender that can hang: chance decides when, and whether */
};

struct crash {
    int error;
    unsigned workers_killed, publishers_killed;
    unsigned inside_write;   /* publishers that were inside the contender's write when the signal was sent */
    unsigned lock_left_held; /* after which the lock was found held by the dead */
    unsigned respawned, saw_newest;
    double pause_max;                  /* ns, from a kill until each of the others had read again */
    double takeover_p50, takeover_max; /* ns, a new publisher's first write */
    unsigned readers_hanging;          /* at the end; their time was up */
    bool publisher_hangs;
    unsigned runs, runs_hung; /* how many there were, this one among them, and in how many somebody hung */
    double torn, backwards;
};

bool crash_hangs(const struct crash *crash);

/* Ends early when somebody hangs: after a second where the contender says that it can, else after ten. */
void crash_run(const struct stage *plan, unsigned workers, struct crash *crash);

#endif
