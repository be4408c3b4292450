/* SPDX-License-Identifier: MIT */
/*
 * When to try again, for a source that is away: soon at first, then ever more seldom, each agent at a moment of
 * its own, and never more often than a limit a minute.
 */
#ifndef SEQSHARE_FEED_BACKOFF_H
#define SEQSHARE_FEED_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

/* At most `most` events in any minute; for connects 12, for logins 1. Zeroed, but for `most`. */
struct backoff_limit {
    unsigned most; /* at most BACKOFF_MOST */
    unsigned next;
    int64_t at[12];
};

enum { BACKOFF_MOST = 12 };

/* How long until one more is allowed; 0: now. Times as loop_now. */
int64_t backoff_limit_wait(const struct backoff_limit *limit, int64_t now);
void backoff_limit_count(struct backoff_limit *limit, int64_t now);

/* Zeroed at first. */
struct backoff {
    unsigned failures;
    int64_t good_since; /* 0: it is not */
};

/* It failed at `now`: nanoseconds until the next try. 0 to 0.5 s, then half to all of 1, 2, 2, 4, 8, 15, 15 ... s;
 * from the beginning again when it was good for 30 s. */
int64_t backoff_wait(struct backoff *backoff, int64_t now);

/* The stream is good (now, or still). */
void backoff_good(struct backoff *backoff, int64_t now);

/* A number from 0 to 1, by chance. */
double backoff_chance(void);

#endif
