/* SPDX-License-Identifier: MIT */
/*
 * Containers: PID, time, user and mount namespaces, entered before and after a handle was made, with a /proc of this
 * namespace and of another (for other kinds see proc.c). Readers always read; who cannot know whether an owner lives
 * does not write; and nobody takes a lock from one that lives.
 *
 * Shows: WAIT-4, WRITE-4, WRITE-5, and that reading works from everywhere.
 */
#include "layout.h"
#include "world.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

TestSuite(namespaces, .timeout = 120);

struct scene {
    seqshare *share;
    const char *name;
    int flags; /* of unshare */
    int stage;
    pid_t number; /* which the owner inside must have; 0: any */
};

static struct scene *scene_new(void)
{
    struct scene *scene = shared_memory(sizeof *scene);

    skip_unless_admin();
    scene->name = temp_name();
    equals(seqshare_new(&scene->share, 4096), 0);
    equals(seqshare_set(scene->share, "value", 5), 0);
    return scene;
}

/* Run `body` as the first process of the namespace that unshare has prepared; its exit status. */
static int in_first_child(void (*body)(void *), void *context)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* an alarm means nothing to a namespace's first process */
        body(context);
        _exit(0);
    }
    check(child > 0 && waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static void enter(int flags)
{
    if (unshare(flags) != 0)
        _exit(NOT_POSSIBLE);
}

/* ---- who prepares a namespace for its children stays where it was ---- */

static void only_reads(void *context)
{
    struct scene *scene = context;
    struct seqshare_stat stat;

    writes_nothing(scene->share, -EOPNOTSUPP);
    reads_everything(scene->share, "value");
    equals(seqshare_stat(scene->share, &stat), 0);
    check(stat.foreign != 0);
    if (scene->flags)
        equals(stat.foreign, scene->flags & CLONE_NEWPID ? SEQSHARE_FOREIGN_PID_NAMESPACE
                                                         : SEQSHARE_FOREIGN_TIME_NAMESPACE);
}

static void *in_a_thread(void *context)
{
    writes_everything(((struct scene *)context)->share, "value");
    return NULL;
}

static void unshare_between_writes(void *context)
{
    struct scene *scene = context;
    pthread_t thread;

    writes_everything(scene->share, "value");
    enter(scene->flags);
    writes_everything(scene->share, "value");
    if (!(scene->flags & CLONE_NEWPID)) { /* which allows no more threads */
        check(pthread_create(&thread, NULL, in_a_thread, scene) == 0);
        pthread_join(thread, NULL);
    }
    equals(in_first_child(only_reads, scene), 0);
    writes_everything(scene->share, "value"); /* its children have taken nothing from it */
    reads_everything(scene->share, "value");
}

Test(namespaces, who_unshares_its_pid_namespace_writes_on_and_its_children_read)
{
    struct scene *scene = scene_new();

    scene->flags = CLONE_NEWPID;
    try_in_child(unshare_between_writes, scene);
}

Test(namespaces, who_unshares_its_time_namespace_writes_on_and_its_children_read)
{
    struct scene *scene = scene_new();

    scene->flags = CLONE_NEWTIME;
    try_in_child(unshare_between_writes, scene);
}

static void notices_a_new_file(void *context)
{
    struct scene *scene = context;

    check(unlink(share_path(scene->name)) == 0);
    seqshare_close(share_with(scene->name, 4096, "other"));
    equals(seqshare_wait(scene->share, 1, -1), -EIDRM);
}

static void wait_by_another_clock(void *context)
{
    struct scene *scene = context;

    equals(seqshare_wait(scene->share, 1, 1), -ETIMEDOUT); /* it asks the name, and notes when to ask again */
    slow_clock_for_children();
    _exit(in_first_child(notices_a_new_file, scene));
}

/* Fails with: a note of a time that is believed in a child whose clock is hours behind. */
Test(namespaces, a_child_with_a_slower_clock_asks_the_name_once_a_second)
{
    struct scene *scene = scene_new();
    seqshare *named = share_with(scene->name, 4096, "value");

    seqshare_close(scene->share);
    equals(seqshare_open(&scene->share, scene->name, SEQSHARE_READ), 0);
    try_in_child(wait_by_another_clock, scene);
    seqshare_close(named);
}

/* ---- what children open and make in a namespace of their own ---- */

/* A process that starts there has all it needs in a share made there. */
static void makes_its_own(void *context)
{
    seqshare *share;

    (void)context;
    equals(seqshare_new(&share, 100), 0);
    writes_everything(share, "value");
    seqshare_close(share);
}

static void opens_by_name(void *context)
{
    struct scene *scene = context;
    seqshare *share;

    equals(seqshare_open(&share, scene->name, SEQSHARE_WRITE), 0);
    writes_nothing(share, -EOPNOTSUPP);
    reads_everything(share, "value");
    seqshare_close(share);
}

static void opens_and_makes(void *context)
{
    opens_by_name(context);
    makes_its_own(context);
}

static void open_and_make_inside(void *context)
{
    enter(((struct scene *)context)->flags);
    _exit(in_first_child(opens_and_makes, context));
}

Test(namespaces, a_name_from_outside_is_read_and_a_share_made_inside_works)
{
    static const int flags[] = {CLONE_NEWPID, CLONE_NEWTIME};

    for (int i = 0; i < 2; i++) {
        struct scene *scene = scene_new();
        seqshare *named;

        scene->flags = flags[i];
        named = share_with(scene->name, 4096, "value");
        try_in_child(open_and_make_inside, scene);
        writes_everything(named, "value"); /* the region is none the worse for it */
        seqshare_close(named);
    }
}

/* ---- a container: a PID namespace with its own /proc, and a name that both sides see ---- */

static void mount_own_proc(void)
{
    own_mounts();
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0)
        _exit(NOT_POSSIBLE);
}

static void lock_and_stay(void *context)
{
    struct scene *scene = context;
    seqshare *share = NULL;

    equals(seqshare_open(&share, scene->name, SEQSHARE_WRITE), 0);
    equals(seqshare_lock(share), 0);
    set_flag(&scene->stage, 1);
    pause();
}

/* The next child in our namespace must get this number. */
static void choose_number(pid_t number)
{
    int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
    const char *last = format("%d", (int)number - 1);

    if (fd < 0 || write(fd, last, strlen(last)) != (ssize_t)strlen(last))
        _exit(NOT_POSSIBLE);
    close(fd);
}

/* Made, locked and written inside by several processes, as if there were no outside; the lock of one that was
 * killed is taken over. */
static void live_inside(void *context)
{
    struct scene *scene = context;
    seqshare *share = share_with(scene->name, 4096, "inside");
    pid_t owner;

    writes_everything(share, "value");
    if (scene->number != 0)
        choose_number(scene->number);
    owner = child_start(lock_and_stay, scene);
    check(scene->number == 0 || owner == scene->number);
    await_flag(&scene->stage, 1);
    equals(seqshare_lock_for(share, 120 * MILLISECONDS), -ETIMEDOUT);
    set_flag(&scene->stage, 2);
    await_flag(&scene->stage, 3); /* the outside has had its look */
    child_kill(owner);
    equals(seqshare_lock(share), 1);
    equals(seqshare_unlock(share), 0);
    writes_everything(share, "value");
}

static void live_in_container(void *context)
{
    mount_own_proc();
    live_inside(context);
}

static void live_below_foreign_proc(void *context)
{
    live_inside(context); /* /proc is still the one of the outside, where our numbers are others' */
}

static void make_container(void *context)
{
    enter(CLONE_NEWPID);
    _exit(in_first_child(live_in_container, context));
}

static void make_container_without_proc(void *context)
{
    enter(CLONE_NEWPID);
    _exit(in_first_child(live_below_foreign_proc, context));
}

static void look_from_outside(struct scene *scene, void (*container)(void *))
{
    seqshare *share = NULL;
    struct seqshare_stat stat;
    pid_t child = child_start(container, scene);
    int64_t end = now() + SECONDS_TO_HANG * SECONDS;
    siginfo_t ended = {0};

    while (__atomic_load_n(&scene->stage, __ATOMIC_SEQ_CST) < 2) {
        check(waitid(P_PID, (id_t)child, &ended, WEXITED | WNOHANG | WNOWAIT) == 0);
        if (ended.si_pid == child || now() > end)
            skip_or_succeed(child_end(child));
        usleep(1000);
    }
    equals(seqshare_open(&share, scene->name, SEQSHARE_WRITE), 0);
    writes_nothing(share, -EOPNOTSUPP);
    equals(seqshare_stat(share, &stat), 0);
    check(stat.owner != 0 && stat.owner_alive); /* from here that cannot be told, and is believed */
    equals(stat.foreign, SEQSHARE_FOREIGN_PID_NAMESPACE);
    reads_everything(share, "value");
    set_flag(&scene->stage, 3);
    equals(child_end(child), 0);
    reads_everything(share, "value");
}

Test(namespaces, a_container_and_its_outside)
{
    look_from_outside(scene_new(), make_container);
}

static void end(void *nothing)
{
    (void)nothing;
}

/* The owner inside has a number that in the outside's /proc is a dead process's. Fails with: believing /proc. */
Test(namespaces, a_container_that_has_the_outsides_proc)
{
    struct scene *scene = scene_new();
    siginfo_t info;

    scene->number = child_start(end, NULL);
    check(waitid(P_PID, (id_t)scene->number, &info, WEXITED | WNOWAIT) == 0);
    look_from_outside(scene, make_container_without_proc);
    equals(child_end(scene->number), 0);
}

/* ---- the number of a namespace that is gone, given to another ---- */

static void own_inside_and_end(void *context)
{
    struct scene *scene = context;
    seqshare *share;

    mount_own_proc();
    share = share_with(scene->name, 4096, "inside");
    equals(seqshare_lock(share), 0);
    _exit(0); /* and with it the namespace */
}

static void make_region_and_end(void *context)
{
    enter(CLONE_NEWPID);
    _exit(in_first_child(own_inside_and_end, context));
}

/* As it would stand in a region of the gone namespace, if the kernel had given its number to ours. */
static void say_it_is_ours(const char *name)
{
    struct stat ours;
    uint64_t number;
    int fd = open(share_path(name), O_WRONLY | O_CLOEXEC);

    check(fd >= 0 && stat("/proc/self/ns/pid", &ours) == 0);
    number = (uint64_t)ours.st_ino;
    equals(pwrite(fd, &number, sizeof number, offsetof(struct header, pid_namespace)), sizeof number);
    close(fd);
}

/*
 * Its owner was process 1 of that namespace, and ours has such a one, which lives; but it has another start time.
 */
Test(namespaces, a_number_that_is_given_again_lets_its_new_namespace_write)
{
    struct scene *scene = scene_new();
    seqshare *share = NULL;

    skip_or_succeed(child_end(child_start(make_region_and_end, scene)));
    equals(seqshare_open(&share, scene->name, SEQSHARE_WRITE), 0);
    writes_nothing(share, -EOPNOTSUPP);
    seqshare_close(share);
    say_it_is_ours(scene->name);
    equals(seqshare_open(&share, scene->name, SEQSHARE_WRITE), 0);
    equals(seqshare_lock(share), 1);
    equals(seqshare_unlock(share), 0);
    writes_everything(share, "value");
    reads_everything(share, "value");
    seqshare_close(share);
}

/* ---- a container of an ordinary user, who is root in it ---- */

static void make_rootless(void *context)
{
    enter(CLONE_NEWUSER | CLONE_NEWPID);
    _exit(in_first_child(only_reads, context));
}

Test(namespaces, a_rootless_container_reads)
{
    struct scene *scene = scene_new();

    skip_or_succeed(child_end(child_start_as(NOBODY, make_rootless, scene)));
    writes_everything(scene->share, "value");
}
