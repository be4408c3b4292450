/* SPDX-License-Identifier: MIT */
/*
 * The lock, free, held by somebody alive, left by somebody dead; and waiting, with what wakes.
 *
 * Shows: WRITE-4, WRITE-9, WAIT-2.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "faults.h"

#define MILLISECONDS INT64_C(1000000)

/* Another namespace, where /proc cannot be asked. A dead owner that cannot be told from a live one lives. */
static const int unknown[] = {-EOPNOTSUPP, -EBUSY, -ETIMEDOUT, 0};
static const int interrupted[] = {-EINTR, 0};

static void is_usable(struct stage *stage)
{
    usable(stage, stage->share);
}

/* ---- free ---- */

static int lock(struct stage *stage)
{
    return seqshare_lock(stage->share);
}

static int lock_for(struct stage *stage)
{
    return seqshare_lock_for(stage->share, 20 * MILLISECONDS);
}

static int trylock(struct stage *stage)
{
    return seqshare_trylock(stage->share);
}

static void is_locked(struct stage *stage)
{
    stage->owner = 0;
    equals(seqshare_lock(stage->share), -EDEADLK);
    equals(seqshare_unlock(stage->share), 0);
    usable(stage, stage->share);
}

/* ---- an owner in another process ---- */

static void own(const struct stage *stage, int done)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (seqshare_lock(stage->share) == 0 && write(done, "", 1) == 1)
        for (;;)
            pause();
    _exit(1);
}

static void make_owned(struct stage *stage)
{
    int ends[2];
    char byte;

    make_anonymous(stage);
    equals(pipe(ends), 0);
    stage->owner = fork();
    check(stage->owner >= 0);
    if (stage->owner == 0)
        own(stage, ends[1]);
    equals(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    close(ends[1]);
}

static void make_zombie(struct stage *stage)
{
    siginfo_t end;

    make_owned(stage);
    equals(kill(stage->owner, SIGKILL), 0);
    equals(waitid(P_PID, (id_t)stage->owner, &end, WEXITED | WNOWAIT), 0);
}

static void make_orphaned(struct stage *stage)
{
    make_owned(stage);
    equals(kill(stage->owner, SIGKILL), 0);
    equals(waitpid(stage->owner, NULL, 0), stage->owner);
}

static void is_owned(struct stage *stage)
{
    struct seqshare_stat stat;

    stands(stage, stage->share);
    equals(seqshare_stat(stage->share, &stat), 0);
    equals(stat.owner_alive, true);
    equals(seqshare_unlock(stage->share), -EPERM);
}

static void is_owned_still(struct stage *stage)
{
    stands(stage, stage->share);
}

/* Nobody alive is ever taken for dead, whatever fails. */
static int look_at_living(struct stage *stage)
{
    struct seqshare_stat stat;
    int error = seqshare_stat(stage->share, &stat);

    return error ? error : !stat.owner_alive;
}

static void end_owner(struct stage *stage, pid_t owner)
{
    if (waitpid(owner, NULL, WNOHANG) == 0) {
        equals(kill(owner, SIGKILL), 0);
        equals(waitpid(owner, NULL, 0), owner);
    }
    close_all(stage);
}

static void kill_owner(struct stage *stage)
{
    end_owner(stage, stage->owner);
}

/* The zombie is still this process's child, whatever `owner` says by now. */
static void wait_for_zombie(struct stage *stage)
{
    check(waitpid(-1, NULL, 0) > 0);
    close_all(stage);
}

/* ---- an owner, a waiter or a publisher in another thread ---- */

static void set_go(struct stage *stage, int go)
{
    __atomic_store_n(&stage->go, go, __ATOMIC_SEQ_CST);
}

static void await_go(struct stage *stage, int go)
{
    while (__atomic_load_n(&stage->go, __ATOMIC_SEQ_CST) < go)
        rest(100000);
}

static void help(struct stage *stage, void *(*body)(void *), int go)
{
    equals(pthread_create(&stage->helper, NULL, body, stage), 0);
    stage->helped = true;
    await_go(stage, go);
}

/* Until the helper, which has said who it is, sleeps in the kernel. */
static void await_sleep(const struct stage *stage)
{
    char path[64], state = 0;

    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)stage->sleeper);
    while (state != 'S') {
        FILE *file = fopen(path, "re");

        check(file != NULL);
        equals(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
        fclose(file);
        rest(100000);
    }
}

static void join_helper(struct stage *stage)
{
    equals(pthread_join(stage->helper, NULL), 0);
    stage->helped = false;
}

static void *lock_for_a_while(void *context)
{
    struct stage *stage = context;

    equals(seqshare_lock(stage->share), 0);
    set_go(stage, 1);
    await_go(stage, 2);
    rest(2 * MILLISECONDS);
    equals(seqshare_unlock(stage->share), 0);
    return NULL;
}

static void make_contended(struct stage *stage)
{
    make_anonymous(stage);
    help(stage, lock_for_a_while, 1);
}

static int lock_contended(struct stage *stage)
{
    int result;

    set_go(stage, 2);
    result = seqshare_lock(stage->share);
    faults_pause();
    if (stage->helped)
        join_helper(stage);
    faults_resume();
    return result;
}

static void *wait_for_lock(void *context)
{
    struct stage *stage = context;

    await_go(stage, 1);
    stage->sleeper = gettid();
    set_go(stage, 2);
    equals(seqshare_lock(stage->share), 0);
    equals(seqshare_unlock(stage->share), 0);
    return NULL;
}

static void make_waited_for(struct stage *stage)
{
    make_anonymous(stage);
    help(stage, wait_for_lock, 0);
}

/* A sleeper gets the lock in the end, woken or not. */
static int unlock(struct stage *stage)
{
    int error;

    faults_pause();
    equals(seqshare_lock(stage->share), 0);
    set_go(stage, 1);
    await_go(stage, 2);
    await_sleep(stage);
    faults_resume();
    error = seqshare_unlock(stage->share);
    faults_pause();
    join_helper(stage);
    faults_resume();
    return error;
}

/* ---- wait ---- */

static int wait_in_vain(struct stage *stage)
{
    return seqshare_wait(stage->share, stage->version, 20 * MILLISECONDS);
}

static void make_read_only(struct stage *stage)
{
    make_anonymous(stage);
    stage->fd = seqshare_fd(stage->share, SEQSHARE_READ);
    stage->other = stage->share;
    equals(seqshare_attach(&stage->share, stage->fd, SEQSHARE_READ), 0);
}

static void reads_on(struct stage *stage)
{
    stands(stage, stage->share);
    usable(stage, stage->other);
}

static void *publish_soon(void *context)
{
    struct stage *stage = context;

    await_go(stage, 1);
    rest(20 * MILLISECONDS); /* it waits by then, or else finds what it must wait for */
    equals(seqshare_set(stage->share, pattern(stage->version + 1), stage->length), 0);
    return NULL;
}

static void make_published_soon(struct stage *stage)
{
    make_anonymous(stage);
    help(stage, publish_soon, 0);
}

static int wait_for_it(struct stage *stage)
{
    int error;

    set_go(stage, 1);
    error = seqshare_wait(stage->share, stage->version, -1);
    faults_pause();
    if (stage->helped) {
        join_helper(stage);
        if (!error)
            check(seqshare_version(stage->share) == stage->version + 1);
        else
            equals(seqshare_wait(stage->share, stage->version, 0), 0);
    }
    faults_resume();
    return error;
}

static void it_was_published(struct stage *stage)
{
    stage->version++;
    usable(stage, stage->share);
}

static void it_is_there(struct stage *stage)
{
    equals(seqshare_version(stage->share), stage->version + 1);
}

static void *wait_for_version(void *context)
{
    struct stage *stage = context;

    stage->sleeper = gettid();
    set_go(stage, 1);
    equals(seqshare_wait(stage->share, stage->version, -1), 0);
    return NULL;
}

static void make_awaited(struct stage *stage)
{
    make_anonymous(stage);
    publish(stage, stage->share, SMALL); /* both slots have memory */
    help(stage, wait_for_version, 1);
    await_sleep(stage);
}

static int wake(struct stage *stage)
{
    int error = seqshare_set(stage->share, pattern(stage->version + 1), SMALL);

    if (error)
        return error;
    faults_pause();
    join_helper(stage); /* woken, or by itself after half a second */
    stage->version++;
    faults_resume();
    return 0;
}

const struct operation lock_operations[] = {
    {"lock", 0, 0, false, false, unknown, make_anonymous, lock, is_locked, is_usable, close_all},
    {"lock_for", 0, NO_PROC | NO_MEMFD, false, false, unknown, make_anonymous, lock_for, is_locked, is_usable,
     close_all},
    {"trylock", 0, 0, false, false, unknown, make_anonymous, trylock, is_locked, is_usable, close_all},
    {"trylock, owned", -EBUSY, NO_PROC, false, false, unknown, make_owned, trylock, is_owned, is_owned,
     kill_owner},
    {"lock_for, owned", -ETIMEDOUT, 0, false, false, unknown, make_owned, lock_for, is_owned, is_owned,
     kill_owner},
    {"stat, owned", 0, NO_PROC, false, false, NULL, make_owned, look_at_living, is_owned, is_owned,
     kill_owner},
    {"trylock, the owner a zombie", 1, NO_PROC, false, false, unknown, make_zombie, trylock, is_locked,
     is_owned_still, wait_for_zombie},
    {"trylock, the owner gone", 1, NO_PROC, false, false, unknown, make_orphaned, trylock, is_locked,
     is_owned_still, close_all},
    {"lock_for, the owner gone", 1, 0, false, false, unknown, make_orphaned, lock_for, is_locked,
     is_owned_still, close_all},
    {"lock, contended", 0, 0, false, false, NULL, make_contended, lock_contended, is_locked, is_usable,
     close_all},
    {"unlock, contended", 0, 0, false, false, NULL, make_waited_for, unlock, is_usable, is_usable, close_all},
    {"wait, in vain", -ETIMEDOUT, 0, false, false, interrupted, make_anonymous, wait_in_vain, is_usable,
     is_usable, close_all},
    {"wait, in vain, read-only", -ETIMEDOUT, 0, false, false, interrupted, make_read_only, wait_in_vain,
     reads_on, reads_on, close_all},
    {"wait", 0, 0, false, false, interrupted, make_published_soon, wait_for_it, it_was_published, it_is_there,
     close_all},
    {"set, awaited", 0, 0, false, false, NULL, make_awaited, wake, is_usable, is_usable, close_all},
    {0}};
