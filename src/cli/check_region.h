/* SPDX-License-Identifier: MIT */
/* The region that `check` examines, read field by field; check.c looks at the file and asks the library. */
#ifndef SEQSHARE_CLI_CHECK_REGION_H
#define SEQSHARE_CLI_CHECK_REGION_H

#include <stdbool.h>
#include <sys/stat.h>

#include <seqshare/seqshare.h>

#include "layout.h"
#include "report.h"

struct check {
    const char *name;
    int fd;
    struct stat status;
    struct layout layout; /* as it was read at the beginning, once */
    long got;             /* so many bytes of it */
    bool opens;           /* the library can open it, and `share` says: */
    struct seqshare_stat share;
    struct report report;
};

/* Every field of the region, in words. */
void check_region(struct check *check);

#endif
