/* SPDX-License-Identifier: MIT */
/* Walks the way to a file, and judges the owners on it. */
#include "trust.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "identity.h"

/* ---- the overflow user ----------------------------------------------------------------------- */

enum { OVERFLOW_USER = 65534, MAP_SIZE = 16384 /* of 340 lines, the most that a map may have */ };

static uid_t overflow_user(void)
{
    char text[32];

    return identity_read_file("/proc/sys/kernel/overflowuid", text, sizeof text) > 0
               ? (uid_t)strtoull(text, NULL, 10)
               : OVERFLOW_USER;
}

/* Lines of three numbers: the first user inside, the first outside, and how many. */
static bool map_has(const char *map, uid_t user)
{
    char *end;

    for (;;) {
        uint64_t first = strtoull(map, &end, 10), count;

        if (end == map)
            return false;
        strtoull(end, &end, 10);
        count = strtoull(end, &end, 10);
        if (user >= first && user - first < count)
            return true;
        map = end;
    }
}

/* Does a user of this namespace have that number? Without /proc we cannot know that it is another namespace. */
static bool is_known(uid_t user)
{
    char map[MAP_SIZE];
    ssize_t length = identity_read_file("/proc/self/uid_map", map, sizeof map);

    return length < 0 ? length == -ENOENT : map_has(map, user);
}

bool trust_owner(const struct stat *status)
{
    uid_t user = status->st_uid;

    if (user != 0 && user != geteuid())
        return false;
    return user == 0 || user != overflow_user() || is_known(user);
}

/* ---- the way to a folder --------------------------------------------------------------------- */

enum { LINKS_MOST = 40 }; /* as the kernel */

struct walk {
    int at;        /* O_PATH descriptor of the folder that has been reached */
    bool open;     /* everybody may write to it */
    bool squatted; /* an untrusted user has made a part of the way */
    int links;
    char left[2 * PATH_MAX]; /* the rest of the way */
};

/* On to this folder. */
static int arrive(struct walk *walk, int next, bool up)
{
    struct stat status;

    if (next < 0)
        return -errno;
    if (fstat(next, &status) != 0) {
        int error = -errno;

        close(next);
        return error;
    }
    walk->squatted |= walk->open && !up && !trust_owner(&status);
    walk->open = status.st_mode & S_IWOTH;
    if (walk->at >= 0)
        close(walk->at);
    walk->at = next;
    return 0;
}

static int begin_at_root(struct walk *walk)
{
    walk->open = false;
    return arrive(walk, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), true);
}

/* Links of /proc lead to files that no text names: the kernel follows them. */
static bool is_magic(int directory)
{
    struct statfs system;

    return fstatfs(directory, &system) == 0 && (uint32_t)system.f_type == PROC_SUPER_MAGIC;
}

/* The link's text comes before the rest of the way. */
static int follow_link(struct walk *walk, const char *part)
{
    char target[PATH_MAX];
    struct stat status;
    ssize_t length = readlinkat(walk->at, part, target, sizeof target);
    size_t rest = strlen(walk->left);

    if (length < 0)
        return errno == EINVAL ? -ENOTDIR : -errno;
    if (++walk->links > LINKS_MOST)
        return -ELOOP;
    if (fstatat(walk->at, part, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return -errno;
    walk->squatted |= walk->open && !trust_owner(&status);
    if (length == 0 || (size_t)length + 1 + rest >= sizeof walk->left)
        return length == 0 ? -ENOENT : -ENAMETOOLONG;
    memmove(walk->left + length + 1, walk->left, rest + 1);
    memcpy(walk->left, target, (size_t)length);
    walk->left[length] = '/';
    return target[0] == '/' ? begin_at_root(walk) : 0;
}

/* One part of the way: a folder, or a link. */
static int step(struct walk *walk, const char *part)
{
    const int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
    int next = openat(walk->at, part, flags | O_NOFOLLOW);

    if (next < 0 && errno == ENOTDIR) { /* so the kernel says of a link */
        if (!is_magic(walk->at))
            return follow_link(walk, part);
        next = openat(walk->at, part, flags);
    }
    return arrive(walk, next, strcmp(part, "..") == 0);
}

/* Remove the next part from the way. False: there is none. */
static bool next_part(struct walk *walk, char part[NAME_MAX + 1], int *error)
{
    size_t skipped = strspn(walk->left, "/"), length = strcspn(walk->left + skipped, "/");

    if (length == 0)
        return false;
    if (length > NAME_MAX) {
        *error = -ENAMETOOLONG;
        return false;
    }
    memcpy(part, walk->left + skipped, length);
    part[length] = 0;
    memmove(walk->left, walk->left + skipped + length, strlen(walk->left + skipped + length) + 1);
    return true;
}

int trust_walk(const char *path, size_t length, bool *squatted)
{
    struct walk walk = {.at = -1};
    char part[NAME_MAX + 1];
    int error;

    if (length >= sizeof walk.left)
        return -ENAMETOOLONG;
    memcpy(walk.left, path, length);
    error = begin_at_root(&walk);
    while (!error && next_part(&walk, part, &error))
        error = step(&walk, part);
    *squatted = walk.squatted;
    if (error && walk.at >= 0)
        close(walk.at);
    return error ? error : walk.at;
}
