/* SPDX-License-Identifier: MIT */
/*
 * Runs the unit tests as a plain program:
 *
 *     unit-tests [--skip FILE] [SUITE]...
 *
 * all suites, or those that are named; without the tests that FILE names, one a line: `suite/test reason`.
 * The last line says how many passed, failed and were skipped.
 */
#include "criterion/criterion.h"
#include "criterion/hooks.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

enum { SKIPPED = 77, SLOWER = 4 }; /* an emulated processor may take so many times as long */

static struct criterion_test *tests;
static struct criterion_suite *suites;

/* Last come, last served: constructors of a file run in its order. */
void criterion_add_test(struct criterion_test *test)
{
    struct criterion_test **end = &tests;

    while (*end)
        end = &(*end)->next;
    *end = test;
}

void criterion_add_suite(struct criterion_suite *suite)
{
    suite->next = suites;
    suites = suite;
}

static void say(const char *text, va_list arguments)
{
    vprintf(text, arguments);
    printf("\n");
    fflush(stdout);
}

void cr_assert_fail(const char *text, ...)
{
    va_list arguments;

    va_start(arguments, text);
    say(text, arguments);
    _exit(1);
}

void cr_skip_test(const char *text, ...)
{
    va_list arguments;

    va_start(arguments, text);
    say(text, arguments);
    _exit(SKIPPED);
}

static double time_for(const char *name)
{
    for (const struct criterion_suite *suite = suites; suite; suite = suite->next) {
        if (strcmp(suite->name, name) == 0)
            return SLOWER * suite->options.timeout;
    }
    return SLOWER * 60;
}

/* The status of the test's process; killed when its time is up, with all that it started. */
static int run(const struct criterion_test *test)
{
    int64_t end = now() + (int64_t)(time_for(test->suite) * 1e9);
    int status = 0;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        setpgid(0, 0);
        test->body();
        _exit(0);
    }
    if (child < 0)
        return -1;
    setpgid(child, child);
    while (waitpid(child, &status, WNOHANG) == 0) {
        if (now() > end) {
            printf("it hangs\n");
            kill(child, SIGKILL);
        }
        rest(2 * MILLISECONDS);
    }
    kill(-child, SIGKILL); /* whom it left behind */
    return status;
}

/* The reason why a test is not run, in the text of the file that says so; or NULL. */
static const char *reason_to_skip(const struct criterion_test *test, char *list)
{
    char name[200];
    char *line = list;
    size_t length;

    length = (size_t)snprintf(name, sizeof name, "%s/%s ", test->suite, test->name);
    while (line && strncmp(line, name, length) != 0) {
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    return line ? line + length : NULL;
}

static char *read_list(const char *path)
{
    static char text[1 << 16];
    FILE *file = fopen(path, "r");

    if (!file) {
        fprintf(stderr, "unit-tests: %s: %s\n", path, strerror(errno));
        exit(2);
    }
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    return text;
}

static bool is_wanted(const char *suite, char **names)
{
    bool wanted = !*names;

    for (; *names; names++)
        wanted |= strcmp(*names, suite) == 0;
    return wanted;
}

int main(int count, char **arguments)
{
    unsigned passed = 0, failed = 0, skipped = 0;
    char *list = NULL;
    char **names = arguments + 1;

    if (count > 2 && strcmp(arguments[1], "--skip") == 0) {
        list = read_list(arguments[2]);
        names += 2;
    }
    for (struct criterion_test *test = tests; test; test = test->next) {
        const char *reason = list ? reason_to_skip(test, list) : NULL;
        int64_t start = now();
        int status;

        if (!is_wanted(test->suite, names))
            continue;
        if (reason) {
            printf("skipped: %s/%s: %.*s\n", test->suite, test->name, (int)strcspn(reason, "\n"), reason);
            skipped++;
            continue;
        }
        status = run(test);
        if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED) {
            printf("skipped: %s/%s: see the line above\n", test->suite, test->name);
            skipped++;
        } else if (status == 0) {
            printf("ok: %s/%s (%.1f s)\n", test->suite, test->name, (double)(now() - start) / 1e9);
            passed++;
        } else {
            printf("FAILED: %s/%s (%s %d)\n", test->suite, test->name,
                   WIFSIGNALED(status) ? "signal" : "status",
                   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
            failed++;
        }
    }
    criterion_at_end(NULL);
    printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
    return failed > 0 || passed == 0;
}
