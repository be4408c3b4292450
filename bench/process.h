/* SPDX-License-Identifier: MIT */
/* Children, the processors they run on, and the directory that a contender works in. */
#ifndef BENCH_PROCESS_H
#define BENCH_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Fork a child that dies with its parent: the pid, 0 in the child, -errno. Ctrl-C, and the SIGTERM that
 * timeout(1) sends to the whole group, are for the first process, which takes everything down in order.
 */
pid_t process_fork(void);

/* SIGKILL, and wait until it is gone; *child is 0 then. */
void process_kill(pid_t *child);

/* Wait for its end: did it end well, with 0? */
bool process_wait(pid_t child);

/* How many processors this program may use; first asked before any child or thread moves to one of them. */
unsigned processor_count(void);

/*
 * Move the caller to one of them. Numbers beyond the last begin again; those that share a core with an
 * earlier one come last.
 */
void processor_use(unsigned number);

/* Let the caller run on any of them again: it may come from somebody who moved to one. */
void processor_use_any(void);

/* What kind they are. */
void processor_name(char *name, size_t size);

/* A directory of its own, in memory where there is a tmpfs, so that no disk is timed: 0 or -errno. */
int directory_make(char *path, size_t size);

/* With the files in it. "" is fine. */
void directory_remove(const char *path);

#endif
