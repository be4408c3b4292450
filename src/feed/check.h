/* SPDX-License-Identifier: MIT */
/* The operator's own check of a document: a program that runs beside the loop, and ends, or is ended. */
#ifndef SEQSHARE_FEED_CHECK_H
#define SEQSHARE_FEED_CHECK_H

#include <stdbool.h>
#include <sys/types.h>

#include "config.h"
#include "document.h"
#include "loop.h"

enum { CHECK_WHY = 160, CHECK_OUTPUT = 64 * 1024 };

struct check {
    /* set by its user */
    struct loop *loop;
    const struct config *config;
    int log; /* where its output goes, at most 64 KiB; the check closes it at the end; -1: nowhere */
    void (*ended)(void *context, bool passed, const char *why);
    void *context;
    /* its own */
    pid_t process; /* 0: none runs */
    int output;
    size_t logged;
    bool timed_out;
    struct loop_watch reading;
    struct loop_timer limit;
};

/* Begin; ended() is called later. A negative errno value: it could not be started, and ended() is not called. */
int check_start(struct check *check, const struct document *document);

/* A child has ended (SIGCHLD): was it this one? */
void check_reap(struct check *check);

/* End it, without a word. */
void check_stop(struct check *check);

#endif
