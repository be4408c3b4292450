/* SPDX-License-Identifier: MIT */
/*
 * How fresh is the value of a share that `seqshare feed` keeps? The feed of the share NAME publishes its state in the
 * share NAME.feed, as a typed value:
 *
 *     seqshare_open(&state, "/run/seqshare/shop.feed", SEQSHARE_READ | SEQSHARE_ANY_OWNER);
 *
 *     struct seqshare_feed_1 feed;
 *     if (seqshare_feed_1_get(state, &feed) == 0 && seqshare_feed_state(&feed) & SEQSHARE_FEED_STALE)
 *         warn("the configuration is old: %lld s", (long long)(seqshare_feed_age(&feed) / 1000000000));
 *
 * A feed that is dead writes nothing: so the reader finds out by its own clock that the value is stale. Both functions
 * cost one reading of CLOCK_BOOTTIME. (In a time namespace with an offset of that clock, they are off by the offset.)
 * A feed that starts may make NAME.feed again: reopen it when seqshare_retired() is true. docs/feed.md has the rest.
 */
#ifndef SEQSHARE_FEED_H
#define SEQSHARE_FEED_H

#include <time.h>

#include <seqshare/seqshare.h>

#ifndef CLOCK_BOOTTIME
#error "seqshare/feed.h needs CLOCK_BOOTTIME: compile with -std=gnu11, or define _GNU_SOURCE"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* What may be said of a value, or-ed together; 0: it is live, the same as at the source. */
enum {
    SEQSHARE_FEED_NONE = 1,     /* nothing was ever published in the share */
    SEQSHARE_FEED_STALE = 2,    /* for stale_ms nobody knows whether the source still has this value */
    SEQSHARE_FEED_REFUSED = 4,  /* the source has a newer value, which did not pass the checks */
    SEQSHARE_FEED_HELD = 8,     /* the source has a newer value, which waits for an operator (docs/feed.md) */
    SEQSHARE_FEED_PINNED = 16,  /* an operator has pinned this value */
    SEQSHARE_FEED_DRIFTED = 32, /* somebody else has set the share */
    SEQSHARE_FEED_UNKEPT = 64,  /* the value could not be saved on disk for the next boot */
    SEQSHARE_FEED_UNCONFIRMED = 128 /* not in use yet */
};

/* 64 bytes, in native order. Later versions use reserved, which is 0; a struct of another size has another name. */
struct seqshare_feed_1 {
    uint64_t version;  /* of the share, when its value was last the feed's */
    uint64_t revision; /* the source's revision of that value; 0: not known */
    uint64_t newest;   /* the newest revision seen there: also one that was refused, is held, or waits */
    int64_t current;   /* CLOCK_BOOTTIME in ns when it was last known to be the source's; 0: not since boot */
    int64_t contact;   /* by the same clock: the source's last sign of life */
    uint32_t state;    /* of the above, as the feed saw it; seqshare_feed_state() knows better */
    uint32_t stale_ms; /* a value that has not been known to be the source's for so long is stale */
    uint32_t pid;      /* the feed's process, in its own PID namespace */
    uint32_t reserved[3];
};

/* seqshare_feed_1_set and seqshare_feed_1_get. */
SEQSHARE_TYPE(seqshare_feed_1, struct seqshare_feed_1)

/*
 * For how many nanoseconds has nobody known whether the source still has this value? Errors:
 *   -ENODATA   it was never known since boot
 */
static inline int64_t seqshare_feed_age(const struct seqshare_feed_1 *feed)
{
    struct timespec clock;
    int64_t now;

    if (!feed || feed->current <= 0 || clock_gettime(CLOCK_BOOTTIME, &clock) != 0)
        return -ENODATA;
    now = (int64_t)clock.tv_sec * 1000000000 + clock.tv_nsec;
    return now > feed->current ? now - feed->current : 0;
}

/*
 * The state, with SEQSHARE_FEED_STALE by this process's own clock: it is right also when the feed is dead. Errors:
 *   -EINVAL    NULL
 */
static inline int seqshare_feed_state(const struct seqshare_feed_1 *feed)
{
    int64_t age;

    if (!feed)
        return -EINVAL;
    age = seqshare_feed_age(feed);
    return (int)(feed->state & 0xffff) |
           (age < 0 || age > (int64_t)feed->stale_ms * 1000000 ? SEQSHARE_FEED_STALE : 0);
}

/* The word for one bit of a state, as `seqshare feed status` has it; NULL: there is no such bit. */
static inline const char *seqshare_feed_word(unsigned bit)
{
    switch (bit) {
    case SEQSHARE_FEED_NONE:
        return "none";
    case SEQSHARE_FEED_STALE:
        return "stale";
    case SEQSHARE_FEED_REFUSED:
        return "refused";
    case SEQSHARE_FEED_HELD:
        return "held";
    case SEQSHARE_FEED_PINNED:
        return "pinned";
    case SEQSHARE_FEED_DRIFTED:
        return "drifted";
    case SEQSHARE_FEED_UNKEPT:
        return "unkept";
    case SEQSHARE_FEED_UNCONFIRMED:
        return "unconfirmed";
    default:
        return NULL;
    }
}

#ifdef __cplusplus
}
#endif

#endif
