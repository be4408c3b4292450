/* SPDX-License-Identifier: MIT */
/* Give a name to another file, or remove it, while other processes may do the same: nothing of theirs is lost. */
#ifndef SEQSHARE_RENAME_H
#define SEQSHARE_RENAME_H

#include "name.h"

/*
 * Give the file with the temporary name the place of the file `old`, which then has the temporary name, if any has.
 * -EAGAIN: another file has the name, and keeps it. After an error our file is gone.
 */
int rename_replace(const struct name *name, char temporary[NAME_TEMPORARY_SIZE], struct file_id old);

/*
 * Remove the name from this file, whoever else moves the name meanwhile. -EAGAIN: another file has the name,
 * and keeps it. Killed in between it leaves the file under a temporary name.
 */
int rename_away(const struct name *name, struct file_id file);

#endif
