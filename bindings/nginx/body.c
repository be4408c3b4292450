/* SPDX-License-Identifier: MIT */
/*
 * The body of a request, read into memory as it comes in; nginx would write a long one to a file.
 *
 * In a subrequest (mirror), or after another handler (error_page), nginx has read the body already: it may be in a
 * file, others may still need it, or nobody has it.
 */
#include "ngx_http_seqshare.h"

static void body_free(void *opaque)
{
    struct body *body = opaque;

    free(body->bytes);
}

/* Grows as the body comes in: the length that a client announces costs no memory. */
static ngx_int_t make_room(struct body *body, size_t length)
{
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
    return NGX_OK;
}

static ngx_int_t body_append(struct body *body, ngx_buf_t *buffer)
{
    const size_t length = (size_t)ngx_buf_size(buffer);
    ngx_int_t rc = NGX_OK;

    if (length == 0) /* the last buffer may have no bytes, not even a place for them */
        return NGX_OK;
    rc = make_room(body, length);
    if (rc != NGX_OK)
        return rc;
    if (ngx_buf_in_memory(buffer))
        ngx_memcpy(body->bytes + body->length, buffer->pos, length);
    else if (ngx_read_file(buffer->file, body->bytes + body->length, length, buffer->file_pos) !=
             (ssize_t)length)
        return NGX_HTTP_INTERNAL_SERVER_ERROR; /* nginx has said why */
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
            rc = body_append(body, buffer);
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

/* The buffers stay as they are. */
static ngx_int_t copy_buffers(const ngx_http_request_t *r, struct body *body)
{
    ngx_int_t rc = NGX_OK;

    for (const ngx_chain_t *link = r->request_body ? r->request_body->bufs : NULL; link && rc == NGX_OK;
         link = link->next)
        rc = body_append(body, link->buf);
    return rc;
}

static ngx_int_t use_what_was_read(ngx_http_request_t *r, struct body *body)
{
    ngx_int_t rc = body->done(r, body, copy_buffers(r, body));

    if (rc != NGX_AGAIN)
        return rc;
    r->main->count++; /* until it is done */
    return NGX_DONE;
}

ngx_int_t body_read(ngx_http_request_t *r, struct body *body)
{
    ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(r->pool, 0);
    ngx_int_t rc;

    if (!cleanup)
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    cleanup->handler = body_free;
    cleanup->data = body;
    if (r != r->main || r->request_body || r->discard_body)
        return use_what_was_read(r, body);
    if (request_set_body(r, body) != NGX_OK)
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    r->request_body_no_buffering = 1;
    rc = ngx_http_read_client_request_body(r, begin);
    return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}
