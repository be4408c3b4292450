/* SPDX-License-Identifier: MIT */
/*
 * A child parses each good document once. A request takes the newest at its first use, and counts as its user
 * until it has been logged, when another thread may have it: that is why it does not stay in a section of the
 * cache, which is for one thread, and short.
 */
#include "mod_seqshare.h"

#include <mpm_common.h>
#include <unistd.h>

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

static struct document *document_new(void *text, size_t length, const struct origin *origin)
{
    struct document *document = malloc(sizeof *document);
    seqshare_json *json = document ? seqshare_json_decode(text, length, origin->version, NULL) : NULL;
    apr_pool_t *pool;

    /* A pool that has to do with no other: any thread may be the last user. */
    if (!json || apr_pool_create_unmanaged(&pool) != APR_SUCCESS) {
        seqshare_json_destroy(json);
        free(document);
        return NULL;
    }
    *document = (struct document){
        .users = 1,
        .origin = *origin,
        .json = json,
        .texts = make_texts(pool, json),
        .pool = pool,
    };
    return document;
}

/* It was checked before it was kept: only memory can be missing. Then it is tried again. */
static void *decode(void *bytes, size_t length, uint64_t version, void *context)
{
    struct document *document;
    struct origin origin;

    (void)version, (void)context;
    if (length < sizeof origin) {
        errno = EBADMSG;
        return NULL;
    }
    memcpy(&origin, bytes, sizeof origin);
    document = document_new((char *)bytes + sizeof origin, length - sizeof origin, &origin);
    if (!document)
        errno = ENOMEM;
    return document;
}

int share_make_cache(struct share *share)
{
    seqshare_cache_mt *cache;
    int error = seqshare_cache_mt_new(&cache, share->good, decode, destroy, share);

    /* Release: pairs with the acquire in newest_document: who sees the cache finds it made. */
    if (!error)
        __atomic_store_n(&share->cache, cache, __ATOMIC_RELEASE);
    return error;
}

bool share_uses(struct share *share, const struct origin *origin)
{
    const struct document *document;
    seqshare_snapshot section;
    bool same;

    if (!share->cache)
        return false;
    document = seqshare_cache_mt_enter(share->cache, &section);
    same = document && memcmp(&document->origin, origin, sizeof *origin) == 0;
    seqshare_cache_mt_leave(share->cache, &section);
    return same;
}

/* ---- requests ---- */

static struct document *newest_document(struct share *share, apr_time_t now)
{
    seqshare_cache_mt *cache;
    seqshare_snapshot section;
    struct document *document;

    share_look(share, now);
    cache = __atomic_load_n(&share->cache, __ATOMIC_ACQUIRE);
    if (!cache)
        return NULL;
    document = (struct document *)(uintptr_t)seqshare_cache_mt_enter(cache, &section);
    if (document)
        __atomic_add_fetch(&document->users, 1, __ATOMIC_RELAXED); /* as good as any: the section keeps it */
    seqshare_cache_mt_leave(cache, &section);
    return document;
}

/* httpd's number of this child; -1: the parent has not written it down yet. */
static int place_of_child(void)
{
    static int known = -1;
    int place = __atomic_load_n(&known, __ATOMIC_RELAXED); /* whichever thread finds it, it is the same */
    apr_proc_t self = {.pid = getpid()};

    if (place >= 0)
        return place;
    place = ap_find_child_by_pid(&self);
    __atomic_store_n(&known, place, __ATOMIC_RELAXED);
    return place;
}

/* For the status, which any child may be asked for. Relaxed: it shows what was, and orders nothing. */
static void note_served(struct share *share, uint64_t version)
{
    int place = place_of_child();
    struct served *served;

    if (place < 0 || place >= share->children)
        return;
    served = &share->journal->served[place];
    if (__atomic_load_n(&served->version, __ATOMIC_RELAXED) == version &&
        __atomic_load_n(&share->noted, __ATOMIC_RELAXED))
        return; /* the line stays where it is */
    __atomic_store_n(&share->noted, true, __ATOMIC_RELAXED);
    __atomic_store_n(&served->pid, getpid(), __ATOMIC_RELAXED);
    __atomic_store_n(&served->version, version, __ATOMIC_RELAXED);
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
    if (!share)
        return NULL;
    snapshot->document = newest_document(share, first->request_time);
    note_served(share, snapshot->document ? snapshot->document->origin.version : 0);
    if (snapshot->document)
        apr_pool_cleanup_register(first->pool, snapshot->document, document_let_go, apr_pool_cleanup_null);
    return snapshot->document;
}
