/* SPDX-License-Identifier: MIT */
/* Opens the agent, with the last good value before anything else, and keeps its state told. */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "notify.h"

void agent_log(const struct agent *agent, const char *format, ...)
{
    char line[2 * REPORT_WHY];
    va_list rest;

    va_start(rest, format);
    vsnprintf(line, sizeof line, format, rest);
    va_end(rest);
    fprintf(stderr, "seqshare-feed: %s: %s\n", agent->config->name, line);
}

/* ---- telling --------------------------------------------------------------------------------- */

static bool is_stale(const struct seqshare_feed_1 *feed)
{
    return feed->current == 0 || loop_now() - feed->current > feed->stale_ms * LOOP_MILLISECOND;
}

static void complete(struct agent *agent)
{
    const struct report *report = &agent->report;
    struct seqshare_feed_1 *feed = &agent->report.feed;

    feed->version = agent->version;
    feed->revision = agent->standing.revision;
    feed->state =
        (seqshare_version(agent->share.value) == 0 ? SEQSHARE_FEED_NONE : 0) |
        (is_stale(feed) ? SEQSHARE_FEED_STALE : 0) | (report->refused[0] ? SEQSHARE_FEED_REFUSED : 0) |
        (report->held[0] ? SEQSHARE_FEED_HELD : 0) | (agent->pinned ? SEQSHARE_FEED_PINNED : 0) |
        (report->drifted[0] ? SEQSHARE_FEED_DRIFTED : 0) | (report->unkept[0] ? SEQSHARE_FEED_UNKEPT : 0);
    agent->report.bytes = agent->standing.length;
    if (agent->source) {
        agent->report.connects = agent->source->counts.connects;
        agent->report.logins = agent->source->counts.logins;
        agent->report.received = agent->source->counts.received_bytes;
    }
}

/* All that is wrong, in words. */
static void sentence(const struct agent *agent, char *text, size_t room)
{
    const struct report *report = &agent->report;
    const char *const whys[] = {report->away,    report->refused, report->held,   report->pinned,
                                report->drifted, report->unkept,  report->waiting};
    size_t used;

    report_words(text, room, report->feed.state);
    used = strlen(text);
    for (size_t i = 0; i < sizeof whys / sizeof whys[0]; i++)
        if (whys[i][0] && used < room)
            used += (size_t)snprintf(text + used, room - used, "; %s", whys[i]);
}

/* A line a change, and again after ten minutes as long as something is wrong. */
static void log_state(struct agent *agent)
{
    char text[2 * REPORT_WHY];
    int64_t now = loop_now();

    sentence(agent, text, sizeof text);
    if (strcmp(text, agent->logged) == 0 &&
        (strcmp(text, "live") == 0 || now - agent->logged_at < 600 * LOOP_SECOND))
        return;
    agent->logged_at = now;
    snprintf(agent->logged, sizeof agent->logged, "%s", text);
    agent_log(agent, "%s", text);
    agent->status_dirty = true;
}

static void log_publications(struct agent *agent)
{
    uint64_t more = agent->report.publications - agent->publications_logged;
    int64_t now = loop_now();

    if (more == 0 || (agent->published_logged_at && now - agent->published_logged_at < LOOP_SECOND))
        return;
    agent->published_logged_at = now;
    agent->publications_logged = agent->report.publications;
    agent_log(agent,
              "published version %" PRIu64 ": revision %" PRIu64 ", %zu bytes (%" PRIu64
              " since the last line)",
              agent->version, agent->standing.revision, agent->standing.length, more);
}

static void write_status(struct agent *agent)
{
    size_t length;
    char *text = agent->state.folder < 0 ? NULL : report_json(&agent->report, true, &length);
    char systemd[64 + 2 * REPORT_WHY];

    agent->status_at = loop_now();
    agent->status_dirty = false;
    if (text)
        state_put(&agent->state, "status", text, length,
                  false); /* UNKEPT is for documents; nothing is lost here */
    free(text);
    snprintf(systemd, sizeof systemd, "STATUS=version %" PRIu64 ", %s", agent->version, agent->logged);
    notify_send(systemd);
}

static void write_metrics(struct agent *agent)
{
    const char *path = agent->config->metrics;
    char *temporary;
    FILE *file;

    agent->metrics_at = loop_now();
    if (!path || asprintf(&temporary, "%s.new", path) < 0)
        return;
    unlink(temporary);
    file = fopen(temporary, "wxe");
    if (file) {
        fchmod(fileno(file), 0644); /* a collector of another user reads it */
        report_prometheus(&agent->report, file);
        if (fclose(file) != 0 || rename(temporary, path) != 0)
            unlink(temporary);
    }
    free(temporary);
}

/* Ten times a second at most, however often something changes. */
static void tell_status(struct agent *agent)
{
    const int64_t pause = 100 * LOOP_MILLISECOND, since = loop_now() - agent->status_at;

    if (!agent->status_dirty)
        return;
    if (since >= pause)
        write_status(agent);
    else if (!agent->status.set)
        loop_after(agent->loop, &agent->status, pause - since);
}

static void status_due(void *context)
{
    tell_status(context);
}

void agent_tell(struct agent *agent)
{
    const struct seqshare_feed_1 *now = &agent->report.feed, *told = &agent->told;
    bool differs, times;

    complete(agent);
    differs = now->state != told->state || now->version != told->version || now->revision != told->revision ||
              now->newest != told->newest;
    times = now->current != told->current || now->contact != told->contact;
    if (differs || (times && loop_now() - agent->told_at >= LOOP_SECOND)) {
        if (share_say(&agent->share, now) == 0) {
            agent->told = *now;
            agent->told_at = loop_now();
        }
    }
    agent->status_dirty |= differs;
    log_publications(agent);
    log_state(agent);
    tell_status(agent);
}

/* Once a second. */
static void tick(void *context)
{
    struct agent *agent = context;
    int64_t now = loop_now();

    loop_after(agent->loop, &agent->tick, LOOP_SECOND);
    change_look_for_drift(agent);
    change_keep_again(agent);
    agent_tell(agent);
    if (now - agent->status_at >= 15 * LOOP_SECOND) /* for its counts */
        write_status(agent);
    if (now - agent->metrics_at >= 10 * LOOP_SECOND)
        write_metrics(agent);
}

enum { STATUS_MOST = 65536 };

/* ---- the last good value --------------------------------------------------------------------- */

static bool load(struct agent *agent, const char *name, struct document *document)
{
    char why[STATE_WHY];
    int error = agent->state.folder < 0 ? -ENOENT : state_read(&agent->state, name, document, why);

    if (error && error != -ENOENT)
        agent_log(agent, "%s/%s is not used: %s", agent->config->state, name, why);
    return error == 0;
}

/* `current`, or the newest of the history where that is damaged. */
static bool load_last_good(struct agent *agent, struct document *document)
{
    struct state_entry entries[STATE_HISTORY + 1];
    size_t count;

    if (load(agent, "current", document))
        return true;
    count = agent->state.folder < 0 ? 0 : state_history(&agent->state, entries);
    for (size_t i = 0; i < count; i++)
        if (load(agent, entries[i].name, document))
            return true;
    return false;
}

/* A value stands, so nothing is published over it: is it that of `next`, or of `current`, or somebody else's? */
static void take_over(struct agent *agent, struct document *there, uint64_t version)
{
    struct document next = {0};

    agent->looked = version;
    if (load(agent, "next", &next) && document_same(there, &next)) {
        int error = state_keep_next(&agent->state, &next); /* that step was not finished */

        if (error)
            snprintf(agent->report.unkept, REPORT_WHY, "the state folder could not be written: %s",
                     strerror(-error));
        document_move(&agent->standing, &next);
    } else {
        load_last_good(agent, &agent->standing);
    }
    document_free(&next);
    if (document_same(there, &agent->standing))
        agent->version = version;
    else
        snprintf(agent->report.drifted, REPORT_WHY, "version %" PRIu64 " was set while no agent ran",
                 version);
}

/* It ran before, so it passed its check then; what is in the file is looked at again. */
static void publish_last_good(struct agent *agent)
{
    struct document document = {0};
    char why[FORM_WHY];

    if (!load_last_good(agent, &document))
        return;
    if (form_judge(agent->config, &document, why) != FORM_FINE)
        agent_log(agent, "the last good document is not used: %s", why);
    else
        change_publish(agent, &document, true);
    document_free(&document);
}

/* The agent's count is at least this one; `digest` is of the document that has it, NULL if nobody knows that. */
static void count_from(struct agent *agent, uint64_t revision, const unsigned char *digest)
{
    if (revision < agent->counted || revision == 0 || (revision == agent->counted && !digest))
        return;
    agent->counted = revision;
    if (digest)
        memcpy(agent->counted_digest, digest, DOCUMENT_DIGEST);
    else
        memset(agent->counted_digest, 0, DOCUMENT_DIGEST);
}

/*
 * Behind all that an agent before this one has counted, so that a revision is of one document. The newest document
 * keeps its number, though an operator may have gone back to another one.
 */
static void count_on(struct agent *agent)
{
    struct state_entry entries[STATE_HISTORY + 1];
    size_t count = agent->state.folder < 0 ? 0 : state_history(&agent->state, entries);
    char *text = malloc(STATUS_MOST);
    ssize_t length =
        text && agent->state.folder >= 0 ? state_get(&agent->state, "status", text, STATUS_MOST) : -1;
    struct report before;

    count_from(agent, agent->standing.revision, agent->standing.digest);
    for (size_t i = 0; i < count; i++)
        count_from(agent, entries[i].revision, entries[i].digest);
    if (length > 0 && report_parse(&before, text, (size_t)length))
        count_from(agent, before.feed.newest, NULL);
    free(text);
}

static void begin_with_last_good(struct agent *agent)
{
    struct document there;
    uint64_t version;

    if (share_read(&agent->share, &there, &version) == 0) {
        take_over(agent, &there, version);
        document_free(&there);
    } else {
        publish_last_good(agent);
    }
    if (agent->state.folder >= 0 && !(agent->report.unkept[0] && agent->standing.bytes))
        state_remove(&agent->state, "next");
    count_on(agent);
    agent->report.feed.newest = agent->standing.revision;
}

/* ---- opening --------------------------------------------------------------------------------- */

enum { FAILED = 1, MISUSED = 2 };

static int open_state(struct agent *agent)
{
    int error = state_open(&agent->state, agent->config, true, stderr);

    if (error == -EPERM || error == -ELOOP)
        return MISUSED;
    if (error) {
        snprintf(agent->report.unkept, REPORT_WHY, "there is no state folder: %s", strerror(-error));
        return 0;
    }
    error = state_lock(&agent->state);
    if (error == -ELOOP) {
        agent_log(agent, "%s/lock is a symbolic link", agent->config->state);
        return MISUSED;
    }
    if (error) {
        agent_log(agent, "another agent runs with the state folder %s", agent->config->state);
        return FAILED;
    }
    return 0;
}

/* Somebody may hold the share's lock while its region must be made again. Signals are blocked: one of them ends this. */
static int open_share(struct agent *agent)
{
    const struct timespec pause = {.tv_nsec = 100 * LOOP_MILLISECOND};
    int64_t since = loop_now();
    bool said = false;
    sigset_t ends;
    int error;

    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    while ((error = share_open(&agent->share, agent->config, stderr)) == -EBUSY) {
        if (!said && loop_now() - since >= LOOP_SECOND) {
            agent_log(agent, "somebody holds the lock of the share, which must be made again");
            notify_send("READY=1\nSTATUS=waiting for the lock of the share");
            said = true;
        }
        if (sigtimedwait(&ends, NULL, &pause) > 0)
            return FAILED;
    }
    return error == -EINVAL ? MISUSED : error ? FAILED : 0;
}

static void prepare(struct agent *agent, const struct config *config, struct loop *loop)
{
    struct report *report = &agent->report;

    *agent = (struct agent){.config = config, .loop = loop, .operator_notify = -1, .share = {.lock = -1}};
    agent->state = (struct state){.folder = -1, .lock = -1};
    snprintf(report->name, sizeof report->name, "%s", config->name);
    snprintf(report->share, sizeof report->share, "%s", config->share);
    snprintf(report->source, sizeof report->source, "%s", config->identity);
    report->feed.stale_ms = (uint32_t)(config->stale / LOOP_MILLISECOND);
    report->feed.pid = (uint32_t)getpid();
    agent->tick = (struct loop_timer){.due = tick, .context = agent};
    agent->status = (struct loop_timer){.due = status_due, .context = agent};
    change_begin(agent);
}

int agent_open(struct agent *agent, const struct config *config, struct loop *loop)
{
    int status;

    prepare(agent, config, loop);
    status = open_state(agent);
    if (!status)
        status = open_share(agent);
    if (status)
        return status;
    begin_with_last_good(agent);
    operator_begin(agent);
    agent_tell(agent);
    loop_after(loop, &agent->tick, LOOP_SECOND);
    return 0;
}

void agent_close(struct agent *agent)
{
    stream_close(agent);
    if (agent->share.state) {
        agent_tell(agent);
        write_status(agent);
    }
    loop_cancel(agent->loop, &agent->tick);
    loop_cancel(agent->loop, &agent->status);
    operator_end(agent);
    change_end(agent);
    share_close(&agent->share);
    state_close(&agent->state);
}
