/* SPDX-License-Identifier: MIT */
/* seqshare_strerror: one sentence for each error of the library. */
#include <errno.h>

#include <seqshare/seqshare.h>

const char *seqshare_strerror(int error)
{
    switch (error < 0 ? 0U - (unsigned)error : (unsigned)error) { /* any int, INT_MIN too */
    case 0:
        return "no error";
    case 1: /* also EPERM; a positive 1 is lock's and reopen's good news */
        return error > 0
                   ? "success: the lock was taken over from a dead owner, or the handle moved to the "
                     "name's new region"
                   : "not permitted: this thread has not begun what it would unlock, publish or abandon; or "
                     "another user owns the share, in a folder that everybody may write to; or the new "
                     "region cannot have the old one's owner";
    case EINVAL:
        return "invalid argument";
    case ENOMEM:
        return "not enough memory or address space";
    case EFBIG:
        return "the capacity exceeds this process's file size limit (RLIMIT_FSIZE)";
    case EMSGSIZE:
        return "the value is longer than the capacity, or than the room that fill gave";
    case ENOSPC:
        return "no memory, disk space or inode is left; nothing was changed";
    case ENAMETOOLONG:
        return "the name is too long";
    case ENODATA:
        return "nothing has been published yet";
    case ENOBUFS:
        return "the buffer is smaller than the value";
    case EAGAIN:
        return "writers overtook every attempt to read";
    case EIDRM:
        return "the region was replaced: open the name again; if the name still leads to it, its file was "
               "mounted alone or has a second name: mount or use its folder";
    case EROFS:
        return "the share is read-only in this process, or its file system is mounted read-only";
    case EBUSY:
        return "the lock is taken, or this thread is in the middle of a write";
    case EDEADLK:
        return "this thread owns the lock already";
    case ETIMEDOUT:
        return "timed out";
    case EINTR:
        return "a signal handler interrupted the wait";
    case ESTALE:
        return "the current version is not the expected one";
    case EOVERFLOW:
        return "the versions are used up: remove the name and create it again";
    case EEXIST:
        return "the name exists already";
    case ENOENT:
        return "there is no share of that name, or no such folder";
    case EBADMSG:
        return "not a share, a damaged share, or a value of another type";
    case EPROTONOSUPPORT:
        return "a newer seqshare made the share, in a layout that this version cannot read";
    case ELOOP:
        return "the name is a symbolic link, and seqshare follows none";
    case EBADF:
        return "the descriptor is not open, or the program closed the library's own";
    case EOPNOTSUPP:
        return "not possible here: the region is from another PID or time namespace or boot, the file system "
               "is unsuitable, or the share has no descriptor";
    case EACCES:
        return "the permissions of the share or its folder do not allow this, or the share is sealed against "
               "writing";
    case EMFILE:
    case ENFILE:
        return "too many open files";
    case ENOTDIR:
        return "a part of the path is not a folder";
    case EISDIR:
        return "the name is that of a folder";
    case EIO:
        return "the file system reported an input/output error";
    case EDQUOT:
        return "the disk quota is used up";
    default:
        return "unknown error";
    }
}
