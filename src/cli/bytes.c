/* SPDX-License-Identifier: MIT */
#include "bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "words.h"

static int read_all(struct bytes *bytes, int fd, size_t limit)
{
    size_t room = 0;

    *bytes = (struct bytes){NULL, 0};
    for (;;) {
        ssize_t got;

        if (bytes->length == room) {
            void *more = realloc(bytes->at, room = room ? 2 * room : 65536);

            if (!more)
                return -ENOMEM;
            bytes->at = more;
        }
        got = read(fd, (char *)bytes->at + bytes->length, room - bytes->length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : 0;
        bytes->length += (size_t)got;
        if (bytes->length > limit)
            return -EMSGSIZE;
    }
}

int read_bytes(struct bytes *bytes, const char *file, size_t limit, bool may_be_empty)
{
    bool standard = strcmp(file, "-") == 0;
    const char *name = standard ? "standard input" : file;
    int fd = standard ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int error = fd < 0 ? -errno : read_all(bytes, fd, limit);

    if (fd > STDIN_FILENO)
        close(fd);
    if (!error && (bytes->length > 0 || !standard || may_be_empty))
        return DONE;
    if (fd >= 0)
        free(bytes->at);
    *bytes = (struct bytes){NULL, 0};
    if (!error)
        return complain_that(name, "it is empty; --empty publishes an empty value");
    if (error == -EMSGSIZE)
        return complain_that(name, "the value is longer than the capacity, which is %zu bytes", limit);
    return complain_that(name, "%s", strerror(-error));
}

int write_all(int fd, const void *bytes, size_t length)
{
    while (length > 0) {
        ssize_t wrote = write(fd, bytes, length);

        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return -errno;
        bytes = (const char *)bytes + wrote;
        length -= (size_t)wrote;
    }
    return 0;
}

static int write_and_close(int fd, const void *bytes, size_t length)
{
    int error = write_all(fd, bytes, length);

    if (close(fd) != 0 && !error)
        error = -errno;
    return error;
}

/* Beside the file, then in its place, with the mode that it has or a new file would get. */
static int write_beside(const char *file, mode_t mode, const void *bytes, size_t length)
{
    char *beside = format_text("%s.XXXXXX", file);
    int fd, error;

    fd = mkostemp(beside, O_CLOEXEC);
    if (fd < 0) {
        free(beside);
        return -errno;
    }
    error = fchmod(fd, mode) != 0 ? -errno : 0;
    if (error)
        close(fd);
    else
        error = write_and_close(fd, bytes, length);
    if (!error && rename(beside, file) != 0)
        error = -errno;
    if (error)
        unlink(beside);
    free(beside);
    return error;
}

static mode_t mode_of_new_files(void)
{
    mode_t mask = umask(0);

    umask(mask);
    return 0666 & ~mask;
}

static int write_to(const char *file, const void *bytes, size_t length)
{
    struct stat status;
    int fd;

    if (lstat(file, &status) != 0)
        return errno == ENOENT ? write_beside(file, mode_of_new_files(), bytes, length) : -errno;
    if (S_ISREG(status.st_mode))
        return write_beside(file, status.st_mode & 0777, bytes, length);
    fd = open(file, O_WRONLY | O_CLOEXEC | O_NOCTTY); /* a device, a pipe: what is there stays there */
    return fd < 0 ? -errno : write_and_close(fd, bytes, length);
}

int write_file(const char *file, const void *bytes, size_t length)
{
    char *real = realpath(file, NULL); /* a link stays, and its file is replaced */
    int error = write_to(real ? real : file, bytes, length);

    free(real);
    return error ? complain_that(file, "%s", strerror(-error)) : DONE;
}
