/* SPDX-License-Identifier: MIT */
/* The mount that an open file is reached by, as /proc shows it. */
#ifndef SEQSHARE_CLI_MOUNT_H
#define SEQSHARE_CLI_MOUNT_H

#include <stdbool.h>

struct mount {
    char *point;   /* where it is mounted */
    char *type;    /* of the file system */
    char *options; /* of the mount, and of the file system */
};

/* False: /proc does not tell, or there is none (a memfd). The caller calls mount_free after true. */
bool mount_find(struct mount *mount, int fd);
void mount_free(struct mount *mount);

/* Is that one of its options? "ro", "huge=always". */
bool mount_has(const struct mount *mount, const char *option);

#endif
