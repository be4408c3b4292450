/* SPDX-License-Identifier: MIT */
/*
 * What the tests have decoded: a value is a number of words, all alike. An object that was destroyed says so,
 * and a decoder says how often it was asked. "bad" cannot be decoded.
 */
#ifndef CACHE_OBJECTS_H
#define CACHE_OBJECTS_H

#include <errno.h>
#include <seqshare/cache.h>
#include <stdlib.h>
#include <string.h>

enum { OBJECT_WORDS = 8, ALIVE = 0x600d };

struct object {
    int alive;
    uint64_t version;
    uint64_t words[OBJECT_WORDS];
};

struct counts {
    unsigned asked;
    unsigned made;
    unsigned destroyed;
};

extern struct counts counts;

static inline void count_one(unsigned *counter)
{
    __atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

static inline unsigned counted(const unsigned *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static inline void *object_decode(void *bytes, size_t length, uint64_t version, void *context)
{
    struct object *object;

    (void)context;
    count_one(&counts.asked);
    if (length == 3 && strcmp(bytes, "bad") == 0) {
        errno = EILSEQ;
        return NULL;
    }
    object = calloc(1, sizeof *object);
    if (!object || length > sizeof object->words)
        abort();
    object->alive = ALIVE;
    object->version = version;
    memcpy(object->words, bytes, length);
    memset(bytes, 0xee, length + 1); /* it is the decoder's */
    count_one(&counts.made);
    return object;
}

/* A plain write: a thread that still reads the object races with it. */
static inline void object_destroy(void *opaque)
{
    struct object *object = opaque;

    if (object->alive != ALIVE)
        abort();
    memset(object, 0, sizeof *object);
    free(object);
    count_one(&counts.destroyed);
}

static inline int publish_words(seqshare *share, uint64_t word)
{
    uint64_t words[OBJECT_WORDS];

    for (int i = 0; i < OBJECT_WORDS; i++)
        words[i] = word;
    return seqshare_set(share, words, sizeof words);
}

#endif
