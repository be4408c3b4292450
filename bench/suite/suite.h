/* SPDX-License-Identifier: MIT */
/* The suite as the shim over google-benchmark sees it: rows that can be asked, and their answers. */
#ifndef BENCH_SUITE_H
#define BENCH_SUITE_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct suite_counter {
    char name[24];
    double value;
};

struct suite_answer {
    char error[200]; /* a sentence; "": there is none */
    double ns;
    size_t counters;
    struct suite_counter counter[12];
};

/* Lay out the rows: all, or with `quick` fewer sizes of each. How many there are. */
size_t suite_open(bool quick);

const char *suite_row_name(size_t row);

/* Its answer is the same each time: one round is enough. */
bool suite_row_is_once(size_t row);

/* Which rows will be asked. */
void suite_want(size_t row);
bool suite_is_wanted(size_t row);

/*
 * Before anything is timed: tells on standard error who was left out, and proves of every contender that has
 * a row which is wanted that values arrive, whole, and the newest. The rows of those that fail answer so.
 */
void suite_prove(void);

/* One round, in processes of its own: whatever happens there, it comes back. */
void suite_ask(size_t row, struct suite_answer *answer);

/* At the end: tells on standard error whether the machine had other things to do. */
void suite_close(void);

/* What the machine and the library are, as pairs of key and value; NULL at the end. */
const char *const *suite_context(void);

#ifdef __cplusplus
}
#endif

#endif
