/* SPDX-License-Identifier: MIT */
/*
 * Waiting for a new version, without the interpreter's lock. Each thread that waits has a handle of its own, which
 * follows the name by itself; handles are kept for the next one that waits.
 */
#include "share.h"

#include <errno.h>
#include <time.h>

static const int64_t LONG_SLICE = 500000000; /* a thread that waits looks whether its share is closed */
static const int64_t POLL = 50000000;        /* where no second handle can be had */

static int new_waiter(Share *self, struct waiter **result)
{
    struct waiter *waiter = malloc(sizeof *waiter);
    int error = -ENOENT;

    if (!waiter)
        return -ENOMEM;
    if (self->name)
        error =
            seqshare_open(&waiter->share, self->name, SEQSHARE_READ | (self->access & SEQSHARE_ANY_OWNER));
    if (error < 0) /* no name; or it cannot be opened any more, with the rights that this process has now */
        error = seqshare_reader(&waiter->share, self->reader);
    if (error < 0)
        free(waiter);
    else
        *result = waiter;
    return error;
}

static void close_waiter(struct waiter *waiter)
{
    seqshare_close(waiter->share);
    free(waiter);
}

/* One of another region would take that one's version for news. */
static int take_waiter(Share *self, struct waiter **waiter)
{
    const uint64_t moves = share_moves(self);
    int error;

    while ((*waiter = self->idle)) {
        self->idle = (*waiter)->next;
        if ((*waiter)->moves == moves)
            return 0;
        close_waiter(*waiter);
    }
    error = new_waiter(self, waiter);
    if (error == 0) {
        (*waiter)->moves = moves;
        (*waiter)->has_moved = false;
    }
    return error;
}

static void put_waiter(Share *self, struct waiter *waiter)
{
    if (self->is_closed || waiter->has_moved) {
        close_waiter(waiter);
        return;
    }
    waiter->next = self->idle;
    self->idle = waiter;
}

static void sleep_ns(int64_t ns)
{
    const struct timespec time = {ns / SECOND, ns % SECOND};

    nanosleep(&time, NULL);
}

/* 0: news; -ETIMEDOUT: none within that time; or an error. */
static int wait_a_slice(struct waiter *waiter, uint64_t seen, int64_t ns)
{
    int error = seqshare_wait(waiter->share, seen, ns);

    if (error != -EIDRM)
        return error;
    error = seqshare_reopen(waiter->share);
    if (error == 1) {
        waiter->has_moved = true;
        return 0;
    }
    if (error < 0) /* it leads nowhere, or where this process may not go: ask again, not at once */
        sleep_ns(ns < POLL ? ns : POLL);
    return -ETIMEDOUT;
}

/* The version; 0: none in time. -EINTR: an exception is set. */
static int wait_with(Share *self, struct waiter *waiter, uint64_t seen, int64_t ns, uint64_t *version)
{
    const bool for_ever = ns < 0;
    int64_t slice;
    int error;

    do {
        slice = for_ever || ns > LONG_SLICE ? LONG_SLICE : ns;
        Py_BEGIN_ALLOW_THREADS error = wait_a_slice(waiter, seen, slice);
        Py_END_ALLOW_THREADS if (PyErr_CheckSignals() != 0) return -EINTR;
        if (self->is_closed)
            return -EBADF;
        if (error == 0 && seqshare_version(waiter->share) == 0) { /* a region without a value yet */
            error = -ETIMEDOUT;
            seen = 0;
        }
        if (error == -EINTR) /* by a handler that raised nothing: some of the slice is gone */
            error = -ETIMEDOUT;
        ns -= slice;
    } while (error == -ETIMEDOUT && (for_ever || ns > 0));
    *version = error == 0 ? seqshare_version(waiter->share) : 0;
    return error == -ETIMEDOUT ? 0 : error;
}

/* Where a second handle cannot be had, this thread looks now and then, with the interpreter's lock. */
static int poll(Share *self, uint64_t seen, int64_t ns, uint64_t *version)
{
    const bool for_ever = ns < 0;

    while ((*version = seqshare_version(self->reader)) == seen) {
        *version = 0;
        if (!for_ever && ns <= 0)
            break;
        Py_BEGIN_ALLOW_THREADS sleep_ns(POLL);
        Py_END_ALLOW_THREADS if (PyErr_CheckSignals() != 0) return -EINTR;
        if (self->is_closed)
            return -EBADF;
        ns -= POLL;
    }
    return 0;
}

/* The waiter may be in a region that the reader has not seen, of the same version. After it has one, any move is its. */
static bool has_news(Share *self, uint64_t *version)
{
    if (!self->name || share_is_inside(self) || share_look(self) != 1)
        return !share_tell(self);
    *version = seqshare_version(self->reader);
    return *version != 0;
}

static PyObject *wait_for(Share *self, uint64_t seen, int64_t ns)
{
    struct waiter *waiter;
    uint64_t version = 0;
    int error;

    if (!share_is_open(self))
        return NULL;
    error = take_waiter(self, &waiter);
    if (error == 0) {
        if (has_news(self, &version) || PyErr_Occurred())
            error = 0;
        else
            error = wait_with(self, waiter, seen, ns, &version);
        put_waiter(self, waiter);
    } else {
        error = poll(self, seen, ns, &version);
    }
    if (PyErr_Occurred() || !share_is_open(self))
        return NULL;
    if (error < 0)
        return share_fail(self, error);
    self->next_look = 0; /* the name may have moved: the next read looks */
    if (version == 0)
        Py_RETURN_NONE;
    return PyLong_FromUnsignedLongLong(version);
}

PyObject *share_wait(PyObject *self, PyObject *args)
{
    PyObject *result;
    uint64_t seen;
    long long ns;

    if (!PyArg_ParseTuple(args, "O&L", to_uint64, &seen, &ns))
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(self);
    result = wait_for((Share *)self, seen, ns);
    Py_END_CRITICAL_SECTION();
    return result;
}

void share_end_waiting(Share *self)
{
    struct waiter *waiter;

    while ((waiter = self->idle)) {
        self->idle = waiter->next;
        close_waiter(waiter);
    }
}
