/* SPDX-License-Identifier: MIT */
/*
 * The keys that a source has below its prefix, with their values, at one revision: in the byte order of their
 * names. A set owns all bytes in it, and is bounded: what a source sends is counted before it is kept.
 */
#ifndef SEQSHARE_FEED_KEYS_H
#define SEQSHARE_FEED_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct key {
    char *name;       /* without the prefix; any bytes; a zero byte behind them */
    size_t length;    /* of the name */
    char *value;      /* a zero byte behind it */
    size_t size;      /* of the value */
    uint64_t changed; /* the revision that changed it last (etcd: mod_revision); 0: the source has none */
};

struct keys {
    struct key *list;
    size_t count, room;
    size_t bytes, limit;
    uint64_t revision; /* the set is that of this revision; 0: the source has none */
    uint64_t term;     /* the raft term; 0: the source has none */
    bool back;         /* set by the source: it knows by other means that the store went back */
};

/* A set that holds at most `limit` bytes, names and what the set itself needs included. NULL: no memory. */
struct keys *keys_new(size_t limit);
void keys_free(struct keys *keys); /* NULL is fine */

/* NULL: there is none. Valid until the set changes. */
const struct key *keys_find(const struct keys *keys, const char *name, size_t length);

/* Add a key, or change it. Copies. Errors, the set unchanged: -EFBIG beyond the limit; -ENOMEM. */
int keys_put(struct keys *keys, const char *name, size_t length, const void *value, size_t size,
             uint64_t changed);

/* One that is not there is fine. */
void keys_remove(struct keys *keys, const char *name, size_t length);

/*
 * Did the store go back? `now` is what a linearizable read found, `ours` the set that we had before, up to
 * date until ours->revision. It did if its revision or term is smaller, or if it has a key that changed neither
 * when ours says nor after ours->revision. Or if now->back says so. Values are not looked at. *key: the key that
 * shows it, or NULL.
 */
bool keys_went_back(const struct keys *ours, const struct keys *now, const struct key **key);

#endif
