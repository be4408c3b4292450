/* SPDX-License-Identifier: MIT */
/* Calls that are shorter than a look at the clock: timed some microseconds' worth at a time. */
#ifndef BENCH_SUITE_BATCH_H
#define BENCH_SUITE_BATCH_H

#include "scene.h"

/* Calls what is measured, so many times; 0 or a negative errno value. */
typedef int batch_loop(struct role *role, size_t times);

/*
 * Batches until the scene stops; the median is put into the answer, as ns a call. From batch to batch the
 * reader's buffer moves, because addresses matter: two that collide in the first-level cache cost several ns,
 * and libc's memcpy becomes many times slower where target and source stand badly to each other. All begin a
 * cache line.
 */
int batch_measure(struct role *role, batch_loop *loop);

/* Reads, checking each length. */
int batch_reads(struct role *role, size_t times);

/* For a role: measures reads, and checks every byte of the last. */
int role_reads_in_batches(struct role *role);

#endif
