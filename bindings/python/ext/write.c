/* SPDX-License-Identifier: MIT */
/* Writing, and the writer lock. Whatever may take long goes on without the interpreter's lock, in slices. */
#include "share.h"

#include <errno.h>
#include <string.h>

struct request {
    const char *bytes;
    Py_ssize_t length;
    uint32_t tag;
    uint64_t *version; /* publish over this version only; NULL: over any */
};

/* ---- who has the lock ------------------------------------------------------------------------- */

struct holder *share_holder(const Share *self)
{
    struct holder *holder = self->holders;

    if (!holder)
        return NULL;
    while (holder && !is_this_thread(&holder->thread))
        holder = holder->next;
    return holder;
}

static void forget_holder(Share *self, struct holder *holder)
{
    struct holder **link = &self->holders;

    while (*link != holder)
        link = &(*link)->next;
    *link = holder->next;
    mapping_drop(holder->mapping);
    free(holder);
}

static int note_holder(Share *self, struct mapping *mapping)
{
    struct holder *holder = malloc(sizeof *holder);

    if (!holder)
        return -ENOMEM;
    *holder = (struct holder){this_thread(), mapping_use(mapping), self->holders};
    self->holders = holder;
    return 0;
}

/* ---- the region that is written --------------------------------------------------------------- */

/* The region was replaced: open the one that has the name now, beside the old one, which others may still use. */
static int move_writer(Share *self)
{
    struct mapping *old = self->writer, *mapping;
    seqshare *share;
    int error;

    if (!old) /* another thread has dropped it meanwhile */
        return -EROFS;
    error = seqshare_open(&share, self->name, SEQSHARE_WRITE | (self->access & SEQSHARE_ANY_OWNER));
    if (error < 0)
        return error;
    mapping = mapping_new(share);
    if (!mapping)
        return -ENOMEM;
    self->writer = mapping;
    mapping_drop(old);
    self->next_look = 0; /* and those that read look, too */
    return 0;
}

/* A file that was swapped underneath the name has no mark: ask the name, at the price of a system call. A region
 * without a name stays as it is. */
static int catch_up(Share *self)
{
    int error;

    if (!self->name || !self->writer || share_holder(self) || seqshare_named(self->writer->share) != 0)
        return 0;
    error = move_writer(self);
    return error == -ENOENT ? 0 : error;
}

/* A child of fork has none of its parent's threads that wait. */
static unsigned *askers(Share *self)
{
    if (!is_of_this_process(&self->asking) || self->asked == 0) {
        self->asking = this_thread();
        self->asked = 0;
    }
    return &self->asked;
}

/* Wait for the lock, but let Ctrl-C through: -EINTR, with an exception. */
static int lock_in_slices(seqshare *share, int64_t ns)
{
    int64_t slice;
    int result;

    do {
        slice = ns >= 0 && ns < SLICE ? ns : SLICE;
        Py_BEGIN_ALLOW_THREADS result = seqshare_lock_for(share, slice);
        Py_END_ALLOW_THREADS if (PyErr_CheckSignals() != 0)
        {
            if (result >= 0)
                seqshare_unlock(share);
            return -EINTR;
        }
        if (ns >= 0)
            ns -= slice;
    } while (result == -ETIMEDOUT && ns != 0);
    return result;
}

/* Others must not drop this thread's rights meanwhile. */
static int ask(Share *self, seqshare *share, int64_t ns)
{
    int result;

    ++*askers(self);
    result = lock_in_slices(share, ns);
    if (*askers(self) > 0) /* a signal handler may have forked */
        --*askers(self);
    return result;
}

/* ---- publishing ------------------------------------------------------------------------------- */

static int publish(seqshare *share, const struct request *request)
{
    if (request->version)
        return seqshare_set_if_typed(share, request->version, request->bytes, (size_t)request->length,
                                     request->tag);
    return seqshare_set_typed(share, request->bytes, (size_t)request->length, request->tag);
}

/* A lock that is free is taken at once, and a publication under it waits for nobody. */
static int publish_through(Share *self, struct mapping *mapping, const struct request *request)
{
    int error = seqshare_trylock(mapping->share);

    if (error == -EDEADLK)
        return publish(mapping->share, request);
    if (error == -EBUSY)
        error = ask(self, mapping->share, -1);
    if (error < 0)
        return error;
    error = publish(mapping->share, request);
    seqshare_unlock(mapping->share);
    return error;
}

static int publish_somewhere(Share *self, const struct request *request)
{
    const struct holder *holder = share_holder(self);
    struct mapping *mapping;
    int error;

    if (!holder && !self->writer)
        return -EROFS;
    mapping = mapping_use(holder ? holder->mapping : self->writer);
    error = publish_through(self, mapping, request);
    mapping_drop(mapping);
    return error;
}

/* A name that was replaced is followed; one that is replaced a hundred times meanwhile is not. */
static int publish_by_name(Share *self, const struct request *request)
{
    int error, moved = catch_up(self);

    if (moved < 0)
        return moved;
    error = publish_somewhere(self, request);
    for (int tries = 0; error == -EIDRM && self->name && !share_holder(self) && moved == 0 && tries < 100;
         tries++) {
        moved = self->is_closed ? -EBADF : move_writer(self);
        if (moved == 0)
            error = publish_somewhere(self, request);
    }
    return moved < 0 ? moved : error;
}

static PyObject *set_bytes(Share *self, const struct request *request)
{
    int error;

    if (!share_is_open(self))
        return NULL;
    error = publish_by_name(self, request);
    if (error == -EINTR && PyErr_Occurred())
        return NULL;
    if (request->version && (error == 0 || error == -ESTALE))
        return Py_BuildValue("iK", -error, (unsigned long long)*request->version);
    if (error < 0)
        return share_fail(self, error);
    Py_RETURN_NONE;
}

PyObject *share_set_bytes(PyObject *self, PyObject *args)
{
    struct request request = {.version = NULL};
    PyObject *result;

    if (!PyArg_ParseTuple(args, "y#O&", &request.bytes, &request.length, to_uint32, &request.tag))
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(self);
    result = set_bytes((Share *)self, &request);
    Py_END_CRITICAL_SECTION();
    return result;
}

PyObject *share_set_bytes_if(PyObject *self, PyObject *args)
{
    uint64_t expected;
    struct request request = {.version = &expected};
    PyObject *result;

    if (!PyArg_ParseTuple(args, "O&y#O&", to_uint64, &expected, &request.bytes, &request.length, to_uint32,
                          &request.tag))
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(self);
    result = set_bytes((Share *)self, &request);
    Py_END_CRITICAL_SECTION();
    return result;
}

/* ---- lock ------------------------------------------------------------------------------------- */

static int lock_through(Share *self, struct mapping *mapping, int64_t ns)
{
    int result = seqshare_trylock(mapping->share), error = 0;

    if (result == -EBUSY && ns != 0)
        result = ask(self, mapping->share, ns);
    if (result >= 0)
        error = note_holder(self, mapping);
    if (error < 0)
        seqshare_unlock(mapping->share);
    return error < 0 ? error : result == -EBUSY ? -ETIMEDOUT : result;
}

static int lock_somewhere(Share *self, int64_t ns)
{
    struct mapping *mapping;
    int result;

    if (!self->writer)
        return -EROFS;
    mapping = mapping_use(self->writer);
    result = lock_through(self, mapping, ns);
    mapping_drop(mapping);
    return result;
}

static PyObject *lock(Share *self, int64_t ns)
{
    int result, moved;

    if (!share_is_open(self))
        return NULL;
    moved = catch_up(self);
    result = moved < 0 ? moved : lock_somewhere(self, ns);
    for (int tries = 0; result == -EIDRM && self->name && moved == 0 && tries < 100; tries++) {
        moved = self->is_closed ? -EBADF : move_writer(self);
        if (moved == 0)
            result = lock_somewhere(self, ns);
    }
    if (result == -EINTR && PyErr_Occurred())
        return NULL;
    if (moved < 0 || result < 0)
        return share_fail(self, moved < 0 ? moved : result);
    return PyLong_FromLong(result);
}

PyObject *share_lock(PyObject *self, PyObject *args)
{
    PyObject *result;
    long long ns;

    if (!PyArg_ParseTuple(args, "L", &ns))
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(self);
    result = lock((Share *)self, ns);
    Py_END_CRITICAL_SECTION();
    return result;
}

static PyObject *unlock(Share *self)
{
    struct holder *holder = share_holder(self);
    int error;

    if (!holder)
        return share_fail(self, -EPERM);
    error = seqshare_unlock(holder->mapping->share);
    forget_holder(self, holder);
    if (error < 0)
        return share_fail(self, error);
    Py_RETURN_NONE;
}

PyObject *share_unlock(PyObject *self, PyObject *unused)
{
    PyObject *result;

    (void)unused;
    Py_BEGIN_CRITICAL_SECTION(self);
    result = unlock((Share *)self);
    Py_END_CRITICAL_SECTION();
    return result;
}

/* Some thread of this process has the lock, or waits for it. */
static bool is_writing(Share *self)
{
    const struct holder *holder = self->holders;

    while (holder && !is_of_this_process(&holder->thread))
        holder = holder->next;
    return holder || *askers(self) > 0;
}

static PyObject *drop_write(Share *self)
{
    struct mapping *writer = self->writer;
    int error = 0;

    if (!share_is_open(self))
        return NULL;
    if (is_writing(self))
        return share_fail(self, -EBUSY);
    /* The handle gives up its rights for good, also where this is the only one: an anonymous share without a
     * descriptor reads through it. */
    if (writer)
        error = seqshare_drop_write(writer->share);
    if (error < 0)
        return share_fail(self, error);
    self->access = SEQSHARE_READ | (self->access & SEQSHARE_ANY_OWNER);
    if (writer && writer->share != self->reader) {
        self->writer = NULL;
        mapping_drop(writer);
    }
    Py_RETURN_NONE;
}

PyObject *share_drop_write(PyObject *self, PyObject *unused)
{
    PyObject *result;

    (void)unused;
    Py_BEGIN_CRITICAL_SECTION(self);
    result = drop_write((Share *)self);
    Py_END_CRITICAL_SECTION();
    return result;
}

/* A thread that holds the lock gives it back through the mapping by which it took it, also when the share is closed. */
void share_end_writing(Share *self)
{
    mapping_drop(self->writer);
    self->writer = NULL;
}

void share_end_locks(Share *self)
{
    while (self->holders)
        forget_holder(self, self->holders);
}
