/* SPDX-License-Identifier: MIT */
/* new, attach, fd, drop_write, prefault, stat, close. Shows: NAME-6, WRITE-2. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faults.h"

enum { SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL };

static const int no_room[] = {-ENOSPC, -EIO, 0};
static const int no_share[] = {-EBADMSG, -EBADF, 0};
static const int not_ours[] = {-EBADF, 0};
static const int no_memory[] = {-ENOMEM, 0};

static void nothing(struct stage *stage)
{
    (void)stage;
}

static void is_not_made(struct stage *stage)
{
    check(stage->made == NULL);
}

/* ---- new ---- */

static int new (struct stage *stage)
{
    return seqshare_new(&stage->made, CAPACITY);
}

static int new_slots(struct stage *stage)
{
    return seqshare_new_slots(&stage->made, CAPACITY, 8);
}

/* The file behind an anonymous share: nobody else's, and it cannot be truncated under its readers. */
static void has_private_file(const struct stage *stage, int fd)
{
    struct stat status;

    equals(fstat(fd, &status), 0);
    equals(status.st_mode, S_IFREG | 0600);
    equals(fcntl(fd, F_GET_SEALS) & SEALS, SEALS);
    check((size_t)status.st_size >= 2 * seqshare_capacity(stage->made));
    equals(close(fd), 0);
}

static void is_new(struct stage *stage)
{
    int writing = seqshare_fd(stage->made, SEQSHARE_WRITE);
    int reading = seqshare_fd(stage->made, SEQSHARE_READ);
    bool no_memfd = lacking & NO_MEMFD || (stage->fault.refused > 0 && stage->fault.call == &memfd_call &&
                                           !was_refused(stage, &memfd_call, EINVAL));

    if (no_memfd)
        equals(writing, -EOPNOTSUPP);
    else
        has_private_file(stage, writing);
    if (reading >= 0) {
        equals(fcntl(reading, F_GETFL) & O_ACCMODE, O_RDONLY);
        has_private_file(stage, reading);
    } else {
        equals(reading, -EOPNOTSUPP);
        check(no_memfd || lacking & NO_PROC || stage->fault.call == &open_proc_call ||
              stage->fault.call == &dup_call || stage->fault.call == &fstat_call);
    }
    usable(stage, stage->made);
}

/* ---- attach, fd ---- */

static void make_descriptor(struct stage *stage)
{
    make_anonymous(stage);
    stage->fd = seqshare_fd(stage->share, SEQSHARE_WRITE);
    check(stage->fd >= 0);
}

static int attach_to_read(struct stage *stage)
{
    return seqshare_attach(&stage->made, stage->fd, SEQSHARE_READ);
}

static int attach_to_write(struct stage *stage)
{
    return seqshare_attach(&stage->made, stage->fd, SEQSHARE_WRITE);
}

static void is_attached_to_read(struct stage *stage)
{
    stands(stage, stage->made);
    equals(seqshare_set(stage->made, "", 0), -EROFS);
    equals(seqshare_fd(stage->made, SEQSHARE_WRITE), -EROFS);
}

static void is_attached_to_write(struct stage *stage)
{
    usable(stage, stage->made);
}

static int reader(struct stage *stage)
{
    return seqshare_reader(&stage->made, stage->share);
}

static int give_descriptor(struct stage *stage)
{
    stage->fd = seqshare_fd(stage->share, SEQSHARE_READ);
    return stage->fd < 0 ? stage->fd : 0;
}

static void is_descriptor(struct stage *stage)
{
    equals(fcntl(stage->fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    equals(fcntl(stage->fd, F_GETFD), FD_CLOEXEC);
    equals(seqshare_attach(&stage->made, stage->fd, SEQSHARE_READ), 0);
    stands(stage, stage->made);
}

static void is_usable(struct stage *stage)
{
    usable(stage, stage->share);
}

/* ---- drop_write, prefault ---- */

static int drop_write(struct stage *stage)
{
    return seqshare_drop_write(stage->share);
}

static void has_permissions(const struct stage *stage, const char *wanted)
{
    char permissions[5];

    permissions_of(stage->share->head, permissions);
    check(strcmp(permissions, wanted) == 0);
    permissions_of(stage->share->bytes + CAPACITY, permissions);
    check(strcmp(permissions, wanted) == 0);
}

static void is_dropped(struct stage *stage)
{
    has_permissions(stage, "r--s");
    stands(stage, stage->share);
    equals(seqshare_set(stage->share, "", 0), -EROFS);
    equals(seqshare_fd(stage->share, SEQSHARE_WRITE), -EROFS);
    equals(seqshare_drop_write(stage->share), 0);
}

static void is_not_dropped(struct stage *stage)
{
    has_permissions(stage, "rw-s");
    usable(stage, stage->share);
}

static int prefault(struct stage *stage)
{
    return seqshare_prefault(stage->share);
}

/* ---- stat ---- */

static int look(struct stage *stage)
{
    struct seqshare_stat stat;
    int error = seqshare_stat(stage->share, &stat);

    faults_pause();
    equals(error, 0);
    equals(stat.version, stage->version);
    equals(stat.length, stage->length);
    equals(stat.owner, 0);
    faults_resume();
    return error;
}

/* ---- close ---- */

static void make_two_handles(struct stage *stage)
{
    make_descriptor(stage);
    equals(seqshare_attach(&stage->other, stage->fd, SEQSHARE_WRITE), 0);
}

static int close_it(struct stage *stage)
{
    seqshare_close(stage->share);
    stage->share = NULL;
    return 0;
}

static int close_locked(struct stage *stage)
{
    faults_pause();
    equals(seqshare_lock(stage->share), 0);
    faults_resume();
    return close_it(stage);
}

static int close_filling(struct stage *stage)
{
    void *slot;

    faults_pause();
    equals(seqshare_fill(stage->share, SMALL, &slot), 0);
    memset(slot, 0xff, SMALL);
    faults_resume();
    return close_it(stage);
}

static void is_closed(struct stage *stage)
{
    stands(stage, stage->other);
    usable(stage, stage->other);
}

const struct operation region_operations[] = {
    {"new", 0, NO_PROC | NO_MEMFD | OLD_KERNEL | LOW_FREE, false, false, no_room, nothing, new, is_new,
     is_not_made, close_all},
    {"new, 8 slots", 0, 0, false, false, no_room, nothing, new_slots, is_new, is_not_made, close_all},
    {"attach to read", 0, NO_PROC | LOW_FREE, false, false, no_share, make_descriptor, attach_to_read,
     is_attached_to_read, is_not_made, close_all},
    {"attach to write", 0, NO_PROC, false, false, no_share, make_descriptor, attach_to_write,
     is_attached_to_write, is_not_made, close_all},
    {"fd", 0, 0, false, false, not_ours, make_anonymous, give_descriptor, is_descriptor, is_usable,
     close_all},
    {"reader", 0, 0, false, false, no_share, make_anonymous, reader, is_attached_to_read, is_not_made,
     close_all},
    {"drop_write", 0, NO_PROC | NO_MEMFD, false, false, not_ours, make_anonymous, drop_write, is_dropped,
     is_not_dropped, close_all},
    {"drop_write, by name", 0, 0, false, false, not_ours, make_named, drop_write, is_dropped, is_not_dropped,
     close_all},
    {"prefault", 0, OLD_KERNEL, false, false, no_memory, make_anonymous, prefault, is_usable, is_usable,
     close_all},
    {"stat", 0, NO_PROC | NO_MEMFD, false, false, NULL, make_anonymous, look, is_usable, is_usable,
     close_all},
    {"close", 0, NO_PROC, false, false, NULL, make_two_handles, close_it, is_closed, is_closed, close_all},
    {"close, holding the lock", 0, 0, false, false, NULL, make_two_handles, close_locked, is_closed,
     is_closed, close_all},
    {"close, filling", 0, 0, false, false, NULL, make_two_handles, close_filling, is_closed, is_closed,
     close_all},
    {0}};
