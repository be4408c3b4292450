/* SPDX-License-Identifier: MIT */
/*
 * The shares that the tool is tested on:
 *     cli-program anonymous VALUE    have an anonymous share with that value until killed
 *     cli-program busy NAME COUNT    publish "1", "2", ... COUNT without a pause
 *     cli-program fill NAME          be in the middle of a write until killed
 *     cli-program tag NAME           print the type tag of the serialisation NAME
 *     cli-program typed NAME         publish a typed value; print its tag
 *     cli-program read-typed NAME    read it; print the number in it
 *     cli-program feed NAME STATE    make the share that a feed has its state in: STATE is a number, as in feed.h
 *     cli-program interruptible COMMAND  run COMMAND, for which no signal is ignored (a shell does that for & )
 *     cli-program childless COMMAND  run COMMAND, which inherits that SIGCHLD is ignored
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <seqshare/feed.h>
#include <seqshare/typed.h>

struct limits {
    int rate;
};

SEQSHARE_TYPE(limits, struct limits)

static int fail(const char *what, int error)
{
    fprintf(stderr, "cli-program: %s: %s\n", what, seqshare_strerror(error));
    return 1;
}

/* Say that everything is in place, and stay. */
__attribute__((noreturn)) static void stay(void)
{
    puts("ready");
    fflush(stdout);
    for (;;)
        pause();
}

static int have_anonymous(const char *value)
{
    seqshare *share;
    int error = seqshare_new(&share, 1000);

    if (!error)
        error = seqshare_set(share, value, strlen(value));
    if (error)
        return fail("anonymous", error);
    stay();
}

static int be_busy(seqshare *share, long count)
{
    char value[32];

    for (long i = 1; i <= count; i++) {
        int error = seqshare_set(share, value, (size_t)snprintf(value, sizeof value, "%ld", i));

        if (error)
            return fail("busy", error);
    }
    return 0;
}

static int begin_to_fill(seqshare *share)
{
    void *slot;
    int error = seqshare_fill(share, 10, &slot);

    if (error)
        return fail("fill", error);
    memset(slot, 'x', 10);
    stay();
}

static int publish_typed(seqshare *share)
{
    const struct limits limits = {.rate = 42};
    int error = limits_set(share, &limits);

    if (error)
        return fail("typed", error);
    printf("%08x\n", seqshare_tag("limits", 6, sizeof limits));
    return 0;
}

static int read_typed(seqshare *share)
{
    struct limits limits;
    int error = limits_get(share, &limits);

    if (error)
        return fail("read-typed", error);
    printf("%d\n", limits.rate);
    return 0;
}

/* The source was last seen a second ago, and nothing is stale for an hour. */
static int publish_feed(const char *name, const char *state)
{
    struct seqshare_feed_1 feed = {.state = (uint32_t)atoi(state), .stale_ms = 3600000};
    struct timespec now;
    seqshare *share;
    int error = seqshare_create(&share, name, sizeof feed, 0644);

    if (error)
        return fail("feed", error);
    clock_gettime(CLOCK_BOOTTIME, &now);
    feed.current = feed.contact = ((int64_t)now.tv_sec - 1) * 1000000000 + now.tv_nsec;
    error = seqshare_feed_1_set(share, &feed);
    seqshare_close(share);
    return error ? fail("feed", error) : 0;
}

static int run(char **command)
{
    execvp(command[0], command);
    perror(command[0]);
    return 1;
}

static int run_childless(char **command)
{
    signal(SIGCHLD, SIG_IGN);
    return run(command);
}

static int run_interruptible(char **command)
{
    signal(SIGINT, SIG_DFL);
    signal(SIGQUIT, SIG_DFL);
    return run(command);
}

static int work_on(seqshare *share, const char *what, const char *count)
{
    if (strcmp(what, "busy") == 0 && count)
        return be_busy(share, atol(count));
    if (strcmp(what, "fill") == 0)
        return begin_to_fill(share);
    if (strcmp(what, "typed") == 0)
        return publish_typed(share);
    if (strcmp(what, "read-typed") == 0)
        return read_typed(share);
    return fail(what, -EINVAL);
}

int main(int argc, char **argv)
{
    seqshare *share;
    int error, status;

    if (argc < 3)
        return fail("arguments", -EINVAL);
    if (strcmp(argv[1], "tag") == 0)
        return printf("%08x\n", seqshare_tag(argv[2], strlen(argv[2]), 0)) < 0;
    if (strcmp(argv[1], "feed") == 0 && argc > 3)
        return publish_feed(argv[2], argv[3]);
    if (strcmp(argv[1], "anonymous") == 0)
        return have_anonymous(argv[2]);
    if (strcmp(argv[1], "childless") == 0)
        return run_childless(argv + 2);
    if (strcmp(argv[1], "interruptible") == 0)
        return run_interruptible(argv + 2);
    error = seqshare_open(&share, argv[2], SEQSHARE_WRITE);
    if (error)
        return fail("open", error);
    status = work_on(share, argv[1], argv[3]);
    seqshare_close(share);
    return status;
}
