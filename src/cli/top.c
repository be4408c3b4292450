/* SPDX-License-Identifier: MIT */
/* top: a table of shares that is drawn again and again. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "facts.h"
#include "list.h"
#include "now.h"
#include "options.h"
#include "table.h"
#include "terminal.h"
#include "text.h"
#include "words.h"

struct top {
    char **names; /* up to a NULL; none: all in /dev/shm */
    const char *pid;
    int64_t interval;
    uint64_t frames; /* still to be drawn; 0: without end */
    struct list list, before;
    int64_t now, then;
};

static volatile sig_atomic_t ended;

static void end(int number)
{
    ended = number;
}

static void notice(int number)
{
    (void)number; /* a new window size: poll returns, and top draws the table again */
}

static int find_shares(struct top *top)
{
    list_free(&top->before);
    top->before = top->list;
    top->then = top->now;
    top->list = (struct list){0};
    top->now = now_steady();
    if (top->pid)
        return list_process(&top->list, top->pid);
    if (!top->names[0])
        return list_named(&top->list);
    for (char **name = top->names; *name; name++)
        list_add(&top->list, *name);
    return 0;
}

/* Publications per second since the last frame, or -1: not known yet. */
static double rate_of(const struct top *top, const struct facts *facts)
{
    for (size_t i = 0; i < top->before.count; i++) {
        const struct seqshare_stat *then = &top->before.facts[i].share;

        if (!top->before.facts[i].error &&
            memcmp(then->region_id, facts->share.region_id, sizeof then->region_id) == 0 &&
            strcmp(top->before.facts[i].name, facts->name) == 0)
            return (double)(facts->share.version - then->version) / ((double)(top->now - top->then) / 1e9);
    }
    return -1;
}

static void add_rate(struct table *table, double rate)
{
    if (rate < 0)
        table_add(table, FAINT, "-");
    else
        table_add(table, rate > 0 ? GOOD : PLAIN, rate < 100 ? "%.1f" : "%.0f", rate);
}

static void add_row(struct table *table, const struct top *top, const struct facts *facts)
{
    char word[WORD_SIZE], *name = text_printable(facts->name), *lock = facts_lock(facts),
                          *note = facts_note(facts);
    const struct seqshare_stat *share = &facts->share;

    table_add(table, PLAIN, "%s", name);
    if (facts->error) {
        for (int i = 0; i < 5; i++)
            table_add(table, FAINT, "-");
    } else {
        add_rate(table, rate_of(top, facts));
        table_add(table, PLAIN, "%llu", (unsigned long long)share->version);
        if (terminal_for_people())
            table_add(table, PLAIN, "%s", words_size(word, share->length));
        else
            table_add(table, PLAIN, "%llu", (unsigned long long)share->length);
        table_add(table, PLAIN, "%s", share->published ? words_age(word, share->published) : "-");
        table_add(table, share->owner ? facts_lock_colour(facts) : FAINT, "%s", share->owner ? lock : "free");
    }
    table_add(table, facts->error ? BAD : NOTABLE, "%s", note);
    free(name);
    free(lock);
    free(note);
}

static void draw(const struct top *top)
{
    static const char *const headings[] = {"NAME", "SETS/S", "VERSION", "SIZE", "AGE", "LOCK", "NOTE"};
    static const bool right[] = {false, true, true, true, true, false, false};
    struct table table;
    int rows, columns;
    char time[WORD_SIZE];

    table_begin(&table, 7, headings, right);
    for (size_t i = 0; i < top->list.count; i++)
        add_row(&table, top, &top->list.facts[i]);
    if (terminal_for_people()) {
        terminal_size(&rows, &columns);
        printf("\033[H\033[J%sseqshare top  %s  %zu share%s  q: leave%s\n\n", terminal_colour_on(FAINT),
               words_time(time, now_since_1970()), top->list.count, top->list.count == 1 ? "" : "s",
               terminal_colour_off(FAINT));
        table_print(&table, true, (size_t)columns, rows > 6 ? (size_t)rows - 3 : 3);
    } else {
        table_print(&table, false, 0, 0);
        putchar('\n'); /* between frames */
    }
    table_end(&table);
}

static bool pressed_q(void)
{
    char key;

    return read(STDIN_FILENO, &key, 1) == 1 && (key == 'q' || key == 'Q');
}

/* For poll, which takes no more than an int: 24 days. */
static int milliseconds(int64_t ns)
{
    return ns / 1000000 < INT_MAX ? (int)(ns / 1000000) + 1 : INT_MAX;
}

/* Until the next frame is due, or the terminal changed. True: leave. */
static bool rest(const struct top *top)
{
    int64_t due = top->now + top->interval;
    struct pollfd keys = {.fd = terminal_for_people() && isatty(STDIN_FILENO) ? STDIN_FILENO : -1,
                          .events = POLLIN};

    while (!ended) {
        int64_t left = due - now_steady();
        int ready = left > 0 ? poll(&keys, 1, milliseconds(left)) : 0;

        if (left <= 0)
            return false;
        if (ready > 0 && (keys.revents & (POLLHUP | POLLERR) || pressed_q()))
            return true;
        if (ready < 0 && errno == EINTR)
            draw(top);
        if (cli_flush_output(DONE) != DONE)
            return true;
    }
    return true;
}

static int show(struct top *top)
{
    int error = 0;
    uint64_t frame = 0;

    for (bool over = false; !over && !error; frame++) {
        error = find_shares(top);
        if (!error)
            draw(top);
        over = error || cli_flush_output(DONE) != DONE || frame + 1 == top->frames || rest(top);
    }
    terminal_restore();
    list_free(&top->list);
    list_free(&top->before);
    if (error)
        return cli_complain_that(top->pid ? top->pid : "/dev/shm", "%s",
                                 error == -ENOENT && top->pid ? "there is no such process"
                                                              : strerror(-error));
    return DONE;
}

static void take_signals(void)
{
    const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    struct sigaction action = {.sa_handler = end};

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        sigaction(ends[i], &action, NULL);
    action.sa_handler = notice;
    sigaction(SIGWINCH, &action, NULL);
}

static int run_top(int argc, char **argv)
{
    struct top top = {.interval = NS_PER_SECOND};
    const struct option_rule rules[] = {{'p', "pid", OPTION_PROCESS, &top.pid, NULL},
                                        {'i', "interval", OPTION_INTERVAL, &top.interval, NULL},
                                        {'n', "count", OPTION_COUNT, &top.frames, NULL},
                                        {0}};
    int status;

    if (!options_parse(&top_command, argc, argv, rules, &status))
        return status;
    top.names = argv + optind;
    if (top.pid && optind < argc)
        return cli_misused(&top_command, "give NAMEs or --pid, not both");
    if (terminal_for_people()) {
        take_signals();
        terminal_take();
    }
    return show(&top);
}

const struct command top_command = {
    "top", "a live table of shares", "top [NAME... | --pid PID] [--interval SECONDS] [--count N]",
    "Show the shares in /dev/shm, or those named, in a table that is drawn again every second: how often\n"
    "each is published, version, size, age of the value, the owner of the lock and whether it lives. Press\n"
    "q to leave. If the output is not a terminal, tabs separate the cells and an empty line the tables.\n\n"
    "  -p, --pid PID           show the shares that process PID has open\n"
    "  -i, --interval SECONDS  draw the table every SECONDS seconds\n"
    "  -n, --count N           end after N tables\n"
    "  -h, --help              this text\n",
    run_top};
