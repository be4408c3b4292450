/* SPDX-License-Identifier: MIT */
/*
 * What the kernel itself offers to wake sleeping readers, beside a plain copy that nothing guards: a futex,
 * which all of them sleep on, and an eventfd for each of them, as an event loop would have it. The writer
 * wakes after each write, whether somebody sleeps or not.
 */
#include "../contender.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../clock.h"
#include "area.h"

enum { READERS_MAX = 32 };

/* In the place of the area's lock. */
struct bell {
    uint32_t count;           /* of writes */
    _Atomic uint32_t readers; /* that have attached */
    uint8_t descriptors;
    int descriptor[READERS_MAX];
};

_Static_assert(sizeof(struct bell) <= sizeof((struct area *)0)->lock, "the bell fits");

struct sleeper {
    struct area *area;
    struct bell *bell;
    uint32_t seen;  /* of the bell's count */
    int descriptor; /* its own */
};

static struct bell *bell_of(void *area)
{
    return (struct bell *)(void *)((struct area *)area)->lock;
}

static uint32_t count_of(const struct bell *bell)
{
    return __atomic_load_n(&bell->count, __ATOMIC_ACQUIRE); /* and so the value that was there before */
}

static int create_futex(const struct contender_setup *setup, void **store)
{
    return area_create(setup->capacity, store);
}

static void destroy_eventfd(void *store)
{
    const struct bell *bell = bell_of(store);

    for (unsigned i = 0; i < bell->descriptors; i++)
        close(bell->descriptor[i]);
    area_destroy(store);
}

static int create_eventfd(const struct contender_setup *setup, void **store)
{
    int error = setup->readers > READERS_MAX ? -EUSERS : area_create(setup->capacity, store);

    if (error != 0)
        return error;
    for (unsigned i = 0; i < setup->readers; i++) {
        int made = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

        if (made < 0) {
            error = -errno;
            destroy_eventfd(*store);
            return error;
        }
        bell_of(*store)->descriptor[bell_of(*store)->descriptors++] = made;
    }
    return 0;
}

static int attach(void *store, enum contender_access access, void **handle)
{
    struct sleeper *made = malloc(sizeof *made);
    struct bell *bell = bell_of(store);

    if (!made)
        return -ENOMEM;
    *made = (struct sleeper){.area = store, .bell = bell, .descriptor = -1};
    made->seen = count_of(bell);
    if (access == CONTENDER_READER && bell->descriptors > 0)
        made->descriptor = bell->descriptor[atomic_fetch_add(&bell->readers, 1) % bell->descriptors];
    *handle = made;
    return 0;
}

static ssize_t read_value(void *handle, void *buffer, size_t size)
{
    return area_read(((struct sleeper *)handle)->area, buffer, size);
}

static int write_and_wake(void *handle, const void *value, size_t length)
{
    struct sleeper *mine = handle;
    int error = area_write(mine->area, value, length);

    __atomic_fetch_add(&mine->bell->count, 1, __ATOMIC_RELEASE); /* count_of's partner */
    syscall(SYS_futex, &mine->bell->count, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
    return error;
}

static int await_futex(void *handle, int64_t ns)
{
    struct sleeper *mine = handle;
    const long limit[] = {(long)(ns / SECOND), (long)(ns % SECOND)}; /* as the kernel reads them */
    uint32_t count = count_of(mine->bell);

    if (count == mine->seen)
        syscall(SYS_futex, &mine->bell->count, FUTEX_WAIT, count, limit, NULL, 0);
    count = count_of(mine->bell);
    if (count == mine->seen)
        return -ETIMEDOUT;
    mine->seen = count;
    return 0;
}

static int write_and_ring(void *handle, const void *value, size_t length)
{
    const struct sleeper *mine = handle;
    int error = area_write(mine->area, value, length);
    const uint64_t once = 1;

    for (unsigned i = 0; i < mine->bell->descriptors && error == 0; i++)
        if (write(mine->bell->descriptor[i], &once, sizeof once) != sizeof once)
            error = -errno;
    return error;
}

static int await_eventfd(void *handle, int64_t ns)
{
    const struct sleeper *mine = handle;
    struct pollfd event = {.fd = mine->descriptor, .events = POLLIN};
    uint64_t count;

    if (poll(&event, 1, (int)(ns / MILLISECOND)) <= 0)
        return -ETIMEDOUT;
    return read(mine->descriptor, &count, sizeof count) == sizeof count || errno == EAGAIN ? 0 : -errno;
}

const struct contender contender_futex = {
    .name = "futex",
    .summary = "a futex that readers sleep on; the writer wakes all after each write",
    .part = CONTENDER_WAKES,
    .cannot_help = CONTENDER_CAN_TEAR | CONTENDER_CAN_SPOIL,
    .create = create_futex,
    .attach = attach,
    .read = read_value,
    .write = write_and_wake,
    .await = await_futex,
    .detach = free,
    .destroy = area_destroy,
};

const struct contender contender_eventfd = {
    .name = "eventfd",
    .summary = "an eventfd for each reader, which polls it; the writer writes to all after each write",
    .part = CONTENDER_WAKES,
    .cannot_help = CONTENDER_CAN_TEAR | CONTENDER_CAN_SPOIL,
    .create = create_eventfd,
    .attach = attach,
    .read = read_value,
    .write = write_and_ring,
    .await = await_eventfd,
    .detach = free,
    .destroy = destroy_eventfd,
};
