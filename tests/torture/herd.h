/* SPDX-License-Identifier: MIT */
/* A herd of processes that are started, killed, stopped and ended at random. */
#ifndef HERD_H
#define HERD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "kit.h"

enum { HERD_MOST = 16 };

struct herd {
    void *context;
    /* In the new process: be member `index`. Does not return. */
    void (*live)(void *context, unsigned index, uint64_t seed);
    /* Where it is noted that a member ended in another way than it should. */
    struct complaint *(*complaint_of)(void *context, unsigned index);
    uint64_t random;
    pid_t pid[HERD_MOST];
    bool stopped[HERD_MOST];
    unsigned killed, paused;
};

void herd_start(struct herd *herd, unsigned index);
/* SIGSTOP, or SIGCONT if it is stopped. */
void herd_stop_or_go(struct herd *herd, unsigned index);
/* Kill or stop this member, or let it go on: a random choice. If it was killed, its number, and another must be
 * started in its place; else 0. */
pid_t herd_disturb(struct herd *herd, unsigned index);
/* Wait for a member that was asked to end, until `last` (of clock.h). False: it had to be killed. */
bool herd_end(struct herd *herd, unsigned index, int64_t last);

#endif
