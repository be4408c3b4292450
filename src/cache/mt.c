/* SPDX-License-Identifier: MIT */
/*
 * The cache for many threads. What is known at one time is a state that never changes: who finds that the
 * share has moved makes the next one and puts it in its place. So a section sees an object, its version and
 * the region they came from together.
 *
 * One thread at a time has the right to do that. It keeps it while it decodes, but no other thread waits for
 * it unless there is no object yet.
 */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "sections.h"
#include "source.h"

/* What states share. Only who has the right takes a share in one; whoever frees the last state lets it go. */
struct object {
    unsigned users;
    void *decoded;
    seqshare_destroy *destroy;
};

struct region {
    unsigned users;
    bool ours;
    seqshare *share;
};

struct moment {
    struct node node; /* first: sections know no more of it */
    struct state state;
    struct object *object; /* NULL: none yet */
    struct region *region;
};

struct seqshare_cache_mt {
    struct source source; /* its share, if it has a name, is used to follow that, and not to read */
    bool unattached;      /* it has moved, and the new region could not be attached to yet */
    uint32_t refresher;   /* the process whose thread has the right; 0: none */
    struct sections *sections;
};

/* ---- moments ---- */

static void object_let_go(struct object *object)
{
    if (!object || __atomic_sub_fetch(&object->users, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    if (object->destroy)
        object->destroy(object->decoded);
    free(object);
}

static void region_let_go(struct region *region)
{
    if (!region || __atomic_sub_fetch(&region->users, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    if (region->ours)
        seqshare_close(region->share);
    free(region);
}

static void moment_free(struct node *node)
{
    struct moment *moment = (struct moment *)node;

    object_let_go(moment->object);
    region_let_go(moment->region);
    free(moment);
}

static struct moment *moment_after(const struct moment *now)
{
    struct moment *next = malloc(sizeof *next);

    if (!next)
        return NULL;
    *next = (struct moment){
        .node.free = moment_free, /* and nothing else of that: others count in it */
        .state = now->state,
        .object = now->object,
        .region = now->region,
    };
    if (next->object)
        __atomic_add_fetch(&next->object->users, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&next->region->users, 1, __ATOMIC_RELAXED);
    return next;
}

/* ---- regions ---- */

static int region_new(struct region **result, seqshare *share, bool named)
{
    struct region *region = malloc(sizeof *region);
    int error = 0;

    if (!region)
        return -ENOMEM;
    *region = (struct region){.users = 1, .ours = named, .share = share};
    if (named) /* a mapping for readers: the share's own may move under them */
        error = seqshare_reader(&region->share, share);
    if (error)
        free(region);
    else
        *result = region;
    return error;
}

/* ---- refreshing, by the thread that has the right ---- */

static bool has_news(const seqshare_cache_mt *cache, const struct moment *moment)
{
    return must_read(&cache->source, &moment->state) || must_follow(&cache->source, &moment->state);
}

/* On to the region that the name has now. */
static void follow(seqshare_cache_mt *cache, struct moment *moment)
{
    struct region *found;
    int error;

    cache->unattached |= source_follow(&cache->source, &moment->state);
    if (!cache->unattached)
        return;
    error = region_new(&found, cache->source.share, true);
    moment->state.stat.follow_error = error;
    if (error)
        return;
    cache->unattached = false;
    region_let_go(moment->region);
    moment->region = found;
    moment->state.view.share = found->share;
    moment->state.view.seen = NOTHING_SEEN;
}

static void read_value(seqshare_cache_mt *cache, struct moment *moment)
{
    struct object *object = malloc(sizeof *object);

    if (!object) {
        source_read_later(&cache->source, &moment->state, -ENOMEM);
    } else if (source_read(&cache->source, &moment->state)) {
        *object = (struct object){
            .users = 1,
            .decoded = moment->state.view.object,
            .destroy = cache->source.destroy,
        };
        object_let_go(moment->object);
        moment->object = object;
    } else {
        free(object);
    }
}

static void refresh(seqshare_cache_mt *cache)
{
    struct moment *now = (struct moment *)sections_current(cache->sections), *next;

    if (!has_news(cache, now) || !sections_have_room(cache->sections))
        return;
    next = moment_after(now);
    if (!next)
        return;
    if (must_follow(&cache->source, &next->state))
        follow(cache, next);
    if (must_read(&cache->source, &next->state))
        read_value(cache, next);
    sections_replace(cache->sections, &next->node);
}

/*
 * A child of fork may find that a thread it does not have was refreshing: it takes the right over. The share
 * may have been moving just then, so it is not touched any more, and the name not followed.
 */
static bool take_right(seqshare_cache_mt *cache)
{
    uint32_t me = (uint32_t)getpid(), holder = 0;

    if (__atomic_compare_exchange_n(&cache->refresher, &holder, me, false, __ATOMIC_ACQUIRE,
                                    __ATOMIC_RELAXED))
        return true;
    if (holder == me || !__atomic_compare_exchange_n(&cache->refresher, &holder, me, false, __ATOMIC_ACQUIRE,
                                                     __ATOMIC_RELAXED))
        return false;
    cache->unattached = false;
    source_follow_never(&cache->source);
    return true;
}

static void give_right_back(seqshare_cache_mt *cache)
{
    __atomic_store_n(&cache->refresher, 0, __ATOMIC_RELEASE);
}

static void a_little_later(void)
{
    nanosleep(&(struct timespec){0, 50000}, NULL);
}

/* Outside of a section, so that the old object need not outlive this. */
static bool refresh_or_wait(seqshare_cache_mt *cache)
{
    if (!take_right(cache)) {
        a_little_later();
        return false;
    }
    refresh(cache);
    give_right_back(cache);
    return true;
}

/* ---- the API ---- */

const void *seqshare_cache_mt_enter(seqshare_cache_mt *cache, seqshare_snapshot *snapshot)
{
    struct moment *moment = (struct moment *)section_enter(cache->sections);
    bool refreshed = false;

    while (!refreshed && has_news(cache, moment)) {
        if (moment->object && __atomic_load_n(&cache->refresher, __ATOMIC_RELAXED) == (uint32_t)getpid())
            break;
        section_leave(cache->sections, &moment->node);
        refreshed = refresh_or_wait(cache);
        moment = (struct moment *)section_enter(cache->sections);
    }
    snapshot->object = moment->object ? moment->object->decoded : NULL;
    snapshot->version = moment->state.stat.version;
    snapshot->hold = moment;
    return snapshot->object;
}

void seqshare_cache_mt_leave(seqshare_cache_mt *cache, seqshare_snapshot *snapshot)
{
    struct moment *moment = snapshot->hold;

    *snapshot = (seqshare_snapshot){0};
    section_leave(cache->sections, &moment->node);
}

int seqshare_cache_mt_stat(seqshare_cache_mt *cache, struct seqshare_cache_stat *stat)
{
    struct moment *moment;

    if (!cache || !stat)
        return -EINVAL;
    moment = (struct moment *)section_enter(cache->sections);
    *stat = moment->state.stat;
    section_leave(cache->sections, &moment->node);
    return 0;
}

const char *seqshare_cache_mt_reclamation(void)
{
    return sections_name;
}

/* Nothing seen, nothing decoded. */
static int begin(seqshare_cache_mt *cache, bool named)
{
    struct moment *first = calloc(1, sizeof *first);
    int error = -ENOMEM;

    if (first)
        error = region_new(&first->region, cache->source.share, named);
    if (!error) {
        first->node.free = moment_free;
        first->state.view.share = first->region->share;
        cache->sections = sections_new(&first->node);
        error = cache->sections ? 0 : -ENOMEM;
    }
    if (error && first)
        moment_free(&first->node);
    return error;
}

int seqshare_cache_mt_new(seqshare_cache_mt **result, seqshare *share, seqshare_decode *decode,
                          seqshare_destroy *destroy, void *context)
{
    seqshare_cache_mt *cache;
    bool named;
    int error;

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
    named = seqshare_reopen(share) != -EINVAL;
    if (!named)
        source_follow_never(&cache->source);
    error = begin(cache, named);
    if (error)
        free(cache);
    else
        *result = cache;
    return error;
}

void seqshare_cache_mt_close(seqshare_cache_mt *cache)
{
    if (!cache)
        return;
    sections_close(cache->sections);
    free(cache);
}
