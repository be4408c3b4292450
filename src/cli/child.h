/* SPDX-License-Identifier: MIT */
/* Running a command as our child: signals that are sent to us reach it. */
#ifndef SEQSHARE_CLI_CHILD_H
#define SEQSHARE_CLI_CHILD_H

#include <stdbool.h>

struct child {
    int (*become)(void *what); /* in the child: becomes the command, or returns an exit status */
    void *what;
    /* It and its children are a process group, which gets our signals, and SIGTERM when we are killed. */
    bool leads_group;
    int stopped_by; /* afterwards: the last signal that told us to stop meanwhile, or 0 */
};

/*
 * Start the child and wait for its end. Its exit status, 128 + N if signal N killed it, or a negative errno
 * value: it could not be started.
 */
int child_run(struct child *child);

#endif
