/* SPDX-License-Identifier: MIT */
/* Give a name to another file, or remove it, while other processes may do the same: they lose nothing. */
#ifndef SEQSHARE_RENAME_H
#define SEQSHARE_RENAME_H

#include "name.h"

/*
 * Give the file with the temporary name the place of the file `old`. Then `old`, if it is still there, has that name.
 * -EAGAIN: another file has the name, and keeps it. After an error our file is gone.
 */
int rename_replace(const struct name *name, char temporary[NAME_TEMPORARY_SIZE], struct file_id old);

/*
 * Remove the name from this file, even if others move the name meanwhile. -EAGAIN: another file has the name,
 * and keeps it. If this process is killed in between, the file stays under a temporary name.
 */
int rename_away(const struct name *name, struct file_id file);

#endif
