/* SPDX-License-Identifier: MIT */
/*
 * etcd's answers, taken apart and judged. They come over the network: each is checked here before anything is done
 * with it. Nothing here knows of connections.
 */
#ifndef SEQSHARE_FEED_ETCD_ANSWERS_H
#define SEQSHARE_FEED_ETCD_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "etcd.pb-c.h"
#include "gather.h"
#include "keys.h"
#include "source.h"

/* What was asked for: a key, or all that begin with one. */
struct etcd_place {
    const char *key;
    size_t length;
    bool prefix;
};

enum { ETCD_REASON_SIZE = 200 };

/*
 * Unpack an answer to Range; etcd_range_free frees it. Each key is within the place, each revision above 0.
 * Errors: -EPROTO not such an answer, -EMSGSIZE more than may be gathered, -ENOMEM.
 */
int etcd_range_unpack(const struct etcd_place *place, struct gather *gather, const uint8_t *bytes,
                      size_t length, Etcd__RangeResponse **range);
void etcd_range_free(struct gather *gather, Etcd__RangeResponse *range); /* NULL is fine */

/* The set of keys that a Range found. Errors: -EFBIG, -ENOMEM. */
int etcd_range_keys(const struct etcd_place *place, const Etcd__RangeResponse *range, size_t limit,
                    struct keys **keys);

enum etcd_verdict {
    ETCD_SAME,  /* each key changed last where ours says */
    ETCD_NEWER, /* the store is ahead; the stream will bring it */
    ETCD_GONE,  /* the same, but for keys of ours that it does not have */
    ETCD_BACK   /* the store is not the one that we had, or an earlier state of it */
};

/* What we had when a probe was sent. */
struct etcd_asked {
    uint64_t revision, term;
};

/*
 * Compare a probe (keys only, linearizable) with ours. Ours may be ahead of the probe by now: then what the probe
 * could not know is not held against it. `why`: of ETCD_BACK, and of the others the key that differs.
 */
enum etcd_verdict etcd_compare(const struct etcd_place *place, const struct keys *ours,
                               const struct etcd_asked *asked, const Etcd__RangeResponse *probe,
                               char why[ETCD_REASON_SIZE]);

/* Are these exactly our keys, as they stood at our revision? */
bool etcd_is_ours(const struct etcd_place *place, const struct keys *ours,
                  const Etcd__RangeResponse *history);

/*
 * Messages of a watch, collected until a revision is whole: etcd cuts long ones in the middle of a revision.
 * Zeroed at first, but for `gather`.
 */
struct etcd_events {
    struct gather *gather;
    Etcd__WatchResponse **list;
    size_t count, room, events;
};

/* Unpack a message of a watch. Errors: as etcd_range_unpack. */
int etcd_watch_unpack(const struct etcd_place *place, struct gather *gather, const uint8_t *bytes,
                      size_t length, Etcd__WatchResponse **watch);
void etcd_watch_free(struct gather *gather, Etcd__WatchResponse *watch); /* NULL is fine */

/* Keep a message; it is the collection's then, also after an error: -EMSGSIZE, -ENOMEM. */
int etcd_events_add(struct etcd_events *events, Etcd__WatchResponse *watch);

/*
 * The changes after `revision`, in their order, in an array that gather_free frees; they point into the
 * collection. *newest: the revision of the last. Errors: -EPROTO they are not in order; -EMSGSIZE, -ENOMEM.
 */
int etcd_events_changes(const struct etcd_place *place, const struct etcd_events *events, uint64_t revision,
                        struct source_change **changes, size_t *count, uint64_t *newest);
void etcd_events_clear(struct etcd_events *events);

#endif
