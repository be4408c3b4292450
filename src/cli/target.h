/* SPDX-License-Identifier: MIT */
/* From the NAME on the command line to a share. */
#ifndef SEQSHARE_CLI_TARGET_H
#define SEQSHARE_CLI_TARGET_H

#include <stdbool.h>

#include <seqshare/seqshare.h>

/* /proc/PID/fd/N or /dev/fd/N: a descriptor, not a name. */
bool target_is_descriptor(const char *name);

/* As seqshare_open; for a descriptor: open it and attach. */
int target_open(seqshare **share, const char *name, int access);

/* A read-only descriptor of the file that `name` means, share or not, or a negative errno value. */
int target_file(const char *name);

/* The path of `name`: the caller frees it. */
char *target_path(const char *name);

#endif
