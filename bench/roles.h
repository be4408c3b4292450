/* SPDX-License-Identifier: MIT */
/* The two roles that the driver forks: both end by themselves when control->stop is set, and with it. */
#ifndef BENCH_ROLES_H
#define BENCH_ROLES_H

#include <stdint.h>
#include <sys/types.h>

#include "contender.h"
#include "control.h"
#include "document.h"

/* What a round or a crash test is about. */
struct stage {
    const struct contender *contender;
    void *store;
    struct control *control;
    struct document *document;
    unsigned rate; /* publications a second besides changes of the file */
    bool pausing;  /* false: the publisher writes all the time, whatever the rate */
};

/* Each forks: the pid, or a negative errno value. */
pid_t worker_start(const struct stage *stage, unsigned number);
pid_t publisher_start(const struct stage *stage);

#endif
