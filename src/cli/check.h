/* SPDX-License-Identifier: MIT */
/* What `check` examines, and the parts of the examination: check.c calls them one after the other. */
#ifndef SEQSHARE_CLI_CHECK_H
#define SEQSHARE_CLI_CHECK_H

#include <stdbool.h>
#include <sys/stat.h>

#include <seqshare/seqshare.h>

#include "layout.h"
#include "report.h"
#include "user.h"

struct check {
    const char *name;
    char *path; /* of the file, absolute; of a descriptor, its name */
    int fd;
    struct stat status;
    struct layout layout; /* as it was read at the beginning, once */
    long got;             /* so many bytes of it */
    bool opens;           /* the library can open it, and `share` says: */
    struct seqshare_stat share;
    struct user user; /* whose rights are asked about */
    struct report report;
};

/* Every field of the region, in words. */
void check_region(struct check *check);

/* Where the file is: the kind of file system, how it is mounted, the room in it. */
void check_place(struct check *check);

/* May the user read and write it, and if not, what is in the way? */
void check_access(struct check *check);

/* The state of the feed that keeps it, if there is one. */
void check_feed(struct check *check);

/* The processes that have it mapped, and those that may have an earlier region of the name. */
void check_processes(struct check *check);

#endif
