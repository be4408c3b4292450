/* SPDX-License-Identifier: MIT */
/*
 * Whom to trust with a name. Where everybody may make files, somebody else may have made the one that is opened
 * (squatting), or a folder on the way to it. So whatever lies in such a folder must be root's or this user's.
 */
#ifndef SEQSHARE_TRUST_H
#define SEQSHARE_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/*
 * Owned by root or by this process's user? In a user namespace that does not know an owner, the kernel shows the
 * overflow user (65534) in its place: where no user of the namespace has that number, it is nobody's, also not ours.
 */
bool trust_owner(const struct stat *status);

/*
 * The folder at the end of the absolute path `path`, of which `length` bytes count: an O_PATH descriptor, or a
 * negative errno. Links are followed. *squatted: a folder or link on the way lies in a folder that everybody may
 * write to, and its owner is not trusted.
 */
int trust_walk(const char *path, size_t length, bool *squatted);

#endif
