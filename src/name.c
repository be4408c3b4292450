/* SPDX-License-Identifier: MIT */
#include "name.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "region.h"
#include "trust.h"

#ifndef RENAME_EXCHANGE
#define RENAME_NOREPLACE (1U << 0)
#define RENAME_EXCHANGE  (1U << 1)
#endif

#define PLACE "/dev/shm/seqshare."

/* The absolute path of a name: "x" is in PLACE, "a/x" is relative to here and now, "/a/x" is itself. */
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

/* Something that cannot be a region, and would notice being opened: a FIFO, a device. (A link does not.) */
static bool is_special(const struct name *name)
{
    struct stat status;

    return fstatat(name->directory, name->base, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           !S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode);
}

int name_open_file(const struct name *name, bool writable, bool any_owner)
{
    /* NONBLOCK: opening a FIFO, made this instant, must not wait for its other end. */
    int flags = (writable ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    int fd, error;

    if (is_special(name))
        return -EBADMSG;
    fd = region_keep_apart(openat(name->directory, name->base, flags));
    if (fd < 0)
        return errno == EISDIR || errno == ENXIO || errno == ENODEV ? -EBADMSG : -errno;
    error = any_owner ? 0 : check_owner(name, fd);
    if (error) {
        close(fd);
        return error;
    }
    return fd;
}

bool name_is(const struct name *name, dev_t device, ino_t inode)
{
    struct stat status;

    return fstatat(name->directory, name->base, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           status.st_dev == device && status.st_ino == inode;
}

int name_leads_to(const char *path, dev_t device, ino_t inode)
{
    struct stat status;

    if (fstatat(AT_FDCWD, path, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOTDIR ? -ENOENT : -errno;
    return status.st_dev == device && status.st_ino == inode;
}

void name_discard(const struct name *name, char temporary[NAME_TEMPORARY_SIZE])
{
    if (temporary[0])
        unlinkat(name->directory, temporary, 0);
    temporary[0] = 0;
}

static int choose_temporary(char temporary[NAME_TEMPORARY_SIZE])
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
        error = choose_temporary(temporary);
        if (error)
            return error;
        made = openat(name->directory, temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    } while (made < 0 && errno == EEXIST);
    fd = region_keep_apart(made);
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
    /* A file without a name vanishes with a creator that is killed. Its name is given through /proc. */
    if (!needs_name && access("/proc/thread-self/fd", X_OK) == 0) {
        int fd = region_keep_apart(openat(name->directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));

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
        /* Not /proc/self: a thread may have descriptors of its own, and there the number is another file's. */
        snprintf(path, sizeof path, "/proc/thread-self/fd/%d", fd);
        result = linkat(AT_FDCWD, path, name->directory, name->base, AT_SYMLINK_FOLLOW);
    }
    if (result != 0)
        result = -errno;
    name_discard(name, temporary);
    return result;
}

/* ---- moving a name that others may move as well ---------------------------------------------- */

/* What a name leads to: the file, in one word. Its number is nobody else's as long as the file is there. */
struct file {
    dev_t device;
    ino_t inode;
};

static int look_at(const struct name *name, const char *base, struct file *file)
{
    struct stat status = {0};
    int error = fstatat(name->directory, base, &status, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : -errno;

    *file = (struct file){status.st_dev, status.st_ino};
    return error;
}

static bool is_same(struct file one, struct file other)
{
    return one.device == other.device && one.inode == other.inode;
}

/* In one step; glibc and musl have it only of late. */
static int rename_with(const struct name *name, const char *from, unsigned flags)
{
    return syscall(SYS_renameat2, name->directory, from, name->directory, name->base, flags) == 0 ? 0
                                                                                                  : -errno;
}

static bool is_unknown(int error)
{
    return error == -EINVAL || error == -ENOSYS || error == -EPERM;
}

/* Where files cannot be exchanged: a name that moves between look and rename is not noticed. */
static int look_and_rename(const struct name *name, char temporary[NAME_TEMPORARY_SIZE], struct file old)
{
    if (!name_is(name, old.device, old.inode))
        return -EAGAIN;
    if (renameat(name->directory, temporary, name->directory, name->base) != 0)
        return -errno;
    temporary[0] = 0;
    return 0;
}

/*
 * Exchange the two names. 0: the temporary one has `*wanted` then; -EAGAIN: it has another file, which had the
 * name, and the name has what is now `*wanted`. After another error they are as they were.
 */
static int swap(const struct name *name, const char *temporary, struct file *wanted)
{
    struct file put, came;
    int error = look_at(name, temporary, &put);

    if (!error)
        error = rename_with(name, temporary, RENAME_EXCHANGE);
    if (error)
        return error;
    error = look_at(name, temporary, &came);
    if (error) {
        rename_with(name, temporary, RENAME_EXCHANGE);
        return error;
    }
    if (is_same(came, *wanted))
        return 0;
    *wanted = put;
    return -EAGAIN;
}

/* Give the name to the file under the temporary one, if nothing has it. Else that keeps the temporary one. */
static int bring_back(const struct name *name, const char *temporary)
{
    int error = rename_with(name, temporary, RENAME_NOREPLACE);

    if (!is_unknown(error))
        return error;
    if (linkat(name->directory, temporary, name->directory, name->base, 0) != 0)
        return -errno;
    return unlinkat(name->directory, temporary, 0) == 0 ? 0 : -errno;
}

enum { SWAPS_MOST = 100 }; /* each one more needs another process that moves the name in the same instant */

/*
 * What has the temporary name was another's, and had the name a moment ago; now the name has `put`, ours. Back.
 * Should that bring a third file, made meanwhile, the third is put back as well: it is the newer one. At the
 * end the temporary name has ours, which is removed, or a stranger's, which is not ours to remove.
 */
static void put_back(const struct name *name, char temporary[NAME_TEMPORARY_SIZE], struct file put)
{
    const struct file ours = put;
    int error = -EAGAIN;

    for (int swaps = 0; error == -EAGAIN && swaps < SWAPS_MOST; swaps++)
        error = swap(name, temporary, &put);
    if (error == -ENOENT) /* somebody has removed what we had put there */
        bring_back(name, temporary);
    if (error || !is_same(put, ours))
        temporary[0] = 0;
}

static int take_name(const struct name *name, char temporary[NAME_TEMPORARY_SIZE], struct file old)
{
    int error = swap(name, temporary, &old);

    if (is_unknown(error))
        return look_and_rename(name, temporary, old);
    if (error == -EAGAIN)
        put_back(name, temporary, old);
    return error == -ENOENT ? -EAGAIN : error;
}

int name_replace(const struct name *name, char temporary[NAME_TEMPORARY_SIZE], dev_t device, ino_t inode)
{
    int error = take_name(name, temporary, (struct file){device, inode});

    if (error)
        name_discard(name, temporary);
    return error;
}

/* By way of a temporary name, where it can be looked at before it is gone. */
int name_remove(const struct name *name, dev_t device, ino_t inode)
{
    const struct file wanted = {device, inode};
    char temporary[NAME_TEMPORARY_SIZE];
    struct file came;
    int error = choose_temporary(temporary);

    if (error)
        return error;
    if (!name_is(name, device, inode))
        return -EAGAIN;
    if (renameat(name->directory, name->base, name->directory, temporary) != 0)
        return -errno;
    error = look_at(name, temporary, &came);
    if (!error && !is_same(came, wanted))
        error = -EAGAIN;
    if (!error && unlinkat(name->directory, temporary, 0) != 0)
        error = -errno;
    if (error)
        bring_back(name, temporary);
    return error;
}
