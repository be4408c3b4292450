/* SPDX-License-Identifier: MIT */
/* seqshare_strerror: one sentence for each error of the library. */
#include <errno.h>
#include <stddef.h>

#include <seqshare/seqshare.h>

static const struct {
    int error;
    const char *words;
} table[] = {
    {0, "no error"},
    {EPERM, "not permitted: this thread has not begun what it would unlock, publish or abandon; or "
            "another user owns the share, in a folder that everybody may write to; or the new region "
            "cannot have the old one's owner"},
    {EINVAL, "invalid argument"},
    {ENOMEM, "not enough memory or address space"},
    {EFBIG, "the capacity exceeds this process's file size limit (RLIMIT_FSIZE)"},
    {EMSGSIZE, "the value is longer than the capacity, or than the room that fill gave"},
    {ENOSPC, "no memory, disk space or inode is left; nothing was changed"},
    {ENAMETOOLONG, "the name is too long"},
    {ENODATA, "nothing has been published yet"},
    {ENOBUFS, "the buffer is smaller than the value"},
    {EAGAIN, "writers overtook every attempt to read"},
    {EIDRM,
     "the region was replaced: open the name again; if the name still leads to it, its file was mounted "
     "alone or has a second name: mount or use its folder"},
    {EROFS, "the share is read-only in this process, or its file system is mounted read-only"},
    {EBUSY, "the lock is taken, or this thread is in the middle of a write"},
    {EDEADLK, "this thread owns the lock already"},
    {ETIMEDOUT, "timed out"},
    {EINTR, "a signal handler interrupted the wait"},
    {ESTALE, "the current version is not the expected one"},
    {EOVERFLOW, "the versions are used up: remove the name and create it again"},
    {EEXIST, "the name exists already"},
    {ENOENT, "there is no share of that name, or no such folder"},
    {EBADMSG, "not a share, a damaged share, or a value of another type"},
    {EPROTONOSUPPORT, "a newer seqshare made the share, in a layout that this version cannot read"},
    {ELOOP, "the name is a symbolic link, and seqshare follows none"},
    {EBADF, "the descriptor is not open, or the program closed the library's own"},
    {EOPNOTSUPP, "not possible here: the region is from another PID or time namespace or boot, the file "
                 "system is unsuitable, or the share has no descriptor"},
    {EACCES,
     "the permissions of the share or its folder do not allow this, or the share is sealed against writing"},
    {EMFILE, "too many open files"},
    {ENFILE, "too many open files"},
    {ENOTDIR, "a part of the path is not a folder"},
    {EISDIR, "the name is that of a folder"},
    {EIO, "the file system reported an input/output error"},
    {EDQUOT, "the disk quota is used up"},
};

const char *seqshare_strerror(int error)
{
    unsigned wanted = error < 0 ? 0U - (unsigned)error : (unsigned)error; /* any int, INT_MIN too */

    if (error == 1) /* as EPERM, but positive */
        return "success: the lock was taken over from a dead owner, or the handle moved to the name's new "
               "region";
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if ((unsigned)table[i].error == wanted)
            return table[i].words;
    return "unknown error";
}
