/* SPDX-License-Identifier: MIT */
/* The commands of the program. Each takes a configuration that has been read, and returns an exit status. */
#ifndef SEQSHARE_FEED_FEED_H
#define SEQSHARE_FEED_FEED_H

#include "config.h"

enum { FEED_DONE = 0, FEED_FAILED = 1, FEED_MISUSED = 2 };

struct feed_options {
    const char *document; /* check: a file instead of the source */
    const char *revision; /* accept, rollback: NULL: the newest, the one before */
    bool json, prometheus;
    int64_t wait; /* status: until there is a value, for at most so long; -1: not */
};

int feed_run(const struct config *config, const struct feed_options *options);
int feed_check(const struct config *config, const struct feed_options *options);
int feed_status(const struct config *config, const struct feed_options *options);
int feed_history(const struct config *config, const struct feed_options *options);
int feed_accept(const struct config *config, const struct feed_options *options);
int feed_rollback(const struct config *config, const struct feed_options *options);
int feed_pin(const struct config *config, const struct feed_options *options);
int feed_unpin(const struct config *config, const struct feed_options *options);

/* "seqshare-feed: NAME: sentence". FEED_FAILED. */
__attribute__((format(printf, 2, 3))) int feed_complain(const struct config *config, const char *format, ...);

#endif
