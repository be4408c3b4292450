/* SPDX-License-Identifier: MIT */
/*
 * A signal handler at each single instruction of a write. What it does may be refused with -EBUSY or done; the call
 * itself then is done; nothing is torn, and the lock is neither lost nor given away.
 *
 * Shows: WRITE-7, WRITE-2.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stepping.h"

TestSuite(step, .timeout = 300);

/* ---- what the handler does ---- */

static int handler_set_if(struct scene *at)
{
    uint64_t version = seqshare_version(at->share);

    return stepping_published(at, seqshare_set_if(at->share, &version, at->second, LENGTH - 1));
}

static int handler_fill(struct scene *at)
{
    void *slot;
    int error = seqshare_fill(at->share, LENGTH - 1, &slot);

    if (error)
        return error;
    memcpy(slot, at->second, LENGTH - 1);
    return stepping_published(at, seqshare_publish(at->share, LENGTH - 1));
}

static int handler_publish(struct scene *at)
{
    return stepping_published(at, seqshare_publish(at->share, LENGTH));
}

static int handler_lock(struct scene *at)
{
    int error = seqshare_lock(at->share);

    return error ? error : seqshare_unlock(at->share);
}

static int handler_unlock(struct scene *at)
{
    return seqshare_unlock(at->share);
}

static int handler_reads(struct scene *at)
{
    unsigned char got[LENGTH];
    seqshare_view view = {0};
    uint64_t version;
    ssize_t length = seqshare_get(at->share, got, sizeof got, &version);

    if (length < 0 || !stepping_whole(got, (size_t)length) || version != seqshare_version(at->share))
        return 1;
    if (seqshare_try_get(at->share, got, sizeof got, NULL) != length ||
        seqshare_length(at->share, NULL) != length || seqshare_retired(at->share))
        return 2;
    if (seqshare_peek(at->share, &view) != 0 || view.version != version ||
        memcmp(view.data, got, (size_t)length) != 0 || !seqshare_valid(at->share, &view))
        return 3;
    return 0;
}

static const struct {
    action *act;
    int allowed[5];
} handlers[] = {{stepping_handler_set, {0, -EBUSY, END}},   {handler_set_if, {0, -EBUSY, END}},
                {handler_fill, {0, -EBUSY, END}},           {handler_lock, {0, -EBUSY, -EDEADLK, END}},
                {handler_unlock, {0, -EBUSY, -EPERM, END}}, {handler_reads, {0, END}}};
enum { HANDLERS = sizeof handlers / sizeof *handlers };

/* Only in a call that locks by itself may the handler find a lock to give back. */
static bool permitted(const struct scene *at, const int *allowed)
{
    bool locks = at->call == stepping_lock || at->call == stepping_set_under_lock;
    bool unlocked = at->handler == handler_unlock && at->handler_result == 0;
    bool outdated = at->call == stepping_set_if && at->result == -ESTALE && at->published == 1;
    bool replaced = at->call == stepping_replace && at->handler_result == -EIDRM;

    return (stepping_one_of(at->handler_result, allowed) || replaced) && (locks || !unlocked) &&
           (at->result == 0 || outdated) &&
           (at->unlock_result == 0 || (unlocked && at->unlock_result == -EPERM));
}

static void interrupt_everywhere(struct scene *at, int h)
{
    int refused = 0, done = 0;
    long n = 1 + (getpid() + h) % stepping_stride(at);

    at->handler = handlers[h].act;
    at->stops = at->handler == handler_unlock;
    for (uint64_t version = seqshare_version(at->share); stepping_interrupt_at(at, n);
         n += stepping_stride(at)) {
        if (!permitted(at, handlers[h].allowed)) {
            fprintf(stderr, "handler %d at instruction %ld got %d, the call %d, its unlock %d\n", h, n,
                    at->handler_result, at->result, at->unlock_result);
            _exit(1);
        }
        stepping_all_is_well(at, version);
        version = seqshare_version(at->share);
        refused += at->handler_result < 0;
        done += at->handler_result == 0;
    }
    check(n > 50);
    /* A call that only locks is busy for a moment, which may fall between two strides. */
    check(refused > 0 || at->handler == handler_reads ||
          (at->call == stepping_lock && stepping_stride(at) > 1));
    check(done > 0 || at->handler == handler_unlock);
}

static void interrupted_by_all(void *context)
{
    stepping_install(context);
    for (int h = 0; h < HANDLERS; h++)
        interrupt_everywhere(context, h);
}

/* Whichever publishes first does, and the other has nothing to publish. */
static void interrupted_by_publish(void *context)
{
    struct scene *at = context;
    int refused = 0, done = 0;
    long n = 1, step = at->call == stepping_publish ? 1 : stepping_stride(at);

    stepping_install(at);
    at->handler = handler_publish;
    for (uint64_t version = seqshare_version(at->share); stepping_interrupt_at(at, n); n += step) {
        equals(at->handler_result + at->result, -EPERM);
        equals(at->unlock_result, 0);
        stepping_all_is_well(at, version);
        version = seqshare_version(at->share);
        refused += at->handler_result < 0;
        done += at->handler_result == 0;
    }
    check(n > 50 && refused > 0);
    check((done > 0) == (at->call == stepping_publish)); /* a set's value is not its to publish */
}

/* The two that could do harm in so long a call: what is published is lost, or the lock given away. */
static void interrupted_by_set_and_unlock(void *context)
{
    stepping_install(context);
    for (int h = 0; h < HANDLERS; h++) {
        if (handlers[h].act == stepping_handler_set || handlers[h].act == handler_unlock)
            interrupt_everywhere(context, h);
    }
}

Test(step, set)
{
    stepping_in_child(stepping_set, interrupted_by_all);
}

Test(step, set_if)
{
    stepping_in_child(stepping_set_if, interrupted_by_all);
}

Test(step, fill_and_publish)
{
    stepping_in_child(stepping_fill, interrupted_by_all);
}

Test(step, publish)
{
    stepping_in_child(stepping_publish, interrupted_by_publish);
}

Test(step, set_over_a_fill)
{
    stepping_in_child(stepping_set_over_a_fill, interrupted_by_publish);
}

Test(step, lock_and_unlock)
{
    stepping_in_child(stepping_lock, interrupted_by_all);
}

Test(step, set_under_the_lock)
{
    stepping_in_child(stepping_set_under_lock, interrupted_by_all);
}

/* Fails with: a value carried on that a handler of the same thread has replaced meanwhile. */
Test(step, replace)
{
    stepping_in_child(stepping_replace, interrupted_by_set_and_unlock);
}
