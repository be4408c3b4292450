/* SPDX-License-Identifier: MIT */
/*
 * memcached over a Unix socket: the way without TCP that its manual has for one machine. Its limit of 1 MiB
 * for an item, with what memcached adds to a value, is raised so that the longest fits; none is evicted; and
 * it has as many threads as there are processors, more being no use says the manual. The protocol is the
 * text one, the client's default; the binary one is not faster. Every process has a connection of its own.
 */
#include "../contender.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libmemcached/memcached.h>

#include "../process.h"
#include "server.h"

static const char key[] = "settings";

static int start(const struct contender_setup *setup, struct server *server)
{
    const size_t mebibyte = 1024 * 1024, added = 4096;
    size_t longest = (setup->capacity + added) / mebibyte + 1;
    char item[32], memory[32], threads[32];
    char *arguments[] = {
        "memcached", "-s",   server->socket, "-t", threads, "-I", item,
        "-m",        memory, "-M",           "-u", "root",  NULL}; /* -u: if the bench is root's */

    snprintf(item, sizeof item, "%zum", longest);
    snprintf(memory, sizeof memory, "%zu", 64 + 16 * longest);
    snprintf(threads, sizeof threads, "%u", processor_count());
    return server_start(server, arguments);
}

static int create(const struct contender_setup *setup, void **store)
{
    return server_create(setup, start, store);
}

static int attach(void *store, enum contender_access access, void **handle)
{
    memcached_st *connection = memcached_create(NULL);

    (void)access;
    if (!connection)
        return -ENOMEM;
    if (memcached_server_add_unix_socket(connection, ((struct server *)store)->socket) != MEMCACHED_SUCCESS) {
        memcached_free(connection);
        return -ECONNREFUSED;
    }
    *handle = connection;
    return 0;
}

static void detach(void *handle)
{
    memcached_free(handle);
}

static ssize_t read_value(void *handle, void *buffer, size_t size)
{
    memcached_return_t result;
    uint32_t flags;
    size_t length;
    char *value = memcached_get(handle, key, sizeof key - 1, &length, &flags, &result);

    if (!value)
        return result == MEMCACHED_NOTFOUND ? -ENODATA : -EIO;
    if (length <= size)
        memcpy(buffer, value, length);
    free(value);
    return length <= size ? (ssize_t)length : -ENOBUFS;
}

static int write_value(void *handle, const void *value, size_t length)
{
    return memcached_set(handle, key, sizeof key - 1, value, length, 0, 0) == MEMCACHED_SUCCESS ? 0 : -EIO;
}

const struct contender contender_memcached = {
    .name = "memcached",
    .summary = "memcached over a Unix socket, get on every request",
    .cannot_help = CONTENDER_CAN_WAIT | CONTENDER_READ_CALLS,
    .create = create,
    .attach = attach,
    .read = read_value,
    .write = write_value,
    .detach = detach,
    .destroy = server_destroy,
};
