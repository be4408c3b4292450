/* SPDX-License-Identifier: MIT */
/*
 * watch: each new value, as it comes. It skips values if it has no time to show them, but never the last one:
 * it waits for any version other than the one just shown.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bytes.h"
#include "child.h"
#include "cli.h"
#include "now.h"
#include "options.h"
#include "stop.h"
#include "target.h"
#include "terminal.h"
#include "text.h"
#include "words.h"

enum { LOOK_AT_NAME = 500000000 }; /* a name that was removed and made again leaves no mark to wait for */

struct watch {
    const char *name;
    char **command; /* NULL: print */
    uint64_t shows; /* still to be shown; 0: without end */
    seqshare *share;
    uint64_t seen;
    bool moved; /* to another region: its versions may be others */
    bool lost;  /* the name leads nowhere, and watch has said so */
    bool began; /* the share could be read, or waited for, at least once */
    bool bad;   /* the newest value cannot be read, and watch has said so */
    struct bytes last;
};

/* ---- showing ------------------------------------------------------------------------------------------- */

static void print_heading(const struct watch *watch, bool text)
{
    char time[WORD_SIZE], size[WORD_SIZE];

    printf("%sversion %llu, %s, %s bytes%s%s\n", terminal_colour_on(FAINT), (unsigned long long)watch->seen,
           words_time(time, now_since_1970()), words_size(size, watch->last.length), text ? "" : ", binary",
           terminal_colour_off(FAINT));
}

static int print_value(const struct watch *watch)
{
    const char *value = watch->last.at;
    size_t length = watch->last.length;
    bool text = !terminal_for_people() || text_is_plain(value, length);

    if (terminal_for_people())
        print_heading(watch, text);
    if (text && cli_print_bytes(value, length) != DONE)
        return SAID_NO;
    if (text && (length == 0 || value[length - 1] != '\n'))
        putchar('\n');
    return cli_flush_output(DONE);
}

/* The value as the command's standard input. A file in memory: a command may leave it unread. */
static int open_value(const struct bytes *value)
{
    int fd = memfd_create("seqshare-watch", MFD_CLOEXEC);
    int error = fd < 0 ? -errno : bytes_write_all(fd, value->at, value->length);

    if (!error && lseek(fd, 0, SEEK_SET) != 0)
        error = -errno;
    if (error && fd >= 0)
        close(fd);
    return error ? error : fd;
}

/* The child needs these to become the command. */
struct start {
    const struct watch *watch;
    int input;
    int report; /* closed by exec; else a byte is written */
};

static int become_command(void *what)
{
    const struct start *start = what;
    char **command = start->watch->command;
    char version[WORD_SIZE];

    snprintf(version, sizeof version, "%llu", (unsigned long long)start->watch->seen);
    setenv("SEQSHARE_NAME", start->watch->name, 1);
    setenv("SEQSHARE_VERSION", version, 1);
    /* If our standard input was closed, this is in its place already; but close-on-exec. */
    if (start->input == STDIN_FILENO ? fcntl(start->input, F_SETFD, 0) == 0
                                     : dup2(start->input, STDIN_FILENO) == STDIN_FILENO)
        execvp(command[0], command);
    cli_complain_that(command[0], "%s", strerror(errno));
    bytes_write_all(start->report, "", 1);
    return SAID_NO;
}

/* The command's exit status, or a negative errno value. *started: the status is the command's own. */
static int run_child(const struct watch *watch, int input, bool *started)
{
    struct start start = {.watch = watch, .input = input};
    struct child child = {.become = become_command, .what = &start, .leads_group = true};
    int report[2], status;
    char byte;

    if (pipe2(report, O_CLOEXEC) != 0)
        return -errno;
    start.report = report[1];
    status = child_run(&child);
    close(report[1]);
    *started = status >= 0 && read(report[0], &byte, 1) == 0;
    close(report[0]);
    if (child.stopped_by)
        stop_by_signal(child.stopped_by);
    return status;
}

static int run_command(const struct watch *watch)
{
    int input = open_value(&watch->last), status;
    bool started = false;

    if (input < 0)
        return cli_complain_that(watch->name, "cannot hand the value to the command: %s", strerror(-input));
    status = run_child(watch, input, &started);
    close(input);
    if (status < 0)
        return cli_complain_that(watch->command[0], "%s", strerror(-status));
    if (!started)
        return SAID_NO;
    if (status != 0)
        cli_complain_that(watch->command[0], "failed at version %llu; watching on",
                          (unsigned long long)watch->seen);
    return DONE;
}

/* ---- watching ------------------------------------------------------------------------------------------ */

/* Where does the name lead now? */
static void follow(struct watch *watch)
{
    int moved = seqshare_reopen(watch->share);
    bool lost = moved < 0 && moved != -EINVAL; /* a descriptor leads nowhere else */

    if (moved == 1)
        watch->moved = true;
    if (lost && !watch->lost)
        cli_complain_that(watch->name, "%s; watching on, for a new one too",
                          moved == -ENOENT ? "the name was removed" : cli_error_in_words(moved));
    watch->lost = lost;
}

/* The region is replaced, and we cannot open the new one (yet): waiting for the old one would take no time. */
static void rest(void)
{
    nanosleep(&(struct timespec){.tv_nsec = LOOK_AT_NAME}, NULL);
}

/* Read the newest value into `last`: 1 if it differs from the one before, 0 if not, or a negative errno value. */
static int read_newest(struct watch *watch)
{
    void *value;
    uint64_t version;
    ssize_t length = seqshare_get_alloc(watch->share, &value, &version);
    bool same;

    if (length == -ENODATA) {
        watch->seen = 0; /* a new region, and empty */
        watch->moved = false;
        return 0;
    }
    if (length < 0)
        return length == -EAGAIN ? 0 : (int)length;
    same = watch->moved && version == watch->seen && watch->last.length == (size_t)length && watch->last.at &&
           memcmp(watch->last.at, value, (size_t)length) == 0;
    free(watch->last.at);
    watch->last = (struct bytes){value, (size_t)length};
    watch->seen = version;
    watch->moved = watch->bad = false;
    return !same;
}

/* The newest value cannot be read: the next one may be. */
static void pass_over(struct watch *watch, int error)
{
    if (!watch->bad)
        cli_complain_that(watch->name, "%s; watching on, for the next value", cli_error_in_words(error));
    watch->bad = true;
    if (error == -ENOMEM) { /* there may be enough later */
        rest();
        return;
    }
    watch->seen = seqshare_version(watch->share);
    watch->moved = false;
}

/* Wait, and show. DONE: go on. */
static int step(struct watch *watch, bool *shown)
{
    int result = watch->moved ? 0 : seqshare_wait(watch->share, watch->seen, LOOK_AT_NAME);

    *shown = false;
    if (result == -ETIMEDOUT || result == -EIDRM) {
        follow(watch);
        if (result == -EIDRM && !watch->moved)
            rest();
        return DONE;
    }
    if (result == 0)
        result = read_newest(watch);
    if (result == -EINTR || result == 0)
        return DONE;
    if (result < 0 && !watch->began)
        return cli_complain(watch->name, result);
    if (result < 0) {
        pass_over(watch, result);
        return DONE;
    }
    *shown = true;
    return watch->command ? run_command(watch) : print_value(watch);
}

static int watch_share(struct watch *watch)
{
    int status = DONE;
    uint64_t count = 0;

    while (status == DONE && (watch->shows == 0 || count < watch->shows)) {
        bool shown;

        status = step(watch, &shown);
        count += shown;
        watch->began = true;
    }
    free(watch->last.at);
    return status;
}

static bool parse(int argc, char **argv, struct watch *watch, int *access, int *status)
{
    const struct option_rule rules[] = {{OPTION_WORD, NULL, OPTION_NAME, &watch->name, NULL},
                                        {'A', "after", OPTION_VERSION, &watch->seen, NULL},
                                        {'n', "count", OPTION_COUNT, &watch->shows, NULL},
                                        {'a', "any-owner", OPTION_ANY_OWNER, access, NULL},
                                        {'x', "exec", OPTION_COMMAND, &watch->command, NULL},
                                        {0}};

    if (!options_parse(&watch_command, argc, argv, rules, status))
        return false;
    if (!watch->command && !watch->name && optind + 1 == argc)
        watch->name = argv[optind++]; /* after -- */
    if (watch->command && !watch->command[0])
        *status = cli_misused(&watch_command, "--exec needs a COMMAND after it");
    else if (!watch->name || (!watch->command && optind != argc))
        *status = cli_misused(&watch_command, "give one NAME");
    return *status == DONE;
}

static int run_watch(int argc, char **argv)
{
    struct watch watch = {0};
    int access = SEQSHARE_READ;
    int status, error;

    if (!parse(argc, argv, &watch, &access, &status))
        return status;
    error = target_open(&watch.share, watch.name, access);
    if (error)
        return cli_complain(watch.name, error);
    status = watch_share(&watch);
    seqshare_close(watch.share);
    return status;
}

const struct command watch_command = {
    "watch", "print the value, or run a command, at every change",
    "watch NAME [--after VERSION] [--count N] [--any-owner] [--exec COMMAND [ARGUMENT]...]",
    "Print the value, and again whenever it changes, each time with a line end. If values come faster than\n"
    "watch can show them, it skips some, but never the last one. If the name moves to another region, watch\n"
    "follows it. watch sees most changes at once, and all within half a second.\n\n"
    "  -A, --after VERSION  begin with the first value that is not this version\n"
    "  -n, --count N        end after N values\n"
    "  -a, --any-owner      trust the share even if its owner is neither root nor you\n"
    "  -x, --exec COMMAND   run COMMAND with the words after it instead. Its standard input is the value,\n"
    "                       its environment has SEQSHARE_NAME and SEQSHARE_VERSION. This option must come\n"
    "                       last. If COMMAND fails, watch says so and goes on; if it cannot be started,\n"
    "                       watch ends. watch passes signals that ask it to stop on to COMMAND.\n"
    "  -h, --help           this text\n",
    run_watch};
