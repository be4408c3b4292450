/* SPDX-License-Identifier: MIT */
/*
 * Other users: enemies who plant names, readers who are given a
 * descriptor and must not be able to do more.
 *
 * Shows: NAME-4, NAME-6, WRITE-4, WRITE-5.
 */
#include "world.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(users, .timeout = 120);

/* ---- a symbolic link where we expect our share, to a file that only we may write ---- */

struct trap {
    const char *name, *target;
};

static void plant_link(void *context)
{
    const struct trap *trap = context;

    check(symlink(trap->target, trap->name) == 0);
}

static void nothing_follows_the_link(const struct trap *trap)
{
    seqshare *share = NULL;

    equals(seqshare_open(&share, trap->name, SEQSHARE_READ), -ELOOP);
    equals(seqshare_open(&share, trap->name, SEQSHARE_WRITE | SEQSHARE_ANY_OWNER), -ELOOP);
    equals(seqshare_create(&share, trap->name, 100, 0600), -EEXIST);
    equals(seqshare_replace(&share, trap->name, 100, 0600), -ELOOP);
    check(share == NULL);
}

/* Fails with: an open without O_NOFOLLOW, a creation through the link, an unlink of what it leads to. */
Test(users, a_planted_link_leads_nowhere)
{
    const char *directory = temp_directory("/tmp"), *own = temp_directory("/tmp");
    struct trap to_share = {format("%s/one", directory), format("%s/share", own)};
    struct trap to_nothing = {format("%s/two", directory), format("%s/new", own)};

    skip_unless_root();
    check(chmod(directory, 01777) == 0);
    seqshare_close(share_with(to_share.target, 100, "ours"));
    child_run_as(NOBODY, plant_link, &to_share);
    child_run_as(NOBODY, plant_link, &to_nothing);
    nothing_follows_the_link(&to_share);
    nothing_follows_the_link(&to_nothing);
    equals(entries(own), 1); /* nothing was made at the end of the dangling one */
    equals(seqshare_unlink(to_share.name), 0);
    equals(entries(own), 1); /* the link is gone, the share is not */
    equals(entries(directory), 1);
}

/* ---- a user namespace that knows no user: there, all of them have the same number ---- */

static void open_among_the_unknown(void *context)
{
    const struct trap *trap = context;
    seqshare *share = NULL;

    equals(seqshare_open(&share, trap->name, SEQSHARE_READ), -EPERM);
    if (unshare(CLONE_NEWUSER) != 0)
        _exit(NOT_POSSIBLE);
    equals(geteuid(), NOBODY);
    equals(seqshare_open(&share, trap->name, SEQSHARE_READ), -EPERM);
    equals(seqshare_open(&share, trap->name, SEQSHARE_WRITE), -EPERM);
    equals(seqshare_open(&share, trap->name, SEQSHARE_READ | SEQSHARE_ANY_OWNER), 0);
    reads_everything(share, "theirs");
    seqshare_close(share);
}

static void make_theirs(void *name)
{
    seqshare_close(share_with(name, 100, "theirs"));
    check(chmod(name, 0666) == 0);
}

/* Fails with: a number that stands for all unknown users taken for our own. */
Test(users, nobody_is_trusted_where_nobody_is_known)
{
    const char *directory = temp_directory("/tmp");
    struct trap trap = {format("%s/name", directory), NULL};

    skip_unless_root();
    check(chmod(directory, 01777) == 0);
    child_run_as(NOBODY - 1, make_theirs, (void *)(uintptr_t)trap.name);
    skip_or_succeed(child_end(child_start_as(NOBODY, open_among_the_unknown, &trap)));
}

/* ---- descriptors ---- */

/* Whatever another user tries with a descriptor that only reads, it does not become one that writes. */
static void gets_no_further(int fd)
{
    seqshare *share = NULL;

    check(open(format("/proc/self/fd/%d", fd), O_RDWR | O_CLOEXEC) < 0);
    equals(seqshare_attach(&share, fd, SEQSHARE_WRITE), -EACCES);
    equals(seqshare_attach(&share, fd, SEQSHARE_READ), 0);
    reads_everything(share, "value");
    equals(seqshare_fd(share, SEQSHARE_WRITE), -EROFS);
    writes_nothing(share, -EROFS);
}

static void receive_two(void *context)
{
    int socket = *(int *)context;

    gets_no_further(receive_descriptor(socket));
    gets_no_further(receive_descriptor(socket));
}

/* Fails with: a memfd as it is born, with mode 0777. */
Test(users, a_reader_that_got_a_descriptor_over_a_socket_gets_no_further)
{
    seqshare *named = share_with(temp_name(), 4096, "value"), *share = NULL;
    int sockets[2];
    pid_t child;

    skip_unless_root();
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
    child = child_start_as(NOBODY, receive_two, &sockets[1]);
    equals(seqshare_new(&share, 4096), 0); /* only after the reader has been started */
    equals(seqshare_set(share, "value", 5), 0);
    send_descriptor(sockets[0], seqshare_fd(share, SEQSHARE_READ));
    send_descriptor(sockets[0], seqshare_fd(named, SEQSHARE_READ));
    equals(child_end(child), 0);
}

static void execute_reader(void *context)
{
    execute("descriptor", format("%d", *(int *)context));
}

Test(users, a_program_of_another_user_that_inherits_a_descriptor_reads)
{
    seqshare *share = NULL;
    int fd;

    skip_unless_root();
    equals(seqshare_new(&share, 4096), 0);
    equals(seqshare_set(share, "value", 5), 0);
    fd = dup(seqshare_fd(share, SEQSHARE_READ)); /* dup: exec must inherit it */
    check(fd >= 0);
    child_run_as(NOBODY, execute_reader, &fd);
}

/* ---- the lock of a process that we may not signal ---- */

struct scene {
    seqshare *share;
    int stage;
};

static void lock_and_stay(void *context)
{
    struct scene *scene = context;

    equals(seqshare_lock(scene->share), 0);
    set_flag(&scene->stage, 1);
    pause();
}

static void finds_it_taken(void *context)
{
    struct scene *scene = context;
    struct seqshare_stat stat;

    equals(seqshare_trylock(scene->share), -EBUSY);
    equals(seqshare_lock_for(scene->share, 120 * MILLISECONDS), -ETIMEDOUT);
    equals(seqshare_stat(scene->share, &stat), 0);
    check(stat.owner > 0 && stat.owner_alive);
}

static void takes_it_over(void *context)
{
    struct scene *scene = context;

    equals(seqshare_trylock(scene->share), 1);
    equals(seqshare_unlock(scene->share), 0);
}

Test(users, the_lock_of_another_user_is_kept_while_it_lives_and_taken_over_after)
{
    struct scene *scene = shared_memory(sizeof *scene);
    pid_t owner;

    skip_unless_root();
    equals(seqshare_new(&scene->share, 100), 0);
    owner = child_start_as(NOBODY - 1, lock_and_stay, scene);
    await_flag(&scene->stage, 1);
    child_run_as(NOBODY, finds_it_taken, scene);
    child_kill(owner);
    child_run_as(NOBODY, takes_it_over, scene);
}
