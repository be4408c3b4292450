/* SPDX-License-Identifier: MIT */
/* Make a new region, complete before anybody else can see it. */
#ifndef SEQSHARE_CREATE_H
#define SEQSHARE_CREATE_H

#include "region.h"

/* The value of a new region: version 0 for none. */
struct first_value {
    const void *bytes;
    size_t length;
    uint64_t version;
    uint32_t tag;
    struct slot_note note;
};

/* In memory without a name. -EINVAL, -ENOMEM, -EFBIG, -ENOSPC, or a system call's error; then nothing is left. */
int create_anonymous(struct region *region, size_t capacity, unsigned slots);

/* In an empty file just created. The region owns `fd` from here on, even on failure. */
int create_in_file(struct region *region, int fd, size_t capacity, const struct first_value *value);

#endif
