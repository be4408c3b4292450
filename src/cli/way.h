/* SPDX-License-Identifier: MIT */
/* The way to a file: which part of it keeps a user out? */
#ifndef SEQSHARE_CLI_WAY_H
#define SEQSHARE_CLI_WAY_H

#include <stdbool.h>
#include <sys/stat.h>

#include "user.h"

struct way {
    char *part; /* the folder that may not be searched, or the file */
    bool folder;
    bool known; /* `status` is that of the part */
    struct stat status;
    bool acl; /* it has an access control list, which decides beside the mode */
};

/* What keeps `user` from opening `path`, an absolute one; to be asked after -EACCES. The caller frees `part`. */
void way_find(struct way *way, const char *path, const struct user *user);

/* The users and permissions of that part: "/run/shop (0750, root:shop)". The caller frees it. */
char *way_in_words(const struct way *way);

/* Does the mode let its group in, by these permission bits (of S_IRWXG)? */
bool way_group_may(const struct way *way, mode_t bits);

/* Names, or numbers; the caller frees them. */
char *way_owner(const struct way *way);
char *way_group(const struct way *way);

#endif
