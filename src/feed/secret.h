/* SPDX-License-Identifier: MIT */
/* Passwords and tokens: read from files that others cannot read, and wiped after use. */
#ifndef SEQSHARE_FEED_SECRET_H
#define SEQSHARE_FEED_SECRET_H

#include <stddef.h>

enum { SECRET_SIZE = 16384 };

/*
 * The first line of a file, without its end, in *text, which the caller gives to secret_wipe. At most
 * SECRET_SIZE - 1 bytes. -EPERM others may read or write the file; -EINVAL empty, too long, or with a control character;
 * -ENOMEM; what open(2) and read(2) say. secret_why words these.
 */
int secret_read(const char *path, char **text);
/* Is it closed to others, as secret_read wants it? For a key that a library reads. Errors: as secret_read. */
int secret_check(const char *path);

const char *secret_why(int error);
void secret_wipe(char *text); /* and free; NULL is fine */

#endif
