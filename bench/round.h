/* SPDX-License-Identifier: MIT */
/* One round of one contender, and what comes out of several. */
#ifndef BENCH_ROUND_H
#define BENCH_ROUND_H

#include <stdbool.h>
#include <stdint.h>

#include "crew.h"

enum { ROUNDS = 5 };

struct round {
    int error;                  /* a negative errno value: it could not be run, or a read or a write failed */
    bool left_out;              /* that error is create's: it cannot run on this machine */
    bool stuck;                 /* somebody did not come to an end, although nobody was killed */
    double reads;               /* a second, of all workers together */
    double batch;               /* ns, a read: the 64th part of the median batch */
    double p50, p99, p999, max; /* ns, one read alone */
    double publications;        /* a second */
    double write_p50, write_max;     /* ns, a publication */
    double seen_p50, seen_max;       /* ns, from its beginning until the last worker had it, or a newer one */
    double retries;                  /* per read */
    double torn, backwards, changes; /* counts; changes: of the file */
};

/* Called now and then while it runs, with what is known so far: reads (a second) and torn. */
typedef void round_progress(void *context, const struct round *so_far);

void round_run(const struct stage *plan, unsigned workers, int64_t ns, struct round *round,
               round_progress *progress, void *context);

/* Medians of the speeds; worst of the worsts; sums of the counts. */
struct round round_summary(const struct round *rounds, unsigned count);

#endif
