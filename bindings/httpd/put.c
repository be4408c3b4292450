/* SPDX-License-Identifier: MIT */
/* PUT: checks a document, and publishes it under the lock and the client's conditions. */
#include "mod_seqshare.h"

/* A stopped writer elsewhere must not stop our children one after the other. */
static const int64_t LOCK_PATIENCE = INT64_C(5000000000);

/* JSON, or untyped. Programs with an earlier Perl codec have a type of their own for JSON. */
static bool may_be_json(const struct seqshare_stat *stat)
{
    return stat->version == 0 || stat->tag == 0 || stat->tag == SEQSHARE_TAG_JSON ||
           stat->tag == SEQSHARE_TAG("perl.JSON");
}

/* Under the lock, the conditions are about the very version that the new document replaces. */
static int replace_value(request_rec *r, seqshare *handle, const struct body *body, uint64_t *old)
{
    struct seqshare_stat stat;
    int error = seqshare_stat(handle, &stat);

    if (error)
        return error;
    *old = stat.version;
    if (stat.version > 0)
        apr_table_setn(r->headers_out, "ETag", answer_entity_tag(r->pool, &stat));
    if (answer_conditions(r, stat.version) != OK)
        return -ESTALE;
    if (!may_be_json(&stat))
        return -EEXIST;
    error = seqshare_set_typed(handle, body->bytes, body->length, SEQSHARE_TAG_JSON);
    stat.version++;
    if (!error)
        apr_table_setn(r->headers_out, "ETag", answer_entity_tag(r->pool, &stat));
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

/* -EIDRM: the name has gone to another region meanwhile. Nothing was published then. */
static int publish(request_rec *r, const struct web_share *share, const struct body *body, uint64_t *old)
{
    seqshare *handle;
    int error = share_borrow(share, SEQSHARE_WRITE, &handle);

    if (error)
        return error;
    error = seqshare_lock_for(handle, LOCK_PATIENCE);
    if (error >= 0) {
        error = share->created ? 0 : check_name(handle);
        if (!error)
            error = replace_value(r, handle, body, old);
        seqshare_unlock(handle);
    }
    share_give_back(share, handle);
    return error;
}

static int too_long(request_rec *r, size_t most)
{
    const char *why = "the document is longer than the share's capacity of %" APR_SIZE_T_FMT
                      " bytes, or than LimitRequestBody allows";

    return answer_text(r, HTTP_REQUEST_ENTITY_TOO_LARGE, apr_psprintf(r->pool, why, most));
}

/* The longest document that the share can take; or an error, if this child cannot publish at all. */
static int ask_capacity(const struct web_share *share, size_t *most)
{
    seqshare *handle;
    int error = share_borrow(share, SEQSHARE_WRITE, &handle);

    if (error)
        return error;
    *most = seqshare_capacity(handle);
    share_give_back(share, handle);
    return 0;
}

/* The share is opened again when the body is there: a client may take its time, and the name go elsewhere. */
int put_document(request_rec *r, const struct web_share *share)
{
    struct body *body = apr_pcalloc(r->pool, sizeof *body);
    char why[SEQSHARE_JSON_WHY_SIZE];
    uint64_t old = 0;
    int error = ask_capacity(share, &body->most), status;

    if (error)
        return answer_error(r, share, error);
    if (apr_table_get(r->headers_in, "Content-Range"))
        return answer_text(r, HTTP_BAD_REQUEST, "put the document as a whole, without Content-Range");
    status = body_read(r, body);
    if (status == HTTP_REQUEST_ENTITY_TOO_LARGE)
        return too_long(r, body->most);
    if (status != OK)
        return status;
    error = seqshare_json_check(body->bytes ? body->bytes : "", body->length, why);
    if (error == -EBADMSG)
        return answer_text(r, HTTP_BAD_REQUEST, why);
    if (!error)
        error = publish(r, share, body, &old);
    for (int again = 0; error == -EIDRM && again < 2; again++) /* its name has gone elsewhere meanwhile */
        error = publish(r, share, body, &old);
    if (error)
        return answer_error(r, share, error);
    r->status = old > 0 ? HTTP_NO_CONTENT : HTTP_CREATED;
    return OK;
}
