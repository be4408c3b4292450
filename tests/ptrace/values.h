/* SPDX-License-Identifier: MIT */
/*
 * Values that can be told from each other and from any mixture of two, and the check that a reader has one.
 */
#ifndef VALUES_H
#define VALUES_H

#include <stdbool.h>

#include <seqshare/seqshare.h>

enum { VALUE_MOST = 4096 };

/* A value is made from a key, of which no two writes have the same. */
struct published {
    uint64_t version;
    uint64_t key;
};

/* The value to write: `size` bytes or, so that lengths may be torn as well, up to two less if more than 16. */
struct kind {
    size_t size;
    bool typed;
};

size_t value_length(struct kind kind, uint64_t key);
void value_make(struct kind kind, uint64_t key, unsigned char *bytes);
bool value_is(struct kind kind, uint64_t key, const unsigned char *bytes, size_t length);

/* seqshare_set of that value, or the typed set. */
int value_set(seqshare *share, struct kind kind, uint64_t key);

/*
 * Read in every way there is, at a moment when no writer runs: each must succeed at once, with one of these
 * publications, whole, and none with an older one than the one before. Which: its index is returned; -1
 * after a failed check.
 */
int values_read(const seqshare *share, struct kind kind, const struct published *allowed, int count);

/* Is it one of them, whole? Its index, or -1. */
int values_find(struct kind kind, const struct published *allowed, int count, uint64_t version,
                const unsigned char *bytes, size_t length);

/* The typed value: 64 bytes. */
struct row {
    uint64_t words[8];
};
SEQSHARE_TYPE(row, struct row)

#endif
