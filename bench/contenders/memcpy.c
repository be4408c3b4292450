/* SPDX-License-Identifier: MIT */
/*
 * The yardstick: libc's memcpy of as many bytes from shared memory, without protection and without even a
 * length to look up. A contender that copies with it, like most of the others, cannot be faster; seqshare has a copy
 * of its own. The compiler does not know that it is memcpy, so that it neither puts another copy in its place
 * nor takes it out of a loop.
 */
#include "../contender.h"

#include <errno.h>
#include <string.h>

#include "area.h"

typedef void *copy(void *to, const void *from, size_t length);

static copy *volatile hidden_copy = memcpy;

static int create(const struct contender_setup *setup, void **store)
{
    return area_create(setup->capacity, store);
}

/* As many bytes as were asked for: what is measured here has values of one length. */
static ssize_t read_value(void *handle, void *buffer, size_t size)
{
    const struct area *area = handle;

    hidden_copy(buffer, area->bytes, size);
    return (ssize_t)size;
}

static int write_value(void *handle, const void *value, size_t length)
{
    struct area *area = handle;

    if (length > area->mapped - sizeof *area)
        return -EMSGSIZE;
    hidden_copy(area->bytes, value, length);
    return 0;
}

static ssize_t borrow(void *handle, const void **value)
{
    const struct area *area = handle;

    *value = area->bytes;
    return (ssize_t)(area->mapped - sizeof *area);
}

/* Nobody could tell. */
static bool give_back(void *handle)
{
    (void)handle;
    return true;
}

const struct contender contender_memcpy = {
    .name = "memcpy",
    .summary = "libc's memcpy from shared memory, unprotected: the yardstick",
    .cannot_help = CONTENDER_CAN_TEAR | CONTENDER_CAN_SPOIL,
    .create = create,
    .attach = area_attach,
    .read = read_value,
    .write = write_value,
    .borrow = borrow,
    .give_back = give_back,
    .detach = area_detach,
    .destroy = area_destroy,
};
