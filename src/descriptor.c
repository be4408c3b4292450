/* SPDX-License-Identifier: MIT */
/* Opens, checks and closes the descriptors of a region's file. */
#include "descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <unistd.h>

/* linux/magic.h has these only since recently, or never. */
#define CIFS_MAGIC UINT32_C(0xff534d42)
#define SMB2_MAGIC UINT32_C(0xfe534d42)
#define SMB1_MAGIC UINT32_C(0x517b)
#define FUSE_MAGIC UINT32_C(0x65735546)

int descriptor_check_file(int fd)
{
    struct stat status;
    struct statfs system;

    if (fstat(fd, &status) != 0)
        return -errno;
    if (!S_ISREG(status.st_mode))
        return -EBADMSG;
    if (fstatfs(fd, &system) != 0)
        return -errno;
    switch ((uint32_t)system.f_type) {
    case NFS_SUPER_MAGIC:
    case CIFS_MAGIC:
    case SMB2_MAGIC:
    case SMB1_MAGIC:
    case V9FS_MAGIC:
    case FUSE_MAGIC:
    case HUGETLBFS_MAGIC:
        return -EOPNOTSUPP; /* there, mappings do not share one memory, or pages cannot be allocated singly */
    default:
        return 0;
    }
}

int descriptor_identify(struct descriptors *file, int fd)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        return -errno;
    file->id = file_id_of(&status);
    return 0;
}

bool descriptor_is_ours(const struct descriptors *file, int fd)
{
    struct stat status;

    return fd >= 0 && fstat(fd, &status) == 0 && file_id_is(file_id_of(&status), file->id);
}

int descriptor_for_reading(const struct descriptors *file)
{
    /* The read-only one first: drop_write in another thread leaves it alone. */
    int fd = file->read_fd >= 0 ? file->read_fd : file->write_fd;

    if (fd < 0)
        return -EOPNOTSUPP;
    return descriptor_is_ours(file, fd) ? fd : -EBADF;
}

/* There is no such descriptor here, or this process may not have one. Other errors (no descriptors, say) may pass. */
static bool is_absent(int error)
{
    return error == ENOENT || error == ENOTDIR || error == EACCES || error == EPERM || error == ELOOP ||
           error == ENXIO || error == ESRCH;
}

/*
 * Opened together with the writable one: later, after setuid, the kernel might refuse it. If it is not certain that
 * there is none, that is an error: one bad moment must not leave a share without it for good.
 */
int descriptor_open_read_only(const struct descriptors *file, int fd, int *read_fd)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/thread-self/fd/%d", fd);
    *read_fd = descriptor_keep_apart(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (*read_fd < 0)
        return is_absent(errno) ? 0 : -errno;
    if (!descriptor_is_ours(file, *read_fd)) {
        close(*read_fd);
        *read_fd = -1;
    }
    return 0;
}

int descriptor_keep_apart(int fd)
{
    int apart, error;

    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    apart = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    error = errno;
    close(fd);
    errno = error;
    return apart;
}

void descriptor_close(const struct descriptors *file, int *fd)
{
    if (descriptor_is_ours(file, *fd))
        close(*fd);
    *fd = -1;
}

bool descriptor_exceeds_limit(size_t size)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && size > limit.rlim_cur;
}
