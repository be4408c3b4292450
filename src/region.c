/* SPDX-License-Identifier: MIT */
/* A region's mapping: makes it, makes it read-only, marks it. */
#include "region.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "identity.h"
#include "page.h"

void region_clear(struct region *region)
{
    memset(region, 0, sizeof *region);
    region->file.write_fd = region->file.read_fd = -1;
}

unsigned char *region_slot(const struct region *region, unsigned slot)
{
    return (unsigned char *)region->map + region->header.header_size + slot * (size_t)region->header.stride;
}

/* A core dump reads the mapping, and reading a hole allocates it: one crashed worker would take the whole capacity. */
static void exclude_from_dumps(const struct region *region)
{
    size_t page = page_size();
    size_t from = (region->header.header_size + page - 1) / page * page;

    if (from < region->size)
        madvise((char *)region->map + from, region->size - from, MADV_DONTDUMP);
}

int region_map(struct region *region, int fd)
{
    int protection = region->writable ? PROT_READ | PROT_WRITE : PROT_READ;
    int flags = fd >= 0 ? MAP_SHARED : MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE;
    void *address = mmap(NULL, region->size, protection, flags, fd, 0);

    if (address == MAP_FAILED)
        return -errno;
    region->map = address;
    exclude_from_dumps(region);
    return 0;
}

void region_close(struct region *region)
{
    if (region->map)
        munmap(region->map, region->size);
    descriptor_close(&region->file, &region->file.write_fd);
    descriptor_close(&region->file, &region->file.read_fd);
    region_clear(region);
}

int region_give_up(struct region *region, int fd, int error)
{
    if (region->map)
        munmap(region->map, region->size);
    close(fd);
    region_clear(region);
    return error;
}

/* ---- giving up write access ------------------------------------------------------------------ */

/* Another thread may be about to store into the wake-up word. A thread of before a fork is not ours. */
static bool someone_registers(const struct region *region)
{
    uint64_t now = __atomic_load_n(&region->registering, __ATOMIC_SEQ_CST); /* see region_enter_wake */

    return now >> 32 == (identity_generation() & UINT32_MAX) && (uint32_t)now != 0;
}

uint32_t *region_enter_wake(struct region *region)
{
    uint64_t ours = identity_generation() << 32;
    uint64_t now = __atomic_load_n(&region->registering, __ATOMIC_RELAXED), next;

    /* seq_cst, here and in drop_write, on two words: the second of the two sees the first. Weaker, we might
     * store into a mapping that has just become read-only. */
    do
        next = (now & ~(uint64_t)UINT32_MAX) == ours ? now + 1 : ours + 1;
    while (!__atomic_compare_exchange_n(&region->registering, &now, next, true, __ATOMIC_SEQ_CST,
                                        __ATOMIC_RELAXED));
    return __atomic_load_n(&region->writable, __ATOMIC_SEQ_CST) ? &region->map->wake : NULL;
}

void region_leave_wake(struct region *region)
{
    __atomic_fetch_sub(&region->registering, 1, __ATOMIC_SEQ_CST); /* after the store into the word */
}

static int map_read_only(struct region *region)
{
    if (region->file.read_fd < 0) /* no file, or no /proc: weaker, because this process could undo it */
        return mprotect(region->map, region->size, PROT_READ) == 0 ? 0 : -errno;
    if (!descriptor_is_ours(&region->file, region->file.read_fd))
        return -EBADF;
    /* Over the old mapping, in one step: other threads may be reading. */
    if (mmap(region->map, region->size, PROT_READ, MAP_SHARED | MAP_FIXED, region->file.read_fd, 0) ==
        MAP_FAILED)
        return -errno;
    exclude_from_dumps(region);
    return 0;
}

int region_drop_write(struct region *region)
{
    int error;

    __atomic_store_n(&region->writable, false, __ATOMIC_SEQ_CST); /* pairs with region_enter_wake */
    while (someone_registers(region))
        sched_yield();
    error = map_read_only(region);
    if (error)
        __atomic_store_n(&region->writable, true, __ATOMIC_RELAXED); /* nothing has changed */
    else
        descriptor_close(&region->file, &region->file.write_fd);
    return error;
}

/* ---- marks ----------------------------------------------------------------------------------- */

uint32_t region_retire(struct region *region, uint32_t marks)
{
    /* Release: pairs with the acquire in seqshare_retired and wait. A thread that sees the mark finds the new region,
     * or none. */
    return __atomic_fetch_or(&region->map->head.retired, marks, __ATOMIC_RELEASE);
}

void region_retire_by_writing(const struct region *region, uint32_t marks)
{
    const off_t at = (off_t)offsetof(struct layout, head.retired);
    const int fd = region->file.write_fd;
    uint32_t word;

    if (descriptor_is_ours(&region->file, fd) && !descriptor_exceeds_limit((size_t)at + sizeof word) &&
        pread(fd, &word, sizeof word, at) == sizeof word) {
        word |= marks;
        (void)!pwrite(fd, &word, sizeof word,
                      at); /* else nobody learns it from the mark: they ask the name */
    }
}

void region_unmark(struct region *region, uint32_t marks)
{
    /* Release: a thread that no longer sees the bit sees the mark that was set before. */
    __atomic_fetch_and(&region->map->head.retired, ~marks, __ATOMIC_RELEASE);
}
