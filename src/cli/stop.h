/* SPDX-License-Identifier: MIT */
/* The signals that ask a process to stop, and what this one does then. */
#ifndef SEQSHARE_CLI_STOP_H
#define SEQSHARE_CLI_STOP_H

enum {
    STOP_SIGNALS = 4,
    STOP_STATUS = 128 /* and the signal: the exit status of a process that it killed */
};

extern const int stop_signals[STOP_SIGNALS];

/* End this process by a signal, as if nothing had caught it. */
__attribute__((noreturn)) void stop_by_signal(int number);

/*
 * Process 1 (of a container) ignores each signal that has no handler: make those that ask us to stop end it.
 * Any other process needs no such help.
 */
void stop_also_as_process_1(void);

#endif
