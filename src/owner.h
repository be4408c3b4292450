/* SPDX-License-Identifier: MIT */
/*
 * Gives a file that replaces another the owner, group, ACL and mode of that one. It needs nothing but
 * libc; the command carries it as well, for the plain files that it replaces.
 */
#ifndef SEQSHARE_OWNER_H
#define SEQSHARE_OWNER_H

#include <stdbool.h>
#include <sys/types.h>

#define OWNER_SAME_MODE ((mode_t)-1)

/*
 * Give the new file `to` owner, group and ACL of the file `from`, and the permission bits `mode`
 * (OWNER_SAME_MODE: those of `from`). Nobody may have `to` yet but this process, and its mode must be 0600.
 * 0; -EPERM: this process may not (only root may give files away, others to their own groups), or, with
 * `as_far`, the rest is given; or a system call's error.
 */
int owner_copy(int from, int to, mode_t mode, bool as_far);

#endif
