/* SPDX-License-Identifier: MIT */
/*
 * A handler at each single instruction of a write that jumps out of it, abandons what it did not begin, or keeps a
 * lock of its own.
 *
 * Shows: WRITE-7, WRITE-2.
 */
#include <string.h>
#include <unistd.h>

#include "stepping.h"

TestSuite(step_leave, .timeout = 300);

/* ---- out of the call, and never back ---- */

static void jumps_out_everywhere(void *context)
{
    struct scene *at = context;
    int given_back = 0, old_stood = 0;
    long n = 1 + getpid() % stepping_stride(at);

    stepping_install(at);
    at->jumps = true;
    for (uint64_t version = seqshare_version(at->share); stepping_interrupt_at(at, n);
         n += stepping_stride(at)) {
        check(at->abandon_result == 0 || at->abandon_result == -EPERM);
        check(at->unlock_result == 0 || at->unlock_result == -EPERM);
        stepping_all_is_well(at, version);
        given_back += at->abandon_result == 0;
        old_stood += at->abandon_result == 0 && seqshare_version(at->share) == version;
        version = seqshare_version(at->share);
        equals(seqshare_set(at->share, at->second, LENGTH - 1), 0);
        equals(seqshare_version(at->share), ++version);
    }
    check(n > 50 && given_back > 0 && old_stood > 0);
}

/* ---- abandon where there is no write, and a lock that the handler keeps ---- */

/* There is nothing that it began: it must not end what it interrupted, unless that is a write. */
static int handler_abandon(struct scene *at)
{
    return seqshare_abandon(at->share);
}

static int handler_abandon_and_set(struct scene *at)
{
    int error = seqshare_abandon(at->share);

    return error == -EPERM ? stepping_handler_set(at) : error;
}

/* It keeps it: what is interrupted goes on under this lock, unless it has it already. */
static int handler_lock_alone(struct scene *at)
{
    return seqshare_lock(at->share);
}

/* lock and unlock are done as if the handler had not been there. */
static void abandoned_everywhere(void *context)
{
    struct scene *at = context;
    action *const acts[] = {handler_abandon, handler_abandon_and_set};

    stepping_install(at);
    for (int i = 0; i < 2; i++) {
        uint64_t version = seqshare_version(at->share);

        at->handler = acts[i];
        for (long n = 1; stepping_interrupt_at(at, n); n++) {
            check(at->handler_result == -EPERM ||
                  (i == 1 && stepping_one_of(at->handler_result, (int[]){0, -EBUSY, END})));
            equals(at->result, 0);
            equals(at->unlock_result, 0);
            stepping_all_is_well(at, version);
            version = seqshare_version(at->share);
        }
    }
}

/* Fails with: an unlock that gives the lock back first and then strikes the owner off, who is another by then. */
static void locked_everywhere(void *context)
{
    struct scene *at = context;
    seqshare *const parents = at->share;
    int kept = 0;

    stepping_install(at);
    at->handler = handler_lock_alone;
    for (long n = 1; stepping_interrupt_at(at, n); n++) {
        check(stepping_one_of(at->handler_result, (int[]){0, -EBUSY, -EDEADLK, END}));
        if (at->handler_result == 0) { /* lock says so when it came before it, and then there is no unlock */
            seqshare *other = another_handle(at->share, SEQSHARE_WRITE);

            check(at->result == 0 || at->result == -EDEADLK);
            equals(seqshare_trylock(other), -EDEADLK);
            seqshare_close(at->share); /* which gives back what was locked through it */
            at->share = other;
            kept++;
        } else {
            equals(at->result, 0);
        }
        equals(at->unlock_result, 0);
        lock_is_free(at->share);
    }
    check(kept > 0);
    at->share = parents;
}

/* Out of the call, and never back. */
Test(step_leave, longjmp_out_of_set)
{
    stepping_in_child(stepping_set, jumps_out_everywhere);
}

Test(step_leave, longjmp_out_of_set_if)
{
    stepping_in_child(stepping_set_if, jumps_out_everywhere);
}

Test(step_leave, longjmp_out_of_fill)
{
    stepping_in_child(stepping_fill, jumps_out_everywhere);
}

Test(step_leave, longjmp_out_of_set_under_the_lock)
{
    stepping_in_child(stepping_set_under_lock, jumps_out_everywhere);
}

/* Fails with: a handler's abandon that takes a lock in the making for a write, and frees it. */
Test(step_leave, lock_and_unlock_are_not_abandoned)
{
    stepping_in_child(stepping_lock, abandoned_everywhere);
}

Test(step_leave, a_lock_that_a_handler_takes_in_lock_and_unlock)
{
    stepping_in_child(stepping_lock, locked_everywhere);
}

Test(step_leave, a_lock_that_a_handler_takes_in_set)
{
    stepping_in_child(stepping_set, locked_everywhere);
}
