/* SPDX-License-Identifier: MIT */
/*
 * liburcu, in the threads of one process: the value is read behind a pointer, a writer puts another pointer
 * there and waits until nobody can be reading the old value any more. Its memory is then for the next one.
 * (With call_rcu it would not wait; but a writer that is faster than its readers would fill the memory with
 * old values.)
 *
 * The flavour is memb, which the manual prefers and which suits a server. qsbr's sections cost nothing, but
 * every thread must then keep telling that it uses nothing, even while it waits for a request: one that does
 * not holds up the writer, without end. Sections are inline (_LGPL_SOURCE), as the manual says for speed,
 * and its headers allow for functions as short as these.
 */
#include "../contender.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define _LGPL_SOURCE
#include <urcu/urcu-memb.h>

struct value {
    size_t length;
    _Alignas(64) unsigned char bytes[];
};

struct store {
    pthread_mutex_t writers;
    size_t capacity;
    struct value *spare;
    _Alignas(128) struct value *current;
};

/* A thread is registered once, whatever it attaches. */
static _Thread_local unsigned attached;

static void destroy(void *store)
{
    struct store *mine = store;

    free(mine->current);
    free(mine->spare);
    pthread_mutex_destroy(&mine->writers);
    free(mine);
}

static struct value *new_value(size_t capacity)
{
    struct value *value = aligned_alloc(64, (sizeof *value + capacity + 63) / 64 * 64);

    if (value)
        value->length = 0; /* nothing written yet */
    return value;
}

static int create(const struct contender_setup *setup, void **store)
{
    struct store *made = aligned_alloc(_Alignof(struct store), sizeof *made);

    if (!made)
        return -ENOMEM;
    *made = (struct store){.capacity = setup->capacity,
                           .spare = new_value(setup->capacity),
                           .current = new_value(setup->capacity)};
    pthread_mutex_init(&made->writers, NULL);
    if (!made->spare || !made->current) {
        destroy(made);
        return -ENOMEM;
    }
    *store = made;
    return 0;
}

static int attach(void *store, enum contender_access access, void **handle)
{
    (void)access;
    if (attached++ == 0)
        urcu_memb_register_thread();
    *handle = store;
    return 0;
}

static void detach(void *handle)
{
    (void)handle;
    if (--attached == 0)
        urcu_memb_unregister_thread();
}

static ssize_t borrow(void *handle, const void **bytes)
{
    struct store *store = handle;
    const struct value *value;

    urcu_memb_read_lock();
    value = rcu_dereference(store->current);
    if (value->length == 0) {
        urcu_memb_read_unlock();
        return -ENODATA;
    }
    *bytes = value->bytes;
    return (ssize_t)value->length;
}

/* Nobody writes to a value that can be read. */
static bool give_back(void *handle)
{
    (void)handle;
    urcu_memb_read_unlock();
    return true;
}

static ssize_t read_value(void *handle, void *buffer, size_t size)
{
    const void *bytes;
    ssize_t length = borrow(handle, &bytes);

    if (length < 0)
        return length;
    if ((size_t)length > size)
        length = -ENOBUFS;
    else
        memcpy(buffer, bytes, (size_t)length);
    give_back(handle);
    return length;
}

static int write_value(void *handle, const void *bytes, size_t length)
{
    struct store *store = handle;

    if (length > store->capacity)
        return -EMSGSIZE;
    pthread_mutex_lock(&store->writers);
    memcpy(store->spare->bytes, bytes, length);
    store->spare->length = length;
    store->spare = rcu_xchg_pointer(&store->current, store->spare);
    urcu_memb_synchronize_rcu();
    pthread_mutex_unlock(&store->writers);
    return 0;
}

const struct contender contender_liburcu = {
    .name = "liburcu",
    .summary = "liburcu in threads of one process, a copy in a read-side section",
    .cannot_help = CONTENDER_IN_THREADS,
    .create = create,
    .attach = attach,
    .read = read_value,
    .write = write_value,
    .borrow = borrow,
    .give_back = give_back,
    .detach = detach,
    .destroy = destroy,
};
