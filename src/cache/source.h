/* SPDX-License-Identifier: MIT */
/*
 * The source of a cache's objects, and the facts that it knows of them. Both kinds of cache use this: that
 * for one thread changes one state in place, that for many makes a new state for every change.
 */
#ifndef SEQSHARE_CACHE_SOURCE_H
#define SEQSHARE_CACHE_SOURCE_H

#include <seqshare/cache.h>
#include <sys/types.h>

#define SECOND UINT64_C(1000000000)

/* No version is that high: every version is news. */
#define NOTHING_SEEN UINT64_MAX

/*
 * Only the thread that refreshes changes a source. Others ask meanwhile whether there is anything to refresh:
 * so the words are atomic. They order nothing. Times are source_time's.
 */
struct source {
    seqshare *share; /* the caller's; follows its name */
    seqshare_decode *decode;
    seqshare_destroy *destroy;
    void *context;
    bool named;                /* there is a name to follow */
    uint32_t marks;            /* of the region, when the cache last looked at its name */
    uint32_t period;           /* one call of so many asks the clock: a power of two, at most 64 */
    seqshare_word asked_clock; /* when that was */
    seqshare_word next_follow; /* the name is left alone until then, if there are no new marks, */
    seqshare_word next_read;   /* and so is this version: */
    seqshare_word put_off;     /* NOTHING_SEEN: any */
    uint64_t decoding;         /* the version that decode has not returned from; 0: none, */
    pid_t decoder;             /* and the process: a version of a fork's parent has not failed here */
    void *bytes;               /* and its copy */
};

/* The facts at one time. */
struct state {
    seqshare_cache view;
    struct seqshare_cache_stat stat;
    int64_t published; /* when the object's version was published: ns since 1970 */
};

/* The first look at `share`. The errors of seqshare_cache_new. */
int source_begin(struct source *source, seqshare *share, seqshare_decode *decode, seqshare_destroy *destroy,
                 void *context);
void source_end(struct source *source);

/* Is it time to read? */
bool source_must_read(const struct source *source, const struct state *state);

/* CLOCK_MONOTONIC_COARSE, in nanoseconds. */
uint64_t source_time(void);

/*
 * Calls take turns at asking the clock: one of source_period, so that about a tenth of a second lies between
 * two turns, if there are not more than 64 calls. source_take_turn in each turn; it returns the time.
 */
uint32_t source_period(const struct source *source);
uint64_t source_take_turn(struct source *source);

/* Is it time to look at the name? At once for a new mark, otherwise once a second. `time` 0: not asked. */
bool source_must_follow(struct source *source, const struct state *state, uint64_t time);

/* Look at the name, and note the result: did the share move? Undisturbed (right.h). */
bool source_follow(struct source *source, struct state *state);

/*
 * Copy and decode the newest value of state->view.share, and note it. True: view.object is another one now,
 * the caller's to destroy, and the old one is still there.
 */
bool source_read(struct source *source, struct state *state);

/*
 * If decode was left without coming back (its thread was cancelled, thrown out or jumped): note that as a
 * failure, and put the version off. Was it? A child of fork decodes again what the parent was decoding.
 */
bool source_was_left(struct source *source, struct state *state);

/* There was no memory for the object's surroundings. */
void source_no_memory(struct source *source, struct state *state, uint64_t version);

/* Nanoseconds since the object's version was published. -ENODATA: there is no object. */
int64_t source_age(const struct state *state);

#endif
