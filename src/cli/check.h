/* SPDX-License-Identifier: MIT */
/* The parts of `check`: check.c looks at the file and asks the library, check_region.c reads the region. */
#ifndef SEQSHARE_CLI_CHECK_H
#define SEQSHARE_CLI_CHECK_H

#include <stdbool.h>
#include <sys/stat.h>

#include <seqshare/seqshare.h>

#include "world.h"

enum level { FINE, NOTE, WRONG };

struct check {
    const char *name;
    int fd;
    struct stat status;
    struct layout layout; /* as it was read at the beginning, once */
    long got;             /* so many bytes of it */
    bool opens;           /* the library takes it, and `share` says: */
    struct seqshare_stat share;
    int wrong, notes; /* findings so far */
};

/* A line of the report. */
__attribute__((format(printf, 4, 5))) void report(struct check *check, enum level level, const char *subject,
                                                  const char *format, ...);

/* What to do about the line before. */
__attribute__((format(printf, 1, 2))) void advise(const char *format, ...);

/* Every field of the region, in words. */
void check_region(struct check *check);

#endif
