/* SPDX-License-Identifier: MIT */
/* The body of a request, read into memory as it comes in; nginx would write a long one to a file. */
#include "ngx_http_seqshare.h"

static void body_free(void *opaque)
{
    struct body *body = opaque;

    free(body->bytes);
}

/* Grows as the body comes in: the length that a client announces costs no memory. */
static ngx_int_t body_append(struct body *body, const u_char *bytes, size_t length)
{
    if (length == 0) /* the last buffer may have no bytes, not even a place for them */
        return NGX_OK;
    if (length > body->most - body->length)
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    if (length > body->room - body->length) {
        size_t room = body->length + length;
        u_char *grown;

        room = room < body->most / 2 ? 2 * room : body->most;
        grown = realloc(body->bytes, room);
        if (!grown)
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        body->bytes = grown;
        body->room = room;
    }
    ngx_memcpy(body->bytes + body->length, bytes, length);
    body->length += length;
    return NGX_OK;
}

/* Take what has come in, and give nginx its buffers back. */
static ngx_int_t take_buffers(ngx_http_request_t *r, struct body *body)
{
    ngx_chain_t *link = r->request_body->bufs, *next;
    ngx_int_t rc = NGX_OK;

    r->request_body->bufs = NULL;
    for (; link; link = next) {
        ngx_buf_t *buffer = link->buf;

        if (rc == NGX_OK)
            rc = body_append(body, buffer->pos, (size_t)(buffer->last - buffer->pos));
        buffer->pos = buffer->last;
        next = link->next;
        ngx_free_chain(r->pool, link);
    }
    return rc;
}

/* NGX_OK: the body is there; NGX_AGAIN: there is more to come; or a status. */
static ngx_int_t read_more(ngx_http_request_t *r, struct body *body)
{
    for (;;) {
        ngx_int_t rc = take_buffers(r, body);

        if (rc != NGX_OK || !r->reading_body)
            return rc;
        rc = ngx_http_read_unbuffered_request_body(r);
        if (rc >= NGX_HTTP_SPECIAL_RESPONSE)
            return rc;
        if (rc == NGX_AGAIN && !r->request_body->bufs)
            return NGX_AGAIN;
    }
}

static void go_on(ngx_http_request_t *r)
{
    struct body *body = request_body(r);
    ngx_int_t rc = read_more(r, body);

    if (rc == NGX_AGAIN)
        return;
    r->read_event_handler = ngx_http_block_reading;
    rc = body->done(r, body, rc);
    if (rc != NGX_AGAIN)
        ngx_http_finalize_request(r, rc);
}

static void begin(ngx_http_request_t *r)
{
    r->read_event_handler = go_on;
    go_on(r);
}

ngx_int_t body_read(ngx_http_request_t *r, struct body *body)
{
    ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(r->pool, 0);
    ngx_int_t rc;

    if (!cleanup || request_set_body(r, body) != NGX_OK)
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    cleanup->handler = body_free;
    cleanup->data = body;
    r->request_body_no_buffering = 1;
    rc = ngx_http_read_client_request_body(r, begin);
    return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}
