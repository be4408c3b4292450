/* SPDX-License-Identifier: MIT */
/*
 * The cache for many threads. The facts at one time are an edition, which never changes. The thread that finds
 * that the share has moved makes the next edition and puts it in the place of this one. So a section sees an object,
 * its version and the region that they came from together.
 *
 * One thread at a time has the right to do that. It keeps the right while it decodes, but no other thread waits for it
 * unless there is no object yet.
 */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "right.h"
#include "sections.h"
#include "source.h"

/*
 * Editions have these parts in common. The thread that has the right adds users. Freeing the last edition that has a
 * part releases it.
 */
struct object {
    unsigned users;
    void *decoded;
    seqshare_destroy *destroy;
};

struct attachment {
    unsigned users;
    bool ours;
    seqshare *share;
};

struct edition {
    struct node node; /* first: sections know no more of it */
    struct state state;
    struct object *object; /* NULL: none yet */
    struct attachment *attachment;
};

struct seqshare_cache_mt {
    struct source source; /* if its share has a name, that share follows the name, and does not read */
    bool unattached;      /* it has moved, and the cache could not attach to the new region yet */
    struct right right;   /* to refresh: needed for all of this but sections */
    struct edition *next; /* room for the next one; NULL: not made yet */
    struct sections *sections;
};

/* ---- editions ---- */

static void object_release(struct object *object)
{
    if (!object || __atomic_sub_fetch(&object->users, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    if (object->destroy)
        object->destroy(object->decoded);
    free(object);
}

static void attachment_release(struct attachment *attachment)
{
    if (!attachment || __atomic_sub_fetch(&attachment->users, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    if (attachment->ours)
        seqshare_close(attachment->share);
    free(attachment);
}

static void edition_free(struct node *node)
{
    struct edition *edition = (struct edition *)node;

    object_release(edition->object);
    attachment_release(edition->attachment);
    free(edition);
}

static struct object *object_keep(struct object *object)
{
    if (object)
        __atomic_add_fetch(&object->users, 1, __ATOMIC_RELAXED);
    return object;
}

static struct attachment *attachment_keep(struct attachment *attachment)
{
    __atomic_add_fetch(&attachment->users, 1, __ATOMIC_RELAXED);
    return attachment;
}

/*
 * Before all else, so that what is found out can be kept. It stays with the cache until it is used: decode may
 * not come back.
 */
static bool make_next(seqshare_cache_mt *cache)
{
    struct edition *room;

    if (cache->next)
        return true;
    room = calloc(1, sizeof *room);
    if (room && !sections_take_in(cache->sections, &room->node)) {
        free(room);
        room = NULL;
    }
    cache->next = room;
    return room;
}

/* Puts the next edition in place. Object and attachment are its own: new, or used again. */
static void put_next(seqshare_cache_mt *cache, const struct state *state, struct object *object,
                     struct attachment *attachment)
{
    struct edition *next = cache->next;

    cache->next = NULL;
    next->node.free = edition_free;
    next->state = *state;
    next->object = object;
    next->attachment = attachment;
    sections_replace(cache->sections, &next->node);
}

static const struct edition *current(const seqshare_cache_mt *cache)
{
    return (const struct edition *)sections_current(cache->sections);
}

/* ---- attachments ---- */

static int attachment_new(struct attachment **result, seqshare *share, bool named)
{
    struct attachment *attachment = malloc(sizeof *attachment);
    int error = 0;

    if (!attachment)
        return -ENOMEM;
    *attachment = (struct attachment){.users = 1, .ours = named, .share = share};
    if (named) /* a mapping for readers: the share's own may move under them */
        error = seqshare_reader(&attachment->share, share);
    if (error)
        free(attachment);
    else
        *result = attachment;
    return error;
}

/* ---- refreshing, by the thread that has the right ---- */

/* On to the region that the name has now. */
static struct attachment *follow_name(seqshare_cache_mt *cache, struct state *state)
{
    struct attachment *found = NULL;

    cache->unattached |= source_follow(&cache->source, state);
    if (!cache->unattached)
        return NULL;
    state->stat.follow_error = attachment_new(&found, cache->source.share, true);
    if (state->stat.follow_error)
        return NULL;
    cache->unattached = false;
    state->stat.moved++;
    state->view.share = found->share;
    state->view.seen = NOTHING_SEEN;
    return found;
}

/* It returns what seqshare_cache_mt_look does. */
static int follow(seqshare_cache_mt *cache)
{
    const struct edition *old = current(cache);
    struct state state = old->state;
    struct undisturbed before;
    struct attachment *found;

    if (!make_next(cache))
        return -ENOMEM;
    right_begin_undisturbed(&before);
    found = follow_name(cache, &state);
    right_end_undisturbed(&before);
    if (found)
        put_next(cache, &state, object_keep(old->object), found);
    else if (state.stat.follow_error != old->state.stat.follow_error)
        put_next(cache, &state, object_keep(old->object), attachment_keep(old->attachment));
    return found ? 1 : state.stat.follow_error;
}

static struct object *object_new(seqshare_cache_mt *cache, struct state *state)
{
    struct object *object = malloc(sizeof *object);

    if (object)
        *object = (struct object){
            .users = 1,
            .decoded = state->view.object,
            .destroy = cache->source.destroy,
        };
    else if (cache->source.destroy)
        cache->source.destroy(state->view.object);
    return object;
}

static void read_value(seqshare_cache_mt *cache)
{
    const struct edition *old = current(cache);
    struct state state = old->state;
    struct object *object = NULL;

    if (!make_next(cache))
        return;
    if (source_read(&cache->source, &state)) {
        object = object_new(cache, &state);
        if (!object) {
            uint64_t version = state.stat.version;

            state = old->state;
            source_no_memory(&cache->source, &state, version);
        }
    }
    put_next(cache, &state, object ? object : object_keep(old->object), attachment_keep(old->attachment));
}

/* Tidy up after the thread that had the right before, if it did not give it back. */
static void settle(seqshare_cache_mt *cache)
{
    const struct edition *old = current(cache);
    struct state state = old->state;

    if (cache->right.inherited) { /* perhaps just when it had moved the share, and before it told */
        cache->unattached = cache->source.named;
        cache->right.inherited = false;
    }
    if (source_was_left(&cache->source, &state) && make_next(cache))
        put_next(cache, &state, object_keep(old->object), attachment_keep(old->attachment));
}

static void refresh(seqshare_cache_mt *cache)
{
    settle(cache);
    if (source_must_follow(&cache->source, &current(cache)->state, source_time()))
        follow(cache);
    if (source_must_read(&cache->source, &current(cache)->state))
        read_value(cache);
}

static void give_back(struct right **right)
{
    right_give(*right);
}

/* If an exception or (in glibc) a cancellation passes through from decode, this gives the right back. */
static void refresh_and_give_back(seqshare_cache_mt *cache)
{
    __attribute__((cleanup(give_back))) struct right *right = &cache->right;

    (void)right;
    refresh(cache);
}

static bool try_to_refresh(seqshare_cache_mt *cache)
{
    if (!right_take(&cache->right))
        return false;
    refresh_and_give_back(cache);
    sections_add_up(cache->sections);
    return true;
}

static void wait_a_little(void)
{
    nanosleep(&(struct timespec){0, 50000}, NULL);
}

/* Outside of a section, so that the old object need not outlive this. */
static bool refresh_or_wait(seqshare_cache_mt *cache)
{
    if (try_to_refresh(cache))
        return true;
    wait_a_little();
    return false;
}

/* ---- the API ---- */

static struct edition *enter(seqshare_cache_mt *cache, uint64_t *entry)
{
    return (struct edition *)sections_enter(cache->sections, entry);
}

static bool has_news(seqshare_cache_mt *cache, const struct edition *edition, uint64_t entry)
{
    bool turn = (entry & (source_period(&cache->source) - 1)) == 0;
    uint64_t time = turn ? source_take_turn(&cache->source) : 0;

    return source_must_read(&cache->source, &edition->state) ||
           source_must_follow(&cache->source, &edition->state, time);
}

const void *seqshare_cache_mt_enter(seqshare_cache_mt *cache, seqshare_snapshot *snapshot)
{
    uint64_t entry;
    struct edition *edition = enter(cache, &entry);
    bool refreshed = false;

    while (!refreshed && has_news(cache, edition, entry)) {
        if (edition->object && right_is_taken(&cache->right))
            break;
        sections_leave(cache->sections, &edition->node);
        refreshed = refresh_or_wait(cache);
        edition = enter(cache, &entry);
    }
    snapshot->object = edition->object ? edition->object->decoded : NULL;
    snapshot->version = edition->state.stat.version;
    snapshot->hold = edition;
    return snapshot->object;
}

void seqshare_cache_mt_leave(seqshare_cache_mt *cache, seqshare_snapshot *snapshot)
{
    struct edition *edition = snapshot->hold;

    *snapshot = (seqshare_snapshot){0};
    sections_leave(cache->sections, &edition->node);
}

int seqshare_cache_mt_look(seqshare_cache_mt *cache)
{
    int result = 0;

    if (!cache)
        return -EINVAL;
    if (!right_take(&cache->right))
        return -EBUSY;
    settle(cache);
    if (cache->source.named)
        result = follow(cache);
    right_give(&cache->right);
    sections_add_up(cache->sections);
    return result;
}

/* A state never changes; this copies it. */
static struct state state_of(seqshare_cache_mt *cache)
{
    uint64_t entry;
    struct edition *edition = enter(cache, &entry);
    struct state state = edition->state;

    sections_leave(cache->sections, &edition->node);
    return state;
}

int64_t seqshare_cache_mt_age(seqshare_cache_mt *cache)
{
    struct state state;

    if (!cache)
        return -EINVAL;
    state = state_of(cache);
    return source_age(&state);
}

int seqshare_cache_mt_stat(seqshare_cache_mt *cache, struct seqshare_cache_stat *stat)
{
    if (!cache || !stat)
        return -EINVAL;
    *stat = state_of(cache).stat;
    return 0;
}

const char *seqshare_cache_mt_reclamation(void)
{
    return sections_name;
}

/* Nothing seen, nothing decoded. */
static int begin(seqshare_cache_mt *cache)
{
    struct edition *first = calloc(1, sizeof *first);
    int error = -ENOMEM;

    if (first)
        error = attachment_new(&first->attachment, cache->source.share, cache->source.named);
    if (!error) {
        first->node.free = edition_free;
        first->state.view.share = first->attachment->share;
        cache->sections = sections_new(&first->node);
        error = cache->sections ? 0 : -ENOMEM;
    }
    if (error && first)
        edition_free(&first->node);
    return error;
}

int seqshare_cache_mt_new(seqshare_cache_mt **result, seqshare *share, seqshare_decode *decode,
                          seqshare_destroy *destroy, void *context)
{
    seqshare_cache_mt *cache;
    int error;

    if (!result || !share || !decode)
        return -EINVAL;
    cache = calloc(1, sizeof *cache);
    if (!cache)
        return -ENOMEM;
    error = source_begin(&cache->source, share, decode, destroy, context);
    if (!error)
        error = begin(cache);
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
    right_give(&cache->right); /* of a thread that was jumped out of decode */
    if (cache->next)
        sections_drop(cache->sections, &cache->next->node);
    free(cache->next);
    sections_close(cache->sections);
    source_end(&cache->source);
    free(cache);
}
