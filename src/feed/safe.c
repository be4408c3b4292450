/* SPDX-License-Identifier: MIT */
/* Opens files that nobody else may change. */
#include "safe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

/* Why others could change it; NULL: they could not. */
static const char *weakness(const char *path, const struct stat *status)
{
    bool others = status->st_mode & S_IWOTH, group = status->st_mode & S_IWGRP && status->st_gid != 0;
    struct statvfs system;

    if (statvfs(path, &system) == 0 && system.f_flag & ST_RDONLY)
        return NULL;
    if (status->st_uid != 0 && status->st_uid != geteuid())
        return "belongs to another user, who could change it";
    if (S_ISDIR(status->st_mode) && status->st_mode & S_ISVTX)
        return NULL;
    return others ? "can be written by everybody" : group ? "can be written by its group" : NULL;
}

static int refuse(FILE *errors, const char *path, const char *why)
{
    fprintf(errors, "%s: %s\n", path, why);
    return -EPERM;
}

/* The folders of a path, from the last one up. `path` is the caller's to spoil. */
static int judge_folders(char *path, FILE *errors)
{
    struct stat status;
    const char *why;

    for (char *slash = strrchr(path, '/'); slash; slash = strrchr(path, '/')) {
        slash[slash == path] = 0;
        if (stat(path, &status) != 0)
            return -errno;
        why = weakness(path, &status);
        if (why)
            return refuse(errors, path, why);
        if (path[1] == 0)
            break;
    }
    return 0;
}

int safe_open(const char *path, int flags, FILE *errors)
{
    char *real = realpath(path, NULL);
    struct stat status;
    const char *why;
    int fd = real ? open(real, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY) : -1, error = 0;

    if (fd < 0 || fstat(fd, &status) != 0) {
        error = -errno;
        fprintf(errors, "%s: %s\n", path, strerror(errno));
    } else if ((why = weakness(real, &status))) {
        error = refuse(errors, real, why);
    } else {
        error = judge_folders(real, errors);
    }
    free(real);
    if (error && fd >= 0)
        close(fd);
    return error ? error : fd;
}

int safe_lock(int fd)
{
    const struct timespec moment = {.tv_nsec = 20000000};
    int tries = 50, rc;

    while ((rc = flock(fd, LOCK_EX | LOCK_NB)) != 0 && errno == EWOULDBLOCK && --tries > 0)
        nanosleep(&moment, NULL);
    return rc == 0 ? 0 : -errno;
}

/* A line of /proc/locks: is it a lock on this file? The process that took it, or 0. */
static int holder_in(const char *line, const struct stat *file)
{
    unsigned high, low;
    unsigned long long inode;
    int process;

    if (sscanf(line, "%*d: FLOCK %*s %*s %d %x:%x:%llu", &process, &high, &low, &inode) != 4)
        return 0;
    return inode == file->st_ino && high == major(file->st_dev) && low == minor(file->st_dev) ? process : 0;
}

static bool is_ours(int process)
{
    char path[32];
    struct stat status;

    snprintf(path, sizeof path, "/proc/%d", process);
    return stat(path, &status) != 0 || status.st_uid == 0 || status.st_uid == geteuid();
}

bool safe_lock_is_ours(int fd)
{
    FILE *locks = fopen("/proc/locks", "re");
    char line[256];
    struct stat file;
    bool any = false, ours = false;

    if (!locks || fstat(fd, &file) != 0) {
        if (locks)
            fclose(locks);
        return true;
    }
    while (!ours && fgets(line, sizeof line, locks)) {
        int process = holder_in(line, &file);

        any |= process != 0;
        ours |= process != 0 && is_ours(process);
    }
    fclose(locks);
    return ours || !any;
}
