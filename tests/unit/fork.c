/* SPDX-License-Identifier: MIT */
/*
 * A handle made before fork works in all that come of it, and what a child does to it harms nobody.
 *
 * Shows: READ-6, WRITE-6.
 */
#include "support.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(fork, .timeout = 120);

struct scene {
    seqshare *share;
    int stage;
    int depth;
};

static struct scene *scene_new(void)
{
    struct scene *scene = shared_memory(sizeof *scene);

    equals(seqshare_new(&scene->share, 1 << 20), 0);
    equals(seqshare_set(scene->share, "1", 1), 0);
    return scene;
}

/* The value is the number of the version it should have. */
static void reads(const seqshare *share, uint64_t wanted)
{
    char got[24] = "";
    uint64_t version;

    equals(seqshare_get(share, got, sizeof got, &version), (ssize_t)strlen(format("%ju", (uintmax_t)wanted)));
    equals(strtoull(got, NULL, 10), wanted);
    equals(version, wanted);
}

static void writes(seqshare *share)
{
    uint64_t version = seqshare_version(share) + 1;
    const char *text = format("%ju", (uintmax_t)version);

    equals(seqshare_set(share, text, strlen(text)), 0);
    reads(share, version);
}

static void write_one(void *context)
{
    writes(((struct scene *)context)->share);
}

Test(fork, parent_and_child_write_and_read_each_other)
{
    struct scene *scene = scene_new();

    for (int i = 0; i < 20; i++) {
        child_run(write_one, scene);
        reads(scene->share, seqshare_version(scene->share));
        writes(scene->share);
    }
    equals(seqshare_version(scene->share), 41);
    seqshare_close(scene->share);
}

static void write_and_have_children(void *context)
{
    struct scene *scene = context;

    writes(scene->share);
    equals(seqshare_lock(scene->share), 0);
    equals(seqshare_unlock(scene->share), 0);
    if (scene->depth-- > 0)
        child_run(write_and_have_children, scene);
    writes(scene->share);
}

Test(fork, grandchildren_and_theirs)
{
    struct scene *scene = scene_new();

    scene->depth = 8;
    child_run(write_and_have_children, scene);
    reads(scene->share, 1 + 2 * 9);
    writes(scene->share);
    seqshare_close(scene->share);
}

/* ---- the lock ---- */

static void owns_nothing(void *context)
{
    struct scene *scene = context;

    equals(seqshare_unlock(scene->share), -EPERM);
    equals(seqshare_abandon(scene->share), -EPERM);
    equals(seqshare_publish(scene->share, 1), -EPERM);
    equals(seqshare_trylock(scene->share), -EBUSY);
    equals(seqshare_lock_for(scene->share, MILLISECONDS), -ETIMEDOUT);
    seqshare_close(scene->share); /* in this process: the lock is not its to give back */
}

Test(fork, a_child_does_not_own_its_parents_lock)
{
    struct scene *scene = scene_new();
    void *slot;

    equals(seqshare_lock(scene->share), 0);
    child_run(owns_nothing, scene);
    equals(seqshare_trylock(scene->share), -EDEADLK);
    equals(seqshare_unlock(scene->share), 0);
    equals(seqshare_fill(scene->share, 1, &slot), 0);
    child_run(owns_nothing, scene);
    *(char *)slot = '2';
    equals(seqshare_publish(scene->share, 1), 0);
    reads(scene->share, 2);
    seqshare_close(scene->share);
}

/* As fork, but past the C library, which calls no handlers. 0 in the child. */
static pid_t raw_fork(void)
{
    return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

/* No check here: the child of a raw clone may not trust the C library with much. */
static int raw_child(seqshare *share)
{
    char got[8];

    if (seqshare_unlock(share) != -EPERM)
        return 2;
    if (seqshare_trylock(share) != -EBUSY)
        return 3;
    if (seqshare_lock_for(share, 1000) != -ETIMEDOUT)
        return 4;
    if (seqshare_get(share, got, sizeof got, NULL) != 1)
        return 5;
    return 0;
}

static int raw_child_writes(seqshare *share)
{
    if (seqshare_lock(share) != 0)
        return 6;
    if (seqshare_set(share, "2", 1) != 0)
        return 7;
    if (seqshare_trylock(share) != -EDEADLK)
        return 8;
    if (seqshare_unlock(share) != 0)
        return 9;
    return 0;
}

static void raw_child_run(int (*body)(seqshare *), seqshare *share)
{
    pid_t child = raw_fork();

    if (child == 0) {
        alarm(SECONDS_TO_HANG);
        _exit(body(share));
    }
    check(child > 0);
    equals(child_end(child), 0);
}

Test(fork, nor_does_the_child_of_a_raw_clone)
{
    struct scene *scene = scene_new();

    equals(seqshare_lock(scene->share), 0);
    raw_child_run(raw_child, scene->share);
    equals(seqshare_unlock(scene->share), 0);
    raw_child_run(raw_child_writes, scene->share);
    reads(scene->share, 2);
    writes(scene->share);
    seqshare_close(scene->share);
}

static int raw_child_locks_and_dies(seqshare *share)
{
    return seqshare_lock(share) == 0 ? 0 : 1;
}

Test(fork, the_lock_of_a_raw_child_is_its_own)
{
    struct scene *scene = scene_new();

    writes(scene->share); /* this thread knows who it is; the child must not believe it */
    for (int i = 0; i < 3; i++) {
        raw_child_run(raw_child_locks_and_dies, scene->share);
        equals(seqshare_unlock(scene->share), -EPERM);
        equals(seqshare_lock(scene->share), 1);
        equals(seqshare_unlock(scene->share), 0);
    }
    seqshare_close(scene->share);
}

static int raw_child_of_raw_child(seqshare *share)
{
    pid_t child;
    int status;

    if (seqshare_lock(share) != 0)
        return 10;
    child = raw_fork();
    if (child == 0)
        _exit(raw_child(share));
    if (child < 0 || waitpid(child, &status, 0) != child)
        return 11;
    if (status != 0)
        return 12;
    return seqshare_unlock(share) == 0 ? 0 : 13;
}

Test(fork, raw_children_of_raw_children)
{
    struct scene *scene = scene_new();

    writes(scene->share);
    raw_child_run(raw_child_of_raw_child, scene->share);
    writes(scene->share);
    seqshare_close(scene->share);
}

/* ---- threads ---- */

static void *hold_the_lock(void *context)
{
    struct scene *scene = context;

    equals(seqshare_lock(scene->share), 0);
    set_flag(&scene->stage, 1);
    await_flag(&scene->stage, 2);
    equals(seqshare_unlock(scene->share), 0);
    return NULL;
}

static void another_holds_it(void *context)
{
    struct scene *scene = context;

    equals(seqshare_trylock(scene->share), -EBUSY);
    equals(seqshare_unlock(scene->share), -EPERM);
    reads(scene->share, 1);
}

Test(fork, while_another_thread_holds_the_lock)
{
    struct scene *scene = scene_new();
    pthread_t thread;
    pid_t child;

    equals(pthread_create(&thread, NULL, hold_the_lock, scene), 0);
    await_flag(&scene->stage, 1);
    child_run(another_holds_it, scene);
    child = child_start(write_one, scene); /* waits for a thread that it does not have itself */
    child_sleeps(child);
    set_flag(&scene->stage, 2);
    equals(pthread_join(thread, NULL), 0);
    equals(child_end(child), 0);
    reads(scene->share, 2);
    seqshare_close(scene->share);
}

static void *write_on(void *context)
{
    struct scene *scene = context;

    while (__atomic_load_n(&scene->stage, __ATOMIC_RELAXED) == 0) {
        check(seqshare_lock(scene->share) >= 0);
        writes(scene->share);
        equals(seqshare_unlock(scene->share), 0);
    }
    return NULL;
}

static void write_beside(void *context)
{
    struct scene *scene = context;

    for (int i = 0; i < 10; i++) {
        check(seqshare_lock(scene->share) == 0);
        writes(scene->share);
        equals(seqshare_unlock(scene->share), 0);
    }
}

/* At whatever point the other thread is, even inside the library: the child gets a working handle. */
Test(fork, while_another_thread_writes)
{
    struct scene *scene = scene_new();
    pthread_t thread;

    equals(pthread_create(&thread, NULL, write_on, scene), 0);
    for (int i = 0; i < 200; i++)
        child_run(write_beside, scene);
    set_flag(&scene->stage, 1);
    equals(pthread_join(thread, NULL), 0);
    reads(scene->share, seqshare_version(scene->share));
    check(seqshare_version(scene->share) > 2001);
    seqshare_close(scene->share);
}

static void *another_holds_it_in_thread(void *context)
{
    another_holds_it(context);
    return NULL;
}

static void *write_beside_in_thread(void *context)
{
    write_beside(context);
    return NULL;
}

static void run_two_threads(void *(*body)(void *), struct scene *scene)
{
    pthread_t threads[2];

    for (int i = 0; i < 2; i++)
        equals(pthread_create(&threads[i], NULL, body, scene), 0);
    for (int i = 0; i < 2; i++)
        equals(pthread_join(threads[i], NULL), 0);
}

static void has_threads(void *context)
{
    struct scene *scene = context;

    equals(seqshare_lock(scene->share), 0);
    run_two_threads(another_holds_it_in_thread, scene);
    equals(seqshare_unlock(scene->share), 0);
    run_two_threads(write_beside_in_thread, scene);
}

Test(fork, threads_of_a_child_are_new_owners)
{
    struct scene *scene = scene_new();

    child_run(has_threads, scene);
    reads(scene->share, 21);
    run_two_threads(write_beside_in_thread, scene);
    child_run(write_beside, scene);
    reads(scene->share, 51);
    seqshare_close(scene->share);
}

/* ---- what workers rely on ---- */

static void reads_the_newest_at_once(void *context)
{
    struct scene *scene = context;

    reads(scene->share, (uint64_t)scene->depth);
}

Test(fork, a_respawned_worker_sees_the_newest_value_on_its_first_read)
{
    struct scene *scene = scene_new();

    for (int i = 2; i < 200; i++) {
        if (i % 2)
            writes(scene->share);
        else
            child_run(write_one, scene);
        scene->depth = i;
        child_run(reads_the_newest_at_once, scene);
    }
    seqshare_close(scene->share);
}

static void closes(void *context)
{
    seqshare_close(((struct scene *)context)->share);
}

static void drops_write(void *context)
{
    struct scene *scene = context;

    equals(seqshare_drop_write(scene->share), 0);
    equals(seqshare_set(scene->share, "x", 1), -EROFS);
}

static void exits(void *context)
{
    (void)context;
    _exit(0); /* not exit: what Criterion has to do at exit is not a child's */
}

static void is_killed(void *context)
{
    (void)context;
    raise(SIGKILL);
}

Test(fork, what_a_child_does_to_its_handle_harms_nobody)
{
    struct scene *scene = scene_new();
    int fd = seqshare_fd(scene->share, SEQSHARE_WRITE);
    seqshare *other;

    for (int i = 0; i < 10; i++) {
        child_run(closes, scene);
        child_run(drops_write, scene);
        child_run(exits, scene);
        equals(child_end(child_start(is_killed, scene)), -SIGKILL);
        writes(scene->share);
        child_run(write_one, scene);
    }
    reads(scene->share, 21);
    check(fd >= 0);
    equals(seqshare_attach(&other, fd, SEQSHARE_WRITE), 0);
    writes(other);
    reads(scene->share, 22);
    seqshare_close(other);
    close(fd);
    seqshare_close(scene->share);
}

static void outlive_the_parent(void *context)
{
    struct scene *scene = context;
    pid_t child = fork();

    if (child == 0) {
        await_flag(&scene->stage, 1);
        writes(scene->share);
        set_flag(&scene->stage, 2);
        _exit(0);
    }
    check(child > 0);
}

Test(fork, children_go_on_after_their_parent)
{
    struct scene *scene = scene_new();

    child_run(outlive_the_parent, scene); /* it has ended, its child has not */
    set_flag(&scene->stage, 1);
    await_flag(&scene->stage, 2);
    reads(scene->share, 2);
    seqshare_close(scene->share);
}

enum { MANY = 200 };

static void read_until_the_last(void *context)
{
    struct scene *scene = context;
    uint64_t version = 0, before;
    char got[24];

    if (getpid() % 2)
        equals(seqshare_drop_write(scene->share), 0);
    __atomic_fetch_add(&scene->stage, 1, __ATOMIC_RELAXED);
    while (version < 1001) {
        before = version;
        check(seqshare_get(scene->share, got, sizeof got, &version) > 0);
        check(version >= before);
        usleep(1000); /* there are few processors for so many */
    }
    reads(scene->share, 1001);
}

Test(fork, two_hundred_readers)
{
    struct scene *scene = scene_new();
    pid_t children[MANY];

    for (int i = 0; i < MANY; i++)
        children[i] = child_start(read_until_the_last, scene);
    await_flag(&scene->stage, MANY);
    for (int i = 0; i < 1000; i++)
        writes(scene->share);
    for (int i = 0; i < MANY; i++)
        equals(child_end(children[i]), 0);
    seqshare_close(scene->share);
}
