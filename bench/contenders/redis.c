/* SPDX-License-Identifier: MIT */
/*
 * Redis over a Unix socket, which its documentation calls faster than TCP on one machine; nothing is saved.
 * Every process has a connection of its own, blocking, as a worker would. The reader's buffer is kept
 * between large replies, as hiredis's manual says for these.
 */
#include "../contender.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "../clock.h"
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

/* ---- with publish and subscribe: a write tells the subscribers as well, and a reader sleeps until then ---- */

struct subscriber {
    redisContext *connection, *news;
};

static int subscribe(redisContext *news)
{
    redisReply *reply = redisCommand(news, "SUBSCRIBE news");
    int error = reply && reply->type == REDIS_REPLY_ARRAY ? 0 : -EPROTO;

    freeReplyObject(reply);
    return error;
}

static void detach_subscriber(void *handle)
{
    struct subscriber *mine = handle;

    redisFree(mine->connection);
    redisFree(mine->news);
    free(mine);
}

static int attach_subscriber(void *store, enum contender_access access, void **handle)
{
    struct subscriber *made = calloc(1, sizeof *made);
    int error;

    if (!made)
        return -ENOMEM;
    error = attach(store, access, (void **)&made->connection);
    if (error == 0 && access == CONTENDER_READER)
        error = attach(store, access, (void **)&made->news);
    if (error == 0 && made->news)
        error = subscribe(made->news);
    if (error != 0)
        detach_subscriber(made);
    else
        *handle = made;
    return error;
}

static ssize_t read_subscribed(void *handle, void *buffer, size_t size)
{
    return read_value(((struct subscriber *)handle)->connection, buffer, size);
}

/* In one go, as its documentation on pipelining says. */
static int write_and_publish(void *handle, const void *value, size_t length)
{
    redisContext *connection = ((struct subscriber *)handle)->connection;
    int error = 0;

    redisAppendCommand(connection, "SET settings %b", value, length);
    redisAppendCommand(connection, "PUBLISH news now");
    for (int i = 0; i < 2 && error == 0; i++) {
        redisReply *reply = NULL;

        if (redisGetReply(connection, (void **)&reply) != REDIS_OK || reply->type == REDIS_REPLY_ERROR)
            error = -EIO;
        freeReplyObject(reply);
    }
    return error;
}

static int await_news(void *handle, int64_t ns)
{
    redisContext *news = ((struct subscriber *)handle)->news;
    struct pollfd socket = {.fd = news->fd, .events = POLLIN};
    void *reply = NULL;

    if (redisGetReplyFromReader(news, &reply) != REDIS_OK)
        return -EIO;
    if (!reply && poll(&socket, 1, (int)(ns / MILLISECOND)) <= 0)
        return -ETIMEDOUT;
    if (!reply && redisGetReply(news, &reply) != REDIS_OK)
        return -EIO;
    freeReplyObject(reply);
    return 0;
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

const struct contender contender_redis_pubsub = {
    .name = "redis-pubsub",
    .summary = "the same, SET and PUBLISH on every write: readers sleep in SUBSCRIBE",
    .part = CONTENDER_WAKES,
    .cannot_help = CONTENDER_CAN_WAIT | CONTENDER_READ_CALLS,
    .create = create,
    .attach = attach_subscriber,
    .read = read_subscribed,
    .write = write_and_publish,
    .await = await_news,
    .detach = detach_subscriber,
    .destroy = server_destroy,
};
