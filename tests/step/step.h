/* SPDX-License-Identifier: MIT */
/* Something happens at every instruction of somebody else: the parts of the test. */
#ifndef STEP_H
#define STEP_H

#include "../ptrace/ground.h"

/* The current value, after publishing it; in a slot of that parity. */
struct published stand(struct kind kind, uint64_t key, unsigned parity);

/* Announce a version and fill half of it; seqshare_abandon ends that. */
void make_half(struct kind kind);

/*
 * A way to read. It runs in the tracee with stage->size as the buffer's size, leaves the bytes and the
 * version in the stage, and returns the length or an error.
 */
struct reading {
    const char *name;
    struct kind kind;
    unsigned slots;
    long (*read)(void);
    bool once; /* one attempt */
    bool bare; /* says no version */
};

extern const struct reading readings[]; /* the last has no name */
void run_reading(const void *reading);

/* Is its result one of these publications? A mere error is not. */
bool reading_found(const struct reading *reading, const struct published *allowed, int count);

/* For the report: how often something happened at an instruction. */
extern unsigned long all_rounds;

void test_readers(void);     /* a reader is stepped, writers run in between */
void test_writers(void);     /* a writer is stepped, readers read in between */
void test_interleaved(void); /* both are stepped */
void test_rivals(void);      /* a writer is stepped, another one writes in between */
void test_names(void);       /* replace, system call by system call, and others in between */
void test_back(void);        /* reopen in the same way, and the name comes back in between */

#endif
