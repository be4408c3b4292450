/* SPDX-License-Identifier: MIT */
/*
 * The order of a change: form, same bytes, size, depth, JSON, empty, shrink, back, check, splay, next, share, status,
 * current. Whatever stops it leaves the last good value standing, and a reason.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"

static int64_t since_1970(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * LOOP_SECOND + now.tv_nsec;
}

static void drop(struct candidate *candidate)
{
    document_free(&candidate->document);
    *candidate = (struct candidate){0};
}

/* ---- verdicts -------------------------------------------------------------------------------- */

/* The newest document is fine, or another one: neither was refused or is held. */
static void clear_verdicts(struct agent *agent)
{
    agent->report.refused[0] = agent->report.held[0] = 0;
}

static void refuse(struct agent *agent, enum report_refusal reason, const char *why)
{
    clear_verdicts(agent);
    agent->report.refusals[reason]++;
    snprintf(agent->report.refused, REPORT_WHY, "revision %" PRIu64 ": %.300s", agent->report.feed.newest,
             why);
    agent_tell(agent);
}

__attribute__((format(printf, 3, 4))) static void hold(struct agent *agent, enum report_hold reason,
                                                       const char *format, ...)
{
    va_list rest;
    int length;

    clear_verdicts(agent);
    agent->report.holds[reason]++;
    length = snprintf(agent->report.held, REPORT_WHY, "revision %" PRIu64 ": ", agent->report.feed.newest);
    va_start(rest, format);
    vsnprintf(agent->report.held + length, REPORT_WHY - (size_t)length, format, rest);
    va_end(rest);
    agent_tell(agent);
}

/* ---- the disk -------------------------------------------------------------------------------- */

static void note_kept(struct agent *agent, int error)
{
    agent->kept_tried_at = loop_now();
    if (error)
        snprintf(agent->report.unkept, REPORT_WHY, "the state folder could not be written: %s",
                 strerror(-error));
    else
        agent->report.unkept[0] = 0;
}

static int write_next(struct agent *agent, const struct document *document)
{
    return agent->state.folder < 0 ? -ENOENT : state_write_next(&agent->state, document);
}

/* When each key was changed last, by which the next start finds out that the store went back. */
static int keep_keys(struct agent *agent, bool sync)
{
    int error;

    if (!agent->keys || agent->keys->revision == 0 || agent->state.folder < 0)
        return 0;
    error = state_write_keys(&agent->state, agent->keys, sync);
    agent->keys_kept = error == 0;
    return error;
}

/* To the disk itself, under its final name. */
static int keep(struct agent *agent, const struct document *document)
{
    int error = agent->state.folder < 0 ? -ENOENT : state_keep_next(&agent->state, document);

    if (!error && agent->standing_serial)
        error = keep_keys(agent, true);
    return error;
}

/* All of it once more, of what stands already. */
static void save_standing(struct agent *agent)
{
    int error = write_next(agent, &agent->standing);

    if (!error)
        error = keep(agent, &agent->standing);
    note_kept(agent, error);
}

void change_keep_again(struct agent *agent)
{
    if (agent->report.unkept[0] && agent->standing.bytes && !agent->ready.document.bytes &&
        loop_now() - agent->kept_tried_at >= 10 * LOOP_SECOND)
        save_standing(agent);
}

/* ---- publishing ------------------------------------------------------------------------------ */

/* `counts`: by us; else the very bytes stood there already. */
static void published(struct agent *agent, uint64_t version, bool counts)
{
    struct candidate ready = agent->ready;

    agent->ready = (struct candidate){0};
    agent->version = agent->looked = version;
    document_move(&agent->standing, &ready.document);
    agent->standing_serial = ready.serial;
    agent->report.publications += counts;
    agent->report.drifted[0] = agent->report.waiting[0] = 0;
    if (agent->standing_serial && agent->standing_serial == agent->serial) {
        agent->report.feed.current = agent->proof;
        clear_verdicts(agent);
    }
    agent_tell(agent);
    if (ready.saved)
        return;
    if (ready.written)
        note_kept(agent, keep(agent, &agent->standing));
    agent_tell(agent);
}

static void try_again(struct agent *agent, int64_t after)
{
    loop_after(agent->loop, &agent->publish, after);
}

static void wait_for_lock(struct agent *agent)
{
    int64_t now = loop_now();

    if (agent->blocked_since == 0)
        agent->blocked_since = now;
    if (now - agent->blocked_since >= LOOP_SECOND) {
        snprintf(agent->report.waiting, REPORT_WHY, "process %d holds the share's lock",
                 (int)share_owner(&agent->share));
        agent_tell(agent);
    }
    try_again(agent, 100 * LOOP_MILLISECOND);
}

static void cannot_publish(struct agent *agent, int error)
{
    if (error == -EIDRM || error == -EOPNOTSUPP || error == -EBADMSG)
        error = share_renew(&agent->share, stderr);
    if (error && error != -EBUSY) {
        snprintf(agent->report.waiting, REPORT_WHY, "the share cannot be set: %s", seqshare_strerror(error));
        agent_tell(agent);
    }
    try_again(agent, error ? LOOP_SECOND : 0);
}

/* Somebody has set the very bytes that we would: then nothing is published, and they are ours. */
static bool stands_already(struct agent *agent, uint64_t *version)
{
    struct document there;
    bool same;

    if (*version == agent->version && agent->standing.bytes)
        return false; /* ours, which are others */
    if (share_read(&agent->share, &there, version) != 0)
        return false;
    same = document_same(&there, &agent->ready.document);
    document_free(&there);
    return same;
}

/* The moment has come. */
static void publish_due(void *context)
{
    struct agent *agent = context;
    struct candidate *ready = &agent->ready;
    uint64_t version = seqshare_version(agent->share.value);
    bool there;
    int error;

    if (!ready->document.bytes)
        return;
    if (!ready->saved && !ready->written) {
        error = write_next(agent, &ready->document);
        ready->written = error == 0;
        keep_keys(
            agent,
            false); /* before readers see it: a kill must not leave keys that are older than the share */
        if (error)
            note_kept(agent, error);
    }
    there = stands_already(agent, &version);
    error = there ? 0 : share_publish(&agent->share, &ready->document, &version);
    if (error == -EBUSY) {
        wait_for_lock(agent);
        return;
    }
    agent->blocked_since = 0;
    if (error == -ESTALE)
        try_again(agent, 0);
    else if (error)
        cannot_publish(agent, error);
    else
        published(agent, version, !there);
}

void change_forget(struct agent *agent)
{
    loop_cancel(agent->loop, &agent->publish);
    drop(&agent->ready);
    agent->blocked_since = 0;
    agent->report.waiting[0] = 0;
}

void change_publish(struct agent *agent, struct document *document, bool saved)
{
    change_forget(agent);
    agent->ready = (struct candidate){.document = *document, .saved = saved, .moment = loop_now()};
    *document = (struct document){0};
    publish_due(agent);
}

bool change_is_idle(const struct agent *agent)
{
    return !agent->ready.document.bytes && agent->check.process == 0;
}

/* ---- splay ----------------------------------------------------------------------------------- */

static size_t read_line(const char *path, char *text, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, room - 1);

    if (fd >= 0)
        close(fd);
    if (length < 0)
        length = 0;
    while (length > 0 && text[length - 1] == '\n')
        length--;
    text[length] = 0;
    return (size_t)length;
}

/* The same machine always has the same place in the row: so the same machines go first. */
static int64_t splay_of(const struct config *config)
{
    char machine[128], host[256] = "", text[1024];
    unsigned char digest[DOCUMENT_DIGEST];
    uint64_t number = 0;

    if (config->splay == 0)
        return 0;
    read_line("/etc/machine-id", machine, sizeof machine);
    gethostname(host, sizeof host - 1);
    snprintf(text, sizeof text, "%s\n%s\n%s", machine, host, config->share);
    document_digest(text, strlen(text), digest);
    for (int i = 0; i < 8; i++)
        number = number << 8 | digest[i];
    return (int64_t)(number % (uint64_t)config->splay);
}

/* It passed everything: it takes the place, and the moment, of one that waits already. */
static void passed(struct agent *agent, struct candidate *candidate)
{
    const bool first = !agent->standing.bytes;
    int64_t moment = candidate->moment + splay_of(agent->config), now = loop_now();

    if (agent->ready.document.bytes && agent->ready.moment < moment)
        moment = agent->ready.moment;
    if (first || agent->at_once)
        moment = now;
    agent->at_once = false;
    drop(&agent->ready);
    agent->ready = *candidate;
    agent->ready.moment = moment;
    *candidate = (struct candidate){0};
    agent->blocked_since = 0;
    agent->report.waiting[0] = 0;
    if (moment - now > LOOP_SECOND)
        snprintf(agent->report.waiting, REPORT_WHY, "revision %" PRIu64 " waits for its turn (splay), %.0f s",
                 agent->ready.document.revision, (double)(moment - now) / 1e9);
    if (moment <= now) {
        loop_cancel(agent->loop, &agent->publish);
        publish_due(agent);
    } else {
        loop_after(agent->loop, &agent->publish, moment - now);
        agent_tell(agent);
    }
}

/* ---- the check ------------------------------------------------------------------------------- */

static void check_ended(void *context, bool fine, const char *why)
{
    struct agent *agent = context;
    struct candidate checked = agent->checked;

    agent->checked = (struct candidate){0};
    agent->report.waiting[0] = 0;
    if (agent->pinned) {
        drop(&checked);
    } else if (fine) {
        passed(agent, &checked);
    } else {
        memcpy(agent->failed_digest, checked.document.digest, DOCUMENT_DIGEST);
        agent->failed_revision = checked.document.revision;
        drop(&checked);
        agent->at_once = false;
        refuse(agent, REPORT_CHECK, why);
    }
    if (agent->again)
        change_consider(agent);
}

/* Is it the same as one that the check has refused just now? (Listed once more, after a reconnect.) */
static bool has_failed(const struct agent *agent, const struct document *document)
{
    return agent->failed_revision && agent->failed_revision == document->revision &&
           memcmp(agent->failed_digest, document->digest, DOCUMENT_DIGEST) == 0;
}

static void check(struct agent *agent, struct candidate *candidate)
{
    int error;

    if (!agent->config->check) {
        passed(agent, candidate);
        return;
    }
    agent->check.log = agent->state.folder < 0 ? -1 : state_create(&agent->state, "check.log");
    error = check_start(&agent->check, &candidate->document);
    if (error) {
        if (agent->check.log >= 0)
            close(agent->check.log);
        drop(candidate);
        refuse(agent, REPORT_CHECK, strerror(-error));
        return;
    }
    agent->checked = *candidate;
    *candidate = (struct candidate){0};
    snprintf(agent->report.waiting, REPORT_WHY, "the check of revision %" PRIu64 " runs",
             agent->checked.document.revision);
}

/* ---- judging --------------------------------------------------------------------------------- */

/* Is it held? An operator may have accepted it. */
static bool is_held(struct agent *agent, const struct document *document)
{
    const struct config *config = agent->config;
    const bool empty = document->empty && config->empty == CONFIG_HOLD;
    const bool shrunk = form_shrinks(config, &agent->standing, document);
    const bool back = agent->back && config->back == CONFIG_HOLD;

    if (!empty && !shrunk && !back)
        return false;
    if (operator_accepts(agent, document->revision)) {
        operator_hold_back(agent, false);
        agent->at_once = true;
        return false;
    }
    if (empty)
        hold(agent, REPORT_EMPTY, "the source is empty");
    else if (shrunk)
        hold(agent, REPORT_SHRINK, "the document would shrink from %zu to %zu bytes", agent->standing.length,
             document->length);
    else
        hold(agent, REPORT_BACK, "the store went back: it was restored, or made again");
    return true;
}

/* Size, depth, JSON, holds; then the check. */
static void judge(struct agent *agent, struct candidate *candidate)
{
    static const enum report_refusal reasons[] = {
        [FORM_TOO_LONG] = REPORT_SIZE, [FORM_TOO_DEEP] = REPORT_DEPTH, [FORM_NOT_JSON] = REPORT_JSON};
    struct document *document = &candidate->document;
    const bool empty_held = document->empty && agent->config->empty == CONFIG_HOLD;
    char why[FORM_WHY];
    enum form_fault fault = empty_held ? FORM_FINE : form_judge(agent->config, document, why);

    if (fault != FORM_FINE)
        refuse(agent, reasons[fault], why);
    else if (!is_held(agent, document) && !has_failed(agent, document)) {
        clear_verdicts(agent);
        check(agent, candidate);
    }
    drop(candidate);
    agent_tell(agent);
}

/* ---- the beginning --------------------------------------------------------------------------- */

/* The next one that we count ourselves: another document, another number. */
static uint64_t count(struct agent *agent, const struct document *document)
{
    if (document_same(document, &agent->standing) && agent->standing.revision)
        return agent->standing.revision;
    if (agent->counted == 0 || memcmp(agent->counted_digest, document->digest, DOCUMENT_DIGEST) != 0)
        agent->counted++;
    memcpy(agent->counted_digest, document->digest, DOCUMENT_DIGEST);
    return agent->counted;
}

/* The source's revision, or ours. */
static void number(struct agent *agent, struct document *document)
{
    if (document->revision == 0)
        document->revision = count(agent, document);
    document->time = since_1970();
    agent->report.feed.newest = document->revision;
}

/* What stands is what the source has. */
static void settle(struct agent *agent, const struct document *document)
{
    const bool went_back = agent->back || document->revision < agent->standing.revision;

    agent->standing_serial = agent->serial;
    agent->standing.revision = document->revision;
    agent->standing.term = document->term;
    agent->report.feed.current = agent->report.drifted[0] ? agent->report.feed.current : agent->proof;
    change_forget(agent);
    clear_verdicts(agent);
    operator_hold_back(agent, false);
    if (went_back) /* or each start would find it again */
        save_standing(agent);
    else if (!agent->keys_kept) /* an agent was killed before it had written them */
        keep_keys(agent, true);
    agent_tell(agent);
}

static void consider(struct agent *agent)
{
    struct candidate candidate = {.serial = agent->serial, .moment = loop_now()};
    char why[FORM_WHY];
    int error;

    error = form_build(agent->config, agent->keys, &candidate.document, why);
    if (error) {
        if (agent->keys->revision)
            agent->report.feed.newest = agent->keys->revision;
        refuse(agent, REPORT_KEYS, why);
        return;
    }
    number(agent, &candidate.document);
    if (document_same(&candidate.document, &agent->standing)) {
        settle(agent, &candidate.document);
        drop(&candidate);
    } else if (agent->pinned) {
        clear_verdicts(agent);
        drop(&candidate);
        agent_tell(agent);
    } else if (document_same(&candidate.document, &agent->ready.document)) {
        agent->ready.document.revision = candidate.document.revision;
        agent->ready.serial = candidate.serial;
        clear_verdicts(agent);
        drop(&candidate);
    } else {
        judge(agent, &candidate);
    }
}

void change_consider(struct agent *agent)
{
    agent->again = agent->check.process != 0; /* a newer revision waits while a check runs */
    if (agent->again || !agent->keys)
        return;
    consider(agent);
    if (agent->check.process == 0)
        agent->at_once = false;
}

/* ---- drift ----------------------------------------------------------------------------------- */

/* Ours again. The state folder has it already. False: the next look tries again. */
static bool restore(struct agent *agent)
{
    uint64_t version = seqshare_version(agent->share.value);

    if (share_publish(&agent->share, &agent->standing, &version) != 0)
        return false;
    agent->version = agent->looked = version;
    agent->report.publications++;
    agent->report.drifted[0] = 0;
    agent_log(agent, "published version %" PRIu64 " again, over what somebody else had set", version);
    return true;
}

static void note_drift(struct agent *agent, uint64_t version)
{
    struct seqshare_stat stat;
    int writer = seqshare_stat(agent->share.value, &stat) == 0 ? stat.writer : 0;

    snprintf(agent->report.drifted, REPORT_WHY, "process %d has set version %" PRIu64, writer, version);
    if (agent->config->drift == CONFIG_REVERT && agent->standing.bytes &&
        (agent->reverted == 0 || loop_now() - agent->reverted >= 60 * LOOP_SECOND) && restore(agent))
        agent->reverted = loop_now();
}

static void compare(struct agent *agent)
{
    struct document there;
    uint64_t version;
    int error = share_read(&agent->share, &there, &version);

    if (error == -ENODATA && agent->standing.bytes)
        restore(agent);
    if (error)
        return;
    agent->looked = version;
    if (document_same(&there, &agent->standing)) {
        agent->version = version;
        agent->report.drifted[0] = 0;
    } else {
        note_drift(agent, version);
    }
    document_free(&there);
}

void change_look_for_drift(struct agent *agent)
{
    if (agent->ready.document.bytes && agent->ready.moment <= loop_now())
        return; /* it is being published over whatever is there */
    if (!share_stands(&agent->share)) {
        if (share_renew(&agent->share, stderr) != 0)
            return;
        agent->looked = UINT64_MAX;
    }
    if (seqshare_version(agent->share.value) != agent->looked ||
        (agent->report.drifted[0] && agent->config->drift == CONFIG_REVERT))
        compare(agent);
}

/* ---- set-up ---------------------------------------------------------------------------------- */

void change_begin(struct agent *agent)
{
    agent->publish = (struct loop_timer){.due = publish_due, .context = agent};
    agent->check = (struct check){
        .loop = agent->loop, .config = agent->config, .log = -1, .ended = check_ended, .context = agent};
}

void change_end(struct agent *agent)
{
    check_stop(&agent->check);
    loop_cancel(agent->loop, &agent->publish);
    drop(&agent->checked);
    drop(&agent->ready);
    document_free(&agent->standing);
}
