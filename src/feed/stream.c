/* SPDX-License-Identifier: MIT */
/* The agent's side of a source: when to list, follow and prove, and what to make of its reports. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"

static void note_contact(struct agent *agent)
{
    agent->report.feed.contact = loop_now();
    agent->report.away[0] = 0;
}

/* The keys are those of the source, as of now. */
static void note_proof(struct agent *agent)
{
    note_contact(agent);
    agent->proof = agent->report.feed.contact;
    backoff_good(&agent->backoff, agent->proof);
    if (agent->standing_serial && agent->standing_serial == agent->serial && !agent->report.drifted[0])
        agent->report.feed.current = agent->proof;
}

/* ---- what is to be done next ----------------------------------------------------------------- */

static void arm_prove(struct agent *agent)
{
    const struct source *source = agent->source;
    double spread = (2 * backoff_chance() - 1) * source->prove_spread / 100.0;

    if (source->prove_every > 0 && source->type->prove)
        loop_after(agent->loop, &agent->prove,
                   (int64_t)((double)source->prove_every * (1 + (spread < -0.9 ? -0.9 : spread))));
}

static void prove_due(void *context)
{
    struct agent *agent = context;

    if (!agent->following)
        return;
    arm_prove(agent);
    agent->source->type->prove(agent->source);
}

static void connect_due(void *context)
{
    struct agent *agent = context;
    const struct source_type *type = agent->source->type;

    if (agent->keys && !agent->must_list) {
        agent->following = true;
        arm_prove(agent);
        type->follow(agent->source);
        return;
    }
    agent->following = false;
    agent->report.lists++;
    type->list(agent->source);
}

/* Not more often than the limit allows, whatever the reason. */
static void connect_after(struct agent *agent, int64_t wait)
{
    int64_t now = loop_now(), limit = backoff_limit_wait(&agent->connects, now);

    if (wait < limit)
        wait = limit;
    backoff_limit_count(&agent->connects, now + wait);
    agent->following = false;
    loop_cancel(agent->loop, &agent->prove);
    loop_after(agent->loop, &agent->connect, wait);
}

/* ---- reports --------------------------------------------------------------------------------- */

/* What the source had when we last knew: in this run, or when the last document was published. */
static bool went_back(const struct agent *agent, const struct keys *now)
{
    const struct keys *before = agent->keys ? agent->keys : agent->keys_saved;
    struct keys last = {.revision = agent->standing.revision, .term = agent->standing.term};
    const struct key *key;

    if (now->revision == 0) /* it has no revisions; it may know by other means */
        return now->back;
    if (!before)
        return now->revision < last.revision || now->term < last.term || now->back;
    return keys_went_back(before, now, &key);
}

static void on_listed(void *context, struct keys *keys)
{
    struct agent *agent = context;

    if (went_back(agent, keys)) {
        agent_log(agent, "the store went back: revision %" PRIu64 ", term %" PRIu64, keys->revision,
                  keys->term);
        operator_hold_back(agent, true);
    }
    keys_free(agent->keys);
    keys_free(agent->keys_saved);
    agent->keys_saved = NULL;
    agent->source->kept = NULL;
    agent->keys = keys;
    agent->source->ours = keys;
    agent->serial++;
    agent->must_list = false;
    note_proof(agent);
    if (!agent->following)
        loop_after(agent->loop, &agent->connect, 0);
    change_consider(agent);
    if (agent->check.process == 0)
        operator_settle(agent);
    agent_tell(agent);
}

static int apply(struct keys *keys, const struct source_change *change)
{
    if (change->value)
        return keys_put(keys, change->name, change->length, change->value, change->size, change->changed);
    keys_remove(keys, change->name, change->length);
    return 0;
}

static void on_changed(void *context, const struct source_change *changes, size_t count, uint64_t revision)
{
    struct agent *agent = context;
    int error = 0;

    if (!agent->keys || agent->must_list) /* it will all be read again: until then the set may be half old */
        return;
    for (size_t i = 0; !error && i < count; i++)
        error = apply(agent->keys, &changes[i]);
    if (error) { /* the set is half old now: nothing is made of it, and all is asked for again */
        agent->report.refusals[REPORT_SOURCE]++;
        snprintf(agent->report.refused, REPORT_WHY, "revision %" PRIu64 ": the keys take too much memory",
                 revision);
        agent->must_list = true;
        connect_after(agent, backoff_wait(&agent->backoff, loop_now()));
        agent_tell(agent);
        return;
    }
    agent->keys->revision = revision;
    agent->serial++;
    note_proof(agent);
    change_consider(agent);
    agent_tell(agent);
}

static void on_proven(void *context, uint64_t revision, uint64_t term)
{
    struct agent *agent = context;

    if (revision && agent->keys && revision > agent->keys->revision)
        agent->keys->revision = revision;
    if (revision && agent->keys)
        agent->keys->term = term;
    note_proof(agent);
    agent_tell(agent);
}

static void on_contact(void *context)
{
    note_contact(context);
    agent_tell(context);
}

static void on_refused(void *context, uint64_t revision, const char *why)
{
    struct agent *agent = context;

    note_contact(agent);
    agent->serial++; /* so what stands is not the newest */
    if (revision)
        agent->report.feed.newest = revision;
    agent->report.refusals[REPORT_SOURCE]++;
    snprintf(agent->report.refused, REPORT_WHY, "%.300s", why);
    agent_tell(agent);
}

static void on_away(void *context, int64_t wait, const char *why)
{
    struct agent *agent = context;
    int64_t backoff = backoff_wait(&agent->backoff, loop_now());

    snprintf(agent->report.away, REPORT_WHY, "%.300s", why);
    connect_after(agent, wait > backoff ? wait : backoff);
    agent_tell(agent);
}

static void on_lost(void *context, const char *why)
{
    struct agent *agent = context;

    agent_log(agent, "everything is read again: %s", why);
    agent->must_list = true;
    connect_after(agent, 0);
}

static const struct source_sink sink = {.listed = on_listed,
                                        .changed = on_changed,
                                        .proven = on_proven,
                                        .contact = on_contact,
                                        .refused = on_refused,
                                        .away = on_away,
                                        .lost = on_lost};

/* ---- set-up ---------------------------------------------------------------------------------- */

int stream_open(struct agent *agent)
{
    const struct source_type *type = source_find(agent->config->scheme);
    int error;

    if (!type) {
        agent_log(agent, "this build has no source of the kind %s", agent->config->scheme);
        return -EINVAL;
    }
    agent->connects = (struct backoff_limit){.most = BACKOFF_MOST};
    agent->connect = (struct loop_timer){.due = connect_due, .context = agent};
    agent->prove = (struct loop_timer){.due = prove_due, .context = agent};
    agent->keys_saved = agent->state.folder < 0 ? NULL : state_read_keys(&agent->state);
    agent->keys_kept = agent->keys_saved && agent->keys_saved->revision >= agent->standing.revision;
    agent->source = calloc(1, type->size);
    if (!agent->source)
        return -ENOMEM;
    agent->source->type = type;
    agent->source->config = agent->config;
    agent->source->loop = agent->loop;
    agent->source->sink = &sink;
    agent->source->context = agent;
    agent->source->kept = agent->keys_saved;
    error = type->open(agent->source);
    if (error)
        agent_log(agent, "the source cannot be used: %s",
                  agent->report.away[0] ? agent->report.away : strerror(-error));
    else
        connect_after(agent, 0);
    return error;
}

void stream_close(struct agent *agent)
{
    loop_cancel(agent->loop, &agent->connect);
    loop_cancel(agent->loop, &agent->prove);
    if (agent->source)
        agent->source->type->close(agent->source);
    free(agent->source);
    keys_free(agent->keys);
    keys_free(agent->keys_saved);
    agent->source = NULL;
    agent->keys = agent->keys_saved = NULL;
}
