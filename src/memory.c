/* SPDX-License-Identifier: MIT */
/* Allocates the memory of a value before a writer stores it, and tells readers how much there is. */
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include "page.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif

/* Before Linux 6.11 an interrupted fallocate undoes all its work: ask for little at a time. */
enum { STEP = 1 << 20 };

/* Without fallocate: let the kernel fault the pages in for writing, which returns an error where a store would kill. */
static int populate(const struct region *region, size_t from, size_t to)
{
    size_t page = page_size();

    from -= from % page;
    while (madvise((char *)region->map + from, to - from, MADV_POPULATE_WRITE) != 0) {
        if (errno == EINTR || errno == EAGAIN)
            continue;
        if (errno == EINVAL) /* before Linux 5.14 */
            return region->file.write_fd < 0 ? 0 : -EOPNOTSUPP;
        return -ENOSPC;
    }
    return 0;
}

static int allocate(const struct region *region, size_t from, size_t length)
{
    if (region->file.write_fd < 0)
        return populate(region, from, from + length);
    while (fallocate(region->file.write_fd, 0, (off_t)from, (off_t)length) != 0) {
        if (errno == EINTR)
            continue;
        if (errno == EOPNOTSUPP || errno == ENOSYS)
            return populate(region, from, from + length);
        return errno == ENOMEM || errno == EDQUOT ? -ENOSPC : -errno;
    }
    return 0;
}

/*
 * Allocated memory that nobody has touched counts as a hole if a reader asks for holes, and fill may publish bytes that
 * it has not written. So we touch each page, with a store that changes nothing: readers of an older version may be in
 * this slot, and their bytes must stay. Relaxed: W2, which follows, orders it for readers (seqshare_holds).
 */
static void touch(const struct region *region, size_t from, size_t length)
{
    const size_t page = page_size();
    unsigned char *bytes = (unsigned char *)region->map, nothing = 0;

    /* From here on the compiler does not know the value: clang turns a store that changes nothing into a load, even a
     * volatile one. */
    __asm__("" : "+r"(nothing));
    for (size_t at = from; at < from + length; at = (at / page + 1) * page)
        __atomic_fetch_or(bytes + at, nothing, __ATOMIC_RELAXED);
}

int memory_reserve_more(struct region *region, unsigned slot, size_t length)
{
    size_t start = region->header.header_size + slot * (size_t)region->header.stride;
    size_t *have = &region->reserved[slot];
    size_t want = length, page;
    int error;

    if (region->file.write_fd >= 0 && !descriptor_is_ours(&region->file, region->file.write_fd))
        return -EBADF;
    page = page_size();
    want = (start + want + page - 1) / page * page - start; /* the rest of the page costs nothing more */
    if (want > region->header.stride)
        want = (size_t)region->header.stride;
    while (*have < want) {
        size_t step = want - *have < STEP ? want - *have : STEP;

        error = allocate(region, start + *have, step);
        if (error)
            return error;
        touch(region, start + *have, step);
        *have += step;
    }
    return 1;
}

/* The rest of this page may not be mapped, but the kernel returns an error, and does not kill. Old ones: EINVAL. */
static bool fault_in(const struct region *region, size_t from, size_t length)
{
    const size_t page = page_size();
    const size_t start = from / page * page, end = from + length;

    for (size_t at = start; at < end; at += STEP)
        while (madvise((char *)region->map + at, end - at < STEP ? end - at : STEP, MADV_POPULATE_READ) != 0)
            if (errno != EINTR && errno != EAGAIN)
                return errno == EINVAL;
    return true;
}

size_t memory_held(const struct region *region, unsigned slot, size_t wanted)
{
    const size_t start = region->header.header_size + slot * (size_t)region->header.stride;
    const int fd = descriptor_for_reading(&region->file);
    off_t hole = fd < 0 ? -1 : lseek(fd, (off_t)start, SEEK_HOLE);

    if (hole >= (off_t)start)
        return (size_t)(hole - (off_t)start);
    if (fd >= 0 && errno == ENXIO)
        return 0; /* the file ends before */
    /* No descriptor (closed, or there is no file), or a file system that cannot tell: have it faulted in. That
     * may allocate, as reading would; but if it cannot, it is an error and not a signal. */
    return fault_in(region, start, wanted) ? wanted : 0;
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
            (void)__atomic_load_n(at + done, __ATOMIC_RELAXED); /* nobody reads it: no order */
    }
    return 0;
}
