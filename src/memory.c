/* SPDX-License-Identifier: MIT */
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif

/* Before Linux 6.11 an interrupted fallocate undoes all its work: keep it small. */
enum { STEP = 1 << 20 };

/* What typed reads may load of a shorter value. */
enum { LEAST = 64 };

/* Without fallocate: let the kernel fault the pages in for writing, which reports what a store could not. */
static int populate(const struct region *region, size_t from, size_t to)
{
    size_t page = page_size();

    from -= from % page;
    while (madvise((char *)region->map + from, to - from, MADV_POPULATE_WRITE) != 0) {
        if (errno == EINTR || errno == EAGAIN)
            continue;
        if (errno == EINVAL) /* before Linux 5.14 */
            return region->write_fd < 0 ? 0 : -EOPNOTSUPP;
        return -ENOSPC;
    }
    return 0;
}

static int allocate(const struct region *region, size_t from, size_t length)
{
    if (region->write_fd < 0)
        return populate(region, from, from + length);
    while (fallocate(region->write_fd, 0, (off_t)from, (off_t)length) != 0) {
        if (errno == EINTR)
            continue;
        if (errno == EOPNOTSUPP || errno == ENOSYS)
            return populate(region, from, from + length);
        return errno == ENOMEM || errno == EDQUOT ? -ENOSPC : -errno;
    }
    return 0;
}

int memory_reserve(struct region *region, unsigned slot, size_t length)
{
    size_t start = region->header.header_size + slot * (size_t)region->header.stride;
    size_t *have = &region->reserved[slot];
    size_t want = length > LEAST ? length : LEAST;
    size_t page;
    int error;

    if (want <= *have)
        return 0;
    if (region->write_fd >= 0 && !region_owns(region, region->write_fd))
        return -EBADF;
    page = page_size();
    want = (start + want + page - 1) / page * page - start; /* the page's rest comes for nothing */
    if (want > region->header.stride)
        want = (size_t)region->header.stride;
    while (*have < want) {
        size_t step = want - *have < STEP ? want - *have : STEP;

        error = allocate(region, start + *have, step);
        if (error)
            return error;
        *have += step;
    }
    return 0;
}

int memory_prefault(const struct region *region, unsigned slot, size_t length)
{
    size_t page = page_size();
    size_t from[2] = {0, (size_t)(region_slot(region, slot) - (unsigned char *)region->map)};
    size_t to[2] = {sizeof(struct layout), from[1] + length};

    for (int i = 0; i < (length > 0 ? 2 : 1); i++) {
        unsigned char *at = (unsigned char *)region->map + from[i] / page * page;
        size_t size = to[i] - from[i] / page * page;

        if (madvise(at, size, MADV_POPULATE_READ) == 0)
            continue;
        if (errno != EINVAL)
            return errno == EFAULT ? -ENOMEM : -errno;
        for (size_t done = 0; done < size; done += page)        /* before Linux 5.14: touch */
            (void)__atomic_load_n(at + done, __ATOMIC_RELAXED); /* read by nobody: no order */
    }
    return 0;
}
