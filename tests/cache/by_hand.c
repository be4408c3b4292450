/* SPDX-License-Identifier: MIT */
/* Both caches on a name that is moved without a mark, and in processes that cannot follow it. Shows: CACHE-3. */
#include "looker.h"
#include "support.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(by_hand, .timeout = 120);

/* ---- another clock ---- */

static const char *remade;

static void sees_a_new_file(void *context)
{
    check(unlink(share_path(remade)) == 0);
    seqshare_close(looker_share(remade, 2));
    looker_await(context, 1, 2);
}

static void follow_by_another_clock(void *context)
{
    slow_clock_for_children();
    child_run(sees_a_new_file, context);
}

/* Fails with: a moment that is believed in a child whose clock is hours behind. */
static void followed_with_a_slower_clock(bool many)
{
    struct looker looker;

    skip_unless_admin();
    remade = temp_name();
    seqshare_close(looker_share(remade, 1));
    looker = looker_open(remade, many);
    equals(looker_word(&looker), 1);
    try_in_child(follow_by_another_clock, &looker);
    looker_close(&looker);
}

BOTH(by_hand, followed_with_a_slower_clock)

/* ---- whatever brings name and region apart: nobody sets a mark ---- */

static void removed_and_made_by_hand(bool many)
{
    const char *name = temp_name();
    seqshare *writer = looker_share(name, 1), *next;
    struct looker looker = looker_open(name, many);

    equals(looker_word(&looker), 1);
    equals(unlink(share_path(name)), 0);
    equals(looker_look(&looker), -ENOENT);
    equals(looker_stat(&looker).follow_error, -ENOENT);
    equals(looker_word(&looker), 1);
    next = looker_share(name, 2);
    looker_await(&looker, 1, 2); /* after a second, or 64 calls */
    equals(looker_stat(&looker).follow_error, 0);
    equals(looker_stat(&looker).moved, 1);
    equals(seqshare_retired(writer), false);
    looker_close(&looker);
    seqshare_close(writer);
    seqshare_close(next);
}

BOTH(by_hand, removed_and_made_by_hand)

/* Calls that are far apart each ask. */
static void asked_rarely(bool many)
{
    const char *name = temp_name(), *other = temp_name();
    seqshare *writer = looker_share(name, 1), *next = looker_share(other, 2);
    struct looker looker = looker_open(name, many);

    equals(looker_word(&looker), 1);
    equals(rename(share_path(other), share_path(name)), 0);
    usleep(1100000);
    equals(looker_word(&looker), 2);
    looker_close(&looker);
    seqshare_close(writer);
    seqshare_close(next);
}

BOTH(by_hand, asked_rarely)

static void copy_file(const char *from, const char *to)
{
    equals(system(format("cp %s %s", from, to)), 0);
}

/* An older state of the same share, with its id: its versions go back. */
static void restored_from_a_backup(bool many)
{
    const char *name = temp_name(), *backup = format("%s.backup", share_path(name));
    seqshare *writer = looker_share(name, 1);
    struct looker looker = looker_open(name, many);

    copy_file(share_path(name), backup);
    for (uint64_t word = 2; word < 5; word++)
        equals(publish_words(writer, word), 0);
    equals(looker_word(&looker), 4);
    equals(rename(backup, share_path(name)), 0);
    equals(looker_look(&looker), 1);
    equals(looker_word(&looker), 1);
    equals(looker_stat(&looker).version, 1);
    equals(looker_look(&looker), 0);
    looker_close(&looker);
    seqshare_close(writer);
}

BOTH(by_hand, restored_from_a_backup)

struct mounted {
    bool many;
    const char *below, *above; /* the folders' */
};

static void child_mounts(void *context)
{
    const struct mounted *mounted = context;
    struct looker looker;

    own_mounts();
    looker = looker_open(format("%s/x", mounted->below), mounted->many);
    equals(looker_word(&looker), 1);
    if (mount(mounted->above, mounted->below, NULL, MS_BIND, NULL) != 0)
        _exit(NOT_POSSIBLE);
    equals(looker_look(&looker), 1);
    equals(looker_word(&looker), 2);
    equals(umount2(mounted->below, MNT_DETACH), 0);
    equals(looker_look(&looker), 1);
    equals(looker_word(&looker), 1);
    looker_close(&looker);
}

static void mounted_over(bool many)
{
    struct mounted mounted = {many, temp_directory("/dev/shm"), temp_directory("/dev/shm")};

    seqshare_close(looker_share(format("%s/x", mounted.below), 1));
    seqshare_close(looker_share(format("%s/x", mounted.above), 2));
    try_in_child(child_mounts, &mounted);
}

BOTH(by_hand, mounted_over)

/* ---- who cannot follow says so, and goes on ---- */

struct dropped {
    struct looker looker;
    int *replaced, *readable;
};

static void child_cannot_follow(void *context)
{
    struct dropped *dropped = context;
    struct looker *looker = &dropped->looker;

    equals(looker_word(looker), 1);
    await_flag(dropped->replaced, 1);
    equals(looker_look(looker), -EACCES);
    equals(looker_stat(looker).follow_error, -EACCES);
    equals(looker_word(looker), 1);
    set_flag(dropped->replaced, 2);
    await_flag(dropped->readable, 1);
    looker_await(looker, 1, 2);
    equals(looker_stat(looker).follow_error, 0);
}

/* The master opens the share as root; the worker is somebody else, whom the new file's mode keeps out. */
static void privilege_dropped(bool many)
{
    const char *name = temp_name();
    seqshare *writer, *next = NULL;
    struct dropped dropped = {.replaced = shared_memory(2 * sizeof(int))};
    pid_t child;

    skip_unless_root();
    writer = looker_share(name, 1);
    dropped.looker = looker_open(name, many);
    dropped.readable = dropped.replaced + 1;
    child = child_start_as(NOBODY, child_cannot_follow, &dropped);
    equals(seqshare_replace(&next, name, 4096, 0600), 0);
    equals(publish_words(next, 2), 0);
    set_flag(dropped.replaced, 1);
    await_flag(dropped.replaced, 2);
    equals(chmod(share_path(name), 0644), 0);
    set_flag(dropped.readable, 1);
    equals(child_end(child), 0);
    looker_close(&dropped.looker);
    seqshare_close(writer);
    seqshare_close(next);
}

BOTH(by_hand, privilege_dropped)
