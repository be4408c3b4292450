/* SPDX-License-Identifier: MIT */
/*
 * Reading. The handle `reader` is the cache's, which moves it when the share's name moves: it is only used with the
 * interpreter's lock (in free-threaded builds: in a critical section of the object).
 */
#include "share.h"

#include <errno.h>
#include <string.h>
#include <time.h>

/* ---- decoding --------------------------------------------------------------------------------- */

static bool is_json(uint32_t tag)
{
    return tag == 0 || tag == SEQSHARE_TAG_JSON || tag == SEQSHARE_TAG("perl.JSON");
}

static PyObject *decode_value(Share *self, const char *bytes, size_t length, uint32_t tag)
{
    char why[160];
    PyObject *value;

    if (self->decodes_in_python || !is_json(tag))
        return PyObject_CallMethod((PyObject *)self, "_decode", "y#I", bytes, (Py_ssize_t)length,
                                   (unsigned)tag);
    value = document_build(bytes, length, why);
    if (!value && why[0])
        PyErr_Format(PyExc_ValueError, "%s", why);
    return value;
}

/*
 * Turn the exception into what the cache knows: an errno value. Where there was no memory or too deep a stack, the
 * value is tried again. KeyboardInterrupt and the like go on later: the value is not at fault.
 */
static int note_exception(Share *self, uint64_t version)
{
    PyObject *text;

    if (!PyErr_ExceptionMatches(PyExc_Exception)) {
        PyErr_Fetch(&self->raised[0], &self->raised[1], &self->raised[2]);
        return ENOMEM;
    }
    if (PyErr_ExceptionMatches(PyExc_MemoryError) || PyErr_ExceptionMatches(PyExc_RecursionError)) {
        PyErr_Clear();
        return ENOMEM;
    }
    PyErr_Fetch(&self->raised[0], &self->raised[1], &self->raised[2]);
    PyErr_NormalizeException(&self->raised[0], &self->raised[1], &self->raised[2]);
    text = PyObject_Str(self->raised[1]);
    Py_XDECREF(self->trouble);
    self->trouble =
        text ? PyUnicode_FromFormat("version %llu is not used: %U", (unsigned long long)version, text) : NULL;
    Py_XDECREF(text);
    Py_XDECREF(self->reason);
    self->reason = self->trouble;
    Py_XINCREF(self->reason);
    PyErr_Clear(); /* of these two; a lost report is better than a lost document */
    Py_CLEAR(self->raised[0]);
    Py_CLEAR(self->raised[1]);
    Py_CLEAR(self->raised[2]);
    return EBADMSG;
}

static void *decode(void *bytes, size_t length, uint64_t version, void *context)
{
    Share *self = context;
    const struct seqshare_head *head = self->reader->head;
    const uint32_t tag = seqshare_read_tag(head, self->reader->mask, version);
    PyObject *object;

    /* The copy is of that version; is the tag? If not, there is a newer version already, which is tried next. */
    if (!seqshare_read_accept(head, self->reader->mask, version)) {
        errno = EAGAIN;
        return NULL;
    }
    object = decode_value(self, bytes, length, tag);
    if (!object)
        errno = note_exception(self, version);
    return object;
}

static void destroy(void *object)
{
    Py_DECREF((PyObject *)object);
}

int share_begin_reading(Share *self)
{
    return seqshare_cache_new(&self->cache, self->reader, decode, destroy, self);
}

void share_end_reading(Share *self)
{
    seqshare_cache *cache = self->cache;

    self->cache = NULL;
    seqshare_cache_close(cache);
    Py_CLEAR(self->trouble);
    Py_CLEAR(self->reason);
    mapping_drop(self->peeked);
    self->peeked = NULL;
}

uint64_t share_moves(const Share *self)
{
    struct seqshare_cache_stat stat = {.moved = 0};

    seqshare_cache_stat(self->cache, &stat);
    return stat.moved;
}

/* ---- one thread at a time in the cache ---------------------------------------------------------- */

/* A child of fork has lost the thread that was inside, unless that one forked: then it is this thread. */
bool share_is_inside(const Share *self)
{
    const struct thread *inside = &self->inside;

    return inside->number != 0 && (is_of_this_process(inside) || inside->number == this_thread().number);
}

static void leave(Share *self)
{
    self->inside.number = 0;
    if (self->is_closed) /* by another thread, meanwhile */
        share_let_go(self);
}

/* ---- the name --------------------------------------------------------------------------------- */

/* Why the name cannot be followed, once a minute. A name that is gone may come back, and is not reported. */
static void note_follow_error(Share *self)
{
    struct seqshare_cache_stat stat;
    const int64_t now = coarse_time();

    if (seqshare_cache_stat(self->cache, &stat) != 0 || stat.follow_error == 0 ||
        stat.follow_error == -ENOENT || now < self->next_word || self->trouble)
        return;
    self->next_word = now + 60 * SECOND;
    self->trouble =
        PyUnicode_FromFormat("the name cannot be followed: %s", seqshare_strerror(stat.follow_error));
    if (!self->trouble)
        PyErr_Clear();
}

/* False: an exception that must go on. Trouble is reported outside of the cache, because _report may do anything. */
bool share_tell(Share *self)
{
    PyObject *trouble = self->trouble, *result;

    if (self->raised[0]) {
        PyErr_Restore(self->raised[0], self->raised[1], self->raised[2]);
        memset(self->raised, 0, sizeof self->raised);
        return false;
    }
    if (!trouble)
        return true;
    self->trouble = NULL;
    result = PyObject_CallMethod((PyObject *)self, "_report", "(O)", trouble);
    Py_DECREF(trouble);
    Py_XDECREF(result);
    return result != NULL;
}

int share_look(Share *self)
{
    int moved;

    self->inside = this_thread();
    moved = seqshare_cache_look(self->cache);
    leave(self);
    note_follow_error(self);
    return moved;
}

/*
 * Ask the name at once when the region has a new mark, else once a second: for what reads without the cache. More than a
 * second off, `next_look` is of another clock: a child of fork may be in another time namespace.
 */
static bool follow(Share *self)
{
    const uint32_t marks =
        __atomic_load_n(&self->reader->head->retired, __ATOMIC_RELAXED); /* orders nothing */
    int64_t now;

    if (!self->name || share_is_inside(self))
        return true;
    now = coarse_time();
    if (marks == self->marks && now < self->next_look && self->next_look - now <= SECOND)
        return true;
    share_look(self);
    if (!share_is_open(self))
        return false;
    self->marks = __atomic_load_n(&self->reader->head->retired, __ATOMIC_RELAXED);
    self->next_look = now + SECOND;
    return share_tell(self);
}

/* Where the caller reads: where it holds the lock, else where the name leads. NULL: an exception. */
static const seqshare *reading(Share *self)
{
    const struct holder *holder;

    if (!share_is_open(self))
        return NULL;
    holder = share_holder(self);
    if (holder)
        return holder->mapping->share;
    return follow(self) && share_is_open(self) ? self->reader : NULL; /* what follow tells may close it */
}

static PyObject *reopen(Share *self)
{
    int moved;

    if (!share_is_open(self))
        return NULL;
    if (!self->name)
        return share_fail(self, -EINVAL);
    if (share_is_inside(self))
        Py_RETURN_FALSE;
    moved = share_look(self);
    if (!share_tell(self))
        return NULL;
    return moved < 0 ? share_fail(self, moved) : PyBool_FromLong(moved);
}

/* ---- snapshot --------------------------------------------------------------------------------- */

/* The object is a new reference. NULL without an exception: there is none yet. */
static PyObject *current(Share *self)
{
    PyObject *object;
    uint32_t calls;

    if (share_is_inside(self)) { /* another thread, or a decoder that asks for itself */
        object = self->cache->object;
        Py_XINCREF(object);
        return object;
    }
    calls = self->cache->calls;
    self->inside = this_thread();
    object = (PyObject *)(uintptr_t)seqshare_cache_get(self->cache);
    Py_XINCREF(object);
    leave(self);
    if (self->cache && self->cache->calls > calls)
        note_follow_error(self); /* the clock was asked */
    if ((self->trouble || self->raised[0]) && !share_tell(self))
        Py_CLEAR(object);
    return object;
}

static PyObject *no_snapshot(Share *self)
{
    struct seqshare_cache_stat stat;

    if (PyErr_Occurred() || !share_is_open(self))
        return NULL;
    if (seqshare_version(self->reader) == 0)
        return share_fail(self, -ENODATA);
    seqshare_cache_stat(self->cache, &stat);
    if (stat.failed_error == -EBADMSG && self->reason) {
        PyErr_SetObject(PyExc_ValueError, self->reason);
        return NULL;
    }
    return share_fail(self, stat.failed_error ? stat.failed_error : -EBADMSG);
}

static PyObject *snapshot(Share *self, int mutable)
{
    PyObject *object, *copy;

    if (!share_is_open(self))
        return NULL;
    object = current(self);
    if (!object)
        return no_snapshot(self);
    if (!mutable)
        return object;
    copy = PyObject_CallMethod((PyObject *)self, "_copy", "(O)", object);
    Py_DECREF(object);
    return copy;
}

PyObject *share_snapshot(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *words[] = {"mutable", NULL};
    PyObject *result;
    int mutable = 0;

    if ((kwargs || PyTuple_Size(args) > 0) &&
        !PyArg_ParseTupleAndKeywords(args, kwargs, "|p:snapshot", words, &mutable))
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(self);
    result = snapshot((Share *)self, mutable);
    Py_END_CRITICAL_SECTION();
    return result;
}

/* ---- bytes ------------------------------------------------------------------------------------ */

static PyObject *get(Share *self)
{
    const seqshare *share = reading(self);
    char small[4096];
    void *bytes;
    ssize_t length;
    PyObject *result;

    if (!share)
        return NULL;
    length = seqshare_get(share, small, sizeof small, NULL);
    if (length >= 0)
        return PyBytes_FromStringAndSize(small, length);
    if (length == -ENOBUFS)
        length = seqshare_get_alloc(share, &bytes, NULL);
    if (length < 0)
        return share_fail(self, (int)length);
    result = PyBytes_FromStringAndSize(bytes, length);
    free(bytes);
    return result;
}

static PyObject *read_all(Share *self)
{
    const seqshare *share = reading(self);
    struct seqshare_reading found = {.bytes = NULL};
    PyObject *result;
    int error;

    if (!share)
        return NULL;
    error = seqshare_read(share, &found);
    if (error < 0)
        return share_fail(self, error);
    result = Py_BuildValue("y#KILi", (const char *)found.bytes, (Py_ssize_t)found.length,
                           (unsigned long long)found.version, (unsigned)found.tag, (long long)found.published,
                           (int)found.writer);
    free(found.bytes);
    return result;
}

/* A view needs a mapping that stays while Python has memory of it: one for all views of a region. */
static int make_peeked(Share *self)
{
    const uint64_t moves = share_moves(self);
    seqshare *share;
    int error;

    if (self->peeked && self->peeked_moves == moves)
        return 0;
    mapping_drop(self->peeked);
    self->peeked = NULL;
    error = seqshare_reader(&share, self->reader);
    if (error < 0)
        return error;
    self->peeked = mapping_new(share);
    self->peeked_moves = moves;
    return self->peeked ? 0 : -ENOMEM;
}

/* Each memoryview refers to the View of which it was made, and that has the mapping. */
typedef struct {
    PyObject_HEAD struct mapping *mapping;
    seqshare_view view;
} View;

static void view_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);

    mapping_drop(((View *)object)->mapping);
    release(object);
    Py_DECREF(type);
}

static int view_getbuffer(PyObject *object, Py_buffer *buffer, int flags)
{
    const View *view = (View *)object;

    if (!view->mapping) {
        PyErr_SetString(PyExc_BufferError, "a view is made by peek");
        return -1;
    }
    return PyBuffer_FillInfo(buffer, object, (void *)(uintptr_t)view->view.data,
                             (Py_ssize_t)view->view.length, 1, flags);
}

PyObject *view_type(void)
{
    static PyType_Slot slots[] = {{Py_tp_doc, "A value where it lies, which its memoryviews keep mapped."},
                                  {Py_tp_dealloc, (void *)view_dealloc},
                                  {Py_bf_getbuffer, (void *)view_getbuffer},
                                  {0, NULL}};
    static PyType_Spec spec = {"seqshare._seqshare.View", sizeof(View), 0, Py_TPFLAGS_DEFAULT, slots};

    return PyType_FromSpec(&spec);
}

static PyObject *new_view(Share *self)
{
    PyObject *type = PyObject_GetAttrString((PyObject *)self, "_View"), *view;
    int error;

    if (!type)
        return NULL;
    view = PyType_GenericAlloc((PyTypeObject *)type, 0);
    Py_DECREF(type);
    if (!view)
        return NULL;
    ((View *)view)->mapping = mapping_use(self->peeked);
    error = seqshare_peek(self->peeked->share, &((View *)view)->view);
    if (error == 0)
        return view;
    Py_DECREF(view);
    return share_fail(self, error);
}

/* Where there is no descriptor, so no second mapping, a copy is as right, and slower. */
static PyObject *peek(Share *self)
{
    int error;

    if (!share_is_open(self) || !follow(self) || !share_is_open(self))
        return NULL;
    error = make_peeked(self);
    if (error == -EOPNOTSUPP)
        return get(self);
    return error < 0 ? share_fail(self, error) : new_view(self);
}

PyObject *share_valid(PyObject *self, PyObject *object)
{
    PyObject *type;
    bool is_view;

    if (PyBytes_Check(object))
        Py_RETURN_TRUE;
    type = PyObject_GetAttrString(self, "_View");
    if (!type)
        return NULL;
    is_view = (PyObject *)Py_TYPE(object) == type && ((View *)object)->mapping;
    Py_DECREF(type);
    if (!is_view)
        return PyErr_Format(PyExc_TypeError, "expected what _peek returned");
    return PyBool_FromLong(seqshare_valid(((View *)object)->mapping->share, &((View *)object)->view));
}

/* ---- facts ------------------------------------------------------------------------------------ */

static PyObject *version(Share *self)
{
    const seqshare *share = reading(self);

    return share ? PyLong_FromUnsignedLongLong(seqshare_version(share)) : NULL;
}

static PyObject *moved(Share *self)
{
    return share_is_open(self) ? PyLong_FromUnsignedLongLong(share_moves(self)) : NULL;
}

static PyObject *age(Share *self)
{
    PyObject *object = share_is_open(self) ? current(self) : NULL;
    int64_t ns;

    if (!object)
        return no_snapshot(self);
    Py_DECREF(object);
    if (!share_is_open(self))
        return NULL;
    ns = seqshare_cache_age(self->cache);
    return ns == -ENODATA ? share_fail(self, -ENODATA) : PyFloat_FromDouble((double)ns / (double)SECOND);
}

static PyObject *stat_dict(Share *self)
{
    const seqshare *share = reading(self);
    struct seqshare_cache_stat cache;
    struct seqshare_stat stat;
    int error;

    if (!share)
        return NULL;
    error = seqshare_stat(share, &stat);
    if (error < 0)
        return share_fail(self, error);
    seqshare_cache_stat(self->cache, &cache);
    return Py_BuildValue(
        "{sK sK sK sK sL sL sK sy# sI sI si si sN sN sN sN si sK sK sK sK si si sK}", "version",
        (unsigned long long)stat.version, "length", (unsigned long long)stat.length, "capacity",
        (unsigned long long)stat.capacity, "allocated", (unsigned long long)stat.allocated, "created",
        (long long)stat.created, "published", (long long)stat.published, "retries",
        (unsigned long long)stat.retries, "region_id", (const char *)stat.region_id,
        (Py_ssize_t)sizeof stat.region_id, "tag", (unsigned)stat.tag, "slots", (unsigned)stat.slots, "writer",
        (int)stat.writer, "owner", (int)stat.owner, "owner_alive", PyBool_FromLong(stat.owner_alive),
        "retired", PyBool_FromLong(stat.retired), "replaced", PyBool_FromLong(stat.replaced), "unlinked",
        PyBool_FromLong(stat.unlinked), "foreign", (int)stat.foreign, "snapshot_version",
        (unsigned long long)cache.version, "decoded", (unsigned long long)cache.decoded, "failed",
        (unsigned long long)cache.failed, "failed_version", (unsigned long long)cache.failed_version,
        "failed_error", (int)-cache.failed_error, "follow_error", (int)-cache.follow_error, "moved",
        (unsigned long long)cache.moved);
}

/* ---- as methods ------------------------------------------------------------------------------- */

GUARDED(, share_get, get, PyObject *)
GUARDED(, share_read, read_all, PyObject *)
GUARDED(, share_peek, peek, PyObject *)
GUARDED(, share_age, age, PyObject *)
GUARDED(, share_stat, stat_dict, PyObject *)
GUARDED(, share_reopen, reopen, PyObject *)
GUARDED(, share_moved, moved, PyObject *)
GUARDED(, share_version, version, void *)
