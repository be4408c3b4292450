/* SPDX-License-Identifier: MIT */
/* Walks the way to a file as another user, and describes what stops that user. */
#include "way.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "text.h"

/* Opening "FOLDER/." needs the right to search the folder itself, and nothing else: no file is opened. */
static bool may_search(const char *folder)
{
    char *inside = text_format("%s/.", folder);
    int fd = open(inside, O_PATH | O_DIRECTORY | O_CLOEXEC);

    free(inside);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* The first folder of the way that may not be searched; otherwise the file itself. */
static char *find_part(const char *path, bool *folder)
{
    char *part = strdup(path), *slash = part;

    if (!part)
        abort();
    *folder = true;
    while ((slash = strchr(slash + 1, '/')) != NULL) {
        *slash = 0;
        if (!may_search(part))
            return part;
        *slash = '/';
    }
    *folder = false;
    return part;
}

void way_find(struct way *way, const char *path, const struct user *user)
{
    *way = (struct way){0};
    if (user_begin(user) == 0)
        way->part = find_part(path, &way->folder);
    user_end();
    if (!way->part)
        way->part = strdup(path);
    if (!way->part)
        abort();
    way->known = (way->folder ? stat(way->part, &way->status) : lstat(way->part, &way->status)) == 0;
    way->acl = lgetxattr(way->part, "system.posix_acl_access", NULL, 0) > 0;
}

char *way_owner(const struct way *way)
{
    const struct passwd *user = getpwuid(way->status.st_uid);

    return user ? text_format("%s", user->pw_name) : text_format("%u", (unsigned)way->status.st_uid);
}

char *way_group(const struct way *way)
{
    const struct group *group = getgrgid(way->status.st_gid);

    return group ? text_format("%s", group->gr_name) : text_format("%u", (unsigned)way->status.st_gid);
}

char *way_in_words(const struct way *way)
{
    char *shown = text_printable(way->part), *owner = way_owner(way), *group = way_group(way);
    char *words = way->known ? text_format("%s (%04o, %s:%s%s)", shown, (unsigned)way->status.st_mode & 07777,
                                           owner, group, way->acl ? ", with an access control list" : "")
                             : text_format("%s", shown);

    free(shown);
    free(owner);
    free(group);
    return words;
}

bool way_group_may(const struct way *way, mode_t bits)
{
    return way->known && !way->acl && (way->status.st_mode & bits) == bits;
}
