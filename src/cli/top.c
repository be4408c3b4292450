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
#include "table.h"

struct top {
    char **names; /* up to a NULL; none: all in /dev/shm */
    const char *pid;
    int64_t interval;
    uint64_t frames; /* still to be drawn; 0: without end */
    struct facts_list list, before;
    int64_t now, then;
};

static volatile sig_atomic_t ended;

static void end(int number)
{
    ended = number;
}

static void notice(int number)
{
    (void)number; /* a new window size: poll returns, and the table is drawn again */
}

static int find_shares(struct top *top)
{
    list_free(&top->before);
    top->before = top->list;
    top->then = top->now;
    top->list = (struct facts_list){0};
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
    char word[WORD_SIZE], *name = printable(facts->name), *lock = lock_of(facts), *note = note_of(facts);
    const struct seqshare_stat *share = &facts->share;

    table_add(table, PLAIN, "%s", name);
    if (facts->error) {
        for (int i = 0; i < 5; i++)
            table_add(table, FAINT, "-");
    } else {
        add_rate(table, rate_of(top, facts));
        table_add(table, PLAIN, "%llu", (unsigned long long)share->version);
        if (for_people())
            table_add(table, PLAIN, "%s", size_in_words(word, share->length));
        else
            table_add(table, PLAIN, "%llu", (unsigned long long)share->length);
        table_add(table, PLAIN, "%s", share->published ? age_in_words(word, share->published) : "-");
        table_add(table, share->owner ? lock_colour(facts) : FAINT, "%s", share->owner ? lock : "free");
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
    if (for_people()) {
        terminal_size(&rows, &columns);
        printf("\033[H\033[J%sseqshare top  %s  %zu share%s  q: leave%s\n\n", colour_on(FAINT),
               time_in_words(time, now_since_1970()), top->list.count, top->list.count == 1 ? "" : "s",
               colour_off(FAINT));
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
    struct pollfd keys = {.fd = for_people() && isatty(STDIN_FILENO) ? STDIN_FILENO : -1, .events = POLLIN};

    while (!ended) {
        int64_t left = due - now_steady();
        int ready = left > 0 ? poll(&keys, 1, milliseconds(left)) : 0;

        if (left <= 0)
            return false;
        if (ready > 0 && (keys.revents & (POLLHUP | POLLERR) || pressed_q()))
            return true;
        if (ready < 0 && errno == EINTR)
            draw(top);
        if (flush_output(DONE) != DONE)
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
        over = error || flush_output(DONE) != DONE || frame + 1 == top->frames || rest(top);
    }
    terminal_restore();
    list_free(&top->list);
    list_free(&top->before);
    if (error)
        return complain_that(top->pid ? top->pid : "/dev/shm", "%s",
                             error == -ENOENT && top->pid ? "there is no such process" : strerror(-error));
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

static int parse(int argc, char **argv, struct top *top, bool *help)
{
    static const struct option options[] = {{"pid", required_argument, NULL, 'p'},
                                            {"interval", required_argument, NULL, 'i'},
                                            {"count", required_argument, NULL, 'n'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    uint64_t number;
    int option;

    while ((option = next_option(&top_command, argc, argv, "p:i:n:h", options)) != -1) {
        if (option == 'p')
            top->pid = optarg;
        if (option == 'p' && !parse_number(optarg, &number))
            return misused(&top_command, "'%s' is not a process number", optarg);
        if (option == 'i' && (!parse_seconds(optarg, &top->interval) || top->interval == 0))
            return misused(&top_command, "'%s' is not a number of seconds", optarg);
        if (option == 'n' && (!parse_number(optarg, &top->frames) || top->frames == 0))
            return misused(&top_command, "'%s' is not a number of times", optarg);
        if (option == 'h')
            *help = true;
        if (option == '?')
            return MISUSED;
    }
    if (*help)
        return print_help(&top_command);
    top->names = argv + optind;
    return top->pid && optind < argc ? misused(&top_command, "give NAMEs or --pid, not both") : DONE;
}

static int run_top(int argc, char **argv)
{
    struct top top = {.interval = 1000000000};
    bool help = false;
    int status = parse(argc, argv, &top, &help);

    if (status != DONE || help)
        return status;
    if (for_people()) {
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
