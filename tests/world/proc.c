/* SPDX-License-Identifier: MIT */
/*
 * Every kind of /proc but a container's own: with other users' processes hidden, none at all, one that goes away, and
 * one where this process's first thread has ended. A process that cannot know whether an owner lives takes no lock.
 *
 * Shows: WRITE-4, WRITE-5, and that reading works from everywhere.
 */
#include "world.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(proc, .timeout = 120);

struct scene {
    seqshare *share;
    const char *name;
    int stage;
};

static struct scene *scene_new(void)
{
    struct scene *scene = shared_memory(sizeof *scene);

    skip_unless_admin();
    equals(seqshare_new(&scene->share, 4096), 0);
    equals(seqshare_set(scene->share, "value", 5), 0);
    return scene;
}

static void own_anonymous_lock(void *context)
{
    struct scene *scene = context;

    equals(seqshare_lock(scene->share), 0);
    set_flag(&scene->stage, scene->stage + 1);
    pause();
}

static void only_reads(void *context)
{
    struct scene *scene = context;

    writes_nothing(scene->share, -EOPNOTSUPP);
    reads_everything(scene->share, "value");
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
    equals(seqshare_create(&made, scene->name, 100, 0600), 0);
    writes_everything(made, "value");
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
Test(proc, a_process_whose_first_thread_has_ended_writes)
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

static void works_without_proc(void *context)
{
    struct scene *scene = context;
    siginfo_t info;
    pid_t child;

    hide_proc();
    equals(seqshare_new(&scene->share, 100), 0);
    writes_everything(scene->share, "value");
    child = child_start(own_anonymous_lock, scene);
    await_flag(&scene->stage, 1);
    equals(seqshare_trylock(scene->share), -EBUSY);
    equals(seqshare_lock_for(scene->share, 120 * MILLISECONDS), -ETIMEDOUT);
    check(kill(child, SIGKILL) == 0);
    check(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == 0);
    equals(seqshare_trylock(scene->share), 1); /* not reaped: only a pidfd can tell */
    equals(seqshare_unlock(scene->share), 0);
    equals(child_end(child), -SIGKILL);
    child = child_start(own_anonymous_lock, scene);
    await_flag(&scene->stage, 2);
    child_kill(child);
    equals(seqshare_lock(scene->share), 1);
    equals(seqshare_unlock(scene->share), 0);
}

Test(proc, without_it_an_anonymous_share_works)
{
    skip_under_valgrind(); /* it knows of no pidfd */
    try_in_child(works_without_proc, scene_new());
}

/* ---- /proc in which other users' processes are hidden ---- */

static void finds_it_taken(void *context)
{
    struct scene *scene = context;

    check(access(format("/proc/%d/stat", (int)getppid()), R_OK) != 0); /* they are hidden */
    equals(seqshare_trylock(scene->share), -EBUSY);
    equals(seqshare_lock_for(scene->share, 120 * MILLISECONDS), -ETIMEDOUT);
}

static void takes_it_over(void *context)
{
    struct scene *scene = context;

    equals(seqshare_lock(scene->share), 1);
    equals(seqshare_unlock(scene->share), 0);
    writes_everything(scene->share, "value");
}

static void among_hidden_processes(void *context)
{
    struct scene *scene = context;
    pid_t owner;

    own_mounts();
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "hidepid=2") != 0)
        _exit(NOT_POSSIBLE);
    owner = child_start_as(NOBODY - 1, own_anonymous_lock, scene);
    await_flag(&scene->stage, 1);
    child_run_as(NOBODY, finds_it_taken, scene);
    check(kill(owner, SIGSTOP) == 0); /* stopped is alive */
    child_run_as(NOBODY, finds_it_taken, scene);
    child_kill(owner);
    child_run_as(NOBODY, takes_it_over, scene);
    owner = child_start_as(NOBODY, own_anonymous_lock, scene); /* our own processes are seen */
    await_flag(&scene->stage, 2);
    child_kill(owner);
    child_run_as(NOBODY, takes_it_over, scene);
}

/* Fails with: ENOENT below /proc taken for a death. */
Test(proc, hidden_processes_are_not_taken_for_dead)
{
    try_in_child(among_hidden_processes, scene_new());
}

/* ---- /proc that goes away under a writer ---- */

static void lose_proc(void *context)
{
    struct scene *scene = context;
    pid_t owner;

    writes_everything(scene->share, "value");
    owner = child_start(own_anonymous_lock, scene);
    await_flag(&scene->stage, 1);
    hide_proc();
    equals(seqshare_trylock(scene->share), -EBUSY); /* no proof, no taking over */
    equals(seqshare_lock_for(scene->share, 120 * MILLISECONDS), -ETIMEDOUT);
    reads_everything(scene->share, "value");
    child_kill(owner);
    equals(seqshare_lock(scene->share), 1);
    equals(seqshare_unlock(scene->share), 0);
    writes_everything(scene->share, "value");
    child_run(only_reads, scene); /* born without /proc, it does not know where it is: that may differ */
}

Test(proc, a_writer_goes_on_when_proc_goes_away)
{
    try_in_child(lose_proc, scene_new());
}
