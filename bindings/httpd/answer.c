/* SPDX-License-Identifier: MIT */
/*
 * The answers of the pages: texts, entity tags, conditions, and errors in HTTP's terms.
 *
 * The entity tag is the version, and four bytes of the region: if a share is made again, versions start over.
 */
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_core.h>

#include "mod_seqshare.h"

int answer_text(request_rec *r, int status, const char *why)
{
    r->status = status;
    ap_set_content_type(r, "text/plain; charset=utf-8");
    ap_rprintf(r, "%s\n", why);
    return OK;
}

int answer_methods(request_rec *r, bool put)
{
    ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, put ? M_PUT : M_GET, M_OPTIONS, -1);
    return r->method_number == M_OPTIONS ? ap_send_http_options(r) : HTTP_METHOD_NOT_ALLOWED;
}

const char *answer_entity_tag(apr_pool_t *pool, const struct seqshare_stat *stat)
{
    uint32_t region;

    memcpy(&region, stat->region_id, sizeof region);
    return apr_psprintf(pool, "\"%" APR_UINT64_T_FMT "-%08x\"", stat->version, region);
}

int answer_conditions(request_rec *r, uint64_t version)
{
    ap_condition_e match = ap_condition_if_match(r, r->headers_out);
    ap_condition_e none = ap_condition_if_none_match(r, r->headers_out);

    /* A page that includes the document: the client's conditions are about that page. */
    if (r->main && r->method_number == M_GET)
        return OK;
    if (match == AP_CONDITION_NOMATCH || (match != AP_CONDITION_NONE && version == 0))
        return HTTP_PRECONDITION_FAILED;
    if (none == AP_CONDITION_NONE || none == AP_CONDITION_NOMATCH || version == 0)
        return OK;
    return r->method_number == M_GET ? HTTP_NOT_MODIFIED : HTTP_PRECONDITION_FAILED;
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

int answer_error(request_rec *r, const struct web_share *share, int error)
{
    int status = status_of(error);
    const char *why = seqshare_strerror(error);

    if (error == -EEXIST)
        why = "the value in the share is not of the type JSON, so a document cannot replace it";
    if (status >= 500)
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "seqshare %s: %s", share->name, why);
    return answer_text(r, status, why);
}
