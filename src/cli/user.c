/* SPDX-License-Identifier: MIT */
/* Becomes another user for a moment, to see which files that one may open. */
#include "user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parse.h"
#include "text.h"

enum { NOGROUP = 65534 };

void user_self(struct user *user)
{
    *user = (struct user){.uid = geteuid(), .gid = getegid()};
    user->count = getgroups(USER_GROUPS_MOST, user->groups);
    if (user->count < 0)
        user->count = 0;
}

static const struct passwd *entry_of(const char *text, uint64_t *number)
{
    const struct passwd *entry = getpwnam(text);

    if (!entry && parse_number(text, number) && *number < (uid_t)-1)
        entry = getpwuid((uid_t)*number);
    return entry;
}

bool user_find(struct user *user, const char *text)
{
    uint64_t number = UINT64_MAX;
    const struct passwd *entry = entry_of(text, &number);

    if (!entry && number >= (uid_t)-1)
        return false;
    *user = (struct user){.name = text, .count = USER_GROUPS_MOST};
    user->uid = entry ? entry->pw_uid : (uid_t)number;
    user->gid = entry ? entry->pw_gid : NOGROUP;
    if (!entry) {
        user->groups[0] = user->gid;
        user->count = 1;
    } else if (getgrouplist(entry->pw_name, user->gid, user->groups, &user->count) < 0) {
        user->count = USER_GROUPS_MOST; /* it has more: the first of them */
    }
    return true;
}

static bool is_self(const struct user *user)
{
    return !user->name || user->uid == geteuid();
}

/* What this process has while it is another user. */
static struct {
    bool away;
    gid_t gid;
    int count;
    gid_t groups[USER_GROUPS_MOST];
} own;

int user_begin(const struct user *user)
{
    int error = 0;

    if (is_self(user))
        return 0;
    own.gid = getegid();
    own.count = getgroups(USER_GROUPS_MOST, own.groups);
    if (own.count < 0 || setgroups((size_t)user->count, user->groups) != 0)
        return -errno;
    own.away = true;
    if (setegid(user->gid) != 0 || seteuid(user->uid) != 0) {
        error = -errno;
        user_end();
    }
    return error;
}

/* It was root, or user_begin would have failed. A process that stayed the other user would report nonsense. */
void user_end(void)
{
    if (own.away &&
        (seteuid(0) != 0 || setegid(own.gid) != 0 || setgroups((size_t)own.count, own.groups) != 0))
        abort();
    own.away = false;
}

char *user_in_words(const struct user *user)
{
    char *words = text_format("%s (%u", user->name, (unsigned)user->uid);

    for (int i = 0; i < user->count; i++) {
        const struct group *group = getgrgid(user->groups[i]);
        char number[16], *longer;

        snprintf(number, sizeof number, "%u", (unsigned)user->groups[i]);
        longer = text_format("%s%s%s", words, i == 0 ? ", groups " : ", ", group ? group->gr_name : number);
        free(words);
        words = longer;
    }
    words = realloc(words, strlen(words) + 2);
    if (!words)
        abort();
    return strcat(words, ")");
}
