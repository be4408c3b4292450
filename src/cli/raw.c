/* SPDX-License-Identifier: MIT */
/* Reads the first bytes of a region's file, without the library. */
#include "raw.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

long raw_read_layout(int fd, struct layout *layout)
{
    ssize_t got;

    memset(layout, 0, sizeof *layout);
    do
        got = pread(fd, layout, sizeof *layout, 0);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

bool raw_has_magic(int fd)
{
    struct layout layout;

    return raw_read_layout(fd, &layout) >= (long)sizeof layout.header.magic &&
           memcmp(layout.header.magic, LAYOUT_MAGIC, sizeof layout.header.magic) == 0;
}
