/* SPDX-License-Identifier: MIT */
/* Values on their way between files and shares. */
#ifndef SEQSHARE_CLI_BYTES_H
#define SEQSHARE_CLI_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct bytes {
    void *at; /* malloc'ed */
    size_t length;
};

/*
 * Read all of a file; "-": standard input. Stops at more than `limit` bytes. Refuses an empty standard input, pipe
 * or device, unless `may_be_empty`: a command leaves that when it fails.
 * DONE, or SAID_NO after having said why.
 */
int bytes_read(struct bytes *bytes, const char *file, size_t limit, bool may_be_empty);

/* 0 or a negative errno value. */
int bytes_write_all(int fd, const void *bytes, size_t length);

struct output {
    const char *name; /* of the file */
    const void *bytes;
    size_t length;
    mode_t mode; /* of a new file, less what the umask takes */
    bool force;  /* go on if owner, group or ACL of the old file cannot be kept */
};

/*
 * Write a file in one step: it has the old contents or all of the new ones. Owner, group, ACL and mode stay as
 * they were. DONE, or SAID_NO after saying why not.
 */
int bytes_write_file(const struct output *output);

#endif
