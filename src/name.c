/* SPDX-License-Identifier: MIT */
/* Finds the folder and the file of a name, and gives a file its name. */
#include "name.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "trust.h"

#define PLACE "/dev/shm/seqshare."

/* The absolute path of a name: "x" is in PLACE, "a/x" is relative to the current folder, "/a/x" is itself. */
static int resolve(const char *text, char **path)
{
    const char *slash = strrchr(text, '/');
    const char *base = slash ? slash + 1 : text;
    char here[PATH_MAX] = "";
    size_t size;

    if (base[0] == 0 || strcmp(base, ".") == 0 || strcmp(base, "..") == 0)
        return -EINVAL;
    if (strlen(base) + (slash ? 0 : strlen("seqshare.")) > NAME_MAX || strlen(text) >= PATH_MAX)
        return -ENAMETOOLONG;
    if (slash && text[0] != '/' && !getcwd(here, sizeof here))
        return -errno;
    size = strlen(here) + 1 + strlen(text) + sizeof PLACE;
    *path = malloc(size);
    if (!*path)
        return -ENOMEM;
    if (!slash)
        snprintf(*path, size, PLACE "%s", text);
    else
        snprintf(*path, size, "%s%s%s", here, here[0] ? "/" : "", text);
    return 0;
}

int name_open(struct name *name, const char *text)
{
    int error = resolve(text, &name->path);

    if (error)
        return error;
    name->base = strrchr(name->path, '/') + 1;
    name->directory = trust_walk(name->path, (size_t)(name->base - name->path), &name->squatted);
    if (name->directory < 0) {
        free(name->path);
        return name->directory;
    }
    return 0;
}

void name_close(struct name *name)
{
    close(name->directory);
    free(name->path);
}

static int check_owner(const struct name *name, int fd)
{
    struct stat file, directory;

    if (fstat(fd, &file) != 0 || fstat(name->directory, &directory) != 0)
        return -errno;
    return name->squatted || (directory.st_mode & S_IWOTH && !trust_owner(&file)) ? -EPERM : 0;
}

/* Not a region, and opening it would have effects: a FIFO, a device. (Not so a link.) */
static bool is_special(const struct name *name)
{
    struct stat status;

    return fstatat(name->directory, name->base, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           !S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode);
}

int name_open_file(const struct name *name, bool writable, bool any_owner)
{
    /* NONBLOCK: somebody may have made a FIFO this instant, and opening it must not wait for its other end. */
    int flags = (writable ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    int fd, error;

    if (is_special(name))
        return -EBADMSG;
    fd = descriptor_keep_apart(openat(name->directory, name->base, flags));
    if (fd < 0)
        return errno == EISDIR || errno == ENXIO || errno == ENODEV ? -EBADMSG : -errno;
    error = any_owner ? 0 : check_owner(name, fd);
    if (error) {
        close(fd);
        return error;
    }
    return fd;
}

bool name_is(const struct name *name, struct file_id file)
{
    struct stat status;

    return fstatat(name->directory, name->base, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           file_id_is(file_id_of(&status), file);
}

int name_leads_to(const char *path, struct file_id file)
{
    struct stat status;

    if (fstatat(AT_FDCWD, path, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOTDIR ? -ENOENT : -errno;
    return file_id_is(file_id_of(&status), file);
}

void name_discard(const struct name *name, char temporary[NAME_TEMPORARY_SIZE])
{
    if (temporary[0])
        unlinkat(name->directory, temporary, 0);
    temporary[0] = 0;
}

int name_choose_temporary(char temporary[NAME_TEMPORARY_SIZE])
{
    uint64_t random;

    if (getrandom(&random, sizeof random, 0) != sizeof random)
        return -EIO;
    snprintf(temporary, NAME_TEMPORARY_SIZE, ".seqshare-%016llx", (unsigned long long)random);
    return 0;
}

static int create_temporary(const struct name *name, char temporary[NAME_TEMPORARY_SIZE])
{
    int made, fd, error;

    do {
        error = name_choose_temporary(temporary);
        if (error)
            return error;
        made = openat(name->directory, temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    } while (made < 0 && errno == EEXIST);
    fd = descriptor_keep_apart(made);
    if (fd >= 0)
        return fd;
    error = -errno;
    if (made < 0)
        temporary[0] = 0;
    name_discard(name, temporary);
    return error;
}

int name_create_file(const struct name *name, bool needs_name, char temporary[NAME_TEMPORARY_SIZE])
{
    temporary[0] = 0;
    /* A file without a name vanishes if its creator is killed. /proc gives it its name. */
    if (!needs_name && access("/proc/thread-self/fd", X_OK) == 0) {
        int fd = descriptor_keep_apart(openat(name->directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));

        if (fd >= 0)
            return fd;
        if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
            return -errno;
    }
    return create_temporary(name, temporary);
}

int name_link(const struct name *name, int fd, char temporary[NAME_TEMPORARY_SIZE])
{
    char path[64];
    int result;

    if (temporary[0]) {
        result = linkat(name->directory, temporary, name->directory, name->base, 0);
    } else {
        /* Not /proc/self: a thread may have descriptors of its own, and /proc/self has the first thread's. */
        snprintf(path, sizeof path, "/proc/thread-self/fd/%d", fd);
        result = linkat(AT_FDCWD, path, name->directory, name->base, AT_SYMLINK_FOLLOW);
    }
    if (result != 0)
        result = -errno;
    name_discard(name, temporary);
    return result;
}
