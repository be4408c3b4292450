/* SPDX-License-Identifier: MIT */
/*
 * Waiting for a new version, without the GVL. Each thread that waits has a handle of its own, which follows the name by
 * itself; handles are kept for the next one that waits. Ruby wakes a thread by a signal, which ends the sleep.
 */
#include "binding.h"

#include <errno.h>
#include <ruby/thread.h>
#include <stdlib.h>
#include <time.h>

static const int64_t LONG_SLICE = 500000000; /* a thread that waits looks whether its share is closed */
static const int64_t POLL = 50000000;        /* where no second handle can be had, or it leads nowhere */

static int open_waiter(const struct share *share, seqshare **result)
{
    int error = -ENOENT;

    if (share->name)
        error = seqshare_open(result, share->name, SEQSHARE_READ | (share->access & SEQSHARE_ANY_OWNER));
    if (error < 0) /* no name; or it cannot be opened any more, with the rights that this process has now */
        error = seqshare_reader(result, share->reader);
    return error;
}

static void close_waiter(struct waiter *waiter)
{
    seqshare_close(waiter->share);
    free(waiter);
}

/* One of another region would take that one's version for news. */
static int take_waiter(struct share *share, struct waiter **result)
{
    const uint64_t moves = share_moves(share);
    struct waiter *waiter;
    int error;

    while ((waiter = share->idle)) {
        share->idle = waiter->next;
        *result = waiter;
        if (waiter->moves == moves)
            return 0;
        close_waiter(waiter);
    }
    waiter = malloc(sizeof *waiter);
    if (!waiter)
        return -ENOMEM;
    *waiter = (struct waiter){.moves = moves};
    error = open_waiter(share, &waiter->share);
    if (error < 0)
        free(waiter);
    else
        *result = waiter;
    return error;
}

static void put_waiter(struct share *share, struct waiter *waiter)
{
    if (share->is_closed || waiter->is_stale) {
        close_waiter(waiter);
        return;
    }
    waiter->next = share->idle;
    share->idle = waiter;
}

struct slice {
    struct waiter *waiter;
    uint64_t seen;
    int64_t ns;
    uint64_t version; /* 0: a region without a value yet */
    int error;        /* 0: news; -ETIMEDOUT: none within that time */
};

/* A signal ends this sleep too. */
static void sleep_ns(int64_t ns)
{
    const struct timespec time = {ns / SECOND, ns % SECOND};

    nanosleep(&time, NULL);
}

/* The region is not what the name leads to any more. */
static int move_on(struct slice *slice)
{
    int moved = seqshare_reopen(slice->waiter->share);

    if (moved == 1) {
        slice->waiter->is_stale = true;
        return 0;
    }
    if (moved < 0) /* it leads nowhere, or where this process may not go: ask again, not at once */
        sleep_ns(slice->ns < POLL ? slice->ns : POLL);
    return -ETIMEDOUT;
}

static void *wait_for_a_slice(void *argument)
{
    struct slice *slice = argument;
    const seqshare *share = slice->waiter->share;

    cut_begin();
    slice->error = seqshare_wait(share, slice->seen, slice->ns);
    if (slice->error == -EIDRM)
        slice->error = move_on(slice);
    slice->version = seqshare_version(share);
    if (cut_end()) {
        slice->waiter->is_stale = true;
        slice->error = -EBADMSG;
    }
    return NULL;
}

static void *sleep_for_a_slice(void *argument)
{
    const struct slice *slice = argument;

    sleep_ns(slice->ns);
    return NULL;
}

static int64_t bounded(int64_t left, int64_t most)
{
    return left < 0 ? 0 : left < most ? left : most;
}

/* The version; 0: none in time. *state not 0: an interrupt must go on. */
static int wait_with(struct share *share, struct waiter *waiter, uint64_t seen, int64_t until,
                     uint64_t *version, int *state)
{
    struct slice slice = {.waiter = waiter, .seen = seen};

    do {
        slice.ns = bounded(until - exact_time(), LONG_SLICE);
        slice.error = -ETIMEDOUT; /* should it not be called at all */
        rb_thread_call_without_gvl2(wait_for_a_slice, &slice, RUBY_UBF_IO, NULL);
        *state = check_interrupts();
        if (*state)
            return -EINTR;
        if (share->is_closed)
            return -EBADF;
        if (slice.error == 0 && slice.version == 0) { /* a region without a value yet */
            slice.error = -ETIMEDOUT;
            slice.seen = 0;
        }
        if (slice.error == -EINTR) /* by a signal that raised nothing */
            slice.error = -ETIMEDOUT;
    } while (slice.error == -ETIMEDOUT && exact_time() < until);
    *version = slice.error == 0 ? slice.version : 0;
    return slice.error == -ETIMEDOUT ? 0 : slice.error;
}

static uint64_t version_of_reader(struct share *share)
{
    uint64_t version;

    cut_begin();
    version = seqshare_version(share->reader);
    if (cut_end())
        share->is_cut = true;
    return share->is_cut ? 0 : version;
}

/* Where a second handle cannot be had, this thread looks now and then, with the GVL. */
static int poll_reader(struct share *share, uint64_t seen, int64_t until, uint64_t *version, int *state)
{
    struct slice slice = {.waiter = NULL};

    while ((*version = version_of_reader(share)) == seen || *version == 0) {
        *version = 0;
        if (share->is_cut)
            share_mend(share);
        if (exact_time() >= until)
            break;
        slice.ns = bounded(until - exact_time(), POLL);
        rb_thread_call_without_gvl2(sleep_for_a_slice, &slice, RUBY_UBF_IO, NULL);
        *state = check_interrupts();
        if (*state)
            return -EINTR;
        if (share->is_closed)
            return -EBADF;
    }
    return 0;
}

/* The waiter may be in a region that the reader has not seen, of the same version. After it has one, any move is its. */
static bool has_news(VALUE self, struct share *share, uint64_t *version)
{
    if (!share->name || share->is_cut || share_look(share) != 1)
        return false;
    share_tell(self);
    *version = version_of_reader(share_open_of(self));
    return *version != 0;
}

static int wait_for(struct share *share, uint64_t seen, int64_t until, uint64_t *version, int *state)
{
    struct waiter *waiter;
    int error = take_waiter(share, &waiter);

    if (error < 0)
        return poll_reader(share, seen, until, version, state);
    error = wait_with(share, waiter, seen, until, version, state);
    put_waiter(share, waiter);
    return error;
}

/* The version; nil: none in time. The file of a share was cut: no news, until the file is whole again. */
VALUE share_wait(VALUE self, VALUE seen, VALUE ns)
{
    struct share *share = share_open_of(self);
    const uint64_t known = to_uint64(seen);
    const int64_t patience = NUM2LL(ns), until = patience < 0 ? INT64_MAX : exact_time() + patience;
    uint64_t version = 0;
    int error, state = 0;

    if (has_news(self, share, &version))
        return ULL2NUM(version);
    error = wait_for(share, known, until, &version, &state);
    if (error == -EBADMSG && !state)
        error = poll_reader(share, known, until, &version, &state);
    if (state)
        rb_jump_tag(state);
    share_open_of(self);
    if (error < 0)
        share_fail(self, error);
    share->next_look = 0; /* the name may have moved: the next read looks */
    return version == 0 ? Qnil : ULL2NUM(version);
}

void share_end_waiting(struct share *share)
{
    struct waiter *waiter;

    while ((waiter = share->idle)) {
        share->idle = waiter->next;
        close_waiter(waiter);
    }
}
