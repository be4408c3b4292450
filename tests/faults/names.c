/* SPDX-License-Identifier: MIT */
/* create, replace, open, reopen, unlink. Shows: NAME-1, NAME-2, NAME-3, NAME-8, WRITE-2. */
#include <sys/stat.h>
#include <unistd.h>

#include "faults.h"

enum { MODE = 0640, REGION_SIZE = 2 * CAPACITY + 4096 };

static const int no_room[] = {-ENOSPC, -EIO, 0};
static const int no_share[] = {-EBADMSG, 0};
/* A file that it cannot look at may be another one: it tries again, and at last gives up. */
static const int no_look[] = {-EAGAIN, -EIO, 0};
/* Where /proc cannot be asked it is unknown whose the region is, and that is said as another namespace. */
static const int no_share_or_room[] = {-EBADMSG, -EBADF, -EOPNOTSUPP, -ENOSPC, -EIO, -EAGAIN, 0};

static void has_file(const struct stage *stage, mode_t mode)
{
    struct stat status;

    equals(lstat(stage->path, &status), 0);
    equals(status.st_mode, S_IFREG | mode);
    equals(status.st_size, REGION_SIZE);
}

static void another_opens_it(const struct stage *stage)
{
    seqshare *other;

    equals(seqshare_open(&other, stage->path, SEQSHARE_READ), 0);
    stands(stage, other);
    seqshare_close(other);
}

/* ---- create ---- */

static void nothing(struct stage *stage)
{
    (void)stage;
}

static int create(struct stage *stage)
{
    return seqshare_create(&stage->made, stage->path, CAPACITY, MODE);
}

static int create_relative(struct stage *stage)
{
    return seqshare_create(&stage->made, "./name", CAPACITY, MODE);
}

/* With a value that others find as soon as they find the name. */
static int create_with(struct stage *stage)
{
    const seqshare_reading first = {.bytes = (void *)(uintptr_t)pattern(1), .length = LONG};
    int error = seqshare_create_with(&stage->made, stage->path, CAPACITY, MODE, &first);

    if (!error) {
        stage->version = 1;
        stage->length = LONG;
    }
    return error;
}

static void is_created(struct stage *stage)
{
    has_file(stage, MODE);
    stands(stage, stage->made);
    usable(stage, stage->made);
    another_opens_it(stage);
}

static void is_not_made(struct stage *stage)
{
    check(stage->made == NULL);
    check(access(stage->path, F_OK) != 0);
}

/* ---- replace ---- */

static int replace(struct stage *stage)
{
    return seqshare_replace(&stage->made, stage->path, CAPACITY, MODE);
}

/* Also when the owner is one that this user namespace does not know, which is EINVAL of fchown. */
static const int no_share_room_or_owner[] = {-EBADMSG, -EBADF,  -EOPNOTSUPP, -ENOSPC,
                                             -EIO,     -EAGAIN, -EPERM,      0};

static gid_t group; /* of the share: another than ours, where we may give it away */

/* Of another group, which goes along; and the mode. */
static void make_named_of_group(struct stage *stage)
{
    make_named(stage);
    group = chown(stage->path, (uid_t)-1, 4321) == 0 ? 4321 : getegid();
    equals(chmod(stage->path, MODE), 0);
}

static int replace_with(struct stage *stage)
{
    const seqshare_reading next = {.bytes = (void *)(uintptr_t)pattern(stage->version + 1), .length = LONG};
    int error = seqshare_replace_with(&stage->made, stage->path, CAPACITY, 0600, &next, SEQSHARE_KEEP_MODE);

    if (error)
        return error;
    faults_pause();
    stands(stage, stage->share); /* the old one */
    faults_resume();
    stage->version++;
    stage->length = LONG;
    return 0;
}

static void is_replaced_by_another_value(struct stage *stage)
{
    struct stat status;

    has_file(stage, MODE);
    equals(lstat(stage->path, &status), 0);
    equals(status.st_gid, group);
    stands(stage, stage->made);
    equals(seqshare_reopen(stage->share), 1);
    usable(stage, stage->share);
    stands(stage, stage->made);
}

static bool may_not(const struct stage *stage, const struct call *call)
{
    return was_refused(stage, call, EACCES) || was_refused(stage, call, EROFS) ||
           was_refused(stage, call, ENOENT);
}

static void is_replaced(struct stage *stage)
{
    /* A process that may not write the old region, or cannot know whether its lock means anything here, reads it and
       leaves it unmarked. */
    bool unmarked =
        proc_says_nothing(stage) || may_not(stage, &open_old_call) || may_not(stage, &open_directory_call);

    has_file(stage, MODE);
    stands(stage, stage->made);
    stands(stage, stage->share);
    check(unmarked || seqshare_retired(stage->share));
    if (!unmarked)
        equals(seqshare_set(stage->share, "", 0), -EIDRM);
    equals(seqshare_reopen(stage->share), 1);
    usable(stage, stage->share);
    stands(stage, stage->made);
}

static void is_not_replaced(struct stage *stage)
{
    check(stage->made == NULL);
    check(!seqshare_retired(stage->share));
    equals(seqshare_reopen(stage->share), 0);
    stands(stage, stage->share);
    usable(stage, stage->share);
}

/* ---- open ---- */

static int open_to_read(struct stage *stage)
{
    return seqshare_open(&stage->made, stage->path, SEQSHARE_READ);
}

static int open_to_write(struct stage *stage)
{
    return seqshare_open(&stage->made, stage->path, SEQSHARE_WRITE | SEQSHARE_ANY_OWNER);
}

static void is_open_to_read(struct stage *stage)
{
    stands(stage, stage->made);
    equals(seqshare_set(stage->made, "", 0), -EROFS);
}

static void is_open_to_write(struct stage *stage)
{
    usable(stage, stage->made);
}

static void is_not_opened(struct stage *stage)
{
    check(stage->made == NULL);
    stands(stage, stage->share);
}

static void make_file(struct stage *stage)
{
    unsigned lacks = lacking;

    lacking = 0; /* it was made elsewhere */
    make_named(stage);
    lacking = lacks;
}

/* ---- reopen ---- */

static void make_moved(struct stage *stage)
{
    make_named(stage);
    equals(seqshare_replace(&stage->other, stage->path, CAPACITY, MODE), 0);
    publish(stage, stage->other, SMALL);
}

static int reopen(struct stage *stage)
{
    return seqshare_reopen(stage->share);
}

static void is_moved(struct stage *stage)
{
    check(!seqshare_retired(stage->share));
    usable(stage, stage->share);
}

static void is_not_moved(struct stage *stage)
{
    check(seqshare_retired(stage->share));
    equals(seqshare_version(stage->share), stage->version - 1);
    equals(seqshare_set(stage->share, "", 0), -EIDRM);
}

static void is_where_it_was(struct stage *stage)
{
    equals(seqshare_retired(stage->share), false);
    usable(stage, stage->share);
}

/* ---- unlink ---- */

static int unlink_name(struct stage *stage)
{
    return seqshare_unlink(stage->path);
}

static void is_unlinked(struct stage *stage)
{
    /* A file that is not a region, or may not be written to, is removed anyway, and not marked. These errors do
       not say so. */
    bool unknown = stage->fault.refused > 0 && !was_refused(stage, stage->fault.call, EMFILE) &&
                   !was_refused(stage, stage->fault.call, ENFILE) &&
                   (!was_refused(stage, stage->fault.call, EIO) || stage->fault.call == &fstat_call) &&
                   !was_refused(stage, stage->fault.call, EINTR);

    check(access(stage->path, F_OK) != 0);
    check(unknown || seqshare_retired(stage->share));
    equals(seqshare_reopen(stage->share), -ENOENT);
    usable(stage, stage->share);
}

const struct operation name_operations[] = {
    {"create", 0, NO_PROC | NO_TMPFILE | LOW_FREE, false, false, no_room, nothing, create, is_created,
     is_not_made, close_all},
    {"create, a relative name", 0, 0, false, false, no_room, nothing, create_relative, is_created,
     is_not_made, close_all},
    {"replace", 0, NO_EXCHANGE | LOW_FREE, false, false, no_share_or_room, make_named, replace, is_replaced,
     is_not_replaced, close_all},
    {"create, with a value", 0, NO_TMPFILE, false, false, no_room, nothing, create_with, is_created,
     is_not_made, close_all},
    {"replace, with a value", 0, NO_EXCHANGE, false, false, no_share_room_or_owner, make_named_of_group,
     replace_with, is_replaced_by_another_value, is_not_replaced, close_all},
    {"replace, of nothing", 0, NO_PROC | NO_TMPFILE, false, false, no_share_or_room, nothing, replace,
     is_created, is_not_made, close_all},
    {"open to read", 0, NO_PROC, false, false, no_share, make_file, open_to_read, is_open_to_read,
     is_not_opened, close_all},
    {"open to write", 0, NO_PROC | LOW_FREE, false, false, no_share, make_file, open_to_write,
     is_open_to_write, is_not_opened, close_all},
    {"reopen, moved", 1, 0, false, false, no_share, make_moved, reopen, is_moved, is_not_moved, close_all},
    {"reopen, not moved", 0, 0, false, false, no_share, make_named, reopen, is_where_it_was, is_where_it_was,
     close_all},
    {"unlink", 0, NO_PROC | LOW_FREE, true, false, no_look, make_file, unlink_name, is_unlinked,
     is_where_it_was, close_all},
    {0}};
