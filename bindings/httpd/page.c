/* SPDX-License-Identifier: MIT */
/*
 * The page that gives a share's document, and takes another. Who may do so is httpd's own access control.
 *
 * The entity tag is the version, and four bytes of the region: where a share is made anew, versions start over.
 */
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_core.h>
#include <util_filter.h>

#include "mod_seqshare.h"

/* A stopped writer elsewhere shall not stop our children one after the other. */
static const int64_t LOCK_PATIENCE = INT64_C(5000000000);

int answer(request_rec *r, int status, const char *why)
{
    r->status = status;
    ap_set_content_type(r, "text/plain; charset=utf-8");
    ap_rprintf(r, "%s\n", why);
    return OK;
}

int allow(request_rec *r, bool put)
{
    ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, put ? M_PUT : M_GET, M_OPTIONS, -1);
    return r->method_number == M_OPTIONS ? ap_send_http_options(r) : HTTP_METHOD_NOT_ALLOWED;
}

const char *entity_tag(apr_pool_t *pool, const struct seqshare_stat *stat)
{
    uint32_t region;

    memcpy(&region, stat->region_id, sizeof region);
    return apr_psprintf(pool, "\"%" APR_UINT64_T_FMT "-%08x\"", stat->version, region);
}

/* ---- problems with a share, told to the client; and to the administrator, if it is for them to solve ---- */

static int status_of(int error)
{
    switch (error) {
    case -ENODATA:
    case -ENOENT:
        return HTTP_NOT_FOUND;
    case -EEXIST:
        return HTTP_CONFLICT;
    case -ESTALE:
        return HTTP_PRECONDITION_FAILED;
    case -EMSGSIZE:
        return HTTP_REQUEST_ENTITY_TOO_LARGE;
    case -ENOSPC:
        return HTTP_INSUFFICIENT_STORAGE;
    case -ETIMEDOUT:
    case -EAGAIN:
    case -EIDRM:
        return HTTP_SERVICE_UNAVAILABLE;
    default:
        return HTTP_INTERNAL_SERVER_ERROR;
    }
}

static int refuse(request_rec *r, const struct share *share, int error)
{
    int status = status_of(error);
    const char *why = seqshare_strerror(error);

    if (error == -EEXIST)
        why = "the value in the share is of another type than JSON: a document does not replace it";
    if (status >= 500)
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "seqshare %s: %s", share->name, why);
    return answer(r, status, why);
}

/*
 * OK, or the answer: of the version that stands, whose tag is among the headers (0: none stands). Its date is not,
 * so that conditions on dates are none (RFC 9110, 13.1).
 */
static int conditions(request_rec *r, uint64_t version)
{
    ap_condition_e match = ap_condition_if_match(r, r->headers_out);
    ap_condition_e none = ap_condition_if_none_match(r, r->headers_out);

    if (match == AP_CONDITION_NOMATCH || (match != AP_CONDITION_NONE && version == 0))
        return HTTP_PRECONDITION_FAILED;
    if (none == AP_CONDITION_NONE || none == AP_CONDITION_NOMATCH || version == 0)
        return OK;
    return r->method_number == M_GET ? HTTP_NOT_MODIFIED : HTTP_PRECONDITION_FAILED;
}

/* ---- the document: GET ---- */

/* `text` is malloc'ed, and freed when it has been sent. */
static int send_text(request_rec *r, char *text, size_t length)
{
    apr_bucket_alloc_t *allocator = r->connection->bucket_alloc;
    apr_bucket_brigade *out = apr_brigade_create(r->pool, allocator);

    ap_set_content_length(r, (apr_off_t)length);
    APR_BRIGADE_INSERT_TAIL(out, apr_bucket_heap_create(text, length, free, allocator));
    APR_BRIGADE_INSERT_TAIL(out, apr_bucket_eos_create(allocator));
    ap_pass_brigade(r->output_filters, out); /* who cannot get it any more will not ask why */
    return OK;
}

/* What stands in the share, as another user's file may have it: by pread. */
static int read_document(const struct share *share, seqshare_reading *reading, struct seqshare_stat *stat)
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

static int send_document(request_rec *r, const struct share *share)
{
    seqshare_reading reading = {.bytes = NULL};
    struct seqshare_stat stat;
    int error = read_document(share, &reading, &stat), status;

    if (error)
        return refuse(r, share, error);
    apr_table_setn(r->headers_out, "ETag", entity_tag(r->pool, &stat));
    apr_table_setn(r->headers_out, "Cache-Control", "no-cache");
    ap_set_content_type(r, "application/json");
    status = conditions(r, reading.version);
    if (status == OK)
        return send_text(r, reading.bytes, reading.length);
    free(reading.bytes);
    return status;
}

/* ---- the document: PUT ---- */

struct body {
    char *bytes;
    size_t length;
    size_t room;
    size_t most;
};

static apr_status_t body_free(void *opaque)
{
    struct body *body = opaque;

    free(body->bytes);
    return APR_SUCCESS;
}

/* Grows as the body comes in: a client's word for how long it will be costs no memory. */
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

/* OK, or a status: 413 as soon as it is clear that it will not fit; what comes then is not read. */
static int body_read(request_rec *r, struct body *body)
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

/* JSON, or of no type. Programs with an earlier Perl codec have a type of their own for JSON. */
static bool may_be_json(const struct seqshare_stat *stat)
{
    return stat->version == 0 || stat->tag == 0 || stat->tag == SEQSHARE_TAG_JSON ||
           stat->tag == SEQSHARE_TAG("perl.JSON");
}

/* With the lock, the version that conditions are asked of is the one that the new document replaces. */
static int publish_locked(request_rec *r, seqshare *handle, const struct body *body, uint64_t *old)
{
    struct seqshare_stat stat;
    int error = seqshare_stat(handle, &stat);

    if (error)
        return error;
    *old = stat.version;
    if (stat.version > 0)
        apr_table_setn(r->headers_out, "ETag", entity_tag(r->pool, &stat));
    if (conditions(r, stat.version) != OK)
        return -ESTALE;
    if (!may_be_json(&stat))
        return -EEXIST;
    error = seqshare_set_typed(handle, body->bytes, body->length, SEQSHARE_TAG_JSON);
    stat.version++;
    if (!error)
        apr_table_setn(r->headers_out, "ETag", entity_tag(r->pool, &stat));
    return error;
}

/* What would be published into a region without a name is lost. While we have the lock, nobody replaces it. */
static int check_name(const seqshare *handle)
{
    int named = seqshare_named(handle);

    if (named < 0)
        return named;
    return named == 1 ? 0 : -EIDRM;
}

static int publish_once(request_rec *r, const struct share *share, seqshare *handle, const struct body *body,
                        uint64_t *old)
{
    int error = seqshare_lock_for(handle, LOCK_PATIENCE);

    if (error < 0)
        return error;
    error = share->created ? 0 : check_name(handle);
    if (!error)
        error = publish_locked(r, handle, body, old);
    seqshare_unlock(handle);
    return error;
}

/* A name may go to another region meanwhile. */
static int publish(request_rec *r, const struct share *share, const struct body *body, uint64_t *old)
{
    int error = -EIDRM;

    for (int tries = 0; error == -EIDRM && tries < 3; tries++) {
        seqshare *handle;

        error = share_borrow(share, SEQSHARE_WRITE, &handle);
        if (error)
            return error;
        error = publish_once(r, share, handle, body, old);
        share_give_back(share, handle);
    }
    return error;
}

static int too_long(request_rec *r, size_t most)
{
    const char *why = "the document is longer than the share's capacity of %" APR_SIZE_T_FMT
                      " bytes, or than LimitRequestBody allows";

    return answer(r, HTTP_REQUEST_ENTITY_TOO_LARGE, apr_psprintf(r->pool, why, most));
}

/* The most that a document may have; or an error, if it cannot be published here at all. */
static int ask_capacity(const struct share *share, size_t *most)
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
static int take_document(request_rec *r, const struct share *share)
{
    struct body *body = apr_pcalloc(r->pool, sizeof *body);
    char why[SEQSHARE_JSON_WHY_SIZE];
    uint64_t old = 0;
    int error = ask_capacity(share, &body->most), status;

    if (error)
        return refuse(r, share, error);
    if (apr_table_get(r->headers_in, "Content-Range"))
        return answer(r, HTTP_BAD_REQUEST, "a document is put as a whole, not in parts");
    status = body_read(r, body);
    if (status == HTTP_REQUEST_ENTITY_TOO_LARGE)
        return too_long(r, body->most);
    if (status != OK)
        return status;
    error = seqshare_json_check(body->bytes ? body->bytes : "", body->length, why);
    if (error == -EBADMSG)
        return answer(r, HTTP_BAD_REQUEST, why);
    if (!error)
        error = publish(r, share, body, &old);
    if (error)
        return refuse(r, share, error);
    r->status = old > 0 ? HTTP_NO_CONTENT : HTTP_CREATED;
    return OK;
}

int handle_document(request_rec *r)
{
    const struct place_config *config = ap_get_module_config(r->per_dir_config, &seqshare_module);
    const struct share *share = request_share(r);

    if (!r->handler || strcmp(r->handler, "seqshare-document") != 0)
        return DECLINED;
    if (!share)
        return answer(r, HTTP_NOT_FOUND, "this server has no share");
    apr_table_setn(r->subprocess_env, "no-gzip", "1"); /* they would change the entity tag */
    apr_table_setn(r->subprocess_env, "no-brotli", "1");
    if (r->method_number == M_GET)
        return send_document(r, share);
    if (r->method_number == M_PUT && config->writes == 1)
        return take_document(r, share);
    return allow(r, config->writes == 1);
}
