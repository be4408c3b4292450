/* SPDX-License-Identifier: MIT */
/* The page that gives a share's document. httpd's own access control decides for whom. */
#include <http_core.h>
#include <http_protocol.h>

#include "mod_seqshare.h"

/* `text` is malloc'ed, and freed when it has been sent. */
static int send_text(request_rec *r, char *text, size_t length)
{
    apr_bucket_alloc_t *allocator = r->connection->bucket_alloc;
    apr_bucket_brigade *out = apr_brigade_create(r->pool, allocator);

    ap_set_content_length(r, (apr_off_t)length);
    APR_BRIGADE_INSERT_TAIL(out, apr_bucket_heap_create(text, length, free, allocator));
    APR_BRIGADE_INSERT_TAIL(out, apr_bucket_eos_create(allocator));
    ap_pass_brigade(r->output_filters, out); /* a client that is gone will not ask why */
    return OK;
}

/* The current document, by pread: the file may be another user's. */
static int read_document(const struct web_share *share, seqshare_reading *reading, struct seqshare_stat *stat)
{
    seqshare *handle;
    int error = share_borrow(share, SEQSHARE_READ, &handle);

    if (error)
        return error;
    error = seqshare_pstat(handle, stat);
    if (!error)
        error = seqshare_pread(handle, reading);
    share_give_back(share, handle);
    stat->version = reading->version; /* which may be newer */
    return error;
}

static int send_document(request_rec *r, const struct web_share *share)
{
    seqshare_reading reading = {.bytes = NULL};
    struct seqshare_stat stat;
    int error = read_document(share, &reading, &stat), status;

    if (error)
        return answer_error(r, share, error);
    apr_table_setn(r->headers_out, "ETag", answer_entity_tag(r->pool, &stat));
    apr_table_setn(r->headers_out, "Cache-Control", "no-cache");
    ap_set_content_type(r, "application/json");
    status = answer_conditions(r, reading.version);
    if (status == OK)
        return send_text(r, reading.bytes, reading.length);
    free(reading.bytes);
    return status;
}

int page_handle(request_rec *r)
{
    const struct place_config *config = ap_get_module_config(r->per_dir_config, &seqshare_module);
    const struct web_share *share = request_share(r);

    if (!r->handler || strcmp(r->handler, "seqshare-document") != 0)
        return DECLINED;
    if (!share)
        return answer_text(r, HTTP_NOT_FOUND, "this server has no share");
    apr_table_setn(r->subprocess_env, "no-gzip", "1"); /* they would change the entity tag */
    apr_table_setn(r->subprocess_env, "no-brotli", "1");
    if (r->method_number == M_GET)
        return send_document(r, share);
    if (r->method_number == M_PUT && config->writes == 1)
        return put_document(r, share);
    return answer_methods(r, config->writes == 1);
}
