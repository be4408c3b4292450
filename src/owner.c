/* SPDX-License-Identifier: MIT */
/* Gives a file the owner, group, ACL and mode of another one. */
#include "owner.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ACL "system.posix_acl_access"

/* There is none: on this file, or on this file system. */
static bool has_no_acl(int error)
{
    return error == ENODATA || error == EOPNOTSUPP || error == ENOSYS;
}

/* In a user namespace that does not know the owner, the kernel says EINVAL (EOVERFLOW of an ACL's). */
static int ownership_error(int error)
{
    return error == EINVAL || error == EOVERFLOW ? -EPERM : -error;
}

static int copy_owner(const struct stat *from, int to, bool as_far)
{
    struct stat now;

    if (fstat(to, &now) != 0)
        return -errno;
    if (now.st_uid == from->st_uid && now.st_gid == from->st_gid)
        return 0;
    if (fchown(to, from->st_uid, from->st_gid) == 0)
        return 0;
    if (as_far && (errno == EPERM || errno == EINVAL)) {
        (void)!fchown(to, (uid_t)-1, from->st_gid); /* the group at least, if it is one of ours */
        return 0;
    }
    return ownership_error(errno);
}

/* -ERANGE: it has grown since we asked for its size. */
static int copy_acl_of(int from, int to, size_t size)
{
    void *acl = malloc(size);
    ssize_t got;
    int error = 0;

    if (!acl)
        return -ENOMEM;
    got = fgetxattr(from, ACL, acl, size);
    if (got < 0 || fsetxattr(to, ACL, acl, (size_t)got, 0) != 0)
        error = ownership_error(errno);
    free(acl);
    return error;
}

static int copy_acl(int from, int to)
{
    ssize_t size;
    int error;

    do {
        size = fgetxattr(from, ACL, NULL, 0);
        if (size < 0 && !has_no_acl(errno))
            return -errno;
        if (size < 0) /* remove an ACL that the folder gave to the new file: it is not the old one's */
            return fremovexattr(to, ACL) == 0 || has_no_acl(errno) ? 0 : -errno;
        error = copy_acl_of(from, to, (size_t)size);
    } while (error == -ERANGE);
    return error;
}

int owner_copy(int from, int to, mode_t mode, bool as_far)
{
    struct stat status;
    int error;

    if (fstat(from, &status) != 0)
        return -errno;
    if (mode == OWNER_SAME_MODE)
        mode = status.st_mode & 0777;
    /* First the owner: an ACL and a mode that allow anything to a group must find the right one there. */
    error = copy_owner(&status, to, as_far);
    if (!error)
        error = copy_acl(from, to);
    if (error == -EPERM && as_far)
        error = 0;
    /* Last of all the mode: its group's bits are the mask of an ACL. */
    if (!error && fchmod(to, mode) != 0)
        error = -errno;
    return error;
}
