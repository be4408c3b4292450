/* SPDX-License-Identifier: MIT */
/* The variables of a request, and the one document that the whole request uses. */
#include "ngx_http_seqshare.h"

/* A request's documents, by the numbers of the shares. If there is none, that must stay so for the whole request. */
struct snapshot {
    struct document *document;
    bool taken;
};

struct context {
    struct body *body;
    ngx_uint_t count;
    struct snapshot of[];
};

static void release(void *opaque)
{
    struct context *context = opaque;

    for (ngx_uint_t i = 0; i < context->count; i++)
        if (context->of[i].document)
            document_release(context->of[i].document);
}

static struct context *begin_context(ngx_http_request_t *r)
{
    const struct main_config *config = ngx_http_get_module_main_conf(r, ngx_http_seqshare_module);
    const size_t size = sizeof(struct context) + config->shares.nelts * sizeof(struct snapshot);
    ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(r->pool, size);
    struct context *context;

    if (!cleanup)
        return NULL;
    context = cleanup->data;
    ngx_memzero(context, size);
    context->count = config->shares.nelts;
    cleanup->handler = release;
    return context;
}

/* Of the main request. An internal redirect forgets the contexts of all modules: the cleanup has it then. */
static struct context *context_of(ngx_http_request_t *r)
{
    struct context *context = ngx_http_get_module_ctx(r->main, ngx_http_seqshare_module);

    if (context)
        return context;
    for (ngx_pool_cleanup_t *cleanup = r->main->pool->cleanup; !context && cleanup; cleanup = cleanup->next)
        if (cleanup->handler == release)
            context = cleanup->data;
    if (!context)
        context = begin_context(r->main);
    ngx_http_set_ctx(r->main, context, ngx_http_seqshare_module);
    return context;
}

ngx_int_t request_set_body(ngx_http_request_t *r, struct body *body)
{
    struct context *context = context_of(r);

    if (!context)
        return NGX_ERROR;
    context->body = body;
    return NGX_OK;
}

struct body *request_body(ngx_http_request_t *r)
{
    return context_of(r)->body; /* it has been set */
}

/* ---- documents ------------------------------------------------------------------------------- */

/* For the status, which any worker may show. Relaxed: it is a record, and orders nothing. */
static void note_served(const struct web_share *share, uint64_t version)
{
    struct served *served = &share->journal->served[ngx_worker];

    if (ngx_exiting) /* the place has gone to a new worker */
        return;
    if (__atomic_load_n(&served->version, __ATOMIC_RELAXED) == version &&
        __atomic_load_n(&served->pid, __ATOMIC_RELAXED) == ngx_pid)
        return; /* the line stays where it is */
    __atomic_store_n(&served->pid, ngx_pid, __ATOMIC_RELAXED);
    __atomic_store_n(&served->version, version, __ATOMIC_RELAXED);
}

static struct document *take_newest(struct web_share *share)
{
    struct document *document;

    if (!share->cache) /* there was no memory for it */
        share_begin_worker(share);
    follow_look(share);
    document = document_newest(share);
    note_served(share, document ? document->origin.version : 0);
    return document;
}

const struct document *request_document(ngx_http_request_t *r, struct web_share *share)
{
    struct context *context = context_of(r);
    struct snapshot *snapshot;

    if (!context)
        return NULL;
    snapshot = &context->of[share->number];
    if (!snapshot->taken) {
        snapshot->taken = true;
        snapshot->document = take_newest(share);
    }
    return snapshot->document;
}

/* ---- variables ------------------------------------------------------------------------------- */

static ngx_int_t set_value(ngx_http_variable_value_t *value, ngx_str_t text)
{
    value->valid = 1;
    value->no_cacheable = 0;
    value->not_found = text.data == NULL;
    value->len = (unsigned)text.len;
    value->data = text.data;
    return NGX_OK;
}

ngx_int_t request_get_setting(ngx_http_request_t *r, ngx_http_variable_value_t *value, uintptr_t data)
{
    const struct setting *setting = (const struct setting *)data;
    const struct document *document = request_document(r, setting->share);

    if (document && document->texts[setting->number].data)
        return set_value(value, document->texts[setting->number]);
    return set_value(value, setting->otherwise);
}

ngx_int_t request_get_version(ngx_http_request_t *r, ngx_http_variable_value_t *value, uintptr_t data)
{
    const struct document *document = request_document(r, (struct web_share *)data);
    ngx_str_t text = ngx_null_string;

    if (!document)
        return set_value(value, text);
    text.data = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (!text.data)
        return NGX_ERROR;
    text.len = (size_t)(ngx_sprintf(text.data, "%uL", document->origin.version) - text.data);
    return set_value(value, text);
}

/* In milliseconds; below 0: nobody knows. */
static int64_t age_of(const struct web_share *share, const struct document *document)
{
    const ngx_time_t *now = ngx_timeofday();
    int64_t age;

    if (share->has_feed) {
        age = seqshare_feed_age(&share->feed);
        return age < 0 ? -1 : age / 1000000;
    }
    age = (int64_t)now->sec * 1000 + (int64_t)now->msec - document->origin.published / 1000000;
    return age < 0 ? 0 : age; /* nginx's clock lags behind by a millisecond; or the clock has been set back */
}

/* In seconds, as nginx's own times: 12.345. */
ngx_int_t request_get_age(ngx_http_request_t *r, ngx_http_variable_value_t *value, uintptr_t data)
{
    struct web_share *share = (struct web_share *)data;
    const struct document *document = request_document(r, share);
    const int64_t age = document ? age_of(share, document) : -1;
    ngx_str_t text = ngx_null_string;

    if (age < 0)
        return set_value(value, text);
    text.data = ngx_pnalloc(r->pool, NGX_INT64_LEN + 4);
    if (!text.data)
        return NGX_ERROR;
    text.len = (size_t)(ngx_sprintf(text.data, "%L.%03L", age / 1000, age % 1000) - text.data);
    return set_value(value, text);
}
