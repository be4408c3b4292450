/* SPDX-License-Identifier: MIT */
/* How fresh the value of a share is, if `seqshare feed` keeps it. */
#ifndef SEQSHARE_CLI_FRESH_H
#define SEQSHARE_CLI_FRESH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <seqshare/feed.h>

enum { FRESH_WORDS = 128 };

/* -ENOENT: no feed keeps it; -EPERM: a stranger says so; or another error of opening or reading the state. */
int fresh_read(const char *name, struct seqshare_feed_1 *feed);

/* "stale held", by this process's own clock. */
void fresh_words(const struct seqshare_feed_1 *feed, char words[FRESH_WORDS]);

/* False: no feed keeps it. Else its state in words ("live"), and its age in nanoseconds; -1: nobody knows it. */
bool fresh_find(const char *name, char words[FRESH_WORDS], int64_t *age);

#endif
