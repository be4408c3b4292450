/* SPDX-License-Identifier: MIT */
/*
 * A child parses each good document once. A request counts as a user of its document until it has been logged. By then
 * another thread may have it: that is why it does not stay in a section of the cache, which is for one thread, and
 * short.
 */
#include "mod_seqshare.h"

apr_status_t document_release(void *opaque)
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
    document_release(document);
}

static struct document *document_new(void *text, size_t length, const struct origin *origin)
{
    struct document *document = malloc(sizeof *document);
    seqshare_json *json = document ? seqshare_json_decode(text, length, origin->version, NULL) : NULL;
    apr_pool_t *pool;

    /* A pool without a parent: any thread may be the last user. */
    if (!json || apr_pool_create_unmanaged(&pool) != APR_SUCCESS) {
        seqshare_json_destroy(json);
        free(document);
        return NULL;
    }
    *document = (struct document){
        .users = 1,
        .origin = *origin,
        .json = json,
        .texts = pointer_make_texts(pool, json),
        .pool = pool,
    };
    return document;
}

/* It was checked before it was kept: only memory can be missing. Then the child tries again. */
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

int document_make_cache(struct web_share *share)
{
    seqshare_cache_mt *cache;
    int error = seqshare_cache_mt_new(&cache, share->good, decode, destroy, share);

    /* Release: pairs with the acquire in document_newest. A thread that sees the cache finds it complete. */
    if (!error)
        __atomic_store_n(&share->cache, cache, __ATOMIC_RELEASE);
    return error;
}

bool document_is_used(struct web_share *share, const struct origin *origin)
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

struct document *document_newest(struct web_share *share)
{
    seqshare_cache_mt *cache = __atomic_load_n(&share->cache, __ATOMIC_ACQUIRE);
    seqshare_snapshot section;
    struct document *document;

    if (!cache)
        return NULL;
    document = (struct document *)(uintptr_t)seqshare_cache_mt_enter(cache, &section);
    if (document)
        __atomic_add_fetch(&document->users, 1, __ATOMIC_RELAXED); /* as good as any: the section keeps it */
    seqshare_cache_mt_leave(cache, &section);
    return document;
}
