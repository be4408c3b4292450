/* SPDX-License-Identifier: MIT */
/* Ends this process by a signal, even if it is process 1. */
#include "stop.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "terminal.h"

const int stop_signals[STOP_SIGNALS] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};

void stop_by_signal(int number)
{
    signal(number, SIG_DFL);
    raise(number);
    exit(STOP_STATUS + number); /* process 1 is still here */
}

static void stop(int number)
{
    terminal_restore();
    _exit(STOP_STATUS + number);
}

void stop_also_as_process_1(void)
{
    const struct sigaction action = {.sa_handler = stop};

    if (getpid() != 1)
        return;
    for (int i = 0; i < STOP_SIGNALS; i++) {
        struct sigaction before;

        sigaction(stop_signals[i], NULL, &before);
        if (before.sa_handler == SIG_DFL)
            sigaction(stop_signals[i], &action, NULL);
    }
}
