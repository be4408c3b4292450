/* SPDX-License-Identifier: MIT */
/*
 * Where a cache has its objects from, and what it knows of them. Both kinds of cache are built on this: that
 * for one thread changes one state in place, that for many makes a new state for every change.
 */
#ifndef SEQSHARE_CACHE_SOURCE_H
#define SEQSHARE_CACHE_SOURCE_H

#include <seqshare/cache.h>

#define SECOND UINT64_C(1000000000)

/* No version is that high: whatever stands is news. */
#define NOTHING_SEEN UINT64_MAX

struct source {
    seqshare *share; /* the caller's; follows its name */
    seqshare_decode *decode;
    seqshare_destroy *destroy;
    void *context;
    seqshare_word next_read;   /* CLOCK_MONOTONIC_COARSE: what could not be had is left alone until then, */
    seqshare_word next_follow; /* and likewise a name */
};

/* What is known at one time. */
struct state {
    seqshare_cache view;
    struct seqshare_cache_stat stat;
};

/* Is it time to read, or to look where the name is? */
bool must_read(const struct source *source, const struct state *state);
bool must_follow(const struct source *source, const struct state *state);

/* Look where the name is, and note how that went: did the share move? */
bool source_follow(struct source *source, struct state *state);

/*
 * Copy and decode the newest value of state->view.share, and note it. True: view.object is another one now,
 * the caller's to destroy, and the old one is still there.
 */
bool source_read(struct source *source, struct state *state);

/* The name has been looked at for the last time. */
void source_follow_never(struct source *source);

/* Leave reading alone for a while, after `error`. */
void source_read_later(struct source *source, struct state *state, int error);

#endif
