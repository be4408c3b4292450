/* SPDX-License-Identifier: MIT */
/* Reads passwords and tokens. */
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *secret_why(int error)
{
    switch (error) {
    case -EPERM:
        return "others may read or write the file: chmod 600";
    case -EINVAL:
        return "the file is empty, has more than one line, or bytes that a secret cannot have";
    default:
        return strerror(-error);
    }
}

/* Whose file is it, and who else may see it? Root's is fine: systemd's LoadCredential makes such. */
static int judge(int fd)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        return -errno;
    if (!S_ISREG(status.st_mode))
        return -EINVAL;
    if (status.st_mode & (S_IWGRP | S_IRWXO) || (status.st_uid != 0 && status.st_uid != geteuid()))
        return -EPERM;
    return status.st_mode & S_IRGRP && status.st_gid != 0 && status.st_gid != getegid() ? -EPERM : 0;
}

/* Cut the line's end off; nothing else may be there. */
static int trim(char *text, size_t length)
{
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        length--;
    text[length] = 0;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return -EINVAL;
    return length == 0 ? -EINVAL : 0;
}

static ssize_t read_all(int fd, char *text, size_t room)
{
    size_t got = 0;

    while (got < room) {
        ssize_t more = read(fd, text + got, room - got);

        if (more < 0 && errno == EINTR)
            continue;
        if (more < 0)
            return -errno;
        if (more == 0)
            break;
        got += (size_t)more;
    }
    return (ssize_t)got;
}

int secret_check(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), error;

    if (fd < 0)
        return -errno;
    error = judge(fd);
    close(fd);
    return error;
}

int secret_read(const char *path, char **text)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), error;
    ssize_t length;

    *text = NULL;
    if (fd < 0)
        return -errno;
    error = judge(fd);
    *text = error ? NULL : calloc(1, SECRET_SIZE + 1);
    if (!error && !*text)
        error = -ENOMEM;
    if (!error) {
        length = read_all(fd, *text, SECRET_SIZE);
        error = length < 0 ? (int)length : length == SECRET_SIZE ? -EINVAL : trim(*text, (size_t)length);
    }
    close(fd);
    if (error) {
        secret_wipe(*text);
        *text = NULL;
    }
    return error;
}

void secret_wipe(char *text)
{
    if (!text)
        return;
    explicit_bzero(text, strlen(text));
    free(text);
}
