/* SPDX-License-Identifier: MIT */
/* The options of the prefork benchmark. */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include "contender.h"

enum { CONTENDERS_MAX = 64 };

struct options {
    unsigned workers;
    unsigned seconds; /* of reading, each contender */
    unsigned rate;
    const char *file;
    const struct contender *chosen[CONTENDERS_MAX + 1]; /* NULL at the end */
    unsigned count;
};

/* Exits with a sentence if the line is wrong, and after --help. */
void options_read(int count, char **words, struct options *options);

#endif
