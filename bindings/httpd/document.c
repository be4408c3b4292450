/* SPDX-License-Identifier: MIT */
/*
 * A child parses each version once. A request takes the newest document at its first use, and counts as its user
 * until it has been logged, when another thread may have it: that is why it does not stay in a section of the
 * cache, which is for one thread, and short.
 */
#include "mod_seqshare.h"

/* ---- documents ---- */

static apr_status_t document_let_go(void *opaque)
{
    struct document *document = opaque;

    if (__atomic_sub_fetch(&document->users, 1, __ATOMIC_ACQ_REL) == 0) {
        seqshare_json_destroy(document->json);
        apr_pool_destroy(document->pool);
        free(document);
    }
    return APR_SUCCESS;
}

static void destroy(void *document)
{
    document_let_go(document);
}

/* The log gets one line of it, not one from every child. */
static void note_refusal(struct share *share, uint64_t version, const char *why)
{
    struct journal *journal = share->journal;

    __atomic_add_fetch(&share->refusals, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&journal->refusals, 1, __ATOMIC_RELAXED);
    if (__atomic_exchange_n(&journal->refused_version, version, __ATOMIC_RELAXED) != version)
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, ap_server_conf,
                     "seqshare %s: version %" APR_UINT64_T_FMT " is not used, the last good one stays: %s",
                     share->name, version, why);
}

static struct document *document_new(void *bytes, size_t length, uint64_t version)
{
    struct document *document = malloc(sizeof *document);
    seqshare_json *json = document ? seqshare_json_decode(bytes, length, version, NULL) : NULL;
    apr_pool_t *pool;

    /* A pool that has to do with no other: any thread may be the last user. */
    if (!json || apr_pool_create_unmanaged(&pool) != APR_SUCCESS) {
        seqshare_json_destroy(json);
        free(document);
        return NULL;
    }
    *document = (struct document){
        .users = 1,
        .version = version,
        .json = json,
        .texts = make_texts(pool, json),
        .pool = pool,
    };
    return document;
}

static void *decode(void *bytes, size_t length, uint64_t version, void *context)
{
    struct share *share = context;
    struct document *document = document_new(bytes, length, version);
    char why[SEQSHARE_JSON_WHY_SIZE];
    int error;

    if (document) {
        __atomic_store_n(&share->journal->good, version, __ATOMIC_RELAXED);
        return document;
    }
    error = seqshare_json_check(bytes, length, why);
    if (error == -EBADMSG)
        note_refusal(share, version, why);
    errno = error == -EBADMSG ? EBADMSG : ENOMEM; /* for want of memory, it is tried again */
    return NULL;
}

int share_make_cache(struct share *share)
{
    seqshare_cache_mt *cache;
    seqshare_snapshot section;
    int error = seqshare_cache_mt_new(&cache, share->reader, decode, destroy, share);

    if (error)
        return error;
    if (!seqshare_cache_mt_enter(cache, &section) && share->good.bytes)
        share->inherited = document_new(share->good.bytes, share->good.length, share->good.version);
    seqshare_cache_mt_leave(cache, &section);
    __atomic_store_n(&share->cache, cache, __ATOMIC_RELEASE);
    return 0;
}

/* ---- what happens besides: looked at once a second, by the requests that come ---- */

/* What is wrong, if there is: with following the name, or with values for which there was no time or memory. */
static int trouble_of(struct share *share, seqshare_cache_mt *cache)
{
    struct seqshare_cache_stat stat;
    uint64_t unread;

    if (seqshare_cache_mt_stat(cache, &stat) != 0)
        return 0;
    if (stat.follow_error)
        return stat.follow_error;
    unread = stat.failed - __atomic_load_n(&share->refusals, __ATOMIC_RELAXED);
    if ((int64_t)(unread - share->unread) <= 0) /* a refusal is counted here first */
        return 0;
    share->unread = unread;
    return stat.failed_error;
}

/* There has been nothing to read from: is there now? */
static int begin(struct share *share)
{
    int error = share->reader ? 0 : seqshare_open(&share->reader, share->name, SEQSHARE_READ);

    return error ? error : share_make_cache(share);
}

static void tell(struct share *share, int trouble)
{
    if (trouble == share->trouble)
        return;
    share->trouble = trouble;
    if (__atomic_exchange_n(&share->journal->trouble, trouble, __ATOMIC_RELAXED) == trouble)
        return;
    if (trouble)
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, ap_server_conf, "seqshare %s: %s; requests keep what they had",
                     share->name, seqshare_strerror(trouble));
    else
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, ap_server_conf, "seqshare %s: is there again", share->name);
}

/* Longer than a second, when the clock has been set back: then it is time, too. */
static bool is_time(const struct share *share, apr_time_t now)
{
    apr_time_t left = __atomic_load_n(&share->next_look, __ATOMIC_RELAXED) - now;

    return left <= 0 || left > APR_USEC_PER_SEC;
}

static void look_after(struct share *share, apr_time_t now)
{
    seqshare_cache_mt *cache;

    if (!is_time(share, now) || __atomic_exchange_n(&share->looking, true, __ATOMIC_ACQUIRE))
        return;
    cache = share->cache;
    tell(share, cache ? trouble_of(share, cache) : begin(share));
    __atomic_store_n(&share->next_look, now + APR_USEC_PER_SEC, __ATOMIC_RELAXED);
    __atomic_store_n(&share->looking, false, __ATOMIC_RELEASE);
}

/* ---- requests ---- */

/* If there is none, it may be time to look whether there can be. */
static seqshare_cache_mt *cache_of(struct share *share, apr_time_t now)
{
    seqshare_cache_mt *cache = __atomic_load_n(&share->cache, __ATOMIC_ACQUIRE);

    if (cache)
        return cache;
    look_after(share, now);
    return __atomic_load_n(&share->cache, __ATOMIC_ACQUIRE);
}

static struct document *newest_document(struct share *share, apr_time_t now)
{
    seqshare_cache_mt *cache = cache_of(share, now);
    seqshare_snapshot section;
    struct document *document;

    if (!cache)
        return NULL;
    document = (struct document *)(uintptr_t)seqshare_cache_mt_enter(cache, &section);
    if (!document)
        document = share->inherited;
    if (document)
        __atomic_add_fetch(&document->users, 1, __ATOMIC_RELAXED);
    seqshare_cache_mt_leave(cache, &section);
    look_after(share, now);
    return document;
}

/* What a request has: a place of its own, for there may be no document, and that must stay so, too. */
struct snapshot {
    struct document *document;
};

static const request_rec *first_request(const request_rec *r)
{
    while (r->main || r->prev)
        r = r->main ? r->main : r->prev;
    return r;
}

struct share *request_share(const request_rec *r)
{
    const struct server_config *config = ap_get_module_config(r->server->module_config, &seqshare_module);

    return config->declaration ? config->declaration->share : NULL;
}

const struct document *request_document(request_rec *r)
{
    const request_rec *first = first_request(r);
    struct snapshot *snapshot = ap_get_module_config(first->request_config, &seqshare_module);
    struct share *share;

    if (snapshot)
        return snapshot->document;
    snapshot = apr_pcalloc(first->pool, sizeof *snapshot);
    ap_set_module_config(first->request_config, &seqshare_module, snapshot);
    share = request_share(first);
    if (share)
        snapshot->document = newest_document(share, first->request_time);
    if (snapshot->document)
        apr_pool_cleanup_register(first->pool, snapshot->document, document_let_go, apr_pool_cleanup_null);
    return snapshot->document;
}
