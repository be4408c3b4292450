/* SPDX-License-Identifier: MIT */
/*
 * Whom to trust with a name. In a folder where everybody may make files, another user may have made the file
 * (squatting), or a folder on the way to it. So everything in such a folder must be root's or this user's.
 */
#ifndef SEQSHARE_TRUST_H
#define SEQSHARE_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/*
 * Owned by root or by this process's user? In a user namespace that does not know an owner, the kernel shows the
 * overflow user (65534) in its place. If no user of the namespace has that number, the file is nobody's, not even ours.
 */
bool trust_owner(const struct stat *status);

/*
 * The folder at the end of the absolute path `path`, of which `length` bytes count: an O_PATH descriptor, or a
 * negative errno. It follows links. *squatted: a folder or link on the way is in a folder that everybody may
 * write to, and its owner is not trusted.
 */
int trust_walk(const char *path, size_t length, bool *squatted);

#endif
