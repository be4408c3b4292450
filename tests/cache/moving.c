/* SPDX-License-Identifier: MIT */
/* Both caches on a name that goes to other regions. Shows: CACHE-3. */
#include "objects.h"
#include "support.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(moving, .timeout = 120);

/* One of the two, and what it reads through. */
struct looker {
    seqshare *share;
    seqshare_cache *one;
    seqshare_cache_mt *many;
};

static struct looker open_looker(const char *name, bool many)
{
    struct looker looker = {0};

    equals(seqshare_open(&looker.share, name, SEQSHARE_READ), 0);
    if (many)
        equals(seqshare_cache_mt_new(&looker.many, looker.share, object_decode, object_destroy, NULL), 0);
    else
        equals(seqshare_cache_new(&looker.one, looker.share, object_decode, object_destroy, NULL), 0);
    return looker;
}

static void close_looker(struct looker *looker)
{
    seqshare_cache_close(looker->one);
    seqshare_cache_mt_close(looker->many);
    equals(counts.made, counts.destroyed);
    seqshare_close(looker->share);
}

static uint64_t word_of(struct looker *looker)
{
    const struct object *object;
    seqshare_snapshot snapshot;
    uint64_t word = 0;

    object =
        looker->many ? seqshare_cache_mt_enter(looker->many, &snapshot) : seqshare_cache_get(looker->one);
    if (object) {
        equals(object->alive, ALIVE);
        word = object->words[0];
    }
    if (looker->many)
        seqshare_cache_mt_leave(looker->many, &snapshot);
    return word;
}

static struct seqshare_cache_stat stat_of(struct looker *looker)
{
    struct seqshare_cache_stat stat = {0};

    if (looker->many)
        equals(seqshare_cache_mt_stat(looker->many, &stat), 0);
    else
        equals(seqshare_cache_stat(looker->one, &stat), 0);
    return stat;
}

/* A thread that looks at every moment sees `before` until it sees `after`. */
static void await_word(struct looker *looker, uint64_t before, uint64_t after)
{
    int64_t end = now() + SECONDS_TO_HANG * SECONDS;
    uint64_t word;

    while ((word = word_of(looker)) != after) {
        equals(word, before);
        check(now() < end);
        usleep(1000);
    }
}

static seqshare *made(const char *name, uint64_t word)
{
    seqshare *share = NULL;

    equals(seqshare_create(&share, name, 4096, 0600), 0);
    if (word)
        equals(publish_words(share, word), 0);
    return share;
}

/* ---- another clock ---- */

static const char *remade;

static void sees_a_new_file(void *context)
{
    check(unlink(share_path(remade)) == 0);
    seqshare_close(made(remade, 2));
    await_word(context, 1, 2);
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
    seqshare_close(made(remade, 1));
    looker = open_looker(remade, many);
    equals(word_of(&looker), 1);
    try_in_child(follow_by_another_clock, &looker);
    close_looker(&looker);
}

Test(moving, a_child_with_a_slower_clock_follows_the_name)
{
    followed_with_a_slower_clock(false);
}

Test(moving, a_child_with_a_slower_clock_follows_the_name_mt)
{
    followed_with_a_slower_clock(true);
}

/* ---- by replace ---- */

static void replaced(bool many)
{
    const char *name = temp_name();
    seqshare *writer = made(name, 1), *next = NULL;
    struct looker looker = open_looker(name, many);

    equals(word_of(&looker), 1);
    for (uint64_t i = 2; i < 4; i++) { /* the second one at once: a second has not passed */
        equals(seqshare_replace(&next, name, 64 * (size_t)i, 0600), 0);
        seqshare_close(writer);
        writer = next;
        equals(word_of(&looker), i - 1);
        equals(publish_words(writer, i), 0);
        await_word(&looker, i - 1, i);
        equals(stat_of(&looker).version, i);
    }
    equals(stat_of(&looker).moved, 2);
    equals(stat_of(&looker).failed, 0);
    equals(stat_of(&looker).follow_error, 0);
    close_looker(&looker);
    seqshare_close(writer);
}

static void made_anew(bool many)
{
    const char *name = temp_name();
    seqshare *writer = made(name, 10), *next;
    struct looker looker = open_looker(name, many);

    equals(word_of(&looker), 10);
    equals(seqshare_unlink(name), 0);
    equals(word_of(&looker), 10);
    equals(stat_of(&looker).follow_error, -ENOENT);
    equals(publish_words(writer, 11), 0); /* the old region still works */
    equals(word_of(&looker), 11);
    next = made(name, 20);
    await_word(&looker, 11, 20); /* version 1 again */
    equals(stat_of(&looker).version, 1);
    equals(stat_of(&looker).moved, 1);
    equals(stat_of(&looker).follow_error, 0);
    equals(publish_words(writer, 12), 0);
    equals(publish_words(next, 21), 0);
    equals(word_of(&looker), 21);
    close_looker(&looker);
    seqshare_close(writer);
    seqshare_close(next);
}

/* The version is the same as before, and the value another. */
static void same_version(bool many)
{
    const char *name = temp_name();
    seqshare *writer = made(name, 1), *next;
    struct looker looker = open_looker(name, many);

    equals(word_of(&looker), 1);
    equals(seqshare_unlink(name), 0);
    next = made(name, 2);
    await_word(&looker, 1, 2);
    close_looker(&looker);
    seqshare_close(writer);
    seqshare_close(next);
}

static void empty_for_a_while(bool many)
{
    int64_t end = now() + SECONDS_TO_HANG * SECONDS;
    const char *name = temp_name();
    seqshare *writer = made(name, 1), *next;
    struct looker looker = open_looker(name, many);

    equals(word_of(&looker), 1);
    equals(seqshare_unlink(name), 0);
    next = made(name, 0);
    while (stat_of(&looker).moved == 0) {
        equals(word_of(&looker), 1);
        check(now() < end);
        usleep(1000);
    }
    equals(word_of(&looker), 1);
    equals(publish_words(next, 2), 0);
    equals(word_of(&looker), 2);
    equals(stat_of(&looker).failed, 0);
    close_looker(&looker);
    seqshare_close(writer);
    seqshare_close(next);
}

static void at_most_once_a_second(bool many)
{
    const char *name = temp_name();
    seqshare *writer = made(name, 1), *next;
    struct looker looker = open_looker(name, many);
    int64_t from;

    equals(word_of(&looker), 1);
    equals(seqshare_unlink(name), 0);
    from = now();
    equals(word_of(&looker), 1);
    equals(stat_of(&looker).follow_error, -ENOENT);
    next = made(name, 2);
    await_word(&looker, 1, 2);
    check(now() - from > SECONDS / 2); /* the clock is a coarse one, which may have been late */
    close_looker(&looker);
    seqshare_close(writer);
    seqshare_close(next);
}

static void child_follows(void *context)
{
    await_word(context, 1, 2);
}

static void in_a_child(bool many)
{
    const char *name = temp_name();
    seqshare *writer = made(name, 1), *next = NULL;
    struct looker looker = open_looker(name, many);
    pid_t child;

    equals(word_of(&looker), 1);
    child = child_start(child_follows, &looker);
    equals(seqshare_replace(&next, name, 4096, 0600), 0);
    equals(publish_words(next, 2), 0);
    equals(child_end(child), 0);
    await_word(&looker, 1, 2);
    close_looker(&looker);
    seqshare_close(writer);
    seqshare_close(next);
}

/* ---- whatever brings name and region apart: nobody sets a mark ---- */

/* Without the tests' waiting for the clock. */
static int look_at_name(struct looker *looker)
{
    return looker->many ? seqshare_cache_mt_look(looker->many) : seqshare_cache_look(looker->one);
}

static void removed_and_made_by_hand(bool many)
{
    const char *name = temp_name();
    seqshare *writer = made(name, 1), *next;
    struct looker looker = open_looker(name, many);

    equals(word_of(&looker), 1);
    equals(unlink(share_path(name)), 0);
    equals(look_at_name(&looker), -ENOENT);
    equals(stat_of(&looker).follow_error, -ENOENT);
    equals(word_of(&looker), 1);
    next = made(name, 2);
    await_word(&looker, 1, 2); /* after a second, or 64 calls */
    equals(stat_of(&looker).follow_error, 0);
    equals(stat_of(&looker).moved, 1);
    equals(seqshare_retired(writer), false);
    close_looker(&looker);
    seqshare_close(writer);
    seqshare_close(next);
}

/* Calls that are far apart each ask. */
static void asked_rarely(bool many)
{
    const char *name = temp_name(), *other = temp_name();
    seqshare *writer = made(name, 1), *next = made(other, 2);
    struct looker looker = open_looker(name, many);

    equals(word_of(&looker), 1);
    equals(rename(share_path(other), share_path(name)), 0);
    usleep(1100000);
    equals(word_of(&looker), 2);
    close_looker(&looker);
    seqshare_close(writer);
    seqshare_close(next);
}

static void copy_file(const char *from, const char *to)
{
    equals(system(format("cp %s %s", from, to)), 0);
}

/* An older state of the same share, with its id: its versions go back. */
static void restored_from_a_backup(bool many)
{
    const char *name = temp_name(), *backup = format("%s.backup", share_path(name));
    seqshare *writer = made(name, 1);
    struct looker looker = open_looker(name, many);

    copy_file(share_path(name), backup);
    for (uint64_t word = 2; word < 5; word++)
        equals(publish_words(writer, word), 0);
    equals(word_of(&looker), 4);
    equals(rename(backup, share_path(name)), 0);
    equals(look_at_name(&looker), 1);
    equals(word_of(&looker), 1);
    equals(stat_of(&looker).version, 1);
    equals(look_at_name(&looker), 0);
    close_looker(&looker);
    seqshare_close(writer);
}

struct mounted {
    bool many;
    const char *below, *above; /* the folders' */
};

static void child_mounts(void *context)
{
    const struct mounted *mounted = context;
    struct looker looker;

    own_mounts();
    looker = open_looker(format("%s/x", mounted->below), mounted->many);
    equals(word_of(&looker), 1);
    if (mount(mounted->above, mounted->below, NULL, MS_BIND, NULL) != 0)
        _exit(NOT_POSSIBLE);
    equals(look_at_name(&looker), 1);
    equals(word_of(&looker), 2);
    equals(umount2(mounted->below, MNT_DETACH), 0);
    equals(look_at_name(&looker), 1);
    equals(word_of(&looker), 1);
    close_looker(&looker);
}

static void mounted_over(bool many)
{
    struct mounted mounted = {many, temp_directory("/dev/shm"), temp_directory("/dev/shm")};

    seqshare_close(made(format("%s/x", mounted.below), 1));
    seqshare_close(made(format("%s/x", mounted.above), 2));
    try_in_child(child_mounts, &mounted);
}

/* ---- who cannot follow says so, and goes on ---- */

struct dropped {
    struct looker looker;
    int *replaced, *readable;
};

static void child_cannot_follow(void *context)
{
    struct dropped *dropped = context;
    struct looker *looker = &dropped->looker;

    equals(word_of(looker), 1);
    await_flag(dropped->replaced, 1);
    equals(look_at_name(looker), -EACCES);
    equals(stat_of(looker).follow_error, -EACCES);
    equals(word_of(looker), 1);
    set_flag(dropped->replaced, 2);
    await_flag(dropped->readable, 1);
    await_word(looker, 1, 2);
    equals(stat_of(looker).follow_error, 0);
}

/* The master opens the share as root; the worker is somebody else, whom the new file's mode keeps out. */
static void privilege_dropped(bool many)
{
    const char *name = temp_name();
    seqshare *writer, *next = NULL;
    struct dropped dropped = {.replaced = shared_memory(2 * sizeof(int))};
    pid_t child;

    skip_unless_root();
    writer = made(name, 1);
    dropped.looker = open_looker(name, many);
    dropped.readable = dropped.replaced + 1;
    child = child_start_as(NOBODY, child_cannot_follow, &dropped);
    equals(seqshare_replace(&next, name, 4096, 0600), 0);
    equals(publish_words(next, 2), 0);
    set_flag(dropped.replaced, 1);
    await_flag(dropped.replaced, 2);
    equals(chmod(share_path(name), 0644), 0);
    set_flag(dropped.readable, 1);
    equals(child_end(child), 0);
    close_looker(&dropped.looker);
    seqshare_close(writer);
    seqshare_close(next);
}

static void told_to_look(bool many)
{
    const char *name = temp_name();
    seqshare *writer = made(name, 1), *next = NULL, *anonymous = new_share(64);
    struct looker looker = open_looker(name, many);
    struct looker unnamed = {.share = anonymous};

    equals(look_at_name(&looker), 0);
    equals(seqshare_replace(&next, name, 4096, 0600), 0);
    equals(look_at_name(&looker), 1);
    equals(look_at_name(&looker), 0);
    equals(stat_of(&looker).moved, 1);
    close_looker(&looker);
    if (many)
        equals(seqshare_cache_mt_new(&unnamed.many, anonymous, object_decode, object_destroy, NULL), 0);
    else
        equals(seqshare_cache_new(&unnamed.one, anonymous, object_decode, object_destroy, NULL), 0);
    equals(look_at_name(&unnamed), 0);
    equals(stat_of(&unnamed).follow_error, 0);
    close_looker(&unnamed);
    equals(seqshare_cache_look(NULL), -EINVAL);
    equals(seqshare_cache_mt_look(NULL), -EINVAL);
    seqshare_close(writer);
    seqshare_close(next);
}

/* A mark that leads nowhere is asked about once a second, and not at every call. */
Test(moving, a_known_mark_costs_nothing)
{
    const char *name = temp_name();
    seqshare *writer = made(name, 1);
    struct looker looker = open_looker(name, false);
    uint32_t calls;

    equals(word_of(&looker), 1);
    equals(seqshare_unlink(name), 0);
    equals(word_of(&looker), 1);
    equals(stat_of(&looker).follow_error, -ENOENT);
    equals(looker.one->marks, SEQSHARE_UNLINKED);
    equals(word_of(&looker), 1); /* the clock says that calls come often: from here on they are counted */
    equals(word_of(&looker), 1);
    calls = looker.one->calls;
    check(calls > 1);
    equals(word_of(&looker), 1);
    equals(looker.one->calls, calls - 1); /* by the inline function */
    close_looker(&looker);
    seqshare_close(writer);
}

/* As programs have it that were compiled with the first header: these notice marks, and nothing else. */
static const void *first_get(seqshare_cache *cache)
{
    const struct seqshare_head *head = cache->share->head;

    if (seqshare_read_begin(head) == cache->seen && !__atomic_load_n(&head->retired, __ATOMIC_RELAXED))
        return cache->object;
    return seqshare_cache_refresh(cache);
}

Test(moving, programs_of_the_first_header_follow_marks)
{
    const char *name = temp_name();
    seqshare *writer = made(name, 1), *next = NULL;
    struct looker looker = open_looker(name, false);
    const struct object *object = first_get(looker.one);

    equals(object->words[0], 1);
    for (int i = 0; i < 1000; i++)
        check(first_get(looker.one) == object);
    equals(seqshare_replace(&next, name, 4096, 0600), 0);
    equals(publish_words(next, 2), 0);
    object = first_get(looker.one);
    equals(object->words[0], 2);
    close_looker(&looker);
    seqshare_close(writer);
    seqshare_close(next);
}

/* A section has the old region's object, while others are already in the new one. */
Test(moving, under_a_section)
{
    const char *name = temp_name();
    seqshare *writer = made(name, 1), *next = NULL;
    struct looker looker = open_looker(name, true);
    seqshare_snapshot snapshot;
    const struct object *old = seqshare_cache_mt_enter(looker.many, &snapshot);

    equals(seqshare_replace(&next, name, 4096, 0600), 0);
    equals(publish_words(next, 2), 0);
    await_word(&looker, 1, 2);
    equals(old->words[0], 1);
    seqshare_cache_mt_leave(looker.many, &snapshot);
    close_looker(&looker);
    seqshare_close(writer);
    seqshare_close(next);
}

Test(moving, one_replaced)
{
    replaced(false);
}

Test(moving, many_replaced)
{
    replaced(true);
}

Test(moving, one_made_anew)
{
    made_anew(false);
}

Test(moving, many_made_anew)
{
    made_anew(true);
}

Test(moving, one_same_version)
{
    same_version(false);
}

Test(moving, many_same_version)
{
    same_version(true);
}

Test(moving, one_empty_for_a_while)
{
    empty_for_a_while(false);
}

Test(moving, many_empty_for_a_while)
{
    empty_for_a_while(true);
}

Test(moving, one_at_most_once_a_second)
{
    at_most_once_a_second(false);
}

Test(moving, many_at_most_once_a_second)
{
    at_most_once_a_second(true);
}

Test(moving, one_in_a_child)
{
    in_a_child(false);
}

Test(moving, many_in_a_child)
{
    in_a_child(true);
}

Test(moving, one_removed_and_made_by_hand)
{
    removed_and_made_by_hand(false);
}

Test(moving, many_removed_and_made_by_hand)
{
    removed_and_made_by_hand(true);
}

Test(moving, one_asked_rarely)
{
    asked_rarely(false);
}

Test(moving, many_asked_rarely)
{
    asked_rarely(true);
}

Test(moving, one_restored_from_a_backup)
{
    restored_from_a_backup(false);
}

Test(moving, many_restored_from_a_backup)
{
    restored_from_a_backup(true);
}

Test(moving, one_mounted_over)
{
    mounted_over(false);
}

Test(moving, many_mounted_over)
{
    mounted_over(true);
}

Test(moving, one_privilege_dropped)
{
    privilege_dropped(false);
}

Test(moving, many_privilege_dropped)
{
    privilege_dropped(true);
}

Test(moving, one_told_to_look)
{
    told_to_look(false);
}

Test(moving, many_told_to_look)
{
    told_to_look(true);
}
