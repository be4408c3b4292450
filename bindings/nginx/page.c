/* SPDX-License-Identifier: MIT */
/* The page that gives a share's document. nginx's own access control decides for whom. */
#include "ngx_http_seqshare.h"

static void free_bytes(void *bytes)
{
    free(bytes);
}

/* The current document, by pread: the file may be another user's. Opened again, to be that of the name. */
static int read_document(const struct web_share *share, seqshare_reading *reading, struct seqshare_stat *stat)
{
    seqshare *handle;
    int error = seqshare_open(&handle, share->path, SEQSHARE_READ);

    if (error)
        return error;
    error = seqshare_pstat(handle, stat);
    if (!error)
        error = seqshare_pread(handle, reading);
    seqshare_close(handle);
    stat->version = reading->version; /* which may be newer */
    return error;
}

/* Its headers and conditions: NGX_OK, or the answer. */
static ngx_int_t begin_answer(ngx_http_request_t *r, const struct seqshare_stat *stat)
{
    if (answer_entity_tag(r, stat) != NGX_OK ||
        answer_header(r, "Cache-Control", (ngx_str_t)ngx_string("no-cache")) != NGX_OK)
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    switch (answer_conditions(r, stat->version)) {
    case NGX_HTTP_NOT_MODIFIED:
        return answer_bytes(r, NGX_HTTP_NOT_MODIFIED, "", (ngx_str_t)ngx_null_string);
    case NGX_HTTP_PRECONDITION_FAILED:
        return answer_text(r, NGX_HTTP_PRECONDITION_FAILED, seqshare_strerror(-ESTALE));
    default:
        return NGX_OK;
    }
}

static ngx_int_t send_document(ngx_http_request_t *r, const struct web_share *share)
{
    ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(r->pool, 0);
    seqshare_reading reading = {.bytes = NULL};
    struct seqshare_stat stat;
    ngx_int_t rc;
    int error;

    if (!cleanup)
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    error = read_document(share, &reading, &stat);
    if (error)
        return answer_error(r, share, error);
    cleanup->handler = free_bytes; /* when it has been sent */
    cleanup->data = reading.bytes;
    r->allow_ranges = 1;
    rc = begin_answer(r, &stat);
    if (rc != NGX_OK || r->header_sent)
        return rc;
    return answer_bytes(r, NGX_HTTP_OK, "application/json",
                        (ngx_str_t){.len = reading.length, .data = reading.bytes});
}

ngx_int_t page_handle(ngx_http_request_t *r)
{
    const struct place_config *config = ngx_http_get_module_loc_conf(r, ngx_http_seqshare_module);

    if (r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD))
        return send_document(r, config->page);
    if (r->method == NGX_HTTP_PUT && config->put)
        return put_document(r, config->page);
    return answer_methods(r, config->put);
}
