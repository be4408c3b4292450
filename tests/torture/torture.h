/* SPDX-License-Identifier: MIT */
/*
 * Readers and writers of one share, killed and stopped at random while they work.
 *
 * main.c runs the scenarios and kills; worker.c is what the killed processes do; value.c makes values that
 * tell whether they are whole. All that is counted lies in memory shared by all of them, so that it survives
 * the death of who counted.
 */
#ifndef TORTURE_H
#define TORTURE_H

#include <seqshare/seqshare.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kit.h"

enum { READERS = 4, WRITERS = 3, WORKERS = READERS + WRITERS };

enum reach { INHERITED, DESCRIPTOR, NAMED }; /* how workers come by the region */

struct scenario {
    const char *name;
    enum reach reach;
    size_t size; /* the capacity; also the length of every value, if they are typed */
    unsigned slots;
    bool typed;
};

/* The counts of one worker, over all its lives. */
struct tally {
    uint64_t done;              /* reads; or publications that were acknowledged */
    uint64_t seen;              /* reader: reads that found another version than the read before */
    uint64_t overtaken;         /* reader: reads during which something was published */
    uint64_t retries;           /* reader: attempts that failed */
    uint64_t outrun;            /* reader: reads given up with -EAGAIN */
    uint64_t torn;              /* reader: values that are not whole */
    uint64_t backwards;         /* reader: versions lower than the one before */
    uint64_t stale;             /* reader: versions lower than one known to be published */
    struct complaint complaint; /* answers that nobody may get */
};

struct arena {
    struct scenario scenario;
    seqshare *share; /* of the parent of all workers */
    int fd;          /* DESCRIPTOR */
    char name[64];   /* NAMED */
    int stop;
    uint64_t published;          /* the highest version that a writer knows to be published */
    struct tally tally[WORKERS]; /* readers first */
};

/* Be worker `index` until told to stop. Does not return. */
_Noreturn void worker_run(struct arena *arena, unsigned index, uint64_t seed);

/*
 * Values. A length follows from the seed, the bytes from seed and stamp, and both stand in the first 16
 * bytes: two values agree in no word, and one cut short or longer is noticed. The stamp is the version that
 * the value was published as, or 0 where its writer could not know.
 */
enum { VALUE_MIN = 16 };
size_t value_length(const struct scenario *scenario, uint64_t seed);
void value_make(void *bytes, size_t length, uint64_t seed, uint64_t stamp);
bool value_whole(const struct scenario *scenario, const void *bytes, size_t length, uint64_t version);

/* Publish it: as what the readers of this scenario ask for, typed or not. */
int value_set(const struct scenario *scenario, seqshare *share, const void *value, size_t length);

#endif
