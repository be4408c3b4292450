/* SPDX-License-Identifier: MIT */
/*
 * A name moves on, and a mark in the old region says that it may have: a writer asks the name before it stores
 * anything.
 *
 * Where a process is killed on the way is played here: the mark that it leaves is set by hand. (tests/crash
 * kills it at every instruction.)
 *
 * Shows: NAME-2, NAME-3.
 */
#include "moved.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(marks, .timeout = 120);

/* ---- every way to write, for a process that holds A ---- */

static int by_set(seqshare *share)
{
    return seqshare_set(share, "x", 1);
}

static int by_typed(seqshare *share)
{
    return seqshare_set_typed(share, "x", 1, 7);
}

static int by_set_if(seqshare *share)
{
    uint64_t version = seqshare_version(share);

    return seqshare_set_if(share, &version, "x", 1);
}

static int by_fill(seqshare *share)
{
    void *slot;
    int error = seqshare_fill(share, 1, &slot);

    return error ? error : seqshare_publish(share, 1);
}

static int by_lock(seqshare *share)
{
    int error = seqshare_lock(share);

    return error ? error : seqshare_unlock(share);
}

static int by_trylock(seqshare *share)
{
    int error = seqshare_trylock(share);

    return error ? error : seqshare_unlock(share);
}

static int (*const ways[])(seqshare *share) = {by_set, by_typed, by_set_if, by_fill, by_lock, by_trylock};
enum { WAYS = sizeof ways / sizeof *ways };

/* Fails with: writers that do not ask the name when the mark stands. */
Test(marks, a_writer_finds_what_a_killed_replacer_left)
{
    static const uint32_t left[] = {SEQSHARE_LOOK, SEQSHARE_LOOK_OUTSIDE};

    for (int mark_left = 0; mark_left < 2; mark_left++) {
        for (int way = 0; way < WAYS; way++) {
            struct scene scene = moved_new();
            struct seqshare_stat stat;

            moved_mark(&scene, left[mark_left]);
            moved_over(&scene);
            equals(ways[way](scene.share), -EIDRM);
            lock_is_free(scene.other);
            holds(scene.share, "A", 1);
            equals(seqshare_stat(scene.share, &stat), 0);
            check(stat.retired && stat.replaced && !stat.unlinked && stat.owner == 0);
            equals(seqshare_wait(scene.share, 1, -1), -EIDRM);
            equals(seqshare_reopen(scene.share), 1);
            equals(ways[way](scene.share), 0);
            moved_end(&scene);
        }
    }
}

static void *waits_without_a_name(void *share)
{
    equals(seqshare_wait(share, 1, -1), -EIDRM);
    return NULL;
}

/* Fails with: a mark that wakes nobody. (A handle without a name hears of nothing but marks.) */
Test(marks, a_writer_that_finds_the_name_moved_wakes_those_who_wait)
{
    struct scene scene = moved_new();
    seqshare *nameless = another_handle(scene.share, SEQSHARE_READ);
    pthread_t waiter;

    equals(pthread_create(&waiter, NULL, waits_without_a_name, nameless), 0);
    moved_mark(&scene, SEQSHARE_LOOK);
    moved_over(&scene);
    equals(seqshare_set(scene.share, "x", 1), -EIDRM);
    equals(pthread_join(waiter, NULL), 0);
    seqshare_close(nameless);
    moved_end(&scene);
}

/* Fails with: a mark that stays and costs every write a system call; or one that refuses by itself. */
Test(marks, of_a_replacer_killed_before_it_moved_the_name_nothing_is_left)
{
    for (int way = 0; way < WAYS; way++) {
        struct scene scene = moved_new();
        struct seqshare_stat stat;

        moved_mark(&scene, SEQSHARE_LOOK | SEQSHARE_LOOK_OUTSIDE);
        check(seqshare_retired(scene.share));    /* worth a try, */
        equals(seqshare_reopen(scene.share), 0); /* and nothing has moved */
        equals(seqshare_stat(scene.share, &stat), 0);
        check(stat.retired && !stat.replaced && !stat.unlinked);
        equals(ways[way](scene.share), 0);
        equals(moved_marks(&scene), SEQSHARE_LOOK_OUTSIDE); /* its setter may live, and owns no lock */
        equals(ways[way](scene.share), 0);
        moved_end(&scene);
    }
}

Test(marks, a_name_that_leads_nowhere_lets_writers_go_on)
{
    struct scene scene = moved_new();

    moved_mark(&scene, SEQSHARE_LOOK_OUTSIDE);
    check(rename(scene.name, format("%s/elsewhere", scene.folder)) == 0);
    equals(seqshare_set(scene.share, "x", 1), 0);
    equals(moved_marks(&scene), SEQSHARE_LOOK_OUTSIDE);
    equals(seqshare_reopen(scene.share), -ENOENT);
    moved_end(&scene);
}

/* The old file has a name yet, a temporary one: the replacer was killed before it had removed that. */
static void sets_from_a_cage(void *context)
{
    struct scene *scene = context;
    int folder = open(scene->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    equals(seqshare_set(scene->share, "A", 1), 0);
    if (chroot(scene->folder) != 0 || chdir("/") != 0)
        _exit(NOT_POSSIBLE);
    moved_mark(scene, SEQSHARE_LOOK);
    check(renameat(folder, "name", folder, ".seqshare-0123456789abcdef") == 0);
    check(renameat(folder, "second", folder, "name") == 0);
    equals(seqshare_set(scene->share, "x", 1), -EIDRM);
    equals(moved_marks(scene), SEQSHARE_LOOK);
}

/* Fails with: a missing name that counts as one that has not moved: the set is lost, and the mark is gone. */
Test(marks, a_writer_that_cannot_see_the_name_does_not_store_where_it_may_have_moved)
{
    struct scene scene = moved_new();

    skip_unless_root();
    try_in_child(sets_from_a_cage, &scene);
    says(scene.share, "A");
    equals(seqshare_set(scene.share, "x", 1), -EIDRM);
    equals(moved_marks(&scene) & SEQSHARE_REPLACED, SEQSHARE_REPLACED);
    moved_end(&scene);
}

/* Fails with: an unlink that is killed before its mark, so that nobody learns of it. */
Test(marks, a_writer_finds_what_a_killed_unlink_left)
{
    struct scene scene = moved_new();
    struct seqshare_stat stat;

    moved_mark(&scene, SEQSHARE_LOOK);
    check(unlink(scene.name) == 0);
    check(seqshare_retired(scene.share));
    equals(seqshare_set(scene.share, "goes on", 7), 0);
    equals(moved_marks(&scene), SEQSHARE_UNLINKED);
    equals(seqshare_stat(scene.share, &stat), 0);
    check(stat.unlinked && !stat.replaced);
    says(scene.share, "goes on");
    moved_end(&scene);
}

Test(marks, under_ones_own_lock_each_write_asks)
{
    struct scene scene = moved_new();

    equals(seqshare_lock(scene.share), 0);
    moved_mark(&scene, SEQSHARE_LOOK_OUTSIDE);
    equals(seqshare_set(scene.share, "1", 1), 0);
    moved_over(&scene);
    equals(seqshare_set(scene.share, "2", 1), -EIDRM);
    says(scene.share, "1");
    equals(seqshare_unlock(scene.share), 0);
    equals(seqshare_reopen(scene.share), 1);
    moved_end(&scene);
}

/* ---- where the name does not answer ---- */

/* Fails with: a set that says 0, and may be in a region without a name. */
Test(marks, a_handle_without_a_name_does_not_write_where_the_name_may_have_moved)
{
    struct scene scene = moved_new();
    seqshare *nameless = another_handle(scene.share, SEQSHARE_WRITE);

    moved_mark(&scene, SEQSHARE_LOOK_OUTSIDE);
    equals(seqshare_set(nameless, "1", 1), 0);
    moved_mark(&scene, SEQSHARE_LOOK);
    equals(seqshare_set(nameless, "2", 1), -EIDRM);
    equals(moved_marks(&scene),
           SEQSHARE_LOOK | SEQSHARE_LOOK_OUTSIDE); /* it knows nothing, and says nothing */
    says(scene.share, "1");
    equals(seqshare_set(scene.share, "3", 1), 0); /* one that can ask the name settles it */
    equals(seqshare_set(nameless, "4", 1), 0);
    seqshare_close(nameless);
    moved_end(&scene);
}

static void cannot_ask(void *context)
{
    const struct scene *scene = context;

    equals(seqshare_set(scene->share, "1", 1), 0);
    moved_mark(scene, SEQSHARE_LOOK);
    equals(seqshare_set(scene->share, "2", 1), -EIDRM);
    equals(moved_marks(scene), SEQSHARE_LOOK | SEQSHARE_LOOK_OUTSIDE);
    equals(seqshare_reopen(scene->share), -EACCES);
    equals(seqshare_named(scene->share), -EACCES);
    equals(seqshare_wait(scene->share, seqshare_version(scene->share), MILLISECONDS), -ETIMEDOUT);
}

Test(marks, nor_does_one_that_may_not_search_the_folder)
{
    struct scene scene;

    skip_unless_root();
    scene = moved_new();
    check(chmod(scene.folder, 0700) == 0);
    moved_mark(&scene, SEQSHARE_LOOK_OUTSIDE);
    child_run_as(NOBODY, cannot_ask, &scene);
    says(scene.share, "1");
    moved_end(&scene);
}

/* ---- a replacer in another PID namespace, who may not lock ---- */

static void replaces_inside(void *context)
{
    const struct scene *scene = context;
    seqshare *made = NULL;

    equals(seqshare_set(scene->share, "x", 1), -EOPNOTSUPP);
    equals(seqshare_replace(&made, scene->name, 100, 0600), 0);
    seqshare_close(made);
}

static void replaces_outside(void *context)
{
    int status = -1;
    pid_t child;

    if (unshare(CLONE_NEWPID) != 0)
        _exit(NOT_POSSIBLE);
    child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* an alarm means nothing to a namespace's first process */
        replaces_inside(context);
        _exit(0);
    }
    check(child > 0 && waitpid(child, &status, 0) == child);
    equals(status, 0);
}

/* Fails with: a region that is left unmarked, of which neither writers nor readers hear. */
Test(marks, a_replacer_in_another_namespace_tells_those_outside)
{
    struct scene scene = moved_new();
    seqshare *nameless = another_handle(scene.share, SEQSHARE_READ);

    skip_unless_root();
    try_in_child(replaces_outside, &scene);
    equals(moved_marks(&scene), SEQSHARE_REPLACED);
    equals(seqshare_wait(nameless, 1, -1), -EIDRM);
    equals(seqshare_set(scene.share, "x", 1), -EIDRM);
    equals(seqshare_reopen(scene.share), 1);
    holds(scene.share, "A", 1);
    equals(seqshare_set(scene.share, "x", 1), -EOPNOTSUPP); /* the new one is of that namespace */
    equals(entries(scene.folder), 2);
    seqshare_close(nameless);
    moved_end(&scene);
}

/* An owner publishes between the replacer's copy and its own unlock: true if it was in time. */
static bool publishes_late(struct scene *scene)
{
    int64_t before = now();
    bool in_time;
    pid_t replacer;
    void *slot;

    equals(seqshare_fill(scene->share, 4, &slot), 0);
    memcpy(slot, "late", 4);
    replacer = child_start(replaces_outside, scene);
    while (!(moved_marks(scene) & SEQSHARE_REPLACED)) {
        int status;

        before = now();
        if (waitpid(replacer, &status, WNOHANG) == replacer)
            skip_or_succeed(WEXITSTATUS(status));
    }
    equals(seqshare_publish(scene->share, 4), 0);
    in_time = now() - before < 500 * MILLISECONDS; /* its patience is a second */
    equals(child_end(replacer), 0);
    equals(seqshare_reopen(scene->share), 1);
    if (in_time)
        holds(scene->share, "late", 2);
    return in_time;
}

/* Fails with: a replacer that does not read again, or does so while the lock is not free. */
Test(marks, and_takes_along_what_an_owner_publishes_meanwhile)
{
    bool done = false;

    skip_unless_root();
    for (int tries = 0; tries < 20 && !done; tries++) {
        struct scene scene = moved_new();

        done = publishes_late(&scene);
        moved_end(&scene);
    }
    if (!done)
        cr_skip_test("this machine is too busy");
}
