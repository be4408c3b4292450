/* SPDX-License-Identifier: MIT */
/* Files that the agent obeys: the configuration, and the check. Nobody else may be able to change them. */
#ifndef SEQSHARE_FEED_SAFE_H
#define SEQSHARE_FEED_SAFE_H

#include <stdio.h>

/*
 * Open a file whose owner is root or this user, that others may not write, in folders of which the same is true (or
 * that are sticky and root's, or mounted read-only). Links are followed first. The descriptor, or a negative errno
 * value, after a line on `errors`: -EPERM it is not safe.
 */
int safe_open(const char *path, int flags, FILE *errors);

#endif
