/* SPDX-License-Identifier: MIT */
/*
 * One source alone, without an agent around it: says on standard output, a line each, all that the source reports.
 * usage: feed-source CONF [HOLD]. As long as a file HOLD is there, it does not follow what it has listed.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "backoff.h"
#include "config.h"
#include "source.h"

static struct loop *loop;
static struct source *source;
static struct keys *ours;
static struct loop_timer next, prove;
static const char *hold;
static struct backoff backoff;
static bool list_next;

static void out(const char *what, uint64_t revision, const char *text)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    printf("%lld.%06ld %s %" PRIu64 " %s\n", (long long)now.tv_sec, now.tv_nsec / 1000, what, revision, text);
}

/* The set in one line: names with values, or with sizes where these are long. */
static void out_keys(void)
{
    fputs("  has", stdout);
    for (size_t i = 0; i < ours->count && i < 64; i++) {
        const struct key *key = &ours->list[i];

        if (key->size <= 40)
            printf(" %s=%s", key->name, key->value);
        else
            printf(" %s:%zu", key->name, key->size);
    }
    printf(" (%zu)\n", ours->count);
}

static void arm_prove(void)
{
    double spread = source->prove_spread / 100.0;

    if (source->prove_every)
        loop_after(loop, &prove,
                   (int64_t)((double)source->prove_every * (1 - spread + 2 * spread * backoff_chance())));
}

static void listed(void *context, struct keys *keys)
{
    const struct key *key = NULL;
    char text[200];

    (void)context;
    snprintf(text, sizeof(text), "term %" PRIu64 "%s%s", keys->term,
             ours && keys_went_back(ours, keys, &key) ? " back" : "", keys->back ? " (by the source)" : "");
    out("listed", keys->revision, text);
    keys_free(ours);
    ours = keys;
    source->ours = ours;
    out_keys();
    list_next = false;
    backoff_good(&backoff, loop_now());
    loop_after(loop, &next, 0);
}

static void changed(void *context, const struct source_change *changes, size_t count, uint64_t revision)
{
    char text[40];

    (void)context;
    snprintf(text, sizeof(text), "%zu", count);
    out("changed", revision, text);
    for (size_t i = 0; i < count; i++)
        if (!changes[i].value)
            keys_remove(ours, changes[i].name, changes[i].length);
        else if (keys_put(ours, changes[i].name, changes[i].length, changes[i].value, changes[i].size,
                          changes[i].changed))
            abort();
    ours->revision = revision;
    out_keys();
}

static void proven(void *context, uint64_t revision, uint64_t term)
{
    (void)context;
    out("proven", revision, "");
    if (revision && ours) {
        ours->revision = revision;
        ours->term = term;
    }
    backoff_good(&backoff, loop_now());
}

static void contact(void *context)
{
    (void)context;
    out("contact", 0, "");
}

static void refused(void *context, uint64_t revision, const char *why)
{
    (void)context;
    out("refused", revision, why);
}

static void away(void *context, int64_t wait, const char *why)
{
    int64_t ns = backoff_wait(&backoff, loop_now());

    (void)context;
    out("away", (uint64_t)(wait / LOOP_MILLISECOND), why);
    loop_cancel(loop, &prove);
    loop_after(loop, &next, wait > ns ? wait : ns);
}

static void lost(void *context, const char *why)
{
    (void)context;
    out("lost", 0, why);
    list_next = true;
    loop_after(loop, &next, 0);
}

static void on_next(void *context)
{
    (void)context;
    if (list_next || !ours) {
        source->type->list(source);
        return;
    }
    if (hold && access(hold, F_OK) == 0) {
        loop_after(loop, &next, 10 * LOOP_MILLISECOND);
        return;
    }
    source->type->follow(source);
    arm_prove();
}

static void on_prove(void *context)
{
    (void)context;
    source->type->prove(source);
    arm_prove();
}

static const struct source_sink sink = {listed, changed, proven, contact, refused, away, lost};

static void out_counts(void)
{
    printf("counts connects %" PRIu64 " logins %" PRIu64 " bytes %" PRIu64 "\n", source->counts.connects,
           source->counts.logins, source->counts.received_bytes);
}

static int run(const struct config *config)
{
    const struct source_type *type = source_find(config->scheme);

    if (!type)
        return 3;
    source = calloc(1, type->size);
    *source = (struct source){.type = type, .config = config, .loop = loop, .sink = &sink};
    if (type->open(source) != 0)
        return 4;
    loop_after(loop, &next, 0);
    loop_run(loop);
    out_counts();
    type->close(source);
    free(source);
    return 0;
}

static void on_signal(int number)
{
    (void)number;
    loop_end(loop);
}

int main(int argc, char **argv)
{
    struct config config = {0};
    int rc;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc < 2 || config_read(&config, argv[1], stderr) != 0)
        return 2;
    loop = loop_new();
    signal(SIGTERM, on_signal);
    next.due = on_next;
    prove.due = on_prove;
    hold = argc > 2 ? argv[2] : NULL;
    rc = run(&config);
    keys_free(ours);
    loop_free(loop);
    config_release(&config);
    return rc;
}
