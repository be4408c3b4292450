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
 * All of a file; "-": standard input. What is longer than `limit` is not read to its end. Standard input, a pipe
 * or a device that is empty is refused, unless `may_be_empty`: it is what a command leaves when it fails.
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
    bool force;  /* also where owner, group or ACL of the old file cannot be kept */
};

/*
 * Into a file, in one step: it has the old contents or all of the new ones. Owner, group, ACL and mode stay as
 * they were. DONE, or SAID_NO after saying why not.
 */
int bytes_write_file(const struct output *output);

#endif
