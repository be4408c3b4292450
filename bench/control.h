/* SPDX-License-Identifier: MIT */
/*
 * The control memory: what driver, publisher and workers tell each other. It is shared, stands beside the
 * contender and is not timed. Every worker writes to its own part only, so that the
 * bookkeeping moves no cache line between them.
 */
#ifndef BENCH_CONTROL_H
#define BENCH_CONTROL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SAMPLES = 1 << 17,      /* single reads timed: the newest of each worker */
    SIGHTINGS = 1 << 16,    /* versions seen: the first of each worker */
    PUBLICATIONS = 1 << 16, /* publications timed: the first */
    READS_PER_SAMPLE = 64
};

enum sample_ring {
    SINGLE, /* one read, less what the clock costs */
    BATCH,  /* the READS_PER_SAMPLE reads before it, and their checks */
    RINGS
};

struct sighting {
    uint64_t version;
    int64_t at;
};

struct worker_log {
    _Alignas(128) _Atomic uint64_t reads;
    _Atomic uint64_t torn;          /* values that were a mixture of two */
    _Atomic uint64_t backwards;     /* versions older than one seen before */
    _Atomic uint64_t first_version; /* of the first read; 0: none yet */
    _Atomic uint64_t retries;
    _Atomic int error; /* negative errno value of the read that ended the worker */
    _Atomic bool ready;
    uint32_t worst_ns;
    uint64_t sampled; /* ever; the rings keep the newest */
    size_t sightings;
    uint32_t ring[RINGS][SAMPLES]; /* ns */
    struct sighting sighting[SIGHTINGS];
};

struct publisher_log {
    _Alignas(128) _Atomic uint64_t issued; /* the last version that somebody began to write */
    _Atomic uint64_t completed;            /* the last version whose write came back */
    _Atomic uint64_t first_write_ns;       /* how long this publisher's first write took; 0: not done */
    _Atomic bool writing;                  /* inside the contender's write just now */
    _Atomic uint32_t file_changes;         /* seen and published */
    _Atomic int error;
    size_t writes;
    uint32_t write_ns[PUBLICATIONS];
    struct sighting began[PUBLICATIONS]; /* when each write began */
};

struct control {
    size_t mapped;
    unsigned workers;
    int64_t clock_cost;
    int check_whole_every; /* samples */
    _Atomic bool go;       /* workers: begin */
    _Atomic bool stop;     /* everybody: come to an end */
    struct publisher_log publisher;
    struct worker_log worker[];
};

/* NULL: no memory. All zeros but for the number of workers. */
struct control *control_create(unsigned workers);
void control_destroy(struct control *control);

#endif
