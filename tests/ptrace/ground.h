/* SPDX-License-Identifier: MIT */
/* The region that is fought over, and what can be done to it. */
#ifndef GROUND_H
#define GROUND_H

#include "report.h"
#include "tracee.h"
#include "values.h"

/* Two handles of one region, the second read-only; tracees inherit both. */
extern seqshare *share, *reader;
extern struct stage *stage;

/* The report and the stage. It ends the program where nothing can be stepped, and says why. */
void ground_begin(int argc, char **argv);

/* Make a fresh region with a first value in it. */
void fresh_region(struct kind kind, unsigned slots);

/* Its bytes, for comparing; munmap(2) ends it. */
const unsigned char *map_region(size_t *size);

/* A key that no value has had; one whose value has the full size, or one byte less, or two (see values.h). */
uint64_t new_key(void);
uint64_t new_key_less(unsigned bytes);

/*
 * A way to write, in a tracee that has just published a value (unless it is cold): it publishes the value of
 * stage->key.
 */
struct writing {
    const char *name;
    struct kind kind;
    int (*call)(struct kind kind);
    void (*meanwhile)(struct kind kind); /* in the tracer, when the tracee stands at its mark */
    void (*afterwards)(void);            /* in the tracer, in the end; may be NULL, as above */
    int publishes;                       /* versions, by the whole call */
    int result;                          /* of the call, undisturbed */
    bool conditional;                    /* only over the version that stood at the mark */
    bool cold;                           /* it is the first call of its process */
    bool sleeps;                         /* in the end, until it gives up */
};

extern const struct writing writings[]; /* the last has no name */

/* Bring a tracee to its mark, and tell what stands then and what its call would publish. */
pid_t writing_start(const struct writing *writing, struct published allowed[2]);

/* Record the way of its call. */
void writing_record(struct path *path, const struct writing *writing);

#endif
