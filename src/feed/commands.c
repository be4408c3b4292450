/* SPDX-License-Identifier: MIT */
/* What operators ask of an agent that runs, or of what it left: files in the state folder, and the two shares. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "feed.h"
#include "words.h"

int feed_complain(const struct config *config, const char *format, ...)
{
    va_list rest;

    fprintf(stderr, "seqshare-feed: %s: ", config->name);
    va_start(rest, format);
    vfprintf(stderr, format, rest);
    va_end(rest);
    fputc('\n', stderr);
    return FEED_FAILED;
}

static void pause_a_moment(void)
{
    const struct timespec moment = {.tv_nsec = 20 * LOOP_MILLISECOND};

    nanosleep(&moment, NULL);
}

/* ---- status ---------------------------------------------------------------------------------- */

enum { STATUS_MOST = 65536 };

/* What the agent wrote last, with what the status share knows better; without the right to look into the folder, that
 * share alone. False: neither can be read. */
static bool read_report(const struct config *config, struct report *report, bool *alive)
{
    struct state state;
    char *text = malloc(STATUS_MOST);
    FILE *nowhere = fopen("/dev/null", "we");
    bool known = false;
    ssize_t length = -1;

    *report = (struct report){0};
    *alive = false;
    if (text && nowhere && state_open(&state, config, false, nowhere) == 0) {
        length = state_get(&state, "status", text, STATUS_MOST);
        *alive = state_is_locked(&state) == 1;
        state_close(&state);
    }
    if (length > 0)
        known = report_parse(report, text, (size_t)length);
    free(text);
    if (nowhere)
        fclose(nowhere);
    length = share_length_of(config);
    if (length >= 0) /* the agent writes its file later, and not all users may read that */
        report->bytes = (uint64_t)length;
    if (share_state_of(config, &report->feed) == 0)
        return true;
    report->feed.current = report->feed.contact = 0; /* that share is gone: so was the machine, since */
    report->feed.state |= SEQSHARE_FEED_NONE;
    return known;
}

/* Does the agent hold its lock on the status share? For users who may not look into the state folder. */
static bool is_share_locked(const struct config *config)
{
    char *path;
    int fd, error;

    if (asprintf(&path, "%s%s.feed", strchr(config->share, '/') ? "" : "/dev/shm/seqshare.", config->share) <
        0)
        return false;
    fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    free(path);
    if (fd < 0)
        return false;
    error = flock(fd, LOCK_SH | LOCK_NB) == 0 ? 0 : errno;
    close(fd);
    return error == EWOULDBLOCK;
}

static bool wait_for_value(const struct config *config, int64_t wait)
{
    int64_t end = loop_now() + wait;

    while (share_length_of(config) < 0) {
        if (loop_now() >= end)
            return false;
        pause_a_moment();
    }
    return true;
}

static int print_report(const struct config *config, const struct report *report, bool alive,
                        const struct feed_options *options)
{
    size_t length;
    char *text;

    if (options->prometheus) {
        report_prometheus(report, stdout);
    } else if (options->json) {
        text = report_json(report, alive, &length);
        if (!text)
            return feed_complain(config, "there is no memory left");
        puts(text);
        free(text);
    } else {
        report_print(report, alive, stdout);
    }
    return report_exit_status(report, alive);
}

int feed_status(const struct config *config, const struct feed_options *options)
{
    struct report report;
    bool alive;

    if (options->wait >= 0 && !wait_for_value(config, options->wait)) {
        feed_complain(config, "there is still no value in the share %s", config->share);
        return REPORT_NOTHING;
    }
    if (!read_report(config, &report, &alive)) {
        if (access(config->state, F_OK) != 0 && errno == ENOENT) {
            feed_complain(config, "no agent has ever run here");
            return REPORT_NOTHING;
        }
        return feed_complain(config, "its state cannot be read (by this user)");
    }
    snprintf(report.name, sizeof report.name, "%s", config->name);
    snprintf(report.share, sizeof report.share, "%s", config->share);
    snprintf(report.source, sizeof report.source, "%s", config->identity);
    return print_report(config, &report, alive || is_share_locked(config), options);
}

/* ---- history --------------------------------------------------------------------------------- */

static bool open_folder(const struct config *config, struct state *state)
{
    return state_open(state, config, false, stderr) == 0;
}

static uint64_t current_revision(const struct state *state)
{
    struct document current;
    char why[STATE_WHY];
    uint64_t revision = state_read(state, "current", &current, why) == 0 ? current.revision : 0;

    document_free(&current);
    return revision;
}

int feed_history(const struct config *config, const struct feed_options *options)
{
    struct state_entry entries[STATE_HISTORY + 1];
    struct state state;
    uint64_t current;
    size_t count;

    (void)options;
    if (!open_folder(config, &state))
        return FEED_FAILED;
    current = current_revision(&state);
    count = state_history(&state, entries);
    for (size_t i = 0; i < count; i++) {
        time_t seconds = (time_t)(entries[i].time / LOOP_SECOND);
        struct tm moment;
        char text[64];

        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", localtime_r(&seconds, &moment));
        printf("%c %20" PRIu64 "  %s  %8zu bytes  sha256 ", entries[i].revision == current ? '*' : ' ',
               entries[i].revision, text, entries[i].length);
        for (size_t k = 0; k < 8; k++)
            printf("%02x", entries[i].digest[k]);
        putchar('\n');
    }
    state_close(&state);
    return FEED_DONE;
}

/* ---- wishes ---------------------------------------------------------------------------------- */

/* Until the agent has seen to it: its file is gone, or the status share has the revision. */
static bool wait_until(const struct config *config, const struct state *state, const char *gone,
                       uint64_t revision)
{
    int64_t end = loop_now() + config->check_within + 10 * LOOP_SECOND;
    struct seqshare_feed_1 feed;
    char text[64];

    while (loop_now() < end) {
        if (gone && state_get(state, gone, text, sizeof text) == -ENOENT)
            return true;
        if (!gone && share_state_of(config, &feed) == 0 && feed.revision == revision)
            return true;
        pause_a_moment();
    }
    return false;
}

static int put(const struct config *config, const struct state *state, const char *name, uint64_t revision)
{
    char text[64];
    int length = revision ? snprintf(text, sizeof text, "%" PRIu64 "\n", revision)
                          : snprintf(text, sizeof text, "any\n");
    int error = state_put(state, name, text, (size_t)length, true);

    return error ? feed_complain(config, "%s/%s: %s", config->state, name, strerror(-error)) : FEED_DONE;
}

/* Without an agent: what it would do at its next start is done now. */
static int do_without_agent(const struct config *config)
{
    struct loop *loop = loop_new();
    struct agent *agent = calloc(1, sizeof *agent);
    int64_t end = loop_now() + 10 * LOOP_SECOND;
    int status = FEED_FAILED;

    if (loop && agent)
        status = agent_open(agent, config, loop);
    while (!status && !change_is_idle(agent) && loop_now() < end) {
        pause_a_moment();
        agent->publish.due(agent);
    }
    if (!status && !change_is_idle(agent))
        status = feed_complain(config, "somebody holds the lock of the share: the next agent will do it");
    if (loop && agent)
        agent_close(agent);
    free(agent);
    loop_free(loop);
    return status;
}

/* Pin to a revision that the history has, and have it published. */
static int pin_to(const struct config *config, struct state *state, uint64_t revision)
{
    int status = put(config, state, "pin", revision);
    bool alive = state_is_locked(state) == 1;

    if (status)
        return status;
    if (!alive) {
        state_close(state);
        return do_without_agent(config);
    }
    if (wait_until(config, state, NULL, revision))
        return FEED_DONE;
    return feed_complain(config, "the agent has not published revision %" PRIu64 " yet (see status)",
                         revision);
}

static bool find_entry(const struct state *state, uint64_t revision)
{
    struct state_entry entries[STATE_HISTORY + 1];
    size_t count = state_history(state, entries);

    for (size_t i = 0; i < count; i++)
        if (entries[i].revision == revision)
            return true;
    return false;
}

/* The one before the current one; 0: there is none. */
static uint64_t one_back(const struct state *state)
{
    struct state_entry entries[STATE_HISTORY + 1];
    uint64_t current = current_revision(state);
    size_t count = state_history(state, entries);

    for (size_t i = 0; i + 1 < count; i++)
        if (entries[i].revision == current)
            return entries[i + 1].revision;
    return 0;
}

int feed_rollback(const struct config *config, const struct feed_options *options)
{
    struct state state;
    uint64_t revision;
    int status;

    if (options->revision && !words_number(options->revision, &revision)) {
        feed_complain(config, "%s is not a revision", options->revision);
        return FEED_MISUSED;
    }
    if (!open_folder(config, &state))
        return FEED_FAILED;
    if (!options->revision)
        revision = one_back(&state);
    if (revision == 0 || !find_entry(&state, revision))
        status = feed_complain(config, "the history has no such document (see history)");
    else
        status = pin_to(config, &state, revision);
    state_close(&state);
    return status;
}

int feed_pin(const struct config *config, const struct feed_options *options)
{
    struct state state;
    uint64_t revision;
    int status;

    (void)options;
    if (!open_folder(config, &state))
        return FEED_FAILED;
    revision = current_revision(&state);
    if (revision == 0)
        status = feed_complain(config, "nothing was published yet that could be pinned");
    else
        status = put(config, &state, "pin", revision);
    state_close(&state);
    return status;
}

int feed_unpin(const struct config *config, const struct feed_options *options)
{
    struct state state;
    int error;

    (void)options;
    if (!open_folder(config, &state))
        return FEED_FAILED;
    error = state_remove(&state, "pin");
    state_close(&state);
    return error ? feed_complain(config, "%s/pin: %s", config->state, strerror(-error)) : FEED_DONE;
}

/* With an agent, what it holds is known; without one, the next one finds the wish. */
static int accept_now(const struct config *config, struct state *state, uint64_t revision)
{
    struct report report;
    bool alive;
    int status;

    if (!read_report(config, &report, &alive))
        return feed_complain(config, "its state cannot be read");
    if (alive && !(report.feed.state & SEQSHARE_FEED_HELD))
        return feed_complain(config, "nothing is held");
    if (alive && revision && revision != report.feed.newest)
        return feed_complain(config, "revision %" PRIu64 " is not the one that is held: that is %" PRIu64,
                             revision, report.feed.newest);
    status = put(config, state, "accept", revision);
    if (status || !alive || wait_until(config, state, "accept", 0))
        return status;
    return feed_complain(config, "the agent has not answered yet (see status)");
}

int feed_accept(const struct config *config, const struct feed_options *options)
{
    struct state state;
    uint64_t revision = 0;
    int status;

    if (options->revision && (!words_number(options->revision, &revision) || revision == 0)) {
        feed_complain(config, "%s is not a revision", options->revision);
        return FEED_MISUSED;
    }
    if (!open_folder(config, &state))
        return FEED_FAILED;
    status = accept_now(config, &state, revision);
    state_close(&state);
    return status;
}
