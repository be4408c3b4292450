/* SPDX-License-Identifier: MIT */
/* Opens the share, or the file, that a NAME on the command line means. */
#include "target.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"

bool target_is_descriptor(const char *name)
{
    const char *number = strrchr(name, '/');

    if (!number || number - name < 3 || strncmp(number - 3, "/fd/", 4) != 0 || !number[1])
        return false;
    while (isdigit((unsigned char)*++number))
        ;
    return *number == 0 && (strncmp(name, "/proc/", 6) == 0 || strncmp(name, "/dev/fd/", 8) == 0);
}

/* open follows the link; so first look where it leads, because opening a device may have effects. */
static int open_descriptor(const char *name, bool writable)
{
    struct stat status;
    int fd;

    if (stat(name, &status) != 0)
        return -errno;
    if (!S_ISREG(status.st_mode))
        return -EBADMSG;
    fd = open(name, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    return fd < 0 ? -errno : fd;
}

int target_open(seqshare **share, const char *name, int access)
{
    int fd, error;

    if (!target_is_descriptor(name))
        return seqshare_open(share, name, access);
    fd = open_descriptor(name, access & SEQSHARE_WRITE);
    if (fd < 0)
        return fd;
    error = seqshare_attach(share, fd, access);
    close(fd);
    return error;
}

char *target_path(const char *name)
{
    return text_format("%s%s", strchr(name, '/') ? "" : "/dev/shm/seqshare.", name);
}

int target_file(const char *name)
{
    char *path;
    int fd;

    if (target_is_descriptor(name))
        return open_descriptor(name, false);
    path = target_path(name);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
    free(path);
    return fd < 0 ? -errno : fd;
}
