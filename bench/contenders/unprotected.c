/* SPDX-License-Identifier: MIT */
/*
 * A copy without any protection: the floor of what a read costs, and the proof that the check for torn values
 * finds them where they are.
 */
#include "../contender.h"

#include "area.h"

static int create(const struct contender_setup *setup, void **store)
{
    return area_create(setup->capacity, store);
}

static ssize_t read_value(void *handle, void *buffer, size_t size)
{
    return area_read(handle, buffer, size);
}

static int write_value(void *handle, const void *value, size_t length)
{
    return area_write(handle, value, length);
}

const struct contender contender_unprotected = {
    .name = "unprotected",
    .summary = "a bare memcpy: the floor, and torn",
    .cannot_help = CONTENDER_CAN_TEAR | CONTENDER_CAN_SPOIL,
    .create = create,
    .attach = area_attach,
    .read = read_value,
    .write = write_value,
    .detach = area_detach,
    .destroy = area_destroy,
};
