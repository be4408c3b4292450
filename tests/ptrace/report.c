/* SPDX-License-Identifier: MIT */
/* Counts and prints the results of the tests under ptrace. */
#include "report.h"

#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HUNG_SECONDS = 120, SAY_AT_MOST = 5 };

static const char *check;
static bool stop_at_first;
static unsigned wrong, passed, failed;
static pid_t program;
static void (*clean_up)(void);

static void give_up(const char *why, int status)
{
    printf("FAILED: %s: %s\n%u passed, %u failed\n", check, why, passed, failed + 1);
    fflush(stdout);
    if (clean_up)
        clean_up();
    _exit(status);
}

static void hung(int signal)
{
    (void)signal;
    give_up("nothing has happened for two minutes: it hangs", 1); /* (in a handler; but we are waiting) */
}

void report_open(int argc, char **argv)
{
    program = getpid();
    stop_at_first = argc == 2 && strcmp(argv[1], "--first") == 0;
    if (argc > 1 && !stop_at_first) {
        fprintf(stderr, "usage: %s [--first]\n", argv[0]);
        exit(2);
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGALRM, hung);
}

void report_clean_up(void (*clean)(void))
{
    clean_up = clean;
}

void report_check(const char *name)
{
    check = name;
    wrong = 0;
    report_alive();
}

void report_alive(void)
{
    alarm(HUNG_SECONDS);
}

void report_wrong(const char *format, ...)
{
    va_list arguments;

    if (wrong++ >= SAY_AT_MOST)
        return;
    printf("    %s: ", check);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    if (stop_at_first)
        give_up("stopping at the first failure", 1);
}

void report_done(const char *format, ...)
{
    va_list arguments;

    alarm(0);
    if (wrong)
        printf("FAILED: %s: wrong %u times; ", check, wrong);
    else
        printf("ok: %s: ", check);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    if (wrong)
        failed++;
    else
        passed++;
}

int report_close(void)
{
    printf("%u passed, %u failed\n", passed, failed);
    return failed ? 1 : 0;
}

void die(const char *format, ...)
{
    va_list arguments;
    char why[256];

    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    if (getpid() != program) { /* a child: its parent sees the status */
        fprintf(stderr, "%s\n", why);
        _exit(3);
    }
    give_up(why, 2);
    _exit(2);
}
