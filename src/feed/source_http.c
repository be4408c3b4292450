/* SPDX-License-Identifier: MIT */
/*
 * The source HTTP(S): one document, asked for at an interval with the ETag of what we have. An ETag that is still
 * the same proves nothing when a body comes with it: bodies are compared.
 */
#include <errno.h>
#include <string.h>

#include "http_fetch.h"
#include "source.h"

struct http {
    struct source source; /* must be first */
    struct http_fetch fetch;
    char etag[HTTP_ETAG_SIZE]; /* of what the agent has; empty: none */
    bool away;                 /* so the next call of follow asks at once */
    struct loop_timer start;
};

enum { INTERVAL_SPREAD = 10 };

static struct http *http_of(struct source *source)
{
    return (struct http *)source; /* its first member */
}

/* ---- what comes ---- */

/* The value that the agent has; NULL: none. */
static const struct key *standing(const struct http *http)
{
    const struct keys *ours = http->source.ours;

    return ours && ours->count > 0 ? &ours->list[0] : NULL;
}

static void go_away(struct http *http, int64_t wait, const char *why)
{
    const struct config_endpoint *endpoint = &http->source.config->endpoints[http->fetch.endpoint];

    http->away = true;
    http_fetch_turn(&http->fetch);
    source_away(&http->source, wait, "%s:%u: %s", endpoint->host, endpoint->port, why);
}

/* `value` NULL: there is none. */
static void report(struct http *http, const char *value, size_t size)
{
    const struct key *key = standing(http);
    struct keys *keys;

    if (http->source.ours &&
        (value ? key && key->size == size && memcmp(key->value, value, size) == 0 : !key)) {
        source_proven(&http->source, 0, 0);
        return;
    }
    keys = keys_new(config_gather_limit(http->source.config));
    if (!keys || (value && keys_put(keys, "", 0, value, size, 0) != 0)) {
        keys_free(keys);
        go_away(http, 0, strerror(ENOMEM));
        return;
    }
    source_listed(&http->source, keys);
}

static void on_done(void *context)
{
    struct http *http = context;
    struct http_fetch *fetch = &http->fetch;

    if (fetch->outcome == HTTP_FAILED) {
        go_away(http, fetch->wait, fetch->why);
        return;
    }
    http->away = false;
    switch (fetch->outcome) {
    case HTTP_BODY:
        memcpy(http->etag, fetch->etag, sizeof(http->etag));
        report(http, fetch->body, fetch->size);
        break;
    case HTTP_NOTHING:
        http->etag[0] = 0;
        report(http, NULL, 0);
        break;
    case HTTP_SAME:
        source_proven(&http->source, 0, 0);
        break;
    default:
        source_refused(&http->source, 0, "the answer has more than the %zu bytes that may be gathered",
                       fetch->limit);
    }
}

/* ---- what the agent asks for ---- */

static void on_start(void *context)
{
    struct http *http = context;

    if (!http->fetch.running)
        http_fetch_start(&http->fetch, http->source.ours && http->etag[0] ? http->etag : NULL);
}

static void ask(struct http *http)
{
    loop_after(http->source.loop, &http->start, 0);
}

static void http_list(struct source *source)
{
    struct http *http = http_of(source);

    http_fetch_stop(&http->fetch);
    http->etag[0] = 0;
    ask(http);
}

static void http_follow(struct source *source)
{
    struct http *http = http_of(source);

    if (http->away)
        ask(http);
}

static void http_prove(struct source *source)
{
    ask(http_of(source));
}

static int http_open(struct source *source)
{
    struct http *http = http_of(source);

    http->start.due = on_start;
    http->start.context = http;
    http->fetch.loop = source->loop;
    http->fetch.config = source->config;
    http->fetch.done = on_done;
    http->fetch.context = http;
    http->fetch.connects = &source->counts.connects;
    http->fetch.received = &source->counts.received_bytes;
    source->prove_every = source->config->interval;
    source->prove_spread = INTERVAL_SPREAD;
    return http_fetch_open(&http->fetch);
}

static void http_close(struct source *source)
{
    struct http *http = http_of(source);

    loop_cancel(source->loop, &http->start);
    http_fetch_close(&http->fetch);
}

static const char *const schemes[] = {"http", "https", NULL};

const struct source_type source_http = {
    .schemes = schemes,
    .size = sizeof(struct http),
    .open = http_open,
    .list = http_list,
    .follow = http_follow,
    .prove = http_prove,
    .close = http_close,
};
