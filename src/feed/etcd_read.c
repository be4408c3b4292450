/* SPDX-License-Identifier: MIT */
/*
 * The source etcd: its linearizable reads. A list has everything. A probe has the keys alone, and shows whether the
 * stream brings what it should and whether the store is still the one that we know. A read of history is the proof
 * when keys are gone that no change removed.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "etcd.h"

enum { KEYS_SEVERAL = 256 }; /* with more of them probes are seldom */

static const int64_t answer_within = 5 * LOOP_SECOND, list_within = 60 * LOOP_SECOND;
static const int64_t probe_every = 60 * LOOP_SECOND, probe_seldom = 600 * LOOP_SECOND;
static const int64_t bring_within = LOOP_SECOND;

static void free_answer(struct etcd *etcd, Etcd__RangeResponse **answer)
{
    etcd_range_free(&etcd->link.gather, *answer);
    *answer = NULL;
}

/* ---- list ---- */

/* What we had before: in this run, or in an earlier one. NULL: not known. */
static const struct keys *before(const struct etcd *etcd)
{
    return etcd->source.ours ? etcd->source.ours : etcd->source.kept;
}

static void report_list(struct etcd *etcd, struct keys *keys)
{
    keys->back |= etcd->probe.back;
    etcd->probe.back = false;
    etcd->compared = true;
    etcd->aim = ETCD_NOTHING;
    source_listed(&etcd->source, keys);
}

/* A list cannot show whether a key that it lacks was removed, or was never in this store. The history can. */
static bool is_doubtful(const struct etcd *etcd, const struct keys *keys)
{
    const struct keys *had = before(etcd);

    if (!had || etcd->probe.back || keys->revision < had->revision)
        return false;
    for (size_t i = 0; i < had->count; i++)
        if (!keys_find(keys, had->list[i].name, had->list[i].length))
            return true;
    return false;
}

static void end_list(struct etcd *etcd)
{
    size_t limit = etcd->link.gather.limit;
    struct keys *keys = NULL;
    uint64_t revision = (uint64_t)etcd->read.answer->header->revision;
    char why[ETCD_WHY_SIZE];
    int rc = etcd_range_keys(&etcd->place, etcd->read.answer, limit - etcd->link.gather.used, &keys);

    free_answer(etcd, &etcd->read.answer);
    if (rc == -EFBIG) {
        snprintf(why, sizeof(why), "the keys need more than the %zu bytes that may be gathered", limit);
        source_refused(&etcd->source, revision, "%s", why);
    }
    if (rc != 0) {
        etcd_away(etcd, 0, rc == -EFBIG ? why : strerror(-rc));
        return;
    }
    keys->limit = limit;
    if (!is_doubtful(etcd, keys)) {
        report_list(etcd, keys);
        return;
    }
    etcd->read.listed = keys;
    etcd_read_start(etcd, ETCD_READ_HISTORY, answer_within);
}

/* ---- probe ---- */

/* The store reports the following state now; ours may have gone further by the stream. */
static void prove(struct etcd *etcd, const Etcd__ResponseHeader *header)
{
    uint64_t at = (uint64_t)header->revision;

    etcd_watch_reached(etcd, at);
    if (at >= etcd->source.ours->revision)
        source_proven(&etcd->source, at, header->raft_term);
    else
        source_contact(&etcd->source);
}

static void went_back(struct etcd *etcd, const char *why)
{
    etcd->probe.back = true;
    etcd_lost(etcd, why);
}

/* The watch runs, or begins now: wait for it to bring what the probe found. */
static void await(struct etcd *etcd)
{
    etcd->probe.pending = etcd->read.answer;
    etcd->probe.asked = etcd->read.asked;
    etcd->read.answer = NULL;
    if (etcd->watch.created)
        loop_after(etcd->source.loop, &etcd->probe.second, bring_within);
}

static void end_probe(struct etcd *etcd)
{
    char why[ETCD_REASON_SIZE];
    enum etcd_verdict verdict =
        etcd_compare(&etcd->place, etcd->source.ours, &etcd->read.asked, etcd->read.answer, why);

    if (verdict == ETCD_BACK) {
        went_back(etcd, why);
        return;
    }
    if (verdict == ETCD_SAME)
        prove(etcd, etcd->read.answer->header);
    else
        await(etcd);
    free_answer(etcd, &etcd->read.answer);
    etcd->compared = true;
    if (!etcd->watch.created)
        etcd_go_on(etcd);
}

/* The stream had its second. */
static void on_second(void *context)
{
    struct etcd *etcd = context;
    char why[ETCD_REASON_SIZE];
    enum etcd_verdict verdict =
        etcd_compare(&etcd->place, etcd->source.ours, &etcd->probe.asked, etcd->probe.pending, why);

    if (verdict == ETCD_SAME)
        prove(etcd, etcd->probe.pending->header);
    free_answer(etcd, &etcd->probe.pending);
    if (verdict == ETCD_BACK)
        went_back(etcd, why);
    else if (verdict == ETCD_NEWER)
        etcd_lost(etcd, why);
    else if (verdict == ETCD_GONE)
        etcd_read_start(etcd, ETCD_READ_HISTORY, answer_within);
}

/* ---- history ---- */

/* The list that waited for it. `back`: what the history says. */
static void release_list(struct etcd *etcd, bool back)
{
    struct keys *keys = etcd->read.listed;

    etcd->read.listed = NULL;
    keys->back = back;
    report_list(etcd, keys);
}

static void end_history(struct etcd *etcd)
{
    bool same = etcd_is_ours(&etcd->place, before(etcd), etcd->read.answer);

    free_answer(etcd, &etcd->read.answer);
    if (etcd->read.listed)
        release_list(etcd, !same);
    else if (etcd->source.ours->revision != etcd->read.asked.revision)
        etcd_lost(etcd, "keys are gone that no change removed");
    else if (same)
        etcd_lost(etcd, "keys were removed, and the stream did not say so");
    else
        went_back(etcd, "keys are gone that no change removed: the history of this store is not ours");
}

/* true: it is dealt with. */
static bool fail_history(struct etcd *etcd, const struct grpc_call *call)
{
    bool future = strstr(call->detail, "future revision") != NULL;

    if (etcd->read.kind != ETCD_READ_HISTORY || call->status != GRPC_OUT_OF_RANGE)
        return false;
    if (etcd->read.listed)
        release_list(etcd, future);
    else if (future)
        went_back(etcd, "the history of this store ends before our revision");
    else
        etcd_lost(etcd, "keys are gone, and what removed them is compacted");
    return true;
}

/* ---- reading ---- */

static int on_message(void *context, const uint8_t *bytes, size_t length)
{
    struct etcd *etcd = context;

    if (etcd->read.answer)
        return -EPROTO; /* a second answer */
    return etcd_range_unpack(&etcd->place, &etcd->link.gather, bytes, length, &etcd->read.answer);
}

static void fail(struct etcd *etcd)
{
    const struct grpc_call *call = &etcd->read.call;
    const char *why = etcd_words(call->detail, call->why);

    if (fail_history(etcd, call))
        return;
    if (etcd_is_refusal(call)) {
        etcd_refused(etcd, why);
        return;
    }
    if (call->fault == -EMSGSIZE)
        source_refused(&etcd->source, 0, "%s", why);
    etcd_away(etcd, 0, why);
}

static void on_ended(void *context)
{
    struct etcd *etcd = context;

    loop_cancel(etcd->source.loop, &etcd->read.limit);
    if (etcd->read.call.status != GRPC_OK || !etcd->read.answer) {
        fail(etcd);
        return;
    }
    grpc_stop(&etcd->read.call);
    etcd->login.tried = false; /* the token is good */
    switch (etcd->read.kind) {
    case ETCD_READ_LIST:
        end_list(etcd);
        break;
    case ETCD_READ_PROBE:
        end_probe(etcd);
        break;
    case ETCD_READ_HISTORY:
        end_history(etcd);
        break;
    }
}

/* A long list may take its time, as long as something comes. */
static void on_limit(void *context)
{
    struct etcd *etcd = context;
    uint64_t received = etcd->source.counts.received_bytes;

    if (etcd->read.kind == ETCD_READ_LIST && received != etcd->read.received &&
        loop_now() - etcd->read.since < list_within) {
        etcd->read.received = received;
        loop_after(etcd->source.loop, &etcd->read.limit, answer_within);
        return;
    }
    etcd_away(etcd, 0,
              "no answer to a linearizable read in time: the member may be stopped, or have no quorum");
}

static int send_request(struct etcd *etcd)
{
    Etcd__RangeRequest request = ETCD__RANGE_REQUEST__INIT;
    const char *lines[3];

    request.key =
        (ProtobufCBinaryData){.len = etcd->place.length, .data = (uint8_t *)etcd->source.config->key};
    if (etcd->place.prefix)
        request.range_end =
            (ProtobufCBinaryData){.len = etcd->place.length, .data = (uint8_t *)etcd->range_end};
    request.keys_only = etcd->read.kind != ETCD_READ_LIST;
    if (etcd->read.kind == ETCD_READ_HISTORY)
        request.revision = (int64_t)etcd->read.asked.revision;
    etcd_metadata(etcd, NULL, lines);
    return grpc_start(&etcd->read.call, &etcd->link, "/etcdserverpb.KV/Range", lines, &request.base, true);
}

void etcd_read_start(struct etcd *etcd, enum etcd_reading kind, int64_t limit)
{
    const struct keys *had = before(etcd);
    int rc;

    free_answer(etcd, &etcd->read.answer);
    etcd->read.kind = kind;
    etcd->read.since = loop_now();
    etcd->read.received = etcd->source.counts.received_bytes;
    if (had)
        etcd->read.asked = (struct etcd_asked){.revision = had->revision, .term = had->term};
    rc = send_request(etcd);
    if (rc != 0)
        etcd_away(etcd, 0, strerror(-rc));
    else
        loop_after(etcd->source.loop, &etcd->read.limit, limit);
}

void etcd_read_stop(struct etcd *etcd)
{
    struct loop *loop = etcd->source.loop;

    grpc_stop(&etcd->read.call);
    free_answer(etcd, &etcd->read.answer);
    free_answer(etcd, &etcd->probe.pending);
    keys_free(etcd->read.listed);
    etcd->read.listed = NULL;
    loop_cancel(loop, &etcd->read.limit);
    loop_cancel(loop, &etcd->probe.timer);
    loop_cancel(loop, &etcd->probe.second);
}

/* ---- when to probe ---- */

static void arm_probe(struct etcd *etcd)
{
    int64_t every = etcd->source.ours->count > KEYS_SEVERAL ? probe_seldom : probe_every;

    loop_after(etcd->source.loop, &etcd->probe.timer, (int64_t)((0.5 + backoff_chance()) * (double)every));
}

static void on_probe(void *context)
{
    struct etcd *etcd = context;

    arm_probe(etcd);
    if (!etcd->read.call.running && !etcd->probe.pending)
        etcd_read_start(etcd, ETCD_READ_PROBE, answer_within);
}

void etcd_read_probes(struct etcd *etcd)
{
    arm_probe(etcd);
    if (etcd->probe.pending)
        loop_after(etcd->source.loop, &etcd->probe.second, bring_within);
}

void etcd_read_open(struct etcd *etcd)
{
    etcd->read.call.message = on_message;
    etcd->read.call.ended = on_ended;
    etcd->read.call.context = etcd;
    etcd->read.limit.due = on_limit;
    etcd->probe.timer.due = on_probe;
    etcd->probe.second.due = on_second;
    etcd->read.limit.context = etcd->probe.timer.context = etcd->probe.second.context = etcd;
}
