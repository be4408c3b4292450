/* SPDX-License-Identifier: MIT */
/* The cache for one thread at a time. */
#include <stdlib.h>

#include "source.h"

struct cache {
    struct state state; /* first: a seqshare_cache is its beginning */
    struct source source;
};

_Static_assert(offsetof(struct cache, state.view) == 0, "a handle is the beginning of a cache");

int seqshare_cache_new(seqshare_cache **result, seqshare *share, seqshare_decode *decode,
                       seqshare_destroy *destroy, void *context)
{
    struct cache *cache;

    if (!result || !share || !decode)
        return -EINVAL;
    cache = calloc(1, sizeof *cache);
    if (!cache)
        return -ENOMEM;
    cache->source = (struct source){
        .share = share,
        .decode = decode,
        .destroy = destroy,
        .context = context,
    };
    cache->state.view.share = share;
    *result = &cache->state.view;
    return 0;
}

static void destroy_object(const struct cache *cache, void *object)
{
    if (object && cache->source.destroy)
        cache->source.destroy(object);
}

const void *seqshare_cache_refresh(seqshare_cache *handle)
{
    struct cache *cache = (struct cache *)handle;
    struct state *state = &cache->state;
    void *old = state->view.object;

    if (must_follow(&cache->source, state))
        source_follow(&cache->source, state);
    if (must_read(&cache->source, state) && source_read(&cache->source, state))
        destroy_object(cache, old);
    return state->view.object;
}

int seqshare_cache_stat(const seqshare_cache *handle, struct seqshare_cache_stat *stat)
{
    if (!handle || !stat)
        return -EINVAL;
    *stat = ((const struct cache *)handle)->state.stat;
    return 0;
}

void seqshare_cache_close(seqshare_cache *handle)
{
    struct cache *cache = (struct cache *)handle;

    if (cache)
        destroy_object(cache, cache->state.view.object);
    free(cache);
}
