/* SPDX-License-Identifier: MIT */
/* Reads values from files, and writes them to files. */
#include "bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "owner.h"
#include "text.h"

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

/* An empty pipe or device may mean that a command before it failed; an empty file was made so. */
static bool may_end_at_once(int fd, bool standard)
{
    struct stat status;

    return !standard && fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

int bytes_read(struct bytes *bytes, const char *file, size_t limit, bool may_be_empty)
{
    bool standard = strcmp(file, "-") == 0;
    const char *name = standard ? "standard input" : file;
    int fd = standard ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int error = fd < 0 ? -errno : read_all(bytes, fd, limit);

    may_be_empty |= fd >= 0 && may_end_at_once(fd, standard);
    if (fd >= 0 && !standard)
        close(fd);
    if (!error && (bytes->length > 0 || may_be_empty))
        return DONE;
    if (fd >= 0)
        free(bytes->at);
    *bytes = (struct bytes){NULL, 0};
    if (!error)
        return cli_complain_that(name, "it is empty; to publish an empty value, add --empty");
    if (error == -EMSGSIZE)
        return cli_complain_that(name, "the value is longer than the capacity of %zu bytes", limit);
    return cli_complain_that(name, "%s", strerror(-error));
}

int bytes_write_all(int fd, const void *bytes, size_t length)
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
    int error = bytes_write_all(fd, bytes, length);

    if (close(fd) != 0 && !error)
        error = -errno;
    return error;
}

/* A descriptor to read the file's owner and ACL: any kind will do. */
static int open_any_way(const char *file)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK);

    if (fd < 0 && errno == EACCES)
        fd = open(file, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

/* Give the new file the owner, group, ACL and mode of `file`. */
static int inherit(const char *file, const struct stat *status, int to, const struct output *output)
{
    int from = open_any_way(file), error;

    if (from >= 0)
        error = owner_copy(from, to, OWNER_SAME_MODE, output->force);
    else if (from == -EACCES && output->force)
        error = fchmod(to, status->st_mode & 0777) != 0 ? -errno : 0;
    else
        error = from == -EACCES ? -EPERM : from;
    if (from >= 0)
        close(from);
    return error == -EPERM
               ? cli_complain_that(
                     output->name,
                     "the new file cannot keep the owner, group and ACL of the old one: only root "
                     "may give files away (--force makes the file yours)")
           : error ? cli_complain_that(output->name, "%s", strerror(-error))
                   : DONE;
}

/* The mode of a new file, as for cp: less the umask. */
static mode_t mode_of_new_file(mode_t wanted)
{
    mode_t mask = umask(0);

    umask(mask);
    return wanted & 0666 & ~mask;
}

/* Write a file beside the old one, then put it in its place. `old`: the old file; NULL: there is none. */
static int write_beside(const char *file, const struct stat *old, const struct output *output)
{
    const char *last = strrchr(file, '/');
    /* Not its name with a suffix: it may be as long as a name can be. */
    char *beside = text_format("%.*s.seqshare-XXXXXX", last ? (int)(last - file) + 1 : 0, file);
    int fd = mkostemp(beside, O_CLOEXEC), error = fd < 0 ? -errno : 0, status = DONE; /* mode 0600 */

    if (!error)
        error = bytes_write_all(fd, output->bytes, output->length);
    if (!error && old)
        status = inherit(file, old, fd, output);
    else if (!error && fchmod(fd, mode_of_new_file(output->mode)) != 0)
        error = -errno;
    if (fd >= 0 && close(fd) != 0 && !error)
        error = -errno;
    if (!error && status == DONE && rename(beside, file) != 0)
        error = -errno;
    if (fd >= 0 && (error || status != DONE))
        unlink(beside);
    free(beside);
    return error ? cli_complain_that(output->name, "%s", strerror(-error)) : status;
}

static int write_to(const char *file, const struct output *output)
{
    struct stat status;
    int fd, error;

    if (lstat(file, &status) != 0)
        return errno == ENOENT ? write_beside(file, NULL, output)
                               : cli_complain_that(output->name, "%s", strerror(errno));
    if (S_ISREG(status.st_mode))
        return write_beside(file, &status, output);
    fd = open(file, O_WRONLY | O_CLOEXEC | O_NOCTTY); /* a device, a pipe: it stays */
    error = fd < 0 ? -errno : write_and_close(fd, output->bytes, output->length);
    return error ? cli_complain_that(output->name, "%s", strerror(-error)) : DONE;
}

int bytes_write_file(const struct output *output)
{
    char *real = realpath(output->name, NULL); /* a link stays, the file that it leads to is replaced */
    int status = write_to(real ? real : output->name, output);

    free(real);
    return status;
}
