/* SPDX-License-Identifier: MIT */
/* The memory of contenders that guard one copy of the value with a lock. */
#include "area.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

int area_create(size_t capacity, void **area)
{
    size_t mapped = sizeof(struct area) + capacity;
    struct area *made = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (made == MAP_FAILED)
        return -errno;
    made->mapped = mapped;
    *area = made;
    return 0;
}

void area_destroy(void *area)
{
    munmap(area, ((struct area *)area)->mapped);
}

int area_attach(void *area, enum contender_access access, void **handle)
{
    (void)access;
    *handle = area;
    return 0;
}

void area_detach(void *handle)
{
    (void)handle;
}

/* The length is bounded first: without a lock (contenders/unprotected.c), or after a kill, it may be
 * anything. */
ssize_t area_read(const struct area *area, void *buffer, size_t size)
{
    size_t length = area->length;

    if (length == 0)
        return -ENODATA;
    if (length > size)
        return -ENOBUFS;
    memcpy(buffer, area->bytes, length);
    return (ssize_t)length;
}

int area_write(struct area *area, const void *value, size_t length)
{
    if (length > area->mapped - sizeof *area)
        return -EMSGSIZE;
    area->length = length;
    memcpy(area->bytes, value, length);
    return 0;
}
