/* SPDX-License-Identifier: MIT */
/* run: the agent itself. check: one document through all checks, and nothing of it is kept. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"
#include "feed.h"
#include "notify.h"

/* ---- signals --------------------------------------------------------------------------------- */

struct signals {
    int fd;
    struct loop *loop;
    struct check *check;
    struct loop_watch watch;
};

static void signalled(void *context, short events)
{
    struct signals *signals = context;
    struct signalfd_siginfo info;

    (void)events;
    while (read(signals->fd, &info, sizeof info) == sizeof info)
        if (info.ssi_signo == SIGCHLD)
            check_reap(signals->check);
        else
            loop_end(signals->loop);
}

/* They come through a descriptor, so that nothing is interrupted. A full disk and a closed pipe are errors of write. */
static int take_signals(struct signals *signals, struct loop *loop, struct check *check)
{
    sigset_t set;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    *signals =
        (struct signals){.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC), .loop = loop, .check = check};
    if (signals->fd < 0)
        return -errno;
    signals->watch =
        (struct loop_watch){.fd = signals->fd, .events = POLLIN, .ready = signalled, .context = signals};
    loop_watch(loop, &signals->watch);
    return 0;
}

/* Values and passwords are in this memory: no core dump, no debugger of the same user. */
static void keep_secrets(void)
{
    const struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
}

/* ---- the watchdog ---------------------------------------------------------------------------- */

struct watchdog {
    struct loop *loop;
    struct loop_timer timer;
    int64_t every;
};

static void bark(void *context)
{
    struct watchdog *watchdog = context;

    notify_send("WATCHDOG=1");
    loop_after(watchdog->loop, &watchdog->timer, watchdog->every);
}

/* ---- run ------------------------------------------------------------------------------------- */

static int run(struct agent *agent, struct loop *loop)
{
    struct watchdog watchdog = {.loop = loop, .every = notify_watchdog()};
    int error;

    notify_send("READY=1");
    watchdog.timer = (struct loop_timer){.due = bark, .context = &watchdog};
    if (watchdog.every)
        loop_after(loop, &watchdog.timer, 0);
    error = stream_open(agent);
    if (error)
        return FEED_MISUSED;
    error = loop_run(loop);
    notify_send("STOPPING=1");
    loop_cancel(loop, &watchdog.timer);
    return error ? feed_complain(agent->config, "%s", strerror(-error)) : FEED_DONE;
}

int feed_run(const struct config *config, const struct feed_options *options)
{
    struct loop *loop = loop_new();
    struct agent *agent = calloc(1, sizeof *agent);
    struct signals signals;
    int status;

    (void)options;
    keep_secrets();
    setvbuf(stderr, NULL, _IOLBF, 0);
    if (!loop || !agent || take_signals(&signals, loop, &agent->check) != 0) {
        free(agent);
        loop_free(loop);
        return feed_complain(config, "there is no memory, or no descriptor");
    }
    status = agent_open(agent, config, loop);
    if (!status)
        status = run(agent, loop);
    agent_close(agent);
    loop_forget(loop, &signals.watch);
    close(signals.fd);
    free(agent);
    loop_free(loop);
    return status;
}

/* ---- check ----------------------------------------------------------------------------------- */

struct trial {
    const struct config *config;
    struct loop *loop;
    struct check check;
    struct source *source;
    struct document document;
    struct loop_timer again, limit;
    size_t tries;
    int status;
};

static void end_trial(struct trial *trial, int status)
{
    trial->status = status;
    loop_end(trial->loop);
}

static void trial_checked(void *context, bool passed, const char *why)
{
    struct trial *trial = context;

    if (!passed)
        feed_complain(trial->config, "refused: %s", why);
    end_trial(trial, passed ? FEED_DONE : FEED_FAILED);
}

/* Against the document that is current, if this user may look at it. */
static bool trial_shrinks(const struct trial *trial)
{
    FILE *nowhere = fopen("/dev/null", "we");
    struct document current = {0};
    char why[STATE_WHY];
    struct state state;
    bool shrinks = false;

    if (nowhere && state_open(&state, trial->config, false, nowhere) == 0) {
        shrinks = state_read(&state, "current", &current, why) == 0 &&
                  form_shrinks(trial->config, &current, &trial->document);
        document_free(&current);
        state_close(&state);
    }
    if (nowhere)
        fclose(nowhere);
    return shrinks;
}

static void try_document(struct trial *trial)
{
    char why[FORM_WHY];
    int error;

    if (trial->document.empty && trial->config->empty == CONFIG_HOLD)
        end_trial(trial, feed_complain(trial->config, "it would be held: the source is empty"));
    else if (form_judge(trial->config, &trial->document, why) != FORM_FINE)
        end_trial(trial, feed_complain(trial->config, "refused: %s", why));
    else if (trial_shrinks(trial))
        end_trial(trial, feed_complain(trial->config, "it would be held: the document shrinks too much"));
    else if (!trial->config->check)
        end_trial(trial, FEED_DONE);
    else if ((error = check_start(&trial->check, &trial->document)) != 0)
        end_trial(trial,
                  feed_complain(trial->config, "the check could not be started: %s", strerror(-error)));
}

static void trial_listed(void *context, struct keys *keys)
{
    struct trial *trial = context;
    char why[FORM_WHY];
    int error = form_build(trial->config, keys, &trial->document, why);

    keys_free(keys);
    if (error)
        end_trial(trial, feed_complain(trial->config, "refused: %s", why));
    else
        try_document(trial);
}

static void trial_away(void *context, int64_t wait, const char *why)
{
    struct trial *trial = context;

    (void)wait;
    feed_complain(trial->config, "%s", why);
    if (++trial->tries < trial->config->endpoint_count) /* each member once */
        loop_after(trial->loop, &trial->again, 0);
    else
        end_trial(trial, FEED_FAILED);
}

static void trial_refused(void *context, uint64_t revision, const char *why)
{
    struct trial *trial = context;

    (void)revision;
    end_trial(trial, feed_complain(trial->config, "refused: %s", why));
}

static void trial_changed(void *context, const struct source_change *changes, size_t count, uint64_t revision)
{
    (void)context;
    (void)changes;
    (void)count;
    (void)revision;
}

static void trial_proven(void *context, uint64_t revision, uint64_t term)
{
    (void)context;
    (void)revision;
    (void)term;
}

static void trial_contact(void *context)
{
    (void)context;
}

static void trial_lost(void *context, const char *why)
{
    trial_away(context, 0, why);
}

static void trial_again(void *context)
{
    struct trial *trial = context;

    trial->source->type->list(trial->source);
}

static void trial_too_late(void *context)
{
    struct trial *trial = context;

    end_trial(trial, feed_complain(trial->config, "the source did not answer within a minute"));
}

/* Fetch from the source. */
static int begin_fetch(struct trial *trial)
{
    static const struct source_sink sink = {.listed = trial_listed,
                                            .changed = trial_changed,
                                            .proven = trial_proven,
                                            .contact = trial_contact,
                                            .refused = trial_refused,
                                            .away = trial_away,
                                            .lost = trial_lost};
    const struct source_type *type = source_find(trial->config->scheme);

    trial->source = type ? calloc(1, type->size) : NULL;
    if (!trial->source)
        return feed_complain(trial->config, "this build has no source of the kind %s", trial->config->scheme);
    *trial->source = (struct source){
        .type = type, .config = trial->config, .loop = trial->loop, .sink = &sink, .context = trial};
    if (type->open(trial->source) != 0)
        return FEED_MISUSED;
    loop_after(trial->loop, &trial->again, 0);
    loop_after(trial->loop, &trial->limit, 60 * LOOP_SECOND);
    return FEED_DONE;
}

static char *read_whole(FILE *file, size_t most, size_t *length)
{
    char *bytes = malloc(most + 2);

    if (bytes)
        *length = fread(bytes, 1, most + 1, file); /* a byte more shows that it is too long */
    return bytes;
}

/* A document from a file. */
static int begin_file(struct trial *trial, const char *path)
{
    FILE *file = fopen(path, "re");
    size_t length = 0;
    char *bytes;

    if (!file)
        return feed_complain(trial->config, "%s: %s", path, strerror(errno));
    bytes = read_whole(file, trial->config->max_size, &length);
    fclose(file);
    if (!bytes)
        return feed_complain(trial->config, "%s: there is no memory left for it", path);
    document_adopt(&trial->document, bytes, length);
    trial->document.empty = length == 0;
    try_document(trial);
    return FEED_DONE;
}

int feed_check(const struct config *config, const struct feed_options *options)
{
    struct trial trial = {.config = config, .loop = loop_new(), .status = -1};
    struct signals signals;
    int status;

    keep_secrets();
    if (!trial.loop || take_signals(&signals, trial.loop, &trial.check) != 0)
        return feed_complain(config, "there is no memory, or no descriptor");
    trial.check = (struct check){
        .loop = trial.loop, .config = config, .log = dup(2), .ended = trial_checked, .context = &trial};
    trial.again = (struct loop_timer){.due = trial_again, .context = &trial};
    trial.limit = (struct loop_timer){.due = trial_too_late, .context = &trial};
    status = options->document ? begin_file(&trial, options->document) : begin_fetch(&trial);
    if (!status && trial.status < 0)
        loop_run(trial.loop);
    if (!status)
        status = trial.status < 0 ? FEED_FAILED : trial.status;
    check_stop(&trial.check);
    if (trial.source)
        trial.source->type->close(trial.source);
    free(trial.source);
    document_free(&trial.document);
    loop_forget(trial.loop, &signals.watch);
    close(signals.fd);
    loop_free(trial.loop);
    return status;
}
