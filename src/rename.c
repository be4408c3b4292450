/* SPDX-License-Identifier: MIT */
/* Exchanges and removes names, and puts back a file that was not ours to move. */
#include "rename.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef RENAME_EXCHANGE
#define RENAME_NOREPLACE (1U << 0)
#define RENAME_EXCHANGE  (1U << 1)
#endif

/* Which file has that name in the folder of `name`? */
static int identify(const struct name *name, const char *base, struct file_id *file)
{
    struct stat status = {0};
    int error = fstatat(name->directory, base, &status, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : -errno;

    *file = file_id_of(&status);
    return error;
}

/* In one step; glibc and musl have it only since recently. */
static int rename_with(const struct name *name, const char *from, unsigned flags)
{
    return syscall(SYS_renameat2, name->directory, from, name->directory, name->base, flags) == 0 ? 0
                                                                                                  : -errno;
}

static bool is_unknown(int error)
{
    return error == -EINVAL || error == -ENOSYS || error == -EPERM;
}

/* For file systems that cannot exchange names: we miss a name that moves between check and rename. */
static int check_and_rename(const struct name *name, char temporary[NAME_TEMPORARY_SIZE], struct file_id old)
{
    if (!name_is(name, old))
        return -EAGAIN;
    if (renameat(name->directory, temporary, name->directory, name->base) != 0)
        return -errno;
    temporary[0] = 0;
    return 0;
}

/*
 * Exchange the two names. 0: the temporary one has `*wanted` then. -EAGAIN: it has another file, which had the name,
 * and the name has the file that is now `*wanted`. After another error they are as they were.
 */
static int swap(const struct name *name, const char *temporary, struct file_id *wanted)
{
    struct file_id put, came;
    int error = identify(name, temporary, &put);

    if (!error)
        error = rename_with(name, temporary, RENAME_EXCHANGE);
    if (error)
        return error;
    error = identify(name, temporary, &came);
    if (error) {
        rename_with(name, temporary, RENAME_EXCHANGE);
        return error;
    }
    if (file_id_is(came, *wanted))
        return 0;
    *wanted = put;
    return -EAGAIN;
}

/* Give the name to the file with the temporary one, if it is free. Otherwise that file keeps the temporary one. */
static int restore(const struct name *name, const char *temporary)
{
    int error = rename_with(name, temporary, RENAME_NOREPLACE);

    if (!is_unknown(error))
        return error;
    if (linkat(name->directory, temporary, name->directory, name->base, 0) != 0)
        return -errno;
    return unlinkat(name->directory, temporary, 0) == 0 ? 0 : -errno;
}

enum { SWAPS_MOST = 100 }; /* each further one needs another process that moves the name at that instant */

/*
 * The file with the temporary name is another process's, and had the name a moment ago; now the name has `put`, ours.
 * Exchange them back. If that brings a third file, made meanwhile, put the third back as well: it is the newer one. At
 * the end the temporary name has our file, which we remove, or a stranger's, which is not ours to remove.
 */
static void undo_exchange(const struct name *name, char temporary[NAME_TEMPORARY_SIZE], struct file_id put)
{
    const struct file_id ours = put;
    int error = -EAGAIN;

    for (int swaps = 0; error == -EAGAIN && swaps < SWAPS_MOST; swaps++)
        error = swap(name, temporary, &put);
    if (error == -ENOENT) /* somebody has removed our file */
        restore(name, temporary);
    if (error || !file_id_is(put, ours))
        temporary[0] = 0;
}

static int swap_or_rename(const struct name *name, char temporary[NAME_TEMPORARY_SIZE], struct file_id old)
{
    int error = swap(name, temporary, &old);

    if (is_unknown(error))
        return check_and_rename(name, temporary, old);
    if (error == -EAGAIN)
        undo_exchange(name, temporary, old);
    return error == -ENOENT ? -EAGAIN : error;
}

int rename_replace(const struct name *name, char temporary[NAME_TEMPORARY_SIZE], struct file_id old)
{
    int error = swap_or_rename(name, temporary, old);

    if (error)
        name_discard(name, temporary);
    return error;
}

/* By way of a temporary name, where we can look at the file before it is gone. */
int rename_away(const struct name *name, struct file_id file)
{
    char temporary[NAME_TEMPORARY_SIZE];
    struct file_id came;
    int error = name_choose_temporary(temporary);

    if (error)
        return error;
    if (!name_is(name, file))
        return -EAGAIN;
    if (renameat(name->directory, name->base, name->directory, temporary) != 0)
        return -errno;
    error = identify(name, temporary, &came);
    if (!error && !file_id_is(came, file))
        error = -EAGAIN;
    if (!error && unlinkat(name->directory, temporary, 0) != 0)
        error = -errno;
    if (error)
        restore(name, temporary);
    return error;
}
