/* SPDX-License-Identifier: MIT */
/*
 * Where thread numbers mean something else, or /proc cannot be asked: readers read, nobody locks in vain.
 *
 * Shows: WRITE-4, and that reading works from everywhere.
 */
#include "support.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

TestSuite(namespace, .timeout = 120);

struct scene {
    seqshare *share;
    const char *name;
    void (*body)(void *scene);
    int flags; /* of unshare */
    int stage;
};

/* Its share is made inside, by a child. */
static struct scene *scene_without_share(void)
{
    skip_unless_admin();
    return shared_memory(sizeof(struct scene));
}

static struct scene *scene_new(void)
{
    struct scene *scene = scene_without_share();

    equals(seqshare_new(&scene->share, 4096), 0);
    equals(seqshare_set(scene->share, "old", 3), 0);
    return scene;
}

static void write_is_refused(seqshare *share)
{
    uint64_t version = seqshare_version(share);
    void *slot;

    equals(seqshare_set(share, "new", 3), -EOPNOTSUPP);
    equals(seqshare_set_if(share, &version, "new", 3), -EOPNOTSUPP);
    equals(seqshare_fill(share, 3, &slot), -EOPNOTSUPP);
    equals(seqshare_lock(share), -EOPNOTSUPP);
    equals(seqshare_trylock(share), -EOPNOTSUPP);
    equals(seqshare_lock_for(share, 0), -EOPNOTSUPP);
    check(seqshare_unlock(share) < 0);
    check(seqshare_publish(share, 0) < 0 && seqshare_abandon(share) < 0);
    equals(version, seqshare_version(share));
}

static void read_works(const seqshare *share)
{
    struct seqshare_stat stat;
    seqshare_view view = {0};
    char got[8];

    equals(seqshare_get(share, got, sizeof got, NULL), 3);
    check(memcmp(got, "old", 3) == 0);
    equals(seqshare_peek(share, &view), 0);
    check(memcmp(view.data, "old", 3) == 0 && seqshare_valid(share, &view));
    equals(seqshare_stat(share, &stat), 0);
    equals(seqshare_wait(share, seqshare_version(share) - 1, -1), 0);
    equals(seqshare_wait(share, seqshare_version(share), MILLISECONDS), -ETIMEDOUT);
}

static void only_reads(void *context)
{
    struct scene *scene = context;

    write_is_refused(scene->share);
    read_works(scene->share);
}

static void works_at_all(seqshare *share)
{
    equals(seqshare_set(share, "new", 3), 0);
    equals(seqshare_lock(share), 0);
    equals(seqshare_set(share, "newer", 5), 0);
    equals(seqshare_unlock(share), 0);
    equals(seqshare_version(share), 2);
}

/* Whoever is born there has all it needs in a share made there. */
static void makes_its_own(void *context)
{
    seqshare *share;

    (void)context;
    equals(seqshare_new(&share, 64), 0);
    works_at_all(share);
    seqshare_close(share);
}

static void opens_by_name(void *context)
{
    struct scene *scene = context;
    seqshare *share;

    equals(seqshare_open(&share, scene->name, SEQSHARE_WRITE), 0);
    write_is_refused(share);
    read_works(share);
    seqshare_close(share);
}

/* What unshare says here concerns children alone; so the body is run in one, the first of its namespace. */
static void around(void *context)
{
    struct scene *scene = context;
    int status = -1;
    pid_t child;

    if (unshare(scene->flags) != 0)
        _exit(NOT_POSSIBLE);
    child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* an alarm means nothing to a namespace's first process */
        scene->body(scene);
        _exit(0);
    }
    check(child > 0 && waitpid(child, &status, 0) == child);
    equals(status, 0);
}

static void in_namespace(struct scene *scene, int flags, void (*body)(void *))
{
    scene->flags = flags;
    scene->body = body;
    try_in_child(around, scene);
}

/* The region must be none the worse for it. */
static void still_works(void *context)
{
    struct scene *scene = context;

    equals(seqshare_trylock(scene->share), 0);
    equals(seqshare_set(scene->share, "new", 3), 0);
    equals(seqshare_unlock(scene->share), 0);
}

Test(namespace, a_child_in_another_pid_namespace_reads_and_cannot_write)
{
    struct scene *scene = scene_new();

    in_namespace(scene, CLONE_NEWPID, only_reads);
    still_works(scene);
    seqshare_close(scene->share);
}

Test(namespace, a_child_in_another_time_namespace_reads_and_cannot_write)
{
    struct scene *scene = scene_new();

    in_namespace(scene, CLONE_NEWTIME, only_reads);
    still_works(scene);
    seqshare_close(scene->share);
}

Test(namespace, a_name_opened_in_another_reads_and_cannot_write)
{
    struct scene *scene = scene_without_share();

    scene->name = temp_name();
    equals(seqshare_create(&scene->share, scene->name, 64, 0600), 0);
    equals(seqshare_set(scene->share, "old", 3), 0);
    in_namespace(scene, CLONE_NEWPID, opens_by_name);
    in_namespace(scene, CLONE_NEWTIME, opens_by_name);
    still_works(scene);
    seqshare_close(scene->share);
}

Test(namespace, a_share_made_inside_works_inside)
{
    struct scene *scene = scene_without_share();

    in_namespace(scene, CLONE_NEWPID, makes_its_own);
    in_namespace(scene, CLONE_NEWTIME, makes_its_own);
}

static void lock_inside(void *context)
{
    struct scene *scene = context;

    equals(seqshare_set(scene->share, "old", 3), 0);
    equals(seqshare_lock(scene->share), 0);
    set_flag(&scene->stage, 1);
    pause();
}

static void nothing(void *context)
{
    (void)context;
}

/* The other way round: made and locked inside, and seen from outside, where the owner's number is a
 * stranger's. */
static void make_and_lock_inside(void *context)
{
    struct scene *scene = context;
    pid_t child;

    equals(seqshare_create(&scene->share, scene->name, 64, 0600), 0);
    child = fork();
    check(child >= 0);
    if (child == 0)
        lock_inside(scene);
    await_flag(&scene->stage, 1);
    await_flag(&scene->stage, 2);
}

Test(namespace, the_lock_of_a_live_owner_inside_is_not_taken_from_outside)
{
    struct scene *scene = scene_without_share();
    seqshare *share;
    pid_t child;

    in_namespace(scene, CLONE_NEWPID, nothing); /* if it can be made at all */
    scene->name = temp_name();
    scene->body = make_and_lock_inside;
    child = child_start(around, scene);
    await_flag(&scene->stage, 1);
    equals(seqshare_open(&share, scene->name, SEQSHARE_WRITE), 0);
    write_is_refused(share);
    read_works(share);
    set_flag(&scene->stage, 2);
    equals(child_end(child), 0);
    seqshare_close(share);
}

/* ---- /proc/self is a thread that may have ended ---- */

static bool is_zombie(pid_t pid)
{
    char text[256] = "";
    int fd = open(format("/proc/%d/task/%d/stat", (int)pid, (int)pid), O_RDONLY);

    check(fd >= 0 && read(fd, text, sizeof text - 1) > 0);
    close(fd);
    return strstr(text, ") Z ") != NULL;
}

static void *writes_when_alone(void *context)
{
    struct scene *scene = context;
    seqshare *made = NULL;

    while (!is_zombie(getpid()))
        usleep(1000);
    equals(seqshare_set(scene->share, "new", 3), 0);
    equals(seqshare_create(&made, scene->name, 64, 0600), 0);
    works_at_all(made);
    seqshare_close(made);
    _exit(0);
}

static void end_before_a_thread(void *scene)
{
    pthread_t thread;

    check(pthread_create(&thread, NULL, writes_when_alone, scene) == 0);
    pthread_exit(NULL);
}

/* Both its own and the share that it makes, which others can write as well. */
Test(namespace, a_process_whose_first_thread_has_ended_writes)
{
    struct scene *scene = shared_memory(sizeof *scene);
    seqshare *made = NULL;

    scene->name = temp_name();
    equals(seqshare_new(&scene->share, 4096), 0);
    child_run(end_before_a_thread, scene);
    holds(scene->share, "new", 1);
    equals(seqshare_open(&made, scene->name, SEQSHARE_WRITE), 0);
    equals(seqshare_set(made, "by another", 10), 0);
    seqshare_close(made);
    seqshare_close(scene->share);
}

/* ---- no /proc ---- */

static void hide_proc(void)
{
    own_mounts();
    if (mount("none", "/proc", "tmpfs", 0, NULL) != 0)
        _exit(NOT_POSSIBLE);
}

static void lock_and_stay(void *context)
{
    struct scene *scene = context;

    equals(seqshare_lock(scene->share), 0);
    set_flag(&scene->stage, 1);
    pause();
}

static void works_without_proc(void *context)
{
    struct scene *scene = context;
    siginfo_t info;
    pid_t child;

    hide_proc();
    equals(seqshare_new(&scene->share, 64), 0);
    works_at_all(scene->share);
    child = child_start(lock_and_stay, scene);
    await_flag(&scene->stage, 1);
    equals(seqshare_trylock(scene->share), -EBUSY);
    equals(seqshare_lock_for(scene->share, 120 * MILLISECONDS), -ETIMEDOUT);
    check(kill(child, SIGKILL) == 0);
    check(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == 0);
    equals(seqshare_trylock(scene->share), 1); /* not reaped: only a pidfd can tell */
    equals(seqshare_unlock(scene->share), 0);
    equals(child_end(child), -SIGKILL);
    set_flag(&scene->stage, 0);
    child = child_start(lock_and_stay, scene);
    await_flag(&scene->stage, 1);
    child_kill(child);
    equals(seqshare_lock(scene->share), 1);
    equals(seqshare_unlock(scene->share), 0);
}

Test(namespace, without_proc_an_anonymous_share_works)
{
    skip_under_valgrind(); /* it knows of no pidfd */
    try_in_child(works_without_proc, scene_without_share());
}

/* The region's world is known, the process's is not: they may differ. */
static void reads_without_proc(void *context)
{
    hide_proc();
    only_reads(context);
}

Test(namespace, known_and_unknown_are_not_the_same)
{
    struct scene *scene = scene_new();

    try_in_child(reads_without_proc, scene);
    still_works(scene);
    seqshare_close(scene->share);
}
