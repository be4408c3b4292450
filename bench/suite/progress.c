/* SPDX-License-Identifier: MIT */
/* Shows on standard error how far the suite is. */
#include "progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "../clock.h"

enum { TENTHS = 10 };

static size_t rounds, done;
static int64_t began;
static bool terminal;

void progress_begin(size_t count)
{
    rounds = count;
    began = clock_now();
    terminal = isatty(STDERR_FILENO);
}

void progress_round(const char *name)
{
    const double passed = (double)(clock_now() - began) / (double)SECOND;
    const double left = done > 0 ? passed / (double)done * (double)(rounds - done) : 0;

    if (terminal)
        fprintf(stderr, "\r\033[Kround %zu of %zu, %.0f s, about %.0f s left: %s", done + 1, rounds, passed,
                left, name);
    else if (done > 0 && done * TENTHS / rounds != (done - 1) * TENTHS / rounds)
        fprintf(stderr, "%zu of %zu rounds, %.0f s, about %.0f s left\n", done, rounds, passed, left);
    done++;
}

void progress_clear(void)
{
    if (terminal)
        fprintf(stderr, "\r\033[K");
}
