/* SPDX-License-Identifier: MIT */
/* Names and the files behind them: where a name leads, and how a file gets its name. */
#ifndef SEQSHARE_NAME_H
#define SEQSHARE_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "descriptor.h"

struct name {
    char *path;       /* absolute, malloc'ed */
    const char *base; /* its last part */
    int directory;    /* O_PATH descriptor of the directory */
    bool squatted;    /* an untrusted user has made a part of the way to it: see trust.h */
};

/* -EINVAL, -ENAMETOOLONG, -ENOMEM, or the error of opening the directory. */
int name_open(struct name *name, const char *text);
void name_close(struct name *name);

/*
 * The file behind a name: a descriptor, or -ENOENT, -ELOOP (symbolic link), -EBADMSG (not a regular file),
 * -EACCES, and -EPERM: another user owns it, or a folder on the way, in a directory that everybody may write to,
 * unless `any_owner`.
 */
int name_open_file(const struct name *name, bool writable, bool any_owner);

/* Does the name belong to this very file now? */
bool name_is(const struct name *name, struct file_id file);

/*
 * Where does an absolute path lead now, from the root on, so that moved folders and mounts count?
 * 1: to this very file; 0: to another; -ENOENT: nowhere; or an error: not known.
 */
int name_leads_to(const char *path, struct file_id file);

enum { NAME_TEMPORARY_SIZE = 32 };

/* A temporary name that nobody has. 0, -EIO. */
int name_choose_temporary(char temporary[NAME_TEMPORARY_SIZE]);

/* A file without a name (`temporary` is then empty) or with a temporary one, in its directory; mode 0600. */
int name_create_file(const struct name *name, bool needs_name, char temporary[NAME_TEMPORARY_SIZE]);

/* Give it the name: -EEXIST if it is taken. Removes the temporary one. */
int name_link(const struct name *name, int fd, char temporary[NAME_TEMPORARY_SIZE]);

/* Remove the temporary name, if there is one. */
void name_discard(const struct name *name, char temporary[NAME_TEMPORARY_SIZE]);

#endif
