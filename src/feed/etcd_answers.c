/* SPDX-License-Identifier: MIT */
/* etcd's answers, taken apart and judged: see etcd_answers.h. */
#include "etcd_answers.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "form.h"

/* ---- what every answer must be ---- */

static bool is_within(const struct etcd_place *place, const Etcd__KeyValue *kv)
{
    if (!kv || kv->mod_revision <= 0)
        return false;
    if (place->prefix ? kv->key.len < place->length : kv->key.len != place->length)
        return false;
    return memcmp(kv->key.data, place->key, place->length) == 0;
}

/* protobuf-c answers NULL alike for nonsense and for memory that it was not given. */
static int unpack_error(const struct gather *gather)
{
    return gather->over ? -EMSGSIZE : -EPROTO;
}

static bool is_sound_range(const struct etcd_place *place, const Etcd__RangeResponse *range)
{
    if (!range->header || range->header->revision <= 0 || range->more)
        return false;
    for (size_t i = 0; i < range->n_kvs; i++)
        if (!is_within(place, range->kvs[i]))
            return false;
    return true;
}

int etcd_range_unpack(const struct etcd_place *place, struct gather *gather, const uint8_t *bytes,
                      size_t length, Etcd__RangeResponse **range)
{
    ProtobufCAllocator allocator = gather_allocator(gather);

    *range = etcd__range_response__unpack(&allocator, length, bytes);
    if (!*range)
        return unpack_error(gather);
    if (is_sound_range(place, *range))
        return 0;
    etcd_range_free(gather, *range);
    *range = NULL;
    return -EPROTO;
}

void etcd_range_free(struct gather *gather, Etcd__RangeResponse *range)
{
    ProtobufCAllocator allocator = gather_allocator(gather);

    if (range)
        etcd__range_response__free_unpacked(range, &allocator);
}

static const char *name_of(const struct etcd_place *place, const Etcd__KeyValue *kv)
{
    return (const char *)kv->key.data + place->length;
}

static size_t name_length(const struct etcd_place *place, const Etcd__KeyValue *kv)
{
    return kv->key.len - place->length;
}

static const void *value_of(const Etcd__KeyValue *kv)
{
    return kv->value.len ? (const void *)kv->value.data : "";
}

/* ---- list ---- */

int etcd_range_keys(const struct etcd_place *place, const Etcd__RangeResponse *range, size_t limit,
                    struct keys **keys)
{
    struct keys *set = keys_new(limit);

    if (!set)
        return -ENOMEM;
    for (size_t i = 0; i < range->n_kvs; i++) {
        const Etcd__KeyValue *kv = range->kvs[i];
        int rc = keys_put(set, name_of(place, kv), name_length(place, kv), value_of(kv), kv->value.len,
                          (uint64_t)kv->mod_revision);

        if (rc != 0) {
            keys_free(set);
            return rc;
        }
    }
    set->revision = (uint64_t)range->header->revision;
    set->term = range->header->raft_term;
    *keys = set;
    return 0;
}

/* ---- probe ---- */

static void say(char why[ETCD_REASON_SIZE], const char *what, const struct etcd_place *place,
                const char *name, size_t length)
{
    char key[ETCD_REASON_SIZE / 2];

    form_printable(key, sizeof(key), name - place->length, place->length + length);
    snprintf(why, ETCD_REASON_SIZE, "%s: %s", what, key);
}

/*
 * One key of a probe of revision `at`. Beyond our revision it is news. Up to there we know its last change, but a
 * change of ours that is later than the probe hides what it was then.
 */
static enum etcd_verdict judge(const struct keys *ours, const struct key *known, uint64_t changed,
                               uint64_t at)
{
    if (known && known->changed == changed)
        return ETCD_SAME;
    if (changed > ours->revision)
        return ETCD_NEWER;
    if (known ? known->changed > at : ours->revision > at)
        return ETCD_SAME;
    return ETCD_BACK;
}

/* How many keys of ours should the probe have? Those that stood at its revision. */
static size_t standing(const struct keys *ours, uint64_t at)
{
    size_t count = 0;

    for (size_t i = 0; i < ours->count; i++)
        count += ours->list[i].changed <= at;
    return count;
}

/* Keys of ours that the probe does not have: removed since, or never there. */
static enum etcd_verdict judge_missing(const struct keys *ours, uint64_t at, size_t found)
{
    if (found >= standing(ours, at))
        return ETCD_SAME;
    /* We are as far as the probe, or further, so we know of every removal that it knows of. */
    return at <= ours->revision ? ETCD_BACK : ETCD_GONE;
}

static bool is_earlier(const struct etcd_asked *asked, const Etcd__ResponseHeader *header, char *why)
{
    uint64_t revision = (uint64_t)header->revision;

    if (revision < asked->revision)
        snprintf(why, ETCD_REASON_SIZE, "the store is at revision %llu, and was at %llu",
                 (unsigned long long)revision, (unsigned long long)asked->revision);
    else if (header->raft_term < asked->term)
        snprintf(why, ETCD_REASON_SIZE, "the store is in raft term %llu, and was in %llu",
                 (unsigned long long)header->raft_term, (unsigned long long)asked->term);
    else
        return false;
    return true;
}

enum etcd_verdict etcd_compare(const struct etcd_place *place, const struct keys *ours,
                               const struct etcd_asked *asked, const Etcd__RangeResponse *probe,
                               char why[ETCD_REASON_SIZE])
{
    uint64_t at = (uint64_t)probe->header->revision;
    enum etcd_verdict verdict = ETCD_SAME;
    size_t found = 0;

    why[0] = 0;
    if (is_earlier(asked, probe->header, why))
        return ETCD_BACK;
    for (size_t i = 0; i < probe->n_kvs; i++) {
        const Etcd__KeyValue *kv = probe->kvs[i];
        const char *name = name_of(place, kv);
        size_t length = name_length(place, kv);
        const struct key *known = keys_find(ours, name, length);
        enum etcd_verdict one = judge(ours, known, (uint64_t)kv->mod_revision, at);

        found += known && known->changed <= at;
        if (one == ETCD_SAME)
            continue;
        say(why, one == ETCD_BACK ? "a key changed in a past that is not ours" : "not here yet", place, name,
            length);
        verdict = one;
        if (one == ETCD_BACK)
            return verdict;
    }
    if (verdict != ETCD_SAME)
        return verdict;
    verdict = judge_missing(ours, at, found);
    if (verdict != ETCD_SAME)
        snprintf(why, ETCD_REASON_SIZE, "keys are gone that no change removed");
    return verdict;
}

bool etcd_is_ours(const struct etcd_place *place, const struct keys *ours, const Etcd__RangeResponse *history)
{
    if (history->n_kvs != ours->count)
        return false;
    for (size_t i = 0; i < history->n_kvs; i++) {
        const Etcd__KeyValue *kv = history->kvs[i];
        const struct key *known = keys_find(ours, name_of(place, kv), name_length(place, kv));

        if (!known || known->changed != (uint64_t)kv->mod_revision)
            return false;
    }
    return true;
}

/* ---- watch ---- */

static bool is_sound_watch(const struct etcd_place *place, const Etcd__WatchResponse *watch)
{
    for (size_t i = 0; i < watch->n_events; i++) {
        const Etcd__Event *event = watch->events[i];

        if (event->type != ETCD__EVENT__TYPE__PUT && event->type != ETCD__EVENT__TYPE__DELETE)
            return false;
        if (!is_within(place, event->kv))
            return false;
    }
    return true;
}

int etcd_watch_unpack(const struct etcd_place *place, struct gather *gather, const uint8_t *bytes,
                      size_t length, Etcd__WatchResponse **watch)
{
    ProtobufCAllocator allocator = gather_allocator(gather);

    *watch = etcd__watch_response__unpack(&allocator, length, bytes);
    if (!*watch)
        return unpack_error(gather);
    if (is_sound_watch(place, *watch))
        return 0;
    etcd_watch_free(gather, *watch);
    *watch = NULL;
    return -EPROTO;
}

void etcd_watch_free(struct gather *gather, Etcd__WatchResponse *watch)
{
    ProtobufCAllocator allocator = gather_allocator(gather);

    if (watch)
        etcd__watch_response__free_unpacked(watch, &allocator);
}

static int grow(struct etcd_events *events)
{
    size_t room = events->room ? events->room * 2 : 4;
    Etcd__WatchResponse **list = gather_alloc(events->gather, room * sizeof(*list));

    if (!list)
        return events->gather->over ? -EMSGSIZE : -ENOMEM;
    if (events->count)
        memcpy(list, events->list, events->count * sizeof(*list));
    gather_free(events->gather, events->list);
    events->list = list;
    events->room = room;
    return 0;
}

int etcd_events_add(struct etcd_events *events, Etcd__WatchResponse *watch)
{
    int rc = events->count == events->room ? grow(events) : 0;

    if (rc != 0) {
        etcd_watch_free(events->gather, watch);
        return rc;
    }
    events->list[events->count++] = watch;
    events->events += watch->n_events;
    return 0;
}

static struct source_change change_of(const struct etcd_place *place, const Etcd__Event *event)
{
    const Etcd__KeyValue *kv = event->kv;
    struct source_change change = {
        .name = name_of(place, kv), .length = name_length(place, kv), .changed = (uint64_t)kv->mod_revision};

    if (event->type == ETCD__EVENT__TYPE__DELETE)
        return change;
    change.value = value_of(kv);
    change.size = kv->value.len;
    return change;
}

int etcd_events_changes(const struct etcd_place *place, const struct etcd_events *events, uint64_t revision,
                        struct source_change **changes, size_t *count, uint64_t *newest)
{
    struct source_change *list = gather_alloc(events->gather, (events->events + 1) * sizeof(*list));

    if (!list)
        return events->gather->over ? -EMSGSIZE : -ENOMEM;
    *count = 0;
    *newest = 0;
    for (size_t i = 0; i < events->count; i++)
        for (size_t j = 0; j < events->list[i]->n_events; j++) {
            struct source_change change = change_of(place, events->list[i]->events[j]);

            if (change.changed < *newest) {
                gather_free(events->gather, list);
                return -EPROTO;
            }
            *newest = change.changed;
            if (change.changed > revision) /* a list or a probe had the others in it already */
                list[(*count)++] = change;
        }
    *changes = list;
    return 0;
}

void etcd_events_clear(struct etcd_events *events)
{
    for (size_t i = 0; i < events->count; i++)
        etcd_watch_free(events->gather, events->list[i]);
    gather_free(events->gather, events->list);
    events->list = NULL;
    events->count = events->room = events->events = 0;
}
