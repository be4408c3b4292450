/* SPDX-License-Identifier: MIT */
/*
 * The state of a share that a program finds after exec: its lock, as long as it lives; a descriptor that was passed;
 * and what the program before it was in the middle of. (At each instruction of that: step_exec.c.)
 *
 * Shows: WRITE-4, WRITE-5.
 */
#include "exec.h"
#include "support.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

TestSuite(exec, .timeout = 120);

/* ---- this program, executed again: its environment says so before it becomes a test runner ---- */

#define JOB "SEQSHARE_TEST_EXEC" /* what to do, and the number of a descriptor of the region */

/* The lock can be had, or is had already; and is free in the end. */
static int settle(seqshare *share)
{
    int first = seqshare_set(share, "new", 3), locked = seqshare_trylock(share);

    if (first != 0 || (locked != 0 && locked != -EDEADLK) || seqshare_set(share, "new", 3) != 0)
        return 10;
    if (seqshare_unlock(share) != 0 || seqshare_unlock(share) != -EPERM || seqshare_trylock(share) != 0 ||
        seqshare_unlock(share) != 0)
        return 11;
    return locked == 0 ? 0 : WAS_HELD;
}

static void *attach_in_thread(void *fd)
{
    seqshare *share = NULL;

    equals(seqshare_attach(&share, *(const int *)fd, SEQSHARE_WRITE), 0);
    equals(seqshare_trylock(share), -EBUSY); /* another thread's, for all that this one can know */
    return share;
}

/* Opened by one that cannot judge: the first thread finds it when it writes. */
static int write_through_a_threads_handle(int fd, bool lock)
{
    pthread_t thread;
    void *share = NULL;

    if (pthread_create(&thread, NULL, attach_in_thread, &fd) || pthread_join(thread, &share))
        return 12;
    if (lock)
        return seqshare_lock(share) == 1 && seqshare_unlock(share) == 0 ? 0 : 13;
    return seqshare_set(share, "new", 3) == 0 && seqshare_unlock(share) == -EPERM ? 0 : 14;
}

static int do_job(const char *job, seqshare *share)
{
    char got[8] = "";

    if (strcmp(job, "read") == 0)
        return seqshare_get(share, got, sizeof got, NULL) == 3 && memcmp(got, "old", 3) == 0 ? 0 : 2;
    if (strcmp(job, "write") == 0)
        return seqshare_set(share, "new", 3) == 0 ? 0 : 3;
    if (strcmp(job, "unlock") == 0)
        return seqshare_unlock(share) == 0 ? 0 : 4;
    if (strcmp(job, "own") == 0) /* the lock is still this thread's, in every way; and goes with it */
        return seqshare_trylock(share) == -EDEADLK && seqshare_set(share, "new", 3) == 0 ? 0 : 5;
    if (strcmp(job, "settled") == 0)
        return settle(share);
    if (strcmp(job, "stay") == 0) {
        if (seqshare_set(share, "new", 3) == 0) /* tells the test that it is there */
            pause();
    }
    if (strcmp(job, "look") == 0 || strcmp(job, "attach") == 0) /* it is opened, and that is all */
        pause();
    return 6;
}

__attribute__((constructor)) static void be_executed(void)
{
    const char *job = getenv(JOB);
    char verb[16];
    seqshare *share;
    int fd, only_read;

    if (!job)
        return;
    alarm(SECONDS_TO_HANG);
    if (sscanf(job, "%15[a-z] %d", verb, &fd) != 2)
        _exit(7);
    if (strcmp(verb, "threadset") == 0 || strcmp(verb, "threadlock") == 0)
        _exit(write_through_a_threads_handle(fd, strcmp(verb, "threadlock") == 0));
    only_read = strcmp(verb, "read") == 0 || strcmp(verb, "look") == 0;
    if (seqshare_attach(&share, fd, only_read ? SEQSHARE_READ : SEQSHARE_WRITE) != 0)
        _exit(8);
    _exit(do_job(verb, share));
}

void execute_again(const char *job, int fd)
{
    check(setenv(JOB, format("%s %d", job, fd), 1) == 0);
    execl("/proc/self/exe", "unit-tests", (char *)NULL);
    _exit(9);
}

/* ---- the tests ---- */

struct scene {
    seqshare *share;
    const char *job;
    int fd; /* not close-on-exec */
};

static struct scene *scene_new(const char *job)
{
    struct scene *scene = shared_memory(sizeof *scene);

    skip_under_valgrind(); /* it executes nothing that is named by /proc */
    equals(seqshare_new(&scene->share, 64), 0);
    equals(seqshare_set(scene->share, "old", 3), 0);
    scene->fd = seqshare_fd(scene->share, strcmp(job, "read") ? SEQSHARE_WRITE : SEQSHARE_READ);
    check(scene->fd >= 0 && fcntl(scene->fd, F_SETFD, 0) == 0);
    scene->job = job;
    return scene;
}

static void execute(void *context)
{
    struct scene *scene = context;

    execute_again(scene->job, scene->fd);
}

static void lock_and_execute(void *context)
{
    struct scene *scene = context;

    equals(seqshare_lock(scene->share), 0);
    execute(scene);
}

static void has_got_there(const struct scene *scene)
{
    equals(seqshare_wait(scene->share, 1, SECONDS_TO_HANG * SECONDS), 0);
    equals(seqshare_version(scene->share), 2);
}

Test(exec, a_lock_stays_held_until_the_program_is_killed)
{
    struct scene *scene = scene_new("stay");
    pid_t child = child_start(lock_and_execute, scene);
    struct seqshare_stat stat;

    has_got_there(scene);
    equals(seqshare_trylock(scene->share), -EBUSY);
    equals(seqshare_lock_for(scene->share, 200 * MILLISECONDS), -ETIMEDOUT);
    equals(seqshare_stat(scene->share, &stat), 0);
    check(stat.owner == child && stat.owner_alive);
    child_kill(child);
    equals(seqshare_lock(scene->share), 1);
    equals(seqshare_unlock(scene->share), 0);
    seqshare_close(scene->share);
}

Test(exec, a_program_that_ends_with_the_lock_leaves_it_to_be_taken_over)
{
    struct scene *scene = scene_new("own");

    child_run(lock_and_execute, scene);
    equals(seqshare_version(scene->share), 2);
    equals(seqshare_lock(scene->share), 1);
    equals(seqshare_unlock(scene->share), 0);
    seqshare_close(scene->share);
}

Test(exec, the_new_program_may_unlock)
{
    struct scene *scene = scene_new("unlock");

    child_run(lock_and_execute, scene);
    equals(seqshare_lock(scene->share), 0);
    equals(seqshare_unlock(scene->share), 0);
    seqshare_close(scene->share);
}

static void *execute_in_thread(void *context)
{
    execute(context);
    return NULL;
}

/* The thread that calls exec takes the first one's number over, and so its lock. */
static void first_thread_locks_another_executes(void *context)
{
    struct scene *scene = context;
    pthread_t thread;

    equals(seqshare_lock(scene->share), 0);
    equals(pthread_create(&thread, NULL, execute_in_thread, scene), 0);
    pthread_join(thread, NULL);
}

Test(exec, a_lock_of_the_first_thread_stays_held_when_another_thread_executes)
{
    struct scene *scene = scene_new("own");

    child_run(first_thread_locks_another_executes, scene);
    equals(seqshare_version(scene->share), 2);
    equals(seqshare_trylock(scene->share), 1);
    seqshare_close(scene->share);
}

static void *lock_and_execute_in_thread(void *context)
{
    lock_and_execute(context);
    return NULL;
}

/* That thread's number is nobody's after exec: its lock is a dead owner's. */
static void another_thread_locks_and_executes(void *context)
{
    pthread_t thread;

    equals(pthread_create(&thread, NULL, lock_and_execute_in_thread, context), 0);
    pthread_join(thread, NULL);
}

Test(exec, a_lock_of_another_thread_that_executes_is_taken_over)
{
    struct scene *scene = scene_new("stay"); /* whose set takes it over */
    pid_t child = child_start(another_thread_locks_and_executes, scene);

    has_got_there(scene);
    equals(seqshare_lock(scene->share), 0); /* it may still be giving it back */
    equals(seqshare_unlock(scene->share), 0);
    child_kill(child);
    seqshare_close(scene->share);
}

Test(exec, a_descriptor_that_was_passed_can_be_attached)
{
    struct scene *scene = scene_new("read");

    child_run(execute, scene);
    seqshare_close(scene->share);
    scene = scene_new("write");
    child_run(execute, scene);
    equals(seqshare_version(scene->share), 2);
    seqshare_close(scene->share);
}

/* ---- in the middle of a write: that code is gone, and with it the write ---- */

static void fill_and_execute(void *context)
{
    struct scene *scene = context;
    void *slot = NULL;

    equals(seqshare_fill(scene->share, 10, &slot), 0);
    memset(slot, '!', 10);
    execute(scene);
}

static void fill_under_the_lock_and_execute(void *context)
{
    equals(seqshare_lock(((struct scene *)context)->share), 0);
    fill_and_execute(context);
}

/* The first thread is in its fill when another one executes, and takes its number over. */
static void first_thread_fills_another_executes(void *context)
{
    struct scene *scene = context;
    pthread_t thread;
    void *slot = NULL;

    equals(seqshare_fill(scene->share, 10, &slot), 0);
    memset(slot, '!', 10);
    equals(pthread_create(&thread, NULL, execute_in_thread, scene), 0);
    pthread_join(thread, NULL);
}

/* The new program has done its job, and its write is version 2: nothing of the fill was published. */
static void is_free_after(void (*body)(void *context), const char *job)
{
    struct scene *scene = scene_new(job);

    child_run(body, scene);
    holds(scene->share, "new", 2);
    lock_is_free(scene->share);
    seqshare_close(scene->share);
}

/* Fails with: a write that takes its thread's number in the owner word for its own. */
Test(exec, a_write_in_the_middle_is_over_and_the_new_program_can_write)
{
    is_free_after(fill_and_execute, "write");
}

Test(exec, a_write_of_the_first_thread_is_over_when_another_thread_executes)
{
    is_free_after(first_thread_fills_another_executes, "write");
}

Test(exec, the_first_thread_finds_it_out_also_through_a_handle_that_another_opened)
{
    struct scene *scene = scene_new("threadlock");

    is_free_after(fill_and_execute, "threadset");
    child_run(fill_and_execute, scene);
    holds(scene->share, "old", 1);
    lock_is_free(scene->share);
    seqshare_close(scene->share);
}

Test(exec, a_write_under_the_lock_is_undone_and_the_lock_still_held)
{
    struct scene *scene = scene_new("own");

    child_run(fill_under_the_lock_and_execute, scene);
    holds(scene->share, "new", 2);
    equals(seqshare_lock(scene->share), 1); /* it ended with it */
    equals(seqshare_unlock(scene->share), 0);
    scene = scene_new("unlock");
    child_run(fill_under_the_lock_and_execute, scene);
    holds(scene->share, "old", 1);
    lock_is_free(scene->share);
    seqshare_close(scene->share);
}

static void wait_for_the_lock(void *context)
{
    struct scene *scene = context;

    equals(seqshare_lock(scene->share), 0);
    equals(seqshare_unlock(scene->share), 0);
}

/* A sleeper gets the lock as soon as the new program attaches the region for writing. */
Test(exec, attaching_is_enough_to_let_others_write)
{
    struct scene *scene = scene_new("attach");
    pid_t program = child_start(fill_and_execute, scene), waiter;

    child_sleeps(program);
    lock_is_free(scene->share);
    child_kill(program);
    equals(seqshare_lock(scene->share), 0);
    waiter = child_start(wait_for_the_lock, scene);
    child_sleeps(waiter);
    equals(seqshare_unlock(scene->share), 0);
    equals(child_end(waiter), 0);
    seqshare_close(scene->share);
}

/* Of a program that never does, nobody else can know: its thread lives. */
Test(exec, until_then_others_wait)
{
    struct scene *scene = scene_new("look");
    pid_t program = child_start(fill_and_execute, scene);

    child_sleeps(program);
    holds(scene->share, "old", 1);
    equals(seqshare_trylock(scene->share), -EBUSY);
    equals(seqshare_lock_for(scene->share, 100 * MILLISECONDS), -ETIMEDOUT);
    child_kill(program);
    equals(seqshare_lock(scene->share), 1);
    equals(seqshare_unlock(scene->share), 0);
    seqshare_close(scene->share);
}
