/* SPDX-License-Identifier: MIT */
/*
 * A worker decodes each good document once, to the texts of the variables. A request counts as a user of its document
 * until it has been logged.
 */
#include "ngx_http_seqshare.h"

void document_release(struct document *document)
{
    if (--document->users == 0)
        ngx_destroy_pool(document->pool); /* which has the document too */
}

static void destroy(void *document)
{
    document_release(document);
}

static ngx_int_t make_texts(const struct web_share *share, struct document *document,
                            const seqshare_json *json)
{
    struct setting *const *setting = share->settings.elts;

    document->texts = ngx_pcalloc(document->pool, (share->settings.nelts + 1) * sizeof *document->texts);
    if (!document->texts)
        return NGX_ERROR;
    for (ngx_uint_t i = 0; i < share->settings.nelts; i++) {
        const char *why;
        ngx_int_t rc = setting_text(document->pool, setting[i], json, &document->texts[i], &why);

        if (rc == NGX_ERROR)
            return NGX_ERROR;
        if (rc == NGX_DECLINED)
            log_omission(setting[i], &document->origin, why);
    }
    return NGX_OK;
}

static struct document *document_new(const struct web_share *share, const struct origin *origin,
                                     const seqshare_json *json)
{
    ngx_pool_t *pool = ngx_create_pool(1024, ngx_cycle->log);
    struct document *document = pool ? ngx_palloc(pool, sizeof *document) : NULL;

    if (document) {
        *document = (struct document){.users = 1, .origin = *origin, .pool = pool};
        if (make_texts(share, document, json) == NGX_OK)
            return document;
    }
    if (pool)
        ngx_destroy_pool(pool);
    return NULL;
}

/* It was checked before it was kept: only memory can be missing. Then the worker tries again. */
static void *decode(void *bytes, size_t length, uint64_t version, void *context)
{
    struct kept *kept = bytes;
    struct document *document = NULL;
    seqshare_json *json;

    if (length < sizeof *kept) {
        errno = EBADMSG;
        return NULL;
    }
    json = seqshare_json_decode(kept->text, length - sizeof *kept, version, NULL);
    if (json)
        document = document_new(context, &kept->origin, json);
    seqshare_json_destroy(json);
    if (!document)
        errno = ENOMEM;
    return document;
}

int document_make_cache(struct web_share *share)
{
    return seqshare_cache_new(&share->cache, share->good, decode, destroy, share);
}

static struct document *newest(struct web_share *share)
{
    return share->cache ? (struct document *)(uintptr_t)seqshare_cache_get(share->cache) : NULL;
}

bool document_is_used(struct web_share *share, const struct origin *origin)
{
    const struct document *document = newest(share);

    return document && origin_is_same(&document->origin, origin);
}

struct document *document_newest(struct web_share *share)
{
    struct document *document = newest(share);

    if (document)
        document->users++;
    return document;
}
