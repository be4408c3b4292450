/* SPDX-License-Identifier: MIT */
/* The cache for one thread at a time. */
#include <stdlib.h>

#include "right.h"
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
    int error;

    if (!result || !share || !decode)
        return -EINVAL;
    cache = calloc(1, sizeof *cache);
    if (!cache)
        return -ENOMEM;
    error = source_begin(&cache->source, share, decode, destroy, context);
    cache->state.view.share = share;
    if (error)
        free(cache);
    else
        *result = &cache->state.view;
    return error;
}

static void destroy_object(const struct cache *cache, void *object)
{
    if (object && cache->source.destroy)
        cache->source.destroy(object);
}

static bool follow(struct cache *cache)
{
    struct undisturbed before;
    bool moved;

    right_begin_undisturbed(&before);
    moved = source_follow(&cache->source, &cache->state);
    right_end_undisturbed(&before);
    cache->state.stat.moved += moved;
    return moved;
}

/* Count this call, as the inline function does: the time, if it is its turn to ask the clock. */
static uint64_t count_call(struct cache *cache)
{
    seqshare_cache *view = &cache->state.view;

    if (view->calls > 0)
        view->calls--;
    return view->calls > 0 ? 0 : source_take_turn(&cache->source);
}

/* The inline function need not call again for this. */
static void tell(struct cache *cache)
{
    seqshare_cache *view = &cache->state.view;

    view->marks = cache->source.marks;
    if (view->calls == 0)
        view->calls = source_period(&cache->source);
}

const void *seqshare_cache_refresh(seqshare_cache *handle)
{
    struct cache *cache = (struct cache *)handle;
    struct state *state = &cache->state;
    void *old = state->view.object;

    source_was_left(&cache->source, state);
    if (source_must_follow(&cache->source, state, count_call(cache)))
        follow(cache);
    tell(cache);
    if (source_must_read(&cache->source, state) && source_read(&cache->source, state))
        destroy_object(cache, old);
    return state->view.object;
}

int seqshare_cache_look(seqshare_cache *handle)
{
    struct cache *cache = (struct cache *)handle;
    bool moved;

    if (!cache)
        return -EINVAL;
    if (!cache->source.named)
        return 0;
    moved = follow(cache);
    tell(cache);
    return moved ? 1 : cache->state.stat.follow_error;
}

int64_t seqshare_cache_age(const seqshare_cache *handle)
{
    return handle ? source_age(&((const struct cache *)handle)->state) : -EINVAL;
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

    if (!cache)
        return;
    destroy_object(cache, cache->state.view.object);
    source_end(&cache->source);
    free(cache);
}
