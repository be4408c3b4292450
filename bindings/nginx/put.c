/* SPDX-License-Identifier: MIT */
/*
 * PUT: checks a document, and publishes it under the lock and the client's conditions. A worker that finds the lock
 * taken serves other requests, and tries again a few milliseconds later.
 */
#include "ngx_http_seqshare.h"

/* A stopped writer elsewhere keeps a client waiting no longer than this. */
static const ngx_msec_t LOCK_PATIENCE = 5000, LOCK_PAUSE = 5;

/* The name may go elsewhere while a document comes in. */
enum { MOVES_MOST = 2 };

struct put {
    struct body body; /* first: body.c knows this alone */
    ngx_http_request_t *r;
    struct web_share *share;
    ngx_event_t retry;
    ngx_msec_t begun; /* when the lock was first found taken; 0: not yet */
    unsigned moves;
    uint64_t old; /* the version that the document replaces */
};

/* JSON, or untyped. Programs with an earlier Perl codec have a type of their own for JSON. */
static bool may_be_json(const struct seqshare_stat *stat)
{
    return stat->version == 0 || stat->tag == 0 || stat->tag == SEQSHARE_TAG_JSON ||
           stat->tag == SEQSHARE_TAG("perl.JSON");
}

/* Under the lock, the conditions are about the very version that the new document replaces. */
static int replace_value(struct put *put, seqshare *handle)
{
    struct seqshare_stat stat;
    int error = seqshare_stat(handle, &stat);

    if (error)
        return error;
    put->old = stat.version;
    if (stat.version > 0 && answer_entity_tag(put->r, &stat) != NGX_OK)
        return -ENOMEM;
    if (answer_conditions(put->r, stat.version) != NGX_OK)
        return -ESTALE;
    if (!may_be_json(&stat))
        return -EEXIST;
    error = seqshare_set_typed(handle, put->body.bytes, put->body.length, SEQSHARE_TAG_JSON);
    stat.version++;
    if (!error && answer_entity_tag(put->r, &stat) != NGX_OK)
        return -ENOMEM; /* of the answer */
    return error;
}

/* A region without a name loses a document that is published there. While we have the lock, nobody replaces it. */
static int check_name(const seqshare *handle)
{
    int named = seqshare_named(handle);

    if (named < 0)
        return named;
    return named == 1 ? 0 : -EIDRM;
}

/* -EIDRM: the name has gone to another region meanwhile. -EBUSY: the lock is taken. Nothing was published then. */
static int publish(struct put *put)
{
    seqshare *handle;
    int error = seqshare_open(&handle, put->share->path, SEQSHARE_WRITE);

    if (error)
        return error;
    error = seqshare_trylock(handle);
    if (error >= 0) {
        error = check_name(handle);
        if (!error)
            error = replace_value(put, handle);
        seqshare_unlock(handle);
    }
    seqshare_close(handle);
    return error;
}

/* Does the client go on waiting? */
static bool is_patient(struct put *put)
{
    if (put->begun == 0)
        put->begun = ngx_current_msec ? ngx_current_msec : 1;
    return ngx_current_msec - put->begun < LOCK_PATIENCE;
}

/* The answer; or NGX_AGAIN: later. */
static ngx_int_t try(struct put *put)
{
    int error = publish(put);

    while (error == -EIDRM && put->moves++ < MOVES_MOST)
        error = publish(put);
    if (error == -EBUSY && is_patient(put)) {
        ngx_add_timer(&put->retry, LOCK_PAUSE);
        return NGX_AGAIN;
    }
    if (error)
        return answer_error(put->r, put->share, error == -EBUSY ? -ETIMEDOUT : error);
    put->share->looked = (ngx_msec_t)-1; /* so that this worker has it, whatever is published next */
    follow_look(put->share);
    return answer_bytes(put->r, put->old > 0 ? NGX_HTTP_NO_CONTENT : NGX_HTTP_CREATED, "",
                        (ngx_str_t)ngx_null_string);
}

static void on_retry(ngx_event_t *event)
{
    struct put *put = event->data;
    ngx_connection_t *connection = put->r->connection;
    ngx_int_t rc = try(put);

    if (rc != NGX_AGAIN)
        ngx_http_finalize_request(put->r, rc);
    ngx_http_run_posted_requests(connection);
}

static void forget(void *opaque)
{
    struct put *put = opaque;

    if (put->retry.timer_set)
        ngx_del_timer(&put->retry);
}

static ngx_int_t too_long(ngx_http_request_t *r, const struct put *put)
{
    char why[128];

    r->keepalive = 0; /* the rest of the body is in the way */
    r->expect_tested = 1;
    snprintf(why, sizeof why, "the document is longer than the share's capacity of %zu bytes",
             put->body.most);
    return answer_text(r, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE, why);
}

static ngx_int_t on_body(ngx_http_request_t *r, struct body *body, ngx_int_t status)
{
    struct put *put = (struct put *)body;
    char why[SEQSHARE_JSON_WHY_SIZE];
    int error;

    if (status == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE)
        return too_long(r, put);
    if (status != NGX_OK)
        return status;
    error = seqshare_json_check(body->bytes ? (const char *)body->bytes : "", body->length, why);
    if (error == -EBADMSG)
        return answer_text(r, NGX_HTTP_BAD_REQUEST, why);
    if (error)
        return answer_error(r, put->share, error);
    r->read_event_handler = ngx_http_test_reading; /* a client that goes waits no longer */
    return try(put);
}

static struct put *new_put(ngx_http_request_t *r, struct web_share *share)
{
    struct put *put = ngx_pcalloc(r->pool, sizeof *put);
    ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(r->pool, 0);

    if (!put || !cleanup)
        return NULL;
    put->body.done = on_body;
    put->r = r;
    put->share = share;
    put->retry.handler = on_retry;
    put->retry.data = put;
    put->retry.log = r->connection->log;
    cleanup->handler = forget;
    cleanup->data = put;
    return put;
}

/* The longest document that the share can take; or an error, if this worker cannot publish at all. */
static int ask_capacity(const struct web_share *share, size_t *most)
{
    seqshare *handle;
    int error = seqshare_open(&handle, share->path, SEQSHARE_WRITE);

    if (error)
        return error;
    *most = seqshare_capacity(handle);
    seqshare_close(handle);
    return 0;
}

/* The share is opened again when the body is there: a client may take its time, and the name go elsewhere. */
ngx_int_t put_document(ngx_http_request_t *r, struct web_share *share)
{
    struct put *put = new_put(r, share);
    int error;

    if (!put)
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    error = ask_capacity(share, &put->body.most);
    if (error)
        return answer_error(r, share, error);
    if (r->headers_in.content_range)
        return answer_text(r, NGX_HTTP_BAD_REQUEST, "put the document as a whole, without Content-Range");
    if (r->headers_in.content_length_n > 0 && (uint64_t)r->headers_in.content_length_n > put->body.most)
        return too_long(r, put);
    return body_read(r, &put->body);
}
