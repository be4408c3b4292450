/* SPDX-License-Identifier: MIT */
/*
 * A name appears with its value, and with the owner, group, ACL and mode of the region whose place it takes.
 *
 * Shows: NAME-1, NAME-2.
 */
#include "support.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

TestSuite(first, .timeout = 120);

static seqshare_reading value_of(const char *text, uint32_t tag)
{
    return (seqshare_reading){.bytes = (void *)(uintptr_t)text, .length = strlen(text), .tag = tag};
}

static void stands(const seqshare *share, const char *text, uint64_t version, uint32_t tag)
{
    struct seqshare_stat stat;

    holds(share, text, version);
    equals(seqshare_stat(share, &stat), 0);
    equals(stat.tag, tag);
    equals(stat.writer, getpid());
    check(stat.published > 0);
}

Test(first, a_share_is_made_with_a_value)
{
    seqshare_reading value = value_of("first", 5), empty = value_of("", 0);
    seqshare *share = NULL, *other = NULL;
    const char *name = temp_name();

    equals(seqshare_create_with(&share, name, 100, 0640, &value), 0);
    stands(share, "first", 1, 5);
    equals(seqshare_set(share, "next", 4), 0);
    holds(share, "next", 2);
    equals(seqshare_create_with(&other, name, 100, 0640, &value), -EEXIST);
    holds(share, "next", 2);
    equals(seqshare_create_with(&other, temp_name(), 100, 0640, &empty), 0);
    stands(other, "", 1, 0);
    seqshare_close(other);
    equals(seqshare_create_with(&other, temp_name(), 100, 0640, NULL), 0);
    equals(seqshare_version(other), 0);
    seqshare_close(other);
    seqshare_close(share);
}

Test(first, what_does_not_fit_makes_nothing)
{
    const char *directory = temp_directory("/tmp"), *name = format("%s/name", directory);
    seqshare_reading value = value_of("eleven byte", 0), missing = {.length = 1};
    seqshare *share = NULL;

    equals(seqshare_create_with(&share, name, 10, 0600, &value), -EMSGSIZE);
    equals(seqshare_replace_with(&share, name, 10, 0600, &value, 0), -EMSGSIZE);
    equals(seqshare_create_with(&share, name, 10, 0600, &missing), -EINVAL);
    equals(seqshare_replace_with(&share, name, 100, 0600, &value, 4), -EINVAL);
    check(share == NULL);
    equals(entries(directory), 0);
}

Test(first, a_replace_brings_its_own_value)
{
    seqshare_reading value = value_of("new", 9);
    const char *name = temp_name();
    seqshare *old = named_share(name, "a rather long text", 0600), *next = NULL;

    equals(seqshare_replace_with(&next, name, 10, 0600, &value, 0), 0); /* the old one need not fit */
    stands(next, "new", 2, 9);
    holds(old, "a rather long text", 1);
    check(seqshare_retired(old));
    equals(seqshare_set(old, "x", 1), -EIDRM);
    seqshare_close(next);
    seqshare_close(old);
    equals(seqshare_replace_with(&next, temp_name(), 10, 0600, &value, 0), 0); /* where nothing was */
    stands(next, "new", 1, 9);
    seqshare_close(next);
}

/* ---- whose it is ---- */

static void is_of(const char *path, uid_t user, gid_t group, mode_t mode)
{
    struct stat status;

    check(stat(path, &status) == 0);
    equals(status.st_uid, user);
    equals(status.st_gid, group);
    equals(status.st_mode & 07777, mode);
}

static void replaced(const char *name, mode_t mode, int flags)
{
    seqshare *share = NULL;

    equals(seqshare_replace_with(&share, name, 100, mode, NULL, flags), 0);
    seqshare_close(share);
}

Test(first, the_mode_is_kept_if_that_is_wanted)
{
    const char *directory = temp_directory("/tmp");
    const char *name = format("%s/name", directory), *fresh = format("%s/fresh", directory);

    seqshare_close(named_share(name, "value", 0604));
    replaced(name, 0600, SEQSHARE_KEEP_MODE);
    is_of(name, geteuid(), getegid(), 0604);
    replaced(name, 0600, 0);
    is_of(name, geteuid(), getegid(), 0600);
    replaced(fresh, 0640, SEQSHARE_KEEP_MODE);
    is_of(fresh, geteuid(), getegid(), 0640);
}

enum { GROUP = 4321 };

Test(first, root_keeps_owner_and_group)
{
    const char *name = format("%s/name", temp_directory("/tmp"));

    skip_unless_root();
    seqshare_close(named_share(name, "value", 0640));
    check(chown(name, NOBODY, GROUP) == 0);
    replaced(name, 0600, SEQSHARE_KEEP_MODE);
    is_of(name, NOBODY, GROUP, 0640);
    replaced(name, 0660, 0);
    is_of(name, NOBODY, GROUP, 0660);
}

static void may_not_keep_the_owner(void *context)
{
    const char *name = context;
    seqshare *share = NULL;

    equals(seqshare_replace(&share, name, 100, 0600), -EPERM);
    check(share == NULL);
    equals(seqshare_open(&share, name, SEQSHARE_WRITE), 0);
    check(!seqshare_retired(share));
    equals(seqshare_set(share, "still", 5), 0);
    seqshare_close(share);
    replaced(name, 0666, SEQSHARE_LOSE_OWNER);
}

/* Fails with: a share that becomes that of the user who replaces it. */
Test(first, who_may_not_give_files_away_is_refused_unless_the_owner_may_be_lost)
{
    const char *directory, *name;
    struct stat status;

    skip_unless_root();
    directory = temp_directory("/tmp");
    name = format("%s/name", directory);
    check(chown(directory, NOBODY, NOBODY) == 0);
    seqshare_close(named_share(name, "value", 0666));
    child_run_as(NOBODY, may_not_keep_the_owner, (void *)(uintptr_t)name);
    check(stat(name, &status) == 0);
    equals(status.st_uid, NOBODY);
    equals(entries(directory), 1);
}

/* As the kernel has it: version 2, then tag, permissions, who. Little-endian words. */
static const unsigned char acl[] = {
    2,    0,    0,    0,    0x01, 0,    6,    0,    0xff, 0xff, 0xff, 0xff, /* the owner: rw */
    0x02, 0,    4,    0,    0xfe, 0xff, 0,    0,                            /* user 65534: r */
    0x04, 0,    4,    0,    0xff, 0xff, 0xff, 0xff, 0x10, 0,    4,    0,
    0xff, 0xff, 0xff, 0xff,                          /* group and mask: r */
    0x20, 0,    0,    0,    0xff, 0xff, 0xff, 0xff}; /* others: nothing */

Test(first, the_access_control_list_goes_along)
{
    const char *name = format("%s/name", temp_directory("/dev/shm"));
    unsigned char found[sizeof acl];

    seqshare_close(named_share(name, "value", 0600));
    if (setxattr(name, "system.posix_acl_access", acl, sizeof acl, 0) != 0)
        cr_skip_test("no access control lists in /dev/shm");
    replaced(name, 0600, SEQSHARE_KEEP_MODE);
    equals(getxattr(name, "system.posix_acl_access", found, sizeof found), sizeof acl);
    check(memcmp(found, acl, sizeof acl) == 0);
    is_of(name, geteuid(), getegid(), 0640);
    replaced(name, 0600, 0); /* the mode's group bits are its mask */
    is_of(name, geteuid(), getegid(), 0600);
    equals(getxattr(name, "system.posix_acl_access", found, sizeof found), sizeof acl);
    check(found[30] == 0); /* the mask */
}
