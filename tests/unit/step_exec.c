/* SPDX-License-Identifier: MIT */
/*
 * exec at each single instruction of a write, by a handler or by another thread: the code is gone, in the middle of the
 * call, and the new program can write.
 *
 * Shows: WRITE-4, WRITE-5.
 */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <unistd.h>

#include "exec.h"
#include "stepping.h"

TestSuite(step_exec, .timeout = 300);

enum { CALL_IS_SHORTER = 99 }; /* a status */

static int region_fd = -1;
static sem_t go;

static void *execute_when_told(void *unused)
{
    (void)unused;
    while (sem_wait(&go) != 0)
        ;
    execute_again("settled", region_fd);
}

/* In the handler: the interrupted thread gets no further. */
static int handler_executes(struct scene *at)
{
    if (at->jumps) { /* another thread does */
        sem_post(&go);
        for (;;)
            pause();
    }
    execute_again("settled", region_fd);
}

static void call_and_execute(void *context)
{
    struct scene *at = context;
    pthread_t thread;

    stepping_trap(at);
    region_fd = seqshare_fd(at->share, SEQSHARE_WRITE);
    check(region_fd >= 0 && fcntl(region_fd, F_SETFD, 0) == 0);
    check(sem_init(&go, 0, 0) == 0);
    if (at->jumps)
        check(pthread_create(&thread, NULL, execute_when_told, NULL) == 0);
    equals(at->call(at), 0); /* as in stepping_install */
    stepping_interrupt_at(at, at->at);
    _exit(CALL_IS_SHORTER);
}

/* By the handler, or by another thread: the new program can write, and so can we when it has ended. */
static void executed_everywhere(action *call, bool by_thread)
{
    struct scene *at;
    int held = 0, freed = 0, status = 0;
    long n;

    if (!CAN_TRAP)
        cr_skip_test("this processor has no trap flag");
    skip_under_valgrind();
    at = stepping_new(call);
    at->handler = handler_executes;
    at->jumps = by_thread;
    for (n = 1 + getpid() % stepping_stride(at);; n += stepping_stride(at)) {
        uint64_t version = seqshare_version(at->share), now_version;

        at->at = n;
        status = child_end(child_start(call_and_execute, at));
        if (status == CALL_IS_SHORTER)
            break;
        now_version = seqshare_version(at->share) - version;
        if ((status != 0 && status != WAS_HELD) || now_version < 2 || now_version > 4) {
            fprintf(stderr, "executed at instruction %ld: status %d, %d versions\n", n, status,
                    (int)now_version);
            check(false);
        }
        held += status == WAS_HELD;
        freed += status == 0;
        holds(at->share, "new", version + now_version);
        equals(seqshare_trylock(at->share), 0);
        equals(seqshare_unlock(at->share), 0);
    }
    check(n > 50 && freed > 0);
    check((held > 0) == (call == stepping_lock || call == stepping_set_under_lock));
    seqshare_close(at->share);
}

/* The code is gone, in the middle of the call. */
Test(step_exec, in_set)
{
    executed_everywhere(stepping_set, false);
}

Test(step_exec, in_set_by_another_thread)
{
    executed_everywhere(stepping_set, true);
}

Test(step_exec, in_lock_and_unlock)
{
    executed_everywhere(stepping_lock, false);
}

Test(step_exec, in_lock_and_unlock_by_another_thread)
{
    executed_everywhere(stepping_lock, true);
}

Test(step_exec, in_set_under_the_lock)
{
    executed_everywhere(stepping_set_under_lock, false);
}

Test(step_exec, in_set_under_the_lock_by_another_thread)
{
    executed_everywhere(stepping_set_under_lock, true);
}
