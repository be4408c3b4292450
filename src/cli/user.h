/* SPDX-License-Identifier: MIT */
/* Looks at files as another user would: with that user's number and groups, as the user database has them. */
#ifndef SEQSHARE_CLI_USER_H
#define SEQSHARE_CLI_USER_H

#include <stdbool.h>
#include <sys/types.h>

enum { USER_GROUPS_MOST = 1024 };

struct user {
    const char *name; /* as it was given; NULL: this process's own user */
    uid_t uid;
    gid_t gid;
    int count; /* of `groups`, with gid */
    gid_t groups[USER_GROUPS_MOST];
};

/* This process's own user, with its effective numbers. */
void user_self(struct user *user);

/* By name, or by number. False: there is no such user. (A number that has no name has no groups but "nogroup".) */
bool user_find(struct user *user, const char *text);

/*
 * Become that user as far as files go, and become root again. Only root can; nothing to do for this process's own
 * user. The real and the saved user stay root's: so the other user can neither stop nor trace this process meanwhile.
 * 0, or a negative errno value.
 */
int user_begin(const struct user *user);
void user_end(void);

/* "www-data (33, groups www-data, shop)"; the caller frees it. */
char *user_in_words(const struct user *user);

#endif
