/* SPDX-License-Identifier: MIT */
/* Where the share's file is: is it in memory, how is it mounted, is there room, and will it stay there? */
#include <errno.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "check.h"
#include "cli.h"
#include "mount.h"
#include "text.h"
#include "words.h"

/* ---- the mount ----------------------------------------------------------------------------------------- */

static bool is_in_memory(const struct check *check)
{
    struct statfs system;

    return fstatfs(check->fd, &system) == 0 &&
           ((uint32_t)system.f_type == TMPFS_MAGIC || (uint32_t)system.f_type == RAMFS_MAGIC);
}

static void check_kind(struct check *check, const struct mount *mount)
{
    char *point = text_printable(mount->point);

    if (is_in_memory(check)) {
        report_add(&check->report, FINE, "mount", "%s at %s%s", mount->type, point,
                   mount_has(mount, "ro") ? ", read-only here" : "");
    } else {
        report_add(&check->report, NOTE, "mount", "%s at %s, which is not in memory%s", mount->type, point,
                   strcmp(mount->type, "btrfs") == 0
                       ? ", and may run out of room under a value that is there"
                       : ": readers may wait for the disk when memory is short");
        report_advise("use a name without a slash (/dev/shm), or a folder in /run or on another tmpfs");
    }
    free(point);
}

/* A mount of the file itself goes on showing the old region when the name gets a new one. */
static void check_alone(struct check *check, const struct mount *mount)
{
    struct stat status;
    char *point = text_printable(mount->point);

    if (stat(mount->point, &status) == 0 && S_ISREG(status.st_mode)) {
        report_add(&check->report, NOTE, "mount",
                   "the file is mounted alone, at %s: it stays when the name is replaced", point);
        report_advise("mount its folder instead");
    }
    free(point);
}

static void check_huge(struct check *check, const struct mount *mount)
{
    if (!mount_has(mount, "huge=always"))
        return;
    report_add(&check->report, NOTE, "mount", "huge=always: the header and each slot take memory by 2M");
    report_advise("mount it with huge=never or huge=advise if that is too much");
}

static void check_mount(struct check *check)
{
    struct mount mount;

    if (!mount_find(&mount, check->fd)) {
        report_add(&check->report, FINE, "mount", is_in_memory(check) ? "none: in memory" : "not known");
        return;
    }
    check_kind(check, &mount);
    check_alone(check, &mount);
    check_huge(check, &mount);
    mount_free(&mount);
}

/* ---- room ---------------------------------------------------------------------------------------------- */

static void advise_more_room(const struct check *check)
{
    struct mount mount;
    char *point;

    report_advise("setting a long value may fail: %s", cli_error_in_words(-ENOSPC));
    if (!mount_find(&mount, check->fd))
        return;
    point = text_shell_word(mount.point);
    if (strcmp(mount.type, "tmpfs") == 0)
        report_advise("more room: mount -o remount,size=SIZE %s (Docker: --shm-size)", point);
    free(point);
    mount_free(&mount);
}

static void advise_tidying(const struct check *check)
{
    char *folder = text_format("%s", check->path), *slash = strrchr(folder, '/'), *word;

    if (slash)
        slash[slash == folder] = 0;
    word = text_shell_word(folder);
    report_advise("setting a long value may fail: %s", cli_error_in_words(-ENOSPC));
    report_advise("see what takes the room: du -ax %s | sort -n | tail", word);
    free(folder);
    free(word);
}

static void check_bytes(struct check *check, const struct statvfs *system)
{
    uint64_t size = (uint64_t)check->status.st_size, have = (uint64_t)check->status.st_blocks * 512;
    uint64_t wanted = size > have ? size - have : 0, room = (uint64_t)system->f_bavail * system->f_frsize;
    uint64_t all = (uint64_t)system->f_blocks * system->f_frsize;
    char first[WORD_SIZE], second[WORD_SIZE];

    if (wanted <= room) {
        report_add(&check->report, FINE, "room", "%s free; the region can grow by %s",
                   words_size(first, room), words_size(second, wanted));
    } else if (size > all) {
        report_add(&check->report, NOTE, "room", "%s in all, less than the %s that the region can grow to",
                   words_size(first, all), words_size(second, size));
        advise_more_room(check);
    } else {
        report_add(&check->report, NOTE, "room", "%s free, less than the %s by which the region can grow",
                   words_size(first, room), words_size(second, wanted));
        advise_tidying(check);
    }
}

static void check_room(struct check *check)
{
    struct statvfs system;

    if (fstatvfs(check->fd, &system) != 0 || system.f_blocks == 0) /* a memfd has no size of its own */
        return;
    check_bytes(check, &system);
    if (system.f_files == 0 || system.f_favail > 0)
        return;
    report_add(&check->report, NOTE, "inodes", "none is free: no name can be created or replaced there");
    report_advise("remove files there, or mount it with a larger nr_inodes");
}

/* ---- logging out --------------------------------------------------------------------------------------- */

enum { FIRST_PERSON = 1000, LAST_PERSON = 60000 }; /* numbers between these are people's, not services' */

/* systemd-logind removes the files of a user in /dev/shm when that user logs out for the last time. */
static void check_logout(struct check *check)
{
    uid_t user = check->status.st_uid;

    if (strncmp(check->path, "/dev/shm/", 9) != 0 || user < FIRST_PERSON || user > LAST_PERSON ||
        access("/run/systemd/users", F_OK) != 0)
        return;
    report_add(&check->report, NOTE, "logout", "when user %u logs out, systemd-logind may remove it",
               (unsigned)user);
    report_advise("let a system user create it (useradd --system), or use a folder in /run");
}

void check_place(struct check *check)
{
    check_mount(check);
    check_room(check);
    check_logout(check);
}
