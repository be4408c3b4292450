/* SPDX-License-Identifier: MIT */
/* The bytes of the fuzzer, fenced mappings, and the enemy who writes into the region. */
#include "enemy.h"

#include <errno.h>
#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "identity.h"
#include "layout.h"

uint64_t take(struct input *input, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < bytes && input->at < input->end; i++)
        value |= (uint64_t)*input->at++ << 8 * i;
    return value;
}

/* ---- mappings: the linker sends the library's calls of mmap and munmap here ---- */

enum { PAGE = 4096, MOST = 16 };

static struct {
    char *address;
    size_t size;
} maps[MOST];

void *__real_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);
int __real_munmap(void *address, size_t size);
int __wrap_munmap(void *address, size_t size);

static size_t pages(size_t size)
{
    return (size + PAGE - 1) / PAGE * PAGE;
}

/* The rest of the last page belongs to the mapping, and to nobody else. */
static void poison_rest(char *address, size_t size)
{
    __asan_poison_memory_region(address + size, pages(size) - size);
}

/* A page that cannot be touched before it, and one behind. */
static void *map_fenced(size_t size, int protection, int flags, int fd, off_t offset)
{
    size_t all = pages(size) + 2 * PAGE;
    char *fence = __real_mmap(NULL, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    int saved;

    if (fence == MAP_FAILED)
        return MAP_FAILED;
    if (__real_mmap(fence + PAGE, size, protection, flags | MAP_FIXED, fd, offset) != MAP_FAILED) {
        poison_rest(fence + PAGE, size);
        return fence + PAGE;
    }
    saved = errno;
    __real_munmap(fence, all);
    errno = saved;
    return MAP_FAILED;
}

void *__wrap_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    void *result;
    unsigned i = 0;

    if (!(flags & MAP_SHARED)) /* not a region */
        return __real_mmap(address, size, protection, flags, fd, offset);
    if (flags & MAP_FIXED) { /* over one that is there */
        if (!mapped(address, size))
            abort();
        result = __real_mmap(address, size, protection, flags, fd, offset);
        poison_rest(address, size);
        return result;
    }
    while (maps[i].address)
        if (++i == MOST)
            abort();
    result = map_fenced(size, protection, flags, fd, offset);
    if (result != MAP_FAILED) {
        maps[i].address = result;
        maps[i].size = size;
    }
    return result;
}

int __wrap_munmap(void *address, size_t size)
{
    for (unsigned i = 0; i < MOST; i++) {
        if (!maps[i].address || maps[i].address != address)
            continue;
        if (maps[i].size != size)
            abort();
        maps[i].address = NULL;
        __asan_unpoison_memory_region(address, pages(size));
        return __real_munmap((char *)address - PAGE, pages(size) + 2 * PAGE);
    }
    return __real_munmap(address, size);
}

bool mapped(const void *at, size_t size)
{
    for (unsigned i = 0; i < MOST; i++) {
        if (maps[i].address && (uintptr_t)at >= (uintptr_t)maps[i].address &&
            (uintptr_t)at - (uintptr_t)maps[i].address <= maps[i].size &&
            size <= maps[i].size - ((uintptr_t)at - (uintptr_t)maps[i].address))
            return true;
    }
    return false;
}

unsigned mappings(void)
{
    unsigned count = 0;

    for (unsigned i = 0; i < MOST; i++)
        count += maps[i].address != NULL;
    return count;
}

/* ---- the enemy ---- */

static const struct {
    uint16_t offset, size;
} fields[] = {
    {offsetof(struct layout, head.sequence), 8},
    {offsetof(struct layout, head.slot[0].length), 8},
    {offsetof(struct layout, head.slot[0].tag), 4},
    {offsetof(struct layout, head.slot[1].length), 8},
    {offsetof(struct layout, head.slot[1].tag), 4},
    {offsetof(struct layout, head.slot[2].length), 8},
    {offsetof(struct layout, head.slot[7].length), 8},
    {offsetof(struct layout, head.retired), 4},
    {offsetof(struct layout, lock.owner), 8},
    {offsetof(struct layout, lock.state), 8},
    {offsetof(struct layout, wake), 4},
    {offsetof(struct layout, note[1].published), 8},
    {offsetof(struct layout, header.magic), 8},
    {offsetof(struct layout, header.layout), 4},
    {offsetof(struct layout, header.readable_by), 4},
    {offsetof(struct layout, header.byte_order), 4},
    {offsetof(struct layout, header.header_size), 4},
    {offsetof(struct layout, header.capacity), 8},
    {offsetof(struct layout, header.stride), 8},
    {offsetof(struct layout, header.slots), 4},
    {offsetof(struct layout, header.region_id), 16},
    {offsetof(struct layout, header.boot_id), 16},
    {offsetof(struct layout, header.pid_namespace), 8},
    {offsetof(struct layout, header.time_namespace), 8},
};

/* Where arithmetic turns over, and what lies beside our own sizes. */
static const uint64_t edges[] = {
    0,
    1,
    2,
    3,
    4,
    8,
    64,
    127,
    128,
    256,
    4095,
    4096,
    4097,
    8192,
    1 << 20,
    UINT32_MAX,
    UINT64_C(1) << 31,
    UINT64_C(1) << 32,
    INT64_MAX,
    UINT64_C(1) << 61,
    UINT64_C(1) << 62,
    UINT64_C(1) << 63,
    (UINT64_C(1) << 63) + 128,
    UINT64_MAX - 4095,
    UINT64_MAX - 127,
    UINT64_MAX - 1,
    UINT64_MAX,
};

struct patch patch_choose(struct input *input, int fd)
{
    size_t field = take(input, 1) % (sizeof fields / sizeof *fields);
    struct patch patch = {fields[field].offset, fields[field].size, {0}};
    unsigned how = (unsigned)take(input, 1);
    uint64_t value = 0;

    if (pread(fd, &value, patch.size < 8 ? patch.size : 8, patch.at) < 0)
        abort();
    switch (how % 8) {
    case 0:
        value = edges[take(input, 1) % (sizeof edges / sizeof *edges)];
        break;
    case 1:
        value += (uint64_t)(int64_t)(int8_t)take(input, 1);
        break;
    case 2:
        value ^= UINT64_C(1) << take(input, 1) % 64;
        break;
    case 3: /* we ourselves, with all that may stand beside */
        value = identity_get()->owner | (how & 8 ? STATE_BUSY : 0) | (how & 16 ? OWNER_WAITERS : 0);
        break;
    case 4: /* somebody who lives */
        value = (uint64_t)getppid() | (how & 8 ? OWNER_WAITERS : 0);
        break;
    default:
        value = take(input, how & 8 ? 8 : 2);
    }
    memcpy(patch.bytes, &value, 8);
    memcpy(patch.bytes + 8, &value, 8);
    return patch;
}

void patch_apply(const struct patch *patch, int fd)
{
    if (pwrite(fd, patch->bytes, patch->size, patch->at) != (ssize_t)patch->size)
        abort();
}

static struct {
    pthread_t thread;
    struct patch patches[8];
    unsigned count;
    int fd;
    bool begun, stop; /* atomic */
} scribbler;

static void *scribble(void *nothing)
{
    while (!__atomic_load_n(&scribbler.stop, __ATOMIC_RELAXED)) {
        for (unsigned i = 0; i < scribbler.count; i++)
            patch_apply(&scribbler.patches[i], scribbler.fd);
        __atomic_store_n(&scribbler.begun, true, __ATOMIC_RELAXED);
    }
    return nothing;
}

void scribble_start(const struct patch *patches, unsigned count, int fd)
{
    memcpy(scribbler.patches, patches, count * sizeof *patches);
    scribbler.count = count;
    scribbler.fd = fd;
    scribbler.begun = scribbler.stop = false; /* there is no such thread yet */
    if (pthread_create(&scribbler.thread, NULL, scribble, NULL) != 0)
        abort();
    while (!__atomic_load_n(&scribbler.begun, __ATOMIC_RELAXED))
        sched_yield();
}

void scribble_stop(void)
{
    __atomic_store_n(&scribbler.stop, true, __ATOMIC_RELAXED);
    if (pthread_join(scribbler.thread, NULL) != 0)
        abort();
}
