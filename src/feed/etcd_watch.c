/* SPDX-License-Identifier: MIT */
/*
 * The source etcd: its watch, which brings changes, and the signs of life that are asked for on it. A sign of life
 * moves our revision nowhere: etcd 3.4 may send one before the changes that it counts.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "etcd.h"

static const int64_t answer_within = 5 * LOOP_SECOND;

/* Where no sign of life is answered (etcd grpc-proxy), a probe every 8 s stands in. */
static const int64_t ask_every = 5 * LOOP_SECOND, probe_every = 8 * LOOP_SECOND,
                     probe_within = 4 * LOOP_SECOND;

enum { ASK_SPREAD = 20, PROBE_SPREAD = 25 };

/* ---- what the stream brings ---- */

/* A revision is whole: report it. */
static int report(struct etcd *etcd)
{
    struct source_change *changes;
    size_t count;
    uint64_t newest;
    int rc = etcd_events_changes(&etcd->place, &etcd->watch.events, etcd->source.ours->revision, &changes,
                                 &count, &newest);

    if (rc != 0)
        return rc;
    if (count > 0)
        source_changed(&etcd->source, changes, count, newest);
    else
        source_contact(&etcd->source);
    gather_free(&etcd->link.gather, changes);
    etcd_events_clear(&etcd->watch.events);
    return 0;
}

static int take_events(struct etcd *etcd, Etcd__WatchResponse *watch)
{
    bool whole = !watch->fragment;
    int rc = etcd_events_add(&etcd->watch.events, watch);

    if (rc != 0)
        return rc;
    if (whole)
        return report(etcd);
    source_contact(&etcd->source);
    return 0;
}

static int take_cancel(struct etcd *etcd, Etcd__WatchResponse *watch)
{
    etcd->watch.canceled = true;
    etcd->watch.compacted = watch->compact_revision;
    snprintf(etcd->watch.reason, sizeof(etcd->watch.reason), "%s", watch->cancel_reason);
    grpc_printable(etcd->watch.reason);
    etcd_watch_free(&etcd->link.gather, watch);
    return -ECANCELED; /* ends the call: on_ended goes on */
}

static void begin(struct etcd *etcd)
{
    etcd->watch.created = true;
    etcd_read_probes(etcd);
    source_contact(&etcd->source);
}

/* No events: the sign of life that was asked for, or one that a server sends by itself. */
static void take_sign(struct etcd *etcd, bool asked)
{
    etcd->watch.answered |= asked;
    source_proven(&etcd->source, 0, 0);
}

static int on_message(void *context, const uint8_t *bytes, size_t length)
{
    struct etcd *etcd = context;
    Etcd__WatchResponse *watch;
    int rc = etcd_watch_unpack(&etcd->place, &etcd->link.gather, bytes, length, &watch);
    bool asked = etcd->watch.asked;

    if (rc != 0)
        return rc;
    if (watch->canceled)
        return take_cancel(etcd, watch);
    etcd->watch.asked = false;
    loop_cancel(etcd->source.loop, &etcd->watch.limit);
    if (watch->created)
        begin(etcd);
    if (watch->n_events > 0 || watch->fragment)
        return take_events(etcd, watch);
    if (!watch->created)
        take_sign(etcd, asked);
    etcd_watch_free(&etcd->link.gather, watch);
    return 0;
}

/* ---- how it ends ---- */

static void end_canceled(struct etcd *etcd)
{
    char why[ETCD_WHY_SIZE];

    if (etcd->watch.compacted > 0) {
        snprintf(why, sizeof(why), "compacted: the history begins at revision %" PRId64,
                 etcd->watch.compacted);
        etcd_lost(etcd, why);
        return;
    }
    snprintf(why, sizeof(why), "the watch was cancelled: %s",
             etcd_words(etcd->watch.reason, "no reason of etcd's"));
    /* For want of a right, most likely: etcd gives no code here. */
    etcd_refused(etcd, why);
}

static void on_ended(void *context)
{
    struct etcd *etcd = context;
    const struct grpc_call *call = &etcd->watch.call;
    const char *why = etcd_words(call->detail, call->why);

    etcd->watch.created = false;
    if (etcd->watch.canceled)
        end_canceled(etcd);
    else if (call->fault == -EMSGSIZE)
        etcd_lost(etcd, "more changes at once than may be gathered");
    else if (etcd_is_refusal(call))
        etcd_refused(etcd, why);
    else
        etcd_away(etcd, 0, call->status == GRPC_OK ? "the peer ended the watch" : why);
}

/* ---- signs of life ---- */

static void set_silent(struct etcd *etcd, bool silent)
{
    etcd->watch.silent = silent;
    etcd->source.prove_every = silent ? probe_every : ask_every;
    etcd->source.prove_spread = silent ? PROBE_SPREAD : ASK_SPREAD;
}

void etcd_watch_reset(struct etcd *etcd)
{
    etcd->watch.answered = etcd->watch.again = false;
    set_silent(etcd, false);
}

void etcd_watch_reached(struct etcd *etcd, uint64_t revision)
{
    if (!etcd->watch.silent || etcd->watch.again || revision < etcd->watch.start)
        return;
    etcd->watch.again = true;
    set_silent(etcd, false);
}

static void on_limit(void *context)
{
    struct etcd *etcd = context;

    etcd->watch.asked = false;
    if (!etcd->watch.created) {
        etcd_away(etcd, 0, "no answer to a watch within 5 s");
        return;
    }
    if (etcd->watch.answered) {
        etcd_away(etcd, 0, "the stream gave no sign of life for 5 s");
        return;
    }
    set_silent(etcd, true);
    if (!etcd->read.call.running)
        etcd_read_start(etcd, ETCD_READ_PROBE, probe_within);
}

void etcd_watch_ask(struct etcd *etcd)
{
    Etcd__WatchRequest request = ETCD__WATCH_REQUEST__INIT;
    Etcd__WatchProgressRequest progress = ETCD__WATCH_PROGRESS_REQUEST__INIT;

    if (!etcd->watch.created || etcd->watch.asked)
        return;
    if (etcd->watch.silent) {
        if (!etcd->read.call.running && !etcd->probe.pending)
            etcd_read_start(etcd, ETCD_READ_PROBE, probe_within);
        return;
    }
    request.request_union_case = ETCD__WATCH_REQUEST__REQUEST_UNION_PROGRESS_REQUEST;
    request.progress_request = &progress;
    etcd->watch.asked = true;
    loop_after(etcd->source.loop, &etcd->watch.limit, answer_within);
    grpc_send(&etcd->watch.call, &request.base); /* if it cannot, no answer comes: the limit says so */
}

/* ---- start and stop ---- */

static int send_create(struct etcd *etcd)
{
    Etcd__WatchRequest request = ETCD__WATCH_REQUEST__INIT;
    Etcd__WatchCreateRequest create = ETCD__WATCH_CREATE_REQUEST__INIT;
    const char *lines[3];

    create.key =
        (ProtobufCBinaryData){.len = etcd->place.length, .data = (uint8_t *)etcd->source.config->key};
    if (etcd->place.prefix)
        create.range_end =
            (ProtobufCBinaryData){.len = etcd->place.length, .data = (uint8_t *)etcd->range_end};
    etcd->watch.start = etcd->source.ours->revision + 1;
    create.start_revision = (int64_t)etcd->watch.start;
    create.fragment = true;
    request.request_union_case = ETCD__WATCH_REQUEST__REQUEST_UNION_CREATE_REQUEST;
    request.create_request = &create;
    /* Without this, a member that has lost its leader keeps the stream open, and silent. */
    etcd_metadata(etcd, "hasleader: true", lines);
    return grpc_start(&etcd->watch.call, &etcd->link, "/etcdserverpb.Watch/Watch", lines, &request.base,
                      false);
}

void etcd_watch_start(struct etcd *etcd)
{
    int rc;

    etcd_watch_stop(etcd);
    rc = send_create(etcd);
    if (rc != 0)
        etcd_away(etcd, 0, strerror(-rc));
    else
        loop_after(etcd->source.loop, &etcd->watch.limit, answer_within);
}

void etcd_watch_stop(struct etcd *etcd)
{
    grpc_stop(&etcd->watch.call);
    etcd_events_clear(&etcd->watch.events);
    loop_cancel(etcd->source.loop, &etcd->watch.limit);
    etcd->watch.created = etcd->watch.asked = etcd->watch.canceled = false;
    etcd->watch.compacted = 0;
}

void etcd_watch_open(struct etcd *etcd)
{
    etcd->watch.call.message = on_message;
    etcd->watch.call.ended = on_ended;
    etcd->watch.call.context = etcd;
    etcd->watch.events.gather = &etcd->link.gather;
    etcd->watch.limit.due = on_limit;
    etcd->watch.limit.context = etcd;
}
