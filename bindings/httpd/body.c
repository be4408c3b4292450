/* SPDX-License-Identifier: MIT */
/* The body of a request, read into memory as it comes in. */
#include <http_core.h>
#include <http_protocol.h>

#include "mod_seqshare.h"

static apr_status_t body_free(void *opaque)
{
    struct body *body = opaque;

    free(body->bytes);
    return APR_SUCCESS;
}

/* Grows as the body comes in: the length that a client announces costs no memory. */
static int body_append(struct body *body, const char *bytes, size_t length)
{
    if (length > body->most - body->length)
        return HTTP_REQUEST_ENTITY_TOO_LARGE;
    if (length > body->room - body->length) {
        size_t room = body->length + length;
        char *grown;

        room = room < body->most / 2 ? 2 * room : body->most;
        grown = realloc(body->bytes, room);
        if (!grown)
            return HTTP_INTERNAL_SERVER_ERROR;
        body->bytes = grown;
        body->room = room;
    }
    memcpy(body->bytes + body->length, bytes, length);
    body->length += length;
    return OK;
}

static int body_append_all(struct body *body, apr_bucket_brigade *brigade, bool *end)
{
    for (apr_bucket *bucket = APR_BRIGADE_FIRST(brigade); bucket != APR_BRIGADE_SENTINEL(brigade) && !*end;
         bucket = APR_BUCKET_NEXT(bucket)) {
        const char *bytes;
        apr_size_t length;
        int status;

        *end = APR_BUCKET_IS_EOS(bucket);
        if (APR_BUCKET_IS_METADATA(bucket))
            continue;
        if (apr_bucket_read(bucket, &bytes, &length, APR_BLOCK_READ) != APR_SUCCESS)
            return HTTP_BAD_REQUEST;
        status = body_append(body, bytes, length);
        if (status != OK)
            return status;
    }
    return OK;
}

int body_read(request_rec *r, struct body *body)
{
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    const char *announced = apr_table_get(r->headers_in, "Content-Length");
    apr_off_t length = 0;
    int status = OK;

    apr_pool_cleanup_register(r->pool, body, body_free, apr_pool_cleanup_null);
    if (announced && apr_strtoff(&length, announced, NULL, 10) == APR_SUCCESS &&
        (uint64_t)length > body->most)
        return HTTP_REQUEST_ENTITY_TOO_LARGE;
    for (bool end = false; !end && status == OK;) {
        apr_status_t error =
            ap_get_brigade(r->input_filters, brigade, AP_MODE_READBYTES, APR_BLOCK_READ, HUGE_STRING_LEN);

        if (error)
            return ap_map_http_request_error(error, HTTP_BAD_REQUEST);
        status = body_append_all(body, brigade, &end);
        apr_brigade_cleanup(brigade);
    }
    return status;
}
