/* SPDX-License-Identifier: MIT */
/*
 * One document over HTTP(S): its redirects are followed, but to no other host, and what comes is bounded in size and
 * in time. The source HTTP asks again and again; here is how it asks once.
 */
#ifndef SEQSHARE_FEED_HTTP_FETCH_H
#define SEQSHARE_FEED_HTTP_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "loop.h"
#include "resolve.h"
#include "transfer.h"

enum http_outcome {
    HTTP_BODY,     /* body, size, etag */
    HTTP_SAME,     /* 304: what we had */
    HTTP_NOTHING,  /* there is none: 404, 410, or no body */
    HTTP_TOO_LONG, /* it is there, and has more than may be gathered */
    HTTP_FAILED    /* why, wait */
};

enum { HTTP_ETAG_SIZE = 1024, HTTP_WHY_SIZE = 400 };

struct http_fetch {
    /* The owner's; all else is zero at first. */
    struct loop *loop;
    const struct config *config;
    void (*done)(void *context); /* from the loop, once for each http_fetch_start */
    void *context;
    uint64_t *connects, *received;

    /* The result. */
    enum http_outcome outcome;
    char *body; /* a zero byte behind it */
    size_t size;
    char etag[HTTP_ETAG_SIZE]; /* empty: none */
    int64_t wait;              /* not before this time: Retry-After */
    char why[HTTP_WHY_SIZE];

    /* http_fetch.c's own. */
    struct resolve *hosts; /* one for each endpoint */
    struct resolve proxy;
    char *proxy_url; /* of the environment; NULL: none, or not for us */
    char *proxy_host;
    unsigned proxy_port;
    size_t endpoint;
    char *url;
    unsigned redirects;
    struct transfer transfer;
    struct transfer_peer peer;
    struct transfer_job job;
    struct curl_slist *headers;
    const char *known; /* the ETag that we ask with; NULL: none */
    size_t room, limit;
    bool over, chunked, packed;
    struct loop_timer timeout;
    bool running;
};

/* Errors: -ENOMEM. */
int http_fetch_open(struct http_fetch *fetch);
void http_fetch_close(struct http_fetch *fetch);

/* Ask; `etag`: of what we have, NULL none; it must stay until done(). What went on is given up. */
void http_fetch_start(struct http_fetch *fetch, const char *etag);
void http_fetch_stop(struct http_fetch *fetch);

/* Take another of the endpoints from now on. */
void http_fetch_turn(struct http_fetch *fetch);

#endif
