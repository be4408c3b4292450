/* SPDX-License-Identifier: MIT */
/*
 * Redis over a Unix socket, which its documentation calls faster than TCP on one machine; nothing is saved.
 * Every process has a connection of its own, blocking, as a worker would. The reader's buffer is kept
 * between large replies, as hiredis's manual says for these.
 */
#include "../contender.h"

#include <errno.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "server.h"

static int start(const struct contender_setup *setup, struct server *server)
{
    char *arguments[] = {"redis-server", "--unixsocket", server->socket, "--port", "0",
                         "--appendonly", "no",           "--save",       "",       NULL};

    (void)setup;
    return server_start(server, arguments);
}

static int create(const struct contender_setup *setup, void **store)
{
    return server_create(setup, start, store);
}

static int attach(void *store, enum contender_access access, void **handle)
{
    redisContext *connection = redisConnectUnix(((struct server *)store)->socket);

    (void)access;
    if (!connection)
        return -ENOMEM;
    if (connection->err) {
        redisFree(connection);
        return -ECONNREFUSED;
    }
    connection->reader->maxbuf = 0;
    *handle = connection;
    return 0;
}

static void detach(void *handle)
{
    redisFree(handle);
}

static ssize_t copy(const redisReply *reply, void *buffer, size_t size)
{
    if (!reply)
        return -EIO;
    if (reply->type == REDIS_REPLY_NIL)
        return -ENODATA;
    if (reply->type != REDIS_REPLY_STRING)
        return -EPROTO;
    if (reply->len > size)
        return -ENOBUFS;
    memcpy(buffer, reply->str, reply->len);
    return (ssize_t)reply->len;
}

static ssize_t read_value(void *handle, void *buffer, size_t size)
{
    redisReply *reply = redisCommand(handle, "GET settings");
    ssize_t length = copy(reply, buffer, size);

    freeReplyObject(reply);
    return length;
}

static int write_value(void *handle, const void *value, size_t length)
{
    redisReply *reply = redisCommand(handle, "SET settings %b", value, length);
    int error = !reply ? -EIO : reply->type == REDIS_REPLY_STATUS ? 0 : -EPROTO;

    freeReplyObject(reply);
    return error;
}

const struct contender contender_redis = {
    .name = "redis",
    .summary = "Redis over a Unix socket, GET on every request",
    .cannot_help = CONTENDER_CAN_WAIT | CONTENDER_READ_CALLS,
    .create = create,
    .attach = attach,
    .read = read_value,
    .write = write_value,
    .detach = detach,
    .destroy = server_destroy,
};
