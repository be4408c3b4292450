/* SPDX-License-Identifier: MIT */
/* The share that the agent keeps, and the one beside it that says how fresh it is. Never waits for a lock. */
#ifndef SEQSHARE_FEED_SHARE_H
#define SEQSHARE_FEED_SHARE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <seqshare/feed.h>

#include "config.h"
#include "document.h"

struct share {
    const struct config *config;
    seqshare *value;
    seqshare *state; /* of NAME.feed */
    char *state_name;
    int lock; /* on NAME.feed; -1: there is none */
};

/*
 * Open both, make them, or make them again if they cannot stay. 0; -EBUSY somebody holds the share's lock just now:
 * call it again; -EEXIST another agent keeps this share; others: said on `errors`.
 */
int share_open(struct share *share, const struct config *config, FILE *errors);
void share_close(struct share *share);

/* After the name was moved or removed, or the region became one of another container: open the value's share again, or
 * make it. Errors as share_open. */
int share_renew(struct share *share, FILE *errors);

/* Does the name still lead to it? */
bool share_stands(const struct share *share);

/*
 * Publish as the version after *version (what the caller thinks that stands; 0: nothing): *version is the new one.
 * -EBUSY somebody holds the lock; -ESTALE another version stands, and it is *version now; else as seqshare_set_if.
 */
int share_publish(struct share *share, const struct document *document, uint64_t *version);

/* What stands there. -ENODATA nothing. */
int share_read(const struct share *share, struct document *document, uint64_t *version);

/* The owner of the lock; 0: nobody, or we cannot tell. */
pid_t share_owner(const struct share *share);

/* -EBUSY: try again. */
int share_say(struct share *share, const struct seqshare_feed_1 *state);

/* For the commands: the state that NAME.feed has. -ENOENT, and as seqshare_open and seqshare_feed_1_get. */
int share_state_of(const struct config *config, struct seqshare_feed_1 *state);

/* For the commands: the length of the value that the share has. -ENOENT, and as seqshare_open and seqshare_length. */
ssize_t share_length_of(const struct config *config);

#endif
