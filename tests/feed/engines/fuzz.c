/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer over all that etcd's bytes pass through: the frames of gRPC, the messages of protobuf, and what judges
 * them. The first byte chooses a call, the second the size of the pieces that the bytes come in.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "etcd_answers.h"
#include "grpc_frames.h"
#include "keys.h"

enum { LIMIT = 1 << 18, OURS_REVISION = 7 };

static const struct etcd_place places[] = {{.key = "/shop/", .length = 6, .prefix = true},
                                           {.key = "/shop/a", .length = 7, .prefix = false}};

struct run {
    const struct etcd_place *place;
    struct gather gather;
    struct etcd_events events;
    struct keys *ours;
};

static void must(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz: %s\n", what);
    abort();
}

static struct keys *make_ours(const struct etcd_place *place)
{
    struct keys *keys = keys_new(LIMIT);

    must(keys != NULL, "no memory");
    keys->revision = OURS_REVISION;
    keys->term = 2;
    if (place->prefix)
        must(keys_put(keys, "a", 1, "1", 1, 3) == 0 && keys_put(keys, "b", 1, "2", 1, OURS_REVISION) == 0,
             "no room");
    else
        must(keys_put(keys, "", 0, "1", 1, 3) == 0, "no room");
    return keys;
}

/* An answer to a list or a probe. */
static int take_range(void *context, const uint8_t *message, size_t length)
{
    struct run *run = context;
    Etcd__RangeResponse *range;
    const struct etcd_asked asked = {.revision = OURS_REVISION, .term = 2};
    char why[ETCD_REASON_SIZE];
    struct keys *keys = NULL;

    if (etcd_range_unpack(run->place, &run->gather, message, length, &range) != 0)
        return -1;
    etcd_compare(run->place, run->ours, &asked, range, why);
    must(strlen(why) < sizeof(why), "a reason without end");
    if (etcd_is_ours(run->place, run->ours, range))
        must(range->n_kvs == run->ours->count, "ours, and not as many keys");
    if (etcd_range_keys(run->place, range, LIMIT, &keys) == 0)
        must(keys->bytes <= LIMIT && keys->count <= range->n_kvs, "more keys than came");
    keys_free(keys);
    etcd_range_free(&run->gather, range);
    return 0;
}

static int apply(struct run *run)
{
    struct source_change *changes;
    size_t count;
    uint64_t newest, before = run->ours->revision;
    int rc = etcd_events_changes(run->place, &run->events, before, &changes, &count, &newest);

    if (rc != 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        must(changes[i].changed >= before && changes[i].changed <= newest, "a change out of order");
        before = changes[i].changed;
        if (!changes[i].value)
            keys_remove(run->ours, changes[i].name, changes[i].length);
        else if (keys_put(run->ours, changes[i].name, changes[i].length, changes[i].value, changes[i].size,
                          changes[i].changed) != 0)
            rc = -1;
    }
    if (count > 0)
        run->ours->revision = newest;
    gather_free(&run->gather, changes);
    etcd_events_clear(&run->events);
    return rc;
}

static int take_watch(void *context, const uint8_t *message, size_t length)
{
    struct run *run = context;
    Etcd__WatchResponse *watch;
    int whole;

    if (etcd_watch_unpack(run->place, &run->gather, message, length, &watch) != 0)
        return -1;
    whole = !watch->fragment;
    if (etcd_events_add(&run->events, watch) != 0)
        return -1;
    return whole ? apply(run) : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run run = {.gather = {.limit = LIMIT}};
    struct grpc_frames frames = {.gather = &run.gather};
    size_t piece;

    if (size < 2)
        return 0;
    run.place = &places[data[0] >> 1 & 1];
    run.events.gather = &run.gather;
    run.ours = make_ours(run.place);
    piece = (size_t)data[1] + 1;
    for (size_t at = 2; at < size; at += piece) {
        size_t part = size - at < piece ? size - at : piece;

        if (grpc_frames_take(&frames, data + at, part, data[0] & 1 ? take_watch : take_range, &run) != 0)
            break;
        must(run.gather.used <= LIMIT, "more memory than allowed");
    }
    grpc_frames_clear(&frames);
    etcd_events_clear(&run.events);
    must(run.gather.used == 0, "memory is left over");
    keys_free(run.ours);
    return 0;
}
