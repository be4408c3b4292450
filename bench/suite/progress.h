/* SPDX-License-Identifier: MIT */
/*
 * How far it is, on standard error: one line that is written over where that is a terminal, else now and
 * then.
 */
#ifndef BENCH_SUITE_PROGRESS_H
#define BENCH_SUITE_PROGRESS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

void progress_begin(size_t rounds);

/* A round of this name begins. */
void progress_round(const char *name);

/* Makes room for another line. */
void progress_clear(void);

#ifdef __cplusplus
}
#endif

#endif
