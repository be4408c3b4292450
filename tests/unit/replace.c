/* SPDX-License-Identifier: MIT */
/*
 * A new region in the place of a name: value, type and version go on, processes that had the old region learn it,
 * and no update is lost on the way.
 *
 * Shows: NAME-2.
 */
#include "support.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(replace, .timeout = 120);

static seqshare *open_for(const char *name, int access)
{
    seqshare *share = NULL;

    equals(seqshare_open(&share, name, access), 0);
    return share;
}

static seqshare *replace(const char *name)
{
    seqshare *share = NULL;

    equals(seqshare_replace(&share, name, 200, 0600), 0);
    return share;
}

/* ---- what is carried on ---- */

Test(replace, of_nothing_creates)
{
    const char *directory = temp_directory("/tmp"), *name = format("%s/name", directory);
    seqshare *share = replace(name);

    equals(seqshare_version(share), 0);
    equals(seqshare_length(share, NULL), -ENODATA);
    equals(seqshare_set(share, "first", 5), 0);
    holds(share, "first", 1);
    equals(entries(directory), 1);
    seqshare_close(share);
}

Test(replace, of_a_share_without_a_value_has_none)
{
    const char *name = temp_name();
    seqshare *old = named_share(name, NULL, 0600), *next = replace(name);

    equals(seqshare_version(next), 0);
    equals(seqshare_length(next, NULL), -ENODATA);
    check(seqshare_retired(old) && !seqshare_retired(next));
    seqshare_close(next);
    seqshare_close(old);
}

Test(replace, carries_value_type_and_version_on)
{
    const char *directory = temp_directory("/tmp"), *name = format("%s/name", directory);
    seqshare *old = named_share(name, "one", 0600), *next;
    struct seqshare_stat before, after;

    equals(seqshare_set(old, "two", 3), 0);
    equals(seqshare_set_typed(old, "three", 5, 333), 0);
    equals(seqshare_stat(old, &before), 0);
    next = replace(name);
    holds(next, "three", 3);
    equals(seqshare_get_typed(next, (char[5]){0}, 5, 333), 0);
    equals(seqshare_get_typed(next, (char[5]){0}, 5, 334), -EBADMSG);
    equals(seqshare_stat(next, &after), 0);
    equals(after.tag, 333);
    equals(after.published, before.published);
    equals(after.writer, before.writer);
    check(memcmp(after.region_id, before.region_id, 16) != 0);
    equals(seqshare_capacity(next), 200);
    equals(entries(directory), 1);

    equals(seqshare_set(next, "four", 4), 0);
    holds(next, "four", 4);
    holds(old, "three", 3); /* reads of the old one go on */
    seqshare_close(next);
    seqshare_close(old);
    next = open_for(name, SEQSHARE_READ);
    holds(next, "four", 4);
    seqshare_close(next);
}

Test(replace, every_version_lands_in_the_right_slot)
{
    const char *name = temp_name();
    seqshare *share = named_share(name, "value 1", 0600), *next;

    for (uint64_t version = 1; version < 12; version++) {
        const char *text = format("value %d", (int)version + 1);

        next = replace(name);
        holds(next, format("value %d", (int)version), version);
        equals(seqshare_set(next, text, strlen(text)), 0);
        holds(next, text, version + 1);
        seqshare_close(share);
        share = next;
    }
    seqshare_close(share);
}

Test(replace, goes_on_beyond_a_writer_that_died_in_the_middle)
{
    const char *name = temp_name();
    seqshare *old = named_share(name, "value", 0600), *next;
    void *slot;

    equals(seqshare_fill(old, 100, &slot), 0);
    memset(slot, '!', 100);
    equals(seqshare_abandon(old), 0);
    next = replace(name);
    holds(next, "value", 1);
    equals(seqshare_set(next, "next", 4), 0);
    holds(next, "next", 2);
    seqshare_close(next);
    seqshare_close(old);
}

Test(replace, the_mode_is_the_new_one)
{
    const char *name = temp_name();
    seqshare *old = named_share(name, "value", 0600), *next = NULL;
    mode_t before = umask(077);
    struct stat stat;

    equals(seqshare_replace(&next, name, 100, 0644), 0);
    umask(before);
    check(lstat(share_path(name), &stat) == 0);
    equals(stat.st_mode & 07777, 0644);
    seqshare_close(next);
    seqshare_close(old);
}

/* ---- what is refused ---- */

Test(replace, a_capacity_below_the_value_changes_nothing)
{
    const char *directory = temp_directory("/tmp"), *name = format("%s/name", directory);
    seqshare *old = named_share(name, "twenty bytes of text", 0600), *next = NULL;

    equals(seqshare_replace(&next, name, 19, 0600), -EMSGSIZE);
    equals(seqshare_replace(&next, name, 1, 0600), -EMSGSIZE);
    check(next == NULL && !seqshare_retired(old));
    equals(entries(directory), 1);
    equals(seqshare_reopen(old), 0);
    equals(seqshare_set(old, "still writable, here", 20), 0);
    equals(seqshare_replace(&next, name, 20, 0600), 0);
    holds(next, "still writable, here", 2);
    seqshare_close(next);
    seqshare_close(old);
}

Test(replace, of_what_is_no_share_changes_nothing)
{
    const char *directory = temp_directory("/tmp"), *name = format("%s/name", directory);
    const char *file = format("%s/file", directory), *link = format("%s/link", directory);
    seqshare *share = named_share(name, "value", 0600), *next = NULL;
    int fd = open(file, O_CREAT | O_RDWR | O_CLOEXEC, 0600);

    equals(write(fd, "a precious text", 15), 15);
    check(symlink(name, link) == 0);
    equals(seqshare_replace(&next, file, 100, 0600), -EBADMSG);
    equals(seqshare_replace(&next, link, 100, 0600), -ELOOP);
    check(next == NULL && !seqshare_retired(share));
    equals(entries(directory), 3);
    equals(lseek(fd, 0, SEEK_END), 15);
    seqshare_close(share);
}

Test(replace, in_the_middle_of_ones_own_fill_is_refused)
{
    const char *directory = temp_directory("/tmp"), *name = format("%s/name", directory);
    seqshare *old = named_share(name, "value", 0600), *next = NULL;
    void *slot;

    equals(seqshare_fill(old, 10, &slot), 0);
    equals(seqshare_replace(&next, name, 100, 0600), -EBUSY);
    check(next == NULL && !seqshare_retired(old));
    memcpy(slot, "filled", 6);
    equals(seqshare_publish(old, 6), 0);
    holds(old, "filled", 2);
    equals(entries(directory), 1);
    seqshare_close(old);
}

/* ---- processes that had the old region ---- */

static void cannot_write(seqshare *share)
{
    uint64_t version = seqshare_version(share);
    void *slot;

    equals(seqshare_set(share, "x", 1), -EIDRM);
    equals(seqshare_set_if(share, &version, "x", 1), -EIDRM);
    equals(seqshare_set_typed(share, "x", 1, 1), -EIDRM);
    equals(seqshare_fill(share, 1, &slot), -EIDRM);
    equals(seqshare_lock(share), -EIDRM);
    equals(seqshare_trylock(share), -EIDRM);
    equals(seqshare_lock_for(share, 0), -EIDRM);
    equals(seqshare_wait(share, version, -1), -EIDRM);
    equals(seqshare_unlock(share), -EPERM);
}

static void cannot_write_in_child(void *share)
{
    cannot_write(share);
}

Test(replace, the_old_region_is_read_but_not_written)
{
    const char *name = temp_name();
    seqshare *old = named_share(name, "value", 0600), *second = open_for(name, SEQSHARE_WRITE);
    seqshare *reader = open_for(name, SEQSHARE_READ), *next = replace(name);

    check(seqshare_retired(old) && seqshare_retired(second) && seqshare_retired(reader));
    cannot_write(old);
    cannot_write(second);
    child_run(cannot_write_in_child, old);
    equals(seqshare_set(next, "newer", 5), 0);
    holds(old, "value", 1);
    holds(second, "value", 1);
    holds(reader, "value", 1);

    equals(seqshare_reopen(old), 1);
    equals(seqshare_reopen(second), 1);
    equals(seqshare_reopen(reader), 1);
    holds(reader, "newer", 2);
    equals(seqshare_set(old, "again", 5), 0);
    equals(seqshare_set(second, "and again", 9), 0);
    holds(reader, "and again", 4);
    holds(next, "and again", 4);
    equals(seqshare_reopen(next), 0);
    seqshare_close(next);
    seqshare_close(reader);
    seqshare_close(second);
    seqshare_close(old);
}

struct holding {
    const char *name;
    seqshare *share;
    int locked, unlock;
};

static void hold_and_set(void *context)
{
    struct holding *holding = context;

    equals(seqshare_lock(holding->share), 0);
    set_flag(&holding->locked, 1);
    await_flag(&holding->unlock, 1);
    equals(seqshare_set(holding->share, "set under the lock", 18), 0);
    equals(seqshare_unlock(holding->share), 0);
}

static void replace_in_child(void *context)
{
    struct holding *holding = context;
    seqshare *next = replace(holding->name);

    holds(next, "set under the lock", 2);
    equals(seqshare_set(next, "after", 5), 0);
}

/* Fails with: a value read before the lock is held. */
Test(replace, waits_for_the_lock_and_misses_no_set)
{
    struct holding *holding = shared_memory(sizeof *holding);
    pid_t owner, replacer;

    holding->name = temp_name();
    holding->share = named_share(holding->name, "value", 0600);
    owner = child_start(hold_and_set, holding);
    await_flag(&holding->locked, 1);
    replacer = child_start(replace_in_child, holding);
    child_sleeps(replacer);
    equals(waitpid(replacer, NULL, WNOHANG), 0);
    check(!seqshare_retired(holding->share));
    set_flag(&holding->unlock, 1);
    equals(child_end(owner), 0);
    equals(child_end(replacer), 0);
    check(seqshare_retired(holding->share));
    equals(seqshare_reopen(holding->share), 1);
    holds(holding->share, "after", 3);
    seqshare_close(holding->share);
}

static void lock_and_sleep(void *share)
{
    equals(seqshare_lock(share), 0);
    pause();
}

Test(replace, takes_over_from_a_dead_owner)
{
    const char *name = temp_name();
    seqshare *old = named_share(name, "value", 0600), *next;
    pid_t owner = child_start(lock_and_sleep, old);

    child_sleeps(owner);
    child_kill(owner);
    next = replace(name);
    holds(next, "value", 1);
    cannot_write(old);
    seqshare_close(next);
    seqshare_close(old);
}

Test(replace, by_the_owner_of_the_lock_who_still_owns_it)
{
    const char *name = temp_name();
    seqshare *old = named_share(name, "value", 0600), *next;

    equals(seqshare_lock(old), 0);
    next = replace(name);
    holds(next, "value", 1);
    equals(seqshare_set(old, "x", 1), -EIDRM); /* under the lock as well: the value has moved on */
    equals(seqshare_unlock(old), 0);
    equals(seqshare_reopen(old), 1);
    equals(seqshare_set(old, "later", 5), 0);
    holds(next, "later", 2);
    seqshare_close(next);
    seqshare_close(old);
}

static void *replace_and_hold(void *context)
{
    struct holding *holding = context;
    seqshare *next;

    equals(seqshare_lock(holding->share), 0);
    next = replace(holding->name);
    set_flag(&holding->locked, 1);
    await_flag(&holding->unlock, 1);
    equals(seqshare_unlock(holding->share), 0);
    seqshare_close(next);
    return NULL;
}

/* Fails with: a look at the mark under the lock alone, for which they would wait. */
Test(replace, nobody_waits_for_the_lock_of_a_replaced_region)
{
    struct holding holding = {.name = temp_name()};
    pthread_t owner;

    holding.share = named_share(holding.name, "value", 0600);
    equals(pthread_create(&owner, NULL, replace_and_hold, &holding), 0);
    await_flag(&holding.locked, 1);
    alarm(SECONDS_TO_HANG); /* a waiter would wait for ever */
    cannot_write(holding.share);
    child_run(cannot_write_in_child, holding.share);
    alarm(0);
    set_flag(&holding.unlock, 1);
    equals(pthread_join(owner, NULL), 0);
    seqshare_close(holding.share);
}

static void replace_as_nobody(void *name)
{
    seqshare *next = NULL;

    equals(seqshare_replace_with(&next, name, 200, 0600, NULL, SEQSHARE_LOSE_OWNER), 0);
    holds(next, "value", 1);
    equals(seqshare_set(next, "theirs", 6), 0);
}

/* A user who may rename in the directory but not write the file can neither lock the old region nor mark it. */
Test(replace, of_a_region_that_may_not_be_locked_leaves_it_unmarked)
{
    const char *directory = format("%s/theirs", temp_directory("/tmp")), *name = format("%s/name", directory);
    seqshare *old = NULL;

    skip_unless_root();
    check(mkdir(directory, 0755) == 0 && chown(directory, NOBODY, NOBODY) == 0);
    equals(seqshare_create(&old, name, 100, 0644), 0);
    equals(seqshare_set(old, "value", 5), 0);
    child_run_as(NOBODY, replace_as_nobody, (void *)(uintptr_t)name);
    check(!seqshare_retired(old));
    equals(seqshare_set(old, "nobody hears this", 17), 0);
    equals(seqshare_reopen(old), 1); /* but the name tells */
    holds(old, "theirs", 2);
    equals(entries(directory), 1);
    seqshare_close(old);
}

/* ---- under traffic ---- */

enum { WRITERS = 2, REPLACEMENTS = 200 };

struct traffic {
    const char *name;
    void (*add)(seqshare *share, int *moved);
    uint64_t added;
    int moved; /* how often a writer found the region replaced */
    int replaced, stop;
};

static bool moved_on(seqshare *share, int result, int *moved)
{
    if (result != -EIDRM)
        return false;
    equals(seqshare_reopen(share), 1);
    __atomic_add_fetch(moved, 1, __ATOMIC_SEQ_CST);
    return true;
}

static void add_with_lock(seqshare *share, int *moved)
{
    uint64_t count;
    int result;

    while (moved_on(share, result = seqshare_lock(share), moved))
        ;
    equals(result, 0);
    equals(seqshare_get(share, &count, sizeof count, NULL), sizeof count);
    count++;
    equals(seqshare_set(share, &count, sizeof count), 0);
    equals(seqshare_unlock(share), 0);
}

static void add_with_set_if(seqshare *share, int *moved)
{
    uint64_t count, version;
    int result;

    do {
        equals(seqshare_get(share, &count, sizeof count, &version), sizeof count);
        count++;
        result = seqshare_set_if(share, &version, &count, sizeof count);
    } while (moved_on(share, result, moved) || result == -ESTALE);
    equals(result, 0);
}

static void add_with_fill(seqshare *share, int *moved)
{
    uint64_t count;
    void *slot;
    int result;

    while (moved_on(share, result = seqshare_fill(share, sizeof count, &slot), moved))
        ;
    equals(result, 0);
    equals(seqshare_get(share, &count, sizeof count, NULL), sizeof count);
    count++;
    memcpy(slot, &count, sizeof count);
    equals(seqshare_publish(share, sizeof count), 0);
}

static void add_all(void *context)
{
    struct traffic *traffic = context;
    seqshare *share = open_for(traffic->name, SEQSHARE_WRITE);
    uint64_t added = 0;

    for (; !__atomic_load_n(&traffic->stop, __ATOMIC_RELAXED); added++)
        traffic->add(share, &traffic->moved);
    __atomic_add_fetch(&traffic->added, added, __ATOMIC_SEQ_CST);
}

static void replace_all_the_time(void *context)
{
    struct traffic *traffic = context;

    for (size_t capacity = 8; !__atomic_load_n(&traffic->stop, __ATOMIC_RELAXED); capacity++) {
        seqshare *share = NULL;

        equals(seqshare_replace(&share, traffic->name, capacity, 0600), 0);
        seqshare_close(share);
        __atomic_add_fetch(&traffic->replaced, 1, __ATOMIC_SEQ_CST);
    }
}

/* A reader follows the name and never sees the count or the version go back. */
static void follow(void *context)
{
    struct traffic *traffic = context;
    seqshare *share = open_for(traffic->name, SEQSHARE_READ);
    uint64_t last = 0, count, version, last_version = 0;

    while (!__atomic_load_n(&traffic->stop, __ATOMIC_RELAXED)) {
        ssize_t length = seqshare_get(share, &count, sizeof count, &version);

        if (seqshare_retired(share))
            check(seqshare_reopen(share) >= 0);
        if (length == -EAGAIN)
            continue;
        equals(length, sizeof count);
        check(count >= last && version >= last_version);
        equals(version, count + 1);
        last = count;
        last_version = version;
    }
}

static void loses_nothing(void (*add)(seqshare *share, int *moved), int replacers)
{
    struct traffic *traffic = shared_memory(sizeof *traffic);
    const char *directory = temp_directory("/dev/shm");
    pid_t writer[WRITERS], replacer[2], reader;
    seqshare *share = NULL;
    uint64_t count = 0, version = 0;

    traffic->name = format("%s/name", directory);
    traffic->add = add;
    equals(seqshare_create(&share, traffic->name, 8, 0600), 0);
    equals(seqshare_set(share, &count, sizeof count), 0);
    for (int i = 0; i < WRITERS; i++)
        writer[i] = child_start(add_all, traffic);
    reader = child_start(follow, traffic);
    for (int i = 0; i < replacers; i++)
        replacer[i] = child_start(replace_all_the_time, traffic);
    await_flag(&traffic->replaced, REPLACEMENTS);
    await_flag(&traffic->moved, 1);
    set_flag(&traffic->stop, 1);
    for (int i = 0; i < WRITERS; i++)
        equals(child_end(writer[i]), 0);
    for (int i = 0; i < replacers; i++)
        equals(child_end(replacer[i]), 0);
    equals(child_end(reader), 0);

    equals(seqshare_reopen(share), 1);
    equals(seqshare_get(share, &count, sizeof count, &version), sizeof count);
    equals(count, traffic->added);
    equals(version, traffic->added + 1);
    equals(entries(directory), 1);
    seqshare_close(share);
}

/* Fails with: the old region marked after its lock was given back, or marked without the lock. */
Test(replace, loses_no_update_of_writers_that_lock)
{
    loses_nothing(add_with_lock, 1);
}

Test(replace, loses_no_update_of_writers_that_use_set_if)
{
    loses_nothing(add_with_set_if, 1);
}

Test(replace, loses_no_update_of_writers_that_fill)
{
    loses_nothing(add_with_fill, 1);
}

Test(replace, of_two_replacers_at_a_time_neither_loses_an_update)
{
    loses_nothing(add_with_set_if, 2);
}

/*
 * Somebody takes the name away and makes another region there, again and again. Each is replaced in its
 * turn, and then says so.
 * Fails with: a rename over whatever has the name by then: no mark is made, and the owner hears of nothing.
 */
Test(replace, of_a_region_that_has_just_got_the_name_is_told_there)
{
    enum { SUCCESSORS = 200 };
    struct traffic *traffic = shared_memory(sizeof *traffic);
    const char *directory = temp_directory("/dev/shm");
    pid_t replacer;

    traffic->name = format("%s/name", directory);
    replacer = child_start(replace_all_the_time, traffic);
    for (int made = 0; made < SUCCESSORS;) {
        seqshare *share = NULL;
        int error = seqshare_unlink(traffic->name);

        check(error == 0 || error == -ENOENT);
        error = seqshare_create(&share, traffic->name, 8, 0600);
        check(error == 0 || error == -EEXIST);
        if (error)
            continue;
        equals(seqshare_wait(share, 0, SECONDS_TO_HANG * SECONDS), -EIDRM);
        seqshare_close(share);
        made++;
    }
    set_flag(&traffic->stop, 1);
    equals(child_end(replacer), 0);
    equals(entries(directory), 1);
}
