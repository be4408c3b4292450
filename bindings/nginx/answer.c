/* SPDX-License-Identifier: MIT */
/*
 * The answers of the pages: texts, entity tags, conditions, and errors in HTTP's terms. They are those of mod_seqshare.
 *
 * The entity tag is the version, and four bytes of the region: if a share is made again, versions start over.
 */
#include "ngx_http_seqshare.h"

/* ---- answers --------------------------------------------------------------------------------- */

static ngx_str_t text_of(const char *text)
{
    return (ngx_str_t){.len = strlen(text), .data = (u_char *)(uintptr_t)text};
}

ngx_int_t answer_header(ngx_http_request_t *r, const char *name, ngx_str_t value)
{
    ngx_table_elt_t *header = ngx_list_push(&r->headers_out.headers);

    if (!header)
        return NGX_ERROR;
    ngx_memzero(header, sizeof *header); /* some versions of nginx have more members */
    header->hash = 1;
    header->key = text_of(name);
    header->value = value;
    return NGX_OK;
}

ngx_int_t answer_bytes(ngx_http_request_t *r, ngx_uint_t status, const char *type, ngx_str_t bytes)
{
    ngx_http_complex_value_t value;
    ngx_str_t content = text_of(type);

    ngx_memzero(&value, sizeof value);
    value.value = bytes;
    r->disable_not_modified = 1; /* answer_conditions has decided */
#if (NGX_HTTP_GZIP)
    r->gzip_tested = 1; /* it would change the entity tag */
    r->gzip_ok = 0;
#endif
    return ngx_http_send_response(r, status, &content, &value);
}

ngx_int_t answer_text(ngx_http_request_t *r, ngx_uint_t status, const char *why)
{
    ngx_str_t text = {.len = strlen(why) + 1};

    text.data = ngx_pnalloc(r->pool, text.len);
    if (!text.data)
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    *ngx_cpymem(text.data, why, text.len - 1) = '\n';
    ngx_str_set(&r->headers_out.charset, "utf-8");
    return answer_bytes(r, status, "text/plain", text);
}

ngx_int_t answer_methods(ngx_http_request_t *r, bool put)
{
    const char *methods = put ? "GET,HEAD,OPTIONS,PUT" : "GET,HEAD,OPTIONS";

    if (answer_header(r, "Allow", text_of(methods)) != NGX_OK)
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    if (r->method == NGX_HTTP_OPTIONS)
        return answer_bytes(r, NGX_HTTP_OK, "", (ngx_str_t)ngx_null_string);
    return answer_text(r, NGX_HTTP_NOT_ALLOWED,
                       put ? "only GET and PUT are allowed here" : "only GET is allowed here");
}

/* ---- entity tags and conditions -------------------------------------------------------------- */

ngx_str_t answer_tag_text(ngx_pool_t *pool, const struct seqshare_stat *stat)
{
    uint32_t region;
    ngx_str_t tag = ngx_null_string;

    ngx_memcpy(&region, stat->region_id, sizeof region);
    tag.data = ngx_pnalloc(pool, NGX_INT64_LEN + sizeof "\"-01234567\"");
    if (tag.data)
        tag.len = (size_t)(ngx_sprintf(tag.data, "\"%uL-%08xD\"", stat->version, region) - tag.data);
    return tag;
}

ngx_int_t answer_entity_tag(ngx_http_request_t *r, const struct seqshare_stat *stat)
{
    ngx_str_t tag = answer_tag_text(r->pool, stat);

    if (!tag.data)
        return NGX_ERROR;
    if (r->headers_out.etag) { /* of the version before */
        r->headers_out.etag->value = tag;
        return NGX_OK;
    }
    if (answer_header(r, "ETag", tag) != NGX_OK)
        return NGX_ERROR;
    r->headers_out.etag =
        (ngx_table_elt_t *)r->headers_out.headers.last->elts + r->headers_out.headers.last->nelts - 1;
    return NGX_OK;
}

/* Is the tag in this list of tags? Weak: a W/ before it does not matter. Ours have no comma. */
static bool is_in(const ngx_table_elt_t *header, ngx_str_t tag, bool weak)
{
    const u_char *at = header->value.data, *end = at + header->value.len;

    if (header->value.len == 1 && *at == '*')
        return true;
    while (at < end) {
        const u_char *comma = ngx_strlchr((u_char *)(uintptr_t)at, (u_char *)(uintptr_t)end, ',');
        const u_char *last = comma ? comma : end, *next = comma ? comma + 1 : end;

        for (; at < last && (*at == ' ' || *at == '\t'); at++)
            ;
        for (; at < last && (last[-1] == ' ' || last[-1] == '\t'); last--)
            ;
        if (weak && last - at > 2 && at[0] == 'W' && at[1] == '/')
            at += 2;
        if ((size_t)(last - at) == tag.len && ngx_memcmp(at, tag.data, tag.len) == 0)
            return true;
        at = next;
    }
    return false;
}

ngx_int_t answer_conditions(const ngx_http_request_t *r, uint64_t version)
{
    const ngx_table_elt_t *match = r->headers_in.if_match, *none = r->headers_in.if_none_match;
    const bool reads = r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD);

    /* A page that includes the document: the client's conditions are about that page. */
    if (r != r->main && reads)
        return NGX_OK;
    if (match && (version == 0 || !is_in(match, r->headers_out.etag->value, false)))
        return NGX_HTTP_PRECONDITION_FAILED;
    if (!none || version == 0 || !is_in(none, r->headers_out.etag->value, reads))
        return NGX_OK;
    return reads ? NGX_HTTP_NOT_MODIFIED : NGX_HTTP_PRECONDITION_FAILED;
}

/* ---- problems with a share, for the client; and for the administrator, if the client cannot solve them ---- */

static ngx_uint_t status_of(int error)
{
    switch (error) {
    case -ENODATA:
    case -ENOENT:
        return NGX_HTTP_NOT_FOUND;
    case -EEXIST:
        return NGX_HTTP_CONFLICT;
    case -ESTALE:
        return NGX_HTTP_PRECONDITION_FAILED;
    case -EMSGSIZE:
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    case -ENOSPC:
        return NGX_HTTP_INSUFFICIENT_STORAGE;
    case -ETIMEDOUT:
    case -EAGAIN:
    case -EIDRM:
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    default:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
}

ngx_int_t answer_error(ngx_http_request_t *r, const struct web_share *share, int error)
{
    ngx_uint_t status = status_of(error);
    const char *why = seqshare_strerror(error);

    if (error == -EEXIST)
        why = "the value in the share is not of the type JSON, so a document cannot replace it";
    if (status >= NGX_HTTP_INTERNAL_SERVER_ERROR)
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0, "seqshare %V: %s", &share->name, why);
    return answer_text(r, status, why);
}
