/* SPDX-License-Identifier: MIT */
/* Files that the agent obeys (the configuration, and the check), which nobody else may change; and its locks. */
#ifndef SEQSHARE_FEED_SAFE_H
#define SEQSHARE_FEED_SAFE_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Open a file whose owner is root or this user, that others may not write, in folders of which the same is true (or
 * that are sticky and root's, or mounted read-only). Links are followed first. The descriptor, or a negative errno
 * value, after a line on `errors`: -EPERM it is not safe.
 */
int safe_open(const char *path, int flags, FILE *errors);

/*
 * Lock a file for this process alone. Tries for a second: a command that looks whether an agent runs holds the lock
 * for an instant. -EWOULDBLOCK another process has it; what flock(2) says.
 */
int safe_lock(int fd);

/*
 * Of a lock that another process has: does it belong to this user, or to root? Whoever may read a file may lock it, so a
 * reader could keep agents out. True also if nobody can tell (no /proc, another PID namespace).
 */
bool safe_lock_is_ours(int fd);

#endif
