/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include <seqshare/seqshare.h>

const char *seqshare_strerror(int error)
{
    switch (error < 0 ? 0U - (unsigned)error : (unsigned)error) { /* any int, INT_MIN too */
    case 0:
        return "no error";
    case 1: /* also EPERM; a positive 1 is lock's and reopen's good news */
        return error > 0
                   ? "done: the lock was taken over from a dead owner, or the handle moved to the "
                     "name's new region"
                   : "not permitted: unlock, publish or abandon of what this thread has not begun; or "
                     "a share in a place where everybody may make files, that neither root nor this user "
                     "has made; or an owner that a new region cannot have";
    case EINVAL:
        return "an argument is missing or makes no sense";
    case ENOMEM:
        return "not enough memory or address space";
    case EFBIG:
        return "the capacity exceeds this process's file size limit (RLIMIT_FSIZE)";
    case EMSGSIZE:
        return "the value is longer than the capacity, or than the room that was filled";
    case ENOSPC:
        return "no memory or disk space left, or no inode for a new file; what was there stands";
    case ENAMETOOLONG:
        return "the name is too long";
    case ENODATA:
        return "nothing has been published yet";
    case ENOBUFS:
        return "the buffer is smaller than the value";
    case EAGAIN:
        return "writers overtook every attempt at reading";
    case EIDRM:
        return "this region was replaced: open the name again; if it still leads here, its file was mounted "
               "alone or has a second name: mount or use its folder";
    case EROFS:
        return "the share is read-only in this process, or its file system is mounted so";
    case EBUSY:
        return "the lock is taken, or this thread is in the middle of a write";
    case EDEADLK:
        return "this thread owns the lock already";
    case ETIMEDOUT:
        return "timed out";
    case EINTR:
        return "a signal handler interrupted the wait";
    case ESTALE:
        return "another version stands than the one expected";
    case EOVERFLOW:
        return "the versions are used up: remove the name and make it anew";
    case EEXIST:
        return "the name exists already";
    case ENOENT:
        return "there is no share of that name, or no such directory";
    case EBADMSG:
        return "not a share, a damaged one, or a value of another type";
    case EPROTONOSUPPORT:
        return "the share was made by a newer seqshare with a layout that this one cannot read";
    case ELOOP:
        return "the name is a symbolic link, which is not followed";
    case EBADF:
        return "not an open descriptor, or somebody closed the library's own";
    case EOPNOTSUPP:
        return "not possible here: another PID or time namespace or boot than the region's, an unsuitable "
               "file system, or a share without a descriptor";
    case EACCES:
        return "the permissions of the share or its directory do not allow that, or it is sealed against "
               "writing";
    case EMFILE:
    case ENFILE:
        return "too many open files";
    case ENOTDIR:
        return "a part of the path is not a directory";
    case EISDIR:
        return "the name is a directory";
    case EIO:
        return "the file system reports an input/output error";
    case EDQUOT:
        return "the disk quota is used up";
    default:
        return "an error that seqshare does not know";
    }
}
