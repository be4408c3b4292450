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
static bool tell(Share *self)
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

static int look(Share *self)
{
    int moved;

    self->is_refreshing = true;
    moved = seqshare_cache_look(self->cache);
    self->is_refreshing = false;
    if (moved == 1) {
        mapping_drop(self->peeked);
        self->peeked = NULL;
    }
    note_follow_error(self);
    return moved;
}

/* Ask the name at once when the region has a new mark, else once a second: for what reads without the cache. */
static bool follow(Share *self)
{
    const uint32_t marks =
        __atomic_load_n(&self->reader->head->retired, __ATOMIC_RELAXED); /* orders nothing */
    int64_t now;

    if (!self->name || self->is_refreshing)
        return true;
    now = coarse_time();
    if (marks == self->marks && now < self->next_look)
        return true;
    look(self);
    self->marks = __atomic_load_n(&self->reader->head->retired, __ATOMIC_RELAXED);
    self->next_look = now + SECOND;
    return tell(self);
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
    return follow(self) ? self->reader : NULL;
}

static PyObject *reopen(Share *self)
{
    int moved;

    if (!share_is_open(self))
        return NULL;
    if (!self->name)
        return share_fail(self, -EINVAL);
    if (self->is_refreshing)
        Py_RETURN_FALSE;
    moved = look(self);
    if (!tell(self))
        return NULL;
    return moved < 0 ? share_fail(self, moved) : PyBool_FromLong(moved);
}

/* ---- snapshot --------------------------------------------------------------------------------- */

/* The object is a new reference. NULL without an exception: there is none yet. */
static PyObject *current(Share *self)
{
    PyObject *object;
    uint32_t calls;

    if (self->is_refreshing) { /* by another thread, or a decoder that asks for itself */
        object = self->cache->object;
        Py_XINCREF(object);
        return object;
    }
    calls = self->cache->calls;
    self->is_refreshing = true;
    object = (PyObject *)(uintptr_t)seqshare_cache_get(self->cache);
    self->is_refreshing = false;
    Py_XINCREF(object);
    if (self->cache && self->cache->calls > calls)
        note_follow_error(self); /* the clock was asked */
    if ((self->trouble || self->raised[0]) && !tell(self))
        Py_CLEAR(object);
    return object;
}

static PyObject *no_snapshot(Share *self)
{
    struct seqshare_cache_stat stat;

    if (PyErr_Occurred())
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
    seqshare *share;
    int error = seqshare_reader(&share, self->reader);

    if (error < 0)
        return error;
    self->peeked = mapping_new(share);
    return self->peeked ? 0 : -ENOMEM;
}

struct peeked {
    struct mapping *mapping;
    seqshare_view view;
};

static const char VIEW[] = "seqshare.view";

static void forget_view(PyObject *capsule)
{
    struct peeked *peeked = PyCapsule_GetPointer(capsule, VIEW);

    mapping_drop(peeked->mapping);
    free(peeked);
}

static PyObject *new_view(Share *self, struct peeked **result)
{
    struct peeked *peeked = malloc(sizeof *peeked);
    PyObject *token = peeked ? PyCapsule_New(peeked, VIEW, forget_view) : PyErr_NoMemory();

    if (!token) {
        free(peeked);
        return NULL;
    }
    peeked->mapping = mapping_use(self->peeked);
    *result = peeked;
    return token;
}

static PyObject *peek(Share *self)
{
    struct peeked *peeked = NULL;
    PyObject *token, *memory, *result;
    int error = 0;

    if (!share_is_open(self) || !follow(self))
        return NULL;
    if (!self->peeked)
        error = make_peeked(self);
    if (error == -EOPNOTSUPP) { /* no descriptor, so no second mapping: a copy is as right, and slower */
        memory = get(self);
        return memory ? Py_BuildValue("NO", PyMemoryView_FromObject(memory), Py_None) : NULL;
    }
    token = error < 0 ? share_fail(self, error) : new_view(self, &peeked);
    if (!token)
        return NULL;
    error = seqshare_peek(peeked->mapping->share, &peeked->view);
    if (error < 0) {
        Py_DECREF(token);
        return share_fail(self, error);
    }
    memory = PyMemoryView_FromMemory((char *)(uintptr_t)peeked->view.data, (Py_ssize_t)peeked->view.length,
                                     VIEW_IS_READ_ONLY);
    result = memory ? Py_BuildValue("NO", memory, token) : NULL;
    Py_DECREF(token);
    return result;
}

PyObject *share_valid(PyObject *self, PyObject *token)
{
    struct peeked *peeked;

    (void)self;
    if (token == Py_None)
        Py_RETURN_TRUE;
    peeked = PyCapsule_GetPointer(token, VIEW);
    return peeked ? PyBool_FromLong(seqshare_valid(peeked->mapping->share, &peeked->view)) : NULL;
}

/* ---- facts ------------------------------------------------------------------------------------ */

static PyObject *version(Share *self)
{
    const seqshare *share = reading(self);

    return share ? PyLong_FromUnsignedLongLong(seqshare_version(share)) : NULL;
}

static PyObject *age(Share *self)
{
    PyObject *object = share_is_open(self) ? current(self) : NULL;
    int64_t ns;

    if (!object)
        return self->cache ? no_snapshot(self) : NULL;
    Py_DECREF(object);
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

#define GUARDED(method, function, second)                                                                    \
    PyObject *method(PyObject *self, second unused)                                                          \
    {                                                                                                        \
        PyObject *result;                                                                                    \
                                                                                                             \
        (void)unused;                                                                                        \
        Py_BEGIN_CRITICAL_SECTION(self);                                                                     \
        result = function((Share *)self);                                                                    \
        Py_END_CRITICAL_SECTION();                                                                           \
        return result;                                                                                       \
    }

GUARDED(share_get, get, PyObject *)
GUARDED(share_read, read_all, PyObject *)
GUARDED(share_peek, peek, PyObject *)
GUARDED(share_age, age, PyObject *)
GUARDED(share_stat, stat_dict, PyObject *)
GUARDED(share_reopen, reopen, PyObject *)
GUARDED(share_version, version, void *)
