/* SPDX-License-Identifier: MIT */
/* The module seqshare._seqshare: the type Share, and functions that need no share. */
#include "share.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "json/grammar.h"

/* ---- helpers of all files --------------------------------------------------------------------- */

PyObject *share_fail(Share *self, int error)
{
    PyObject *exception = PyObject_CallMethod((PyObject *)self, "_error", "i", -error);

    if (exception) {
        PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
        Py_DECREF(exception);
    }
    return NULL;
}

bool share_is_open(Share *self)
{
    if (self->cache && !self->is_closed)
        return true;
    PyErr_SetString(PyExc_ValueError, "the share is closed");
    return false;
}

static unsigned long forks;
static int forks_error;

static void in_child(void)
{
    forks++;
}

static void begin_to_count(void)
{
    forks_error = -pthread_atfork(NULL, NULL, in_child);
}

static int count_forks(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, begin_to_count);
    return forks_error;
}

bool is_of_this_process(const struct thread *thread)
{
    return thread->forks == forks;
}

struct thread this_thread(void)
{
    static unsigned long last;
    static _Thread_local unsigned long mine;

    if (mine == 0)
        mine = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED); /* a number, and no more: it orders nothing */
    return (struct thread){mine, forks};
}

bool is_this_thread(const struct thread *thread)
{
    const struct thread me = this_thread();

    return thread->number == me.number && thread->forks == me.forks;
}

int to_uint64(PyObject *number, void *result)
{
    PyObject *integer = PyNumber_Index(number);
    unsigned long long value = integer ? PyLong_AsUnsignedLongLong(integer) : 0;

    Py_XDECREF(integer);
    if (PyErr_Occurred())
        return 0;
    *(uint64_t *)result = value;
    return 1;
}

int to_uint32(PyObject *number, void *result)
{
    uint64_t value;

    if (!to_uint64(number, &value))
        return 0;
    if (value > UINT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "the number has more than 32 bits");
        return 0;
    }
    *(uint32_t *)result = (uint32_t)value;
    return 1;
}

int64_t coarse_time(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

/* ---- making and closing ----------------------------------------------------------------------- */

static const struct seqshare_reading *first_value(struct seqshare_reading *first, const char *bytes,
                                                  Py_ssize_t length, unsigned tag)
{
    *first =
        (struct seqshare_reading){.bytes = (void *)(uintptr_t)bytes, .length = (size_t)length, .tag = tag};
    return bytes ? first : NULL;
}

/* A name is opened for writing if that was asked for, or, where the caller leaves it open, if it is allowed. */
static int open_named(Share *self, int wanted, seqshare **share)
{
    const int trust = self->access & SEQSHARE_ANY_OWNER;
    int error = -EACCES;

    if (wanted != SEQSHARE_READ)
        error = seqshare_open(share, self->name, SEQSHARE_WRITE | trust);
    if (error == 0) {
        self->access = SEQSHARE_WRITE | trust;
    } else if (wanted == SEQSHARE_READ ||
               (wanted == 0 && (error == -EACCES || error == -EROFS || error == -EPERM))) {
        error = seqshare_open(share, self->name, SEQSHARE_READ | trust);
        self->access = SEQSHARE_READ | trust;
    }
    return error;
}

static int attach(Share *self, int fd, int wanted, seqshare **share)
{
    const int trust = self->access & SEQSHARE_ANY_OWNER;
    int error = -EACCES;

    if (wanted != SEQSHARE_READ)
        error = seqshare_attach(share, fd, SEQSHARE_WRITE | trust);
    if (error == 0) {
        self->access = SEQSHARE_WRITE | trust;
    } else if (wanted == SEQSHARE_READ || (wanted == 0 && error == -EACCES)) {
        error = seqshare_attach(share, fd, SEQSHARE_READ | trust);
        self->access = SEQSHARE_READ | trust;
    }
    return error;
}

/* The handle that is read: a second one, so that it can move without disturbing writers. */
static int make_reader(Share *self, seqshare *share)
{
    const int trust = self->access & SEQSHARE_ANY_OWNER;
    int error;

    if ((self->access & SEQSHARE_WRITE) == 0) {
        self->reader = share;
        return 0;
    }
    self->writer = mapping_new(share);
    if (!self->writer)
        return -ENOMEM;
    if (self->name)
        return seqshare_open(&self->reader, self->name, SEQSHARE_READ | trust);
    error = seqshare_reader(&self->reader, share);
    if (error == -EOPNOTSUPP) { /* there is no descriptor here: this handle never moves */
        self->reader = share;
        error = 0;
    }
    return error;
}

/*
 * _set_up(how, name, wanted, any_owner, in_python, capacity, slots, mode, flags, value, tag, fd): how is "open",
 * "new", "create", "replace" or "attach"; wanted 0: for writing if that is allowed.
 */
static PyObject *share_set_up(PyObject *object, PyObject *args)
{
    Share *self = (Share *)object;
    const char *how, *value;
    char *name = NULL;
    PyObject *path;
    int wanted, any_owner, in_python, flags, fd, error;
    uint32_t slots, mode, tag;
    Py_ssize_t length, capacity;
    struct seqshare_reading first;
    seqshare *share = NULL;

    if (!PyArg_ParseTuple(args, "sOippnO&O&iz#O&i", &how, &path, &wanted, &any_owner, &in_python, &capacity,
                          to_uint32, &slots, to_uint32, &mode, &flags, &value, &length, to_uint32, &tag, &fd))
        return NULL;
    if (path != Py_None && PyBytes_AsStringAndSize(path, &name, NULL) != 0)
        return NULL;
    if (self->reader || self->name || self->is_closed) {
        PyErr_SetString(PyExc_ValueError, "the share is open already, or closed");
        return NULL;
    }
    if (capacity < 0)
        return share_fail(self, -EINVAL);
    self->name = name ? strdup(name) : NULL;
    self->access = SEQSHARE_WRITE | (any_owner ? SEQSHARE_ANY_OWNER : 0);
    self->decodes_in_python = in_python;
    if (name && !self->name)
        return PyErr_NoMemory();
    Py_BEGIN_ALLOW_THREADS if (strcmp(how, "open") == 0) error = open_named(self, wanted, &share);
    else if (strcmp(how, "attach") == 0) error = attach(self, fd, wanted, &share);
    else if (strcmp(how, "new") == 0) error = seqshare_new_slots(&share, (size_t)capacity, slots);
    else if (strcmp(how, "create") == 0) error =
        seqshare_create_with(&share, name, (size_t)capacity, mode, first_value(&first, value, length, tag));
    else error = seqshare_replace_with(&share, name, (size_t)capacity, mode,
                                       first_value(&first, value, length, tag), flags);
    Py_END_ALLOW_THREADS if (error == 0) error = make_reader(self, share);
    if (error == 0)
        error = share_begin_reading(self);
    if (error < 0)
        return share_fail(self, error);
    Py_RETURN_NONE;
}

/* The end of an object in the cache may run Python's code, which finds nothing here any more. */
void share_let_go(Share *self)
{
    seqshare *reader = self->reader;

    self->is_closed = true;
    self->reader = NULL;
    if (reader && self->writer && reader == self->writer->share)
        reader = NULL; /* the mapping's */
    share_end_writing(self);
    share_end_waiting(self);
    share_end_reading(self);
    seqshare_close(reader);
}

/* If another thread decodes at this moment, it lets go when it is done. */
static PyObject *close_now(Share *self)
{
    if (self->inside.number && is_this_thread(&self->inside)) {
        PyErr_SetString(PyExc_ValueError, "the share is being read: it cannot be closed inside of a decoder");
        return NULL;
    }
    self->is_closed = true;
    if (!share_is_inside(self))
        share_let_go(self);
    Py_RETURN_NONE;
}

static void share_dealloc(PyObject *object)
{
    Share *self = (Share *)object;
    PyTypeObject *type = Py_TYPE(object);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);

    share_let_go(self);
    share_end_locks(self);
    free(self->name);
    release(object);
    Py_DECREF(type);
}

static PyObject *descriptor(Share *self, int writable)
{
    int fd;

    if (!share_is_open(self))
        return NULL;
    if (writable && !self->writer)
        return share_fail(self, -EROFS);
    fd =
        seqshare_fd(writable ? self->writer->share : self->reader, writable ? SEQSHARE_WRITE : SEQSHARE_READ);
    return fd < 0 ? share_fail(self, fd) : PyLong_FromLong(fd);
}

static PyObject *share_fileno(PyObject *self, PyObject *args)
{
    int writable = 0;
    PyObject *result;

    if (!PyArg_ParseTuple(args, "|p", &writable))
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(self);
    result = descriptor((Share *)self, writable);
    Py_END_CRITICAL_SECTION();
    return result;
}

static PyObject *prefault(Share *self)
{
    int error;

    if (!share_is_open(self))
        return NULL;
    error = seqshare_prefault(self->reader);
    if (error < 0)
        return share_fail(self, error);
    Py_RETURN_NONE;
}

static PyObject *capacity(Share *self)
{
    return share_is_open(self) ? PyLong_FromSize_t(seqshare_capacity(self->reader)) : NULL;
}

GUARDED(static, share_close, close_now, PyObject *)
GUARDED(static, share_prefault, prefault, PyObject *)
GUARDED(static, share_capacity, capacity, void *)

static PyObject *share_name(PyObject *object, void *unused)
{
    const char *name = ((Share *)object)->name;

    (void)unused;
    if (name)
        return PyUnicode_DecodeFSDefault(name);
    Py_RETURN_NONE;
}

static PyObject *share_writable(PyObject *object, void *unused)
{
    const Share *self = (Share *)object;

    (void)unused;
    return PyBool_FromLong(self->writer && (self->access & SEQSHARE_WRITE));
}

static PyObject *share_closed(PyObject *object, void *unused)
{
    (void)unused;
    return PyBool_FromLong(((Share *)object)->is_closed);
}

static PyMethodDef share_methods[] = {
    {"_set_up", share_set_up, METH_VARARGS, "Open, make or attach: for the class in Python."},
    {"snapshot", (PyCFunction)(void (*)(void))share_snapshot, METH_VARARGS | METH_KEYWORDS,
     "snapshot($self, mutable=False)\n--\n\n"
     "The document: decoded once per version and process, and read-only all the way down.\n\n"
     "While nothing has changed, that costs some ten nanoseconds. While the newest value cannot be\n"
     "decoded, the last good document is returned. With mutable=True: a fresh copy of dicts and lists."},
    {"get", share_get, METH_NOARGS, "get($self)\n--\n\nThe bytes of the newest value."},
    {"_read", share_read, METH_NOARGS, "(bytes, version, tag, published, writer) of one read."},
    {"_age", share_age, METH_NOARGS, "Seconds since the version was published that snapshot() shows."},
    {"_stat", share_stat, METH_NOARGS, "What the library and the cache say, as a dict."},
    {"_peek", share_peek, METH_NOARGS,
     "The newest value where it lies: a View; or bytes, without a descriptor."},
    {"_moves", share_moved, METH_NOARGS, "How often the share has moved to another region."},
    {"_valid", share_valid, METH_O, "Was all that has been read of what _peek returned part of its version?"},
    {"reopen", share_reopen, METH_NOARGS,
     "reopen($self)\n--\n\nLook at once where the share's name leads. True if the share moved there.\n\n"
     "Reading looks by itself, at most a second later."},
    {"_set_bytes", share_set_bytes, METH_VARARGS, "_set_bytes(bytes, tag)"},
    {"_set_bytes_if", share_set_bytes_if, METH_VARARGS,
     "_set_bytes_if(version, bytes, tag): (0 or an errno value, the newest version)"},
    {"_lock", share_lock, METH_VARARGS,
     "_lock(nanoseconds): 1 if it was taken over from a dead owner, else 0"},
    {"_unlock", share_unlock, METH_NOARGS, "Give the lock back."},
    {"_wait", share_wait, METH_VARARGS,
     "_wait(seen, nanoseconds): the version, or None when the time is over"},
    {"drop_write", share_drop_write, METH_NOARGS,
     "drop_write($self)\n--\n\nGive up writing through this share, for good: for a worker, after the fork.\n"
     "EBUSY: a thread of this process has the lock, or waits for it."},
    {"fileno", share_fileno, METH_VARARGS,
     "fileno($self, writable=False)\n--\n\nA new descriptor of the region, the caller's to close."},
    {"prefault", share_prefault, METH_NOARGS, "prefault($self)\n--\n\nMap the current value now."},
    {"close", share_close, METH_NOARGS,
     "close($self)\n--\n\nLet go of the share. Nothing is removed; closing twice is fine."},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef share_members[] = {
    {"version", share_version, NULL, "The newest version; 0 while nothing has been published.", NULL},
    {"capacity", share_capacity, NULL, "The most bytes that a value may have.", NULL},
    {"name", share_name, NULL, "Name or path; None: anonymous, or attached.", NULL},
    {"writable", share_writable, NULL, "May this process write through this share?", NULL},
    {"closed", share_closed, NULL, "Has close been called?", NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot share_slots[] = {{Py_tp_doc, "What seqshare.Share is made of."},
                                    {Py_tp_dealloc, (void *)share_dealloc},
                                    {Py_tp_methods, share_methods},
                                    {Py_tp_getset, share_members},
                                    {0, NULL}};

static PyType_Spec share_spec = {"seqshare._seqshare.Share", sizeof(Share), 0,
                                 Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, share_slots};

/* ---- functions -------------------------------------------------------------------------------- */

static PyObject *module_strerror(PyObject *module, PyObject *args)
{
    int error;

    (void)module;
    return PyArg_ParseTuple(args, "i", &error) ? PyUnicode_FromString(seqshare_strerror(-error)) : NULL;
}

static PyObject *module_check(PyObject *module, PyObject *args)
{
    char why[JSON_WHY_SIZE];
    const char *text;
    Py_ssize_t length;

    (void)module;
    if (!PyArg_ParseTuple(args, "y#", &text, &length))
        return NULL;
    if (grammar_walk(text, (size_t)length, NULL, NULL, why) == 0)
        Py_RETURN_NONE;
    return PyUnicode_DecodeUTF8(why, (Py_ssize_t)strlen(why), "replace");
}

static PyObject *module_decode(PyObject *module, PyObject *args)
{
    char why[JSON_WHY_SIZE];
    const char *text;
    Py_ssize_t length;
    PyObject *value;

    (void)module;
    if (!PyArg_ParseTuple(args, "y#", &text, &length))
        return NULL;
    value = document_build(text, (size_t)length, why);
    if (!value && why[0])
        PyErr_SetString(PyExc_ValueError, why);
    return value;
}

static PyObject *module_thaw(PyObject *module, PyObject *value)
{
    (void)module;
    return document_thaw(value);
}

static PyObject *module_tag(PyObject *module, PyObject *args)
{
    const char *name;
    Py_ssize_t length, size;

    (void)module;
    if (!PyArg_ParseTuple(args, "s#n", &name, &length, &size))
        return NULL;
    return PyLong_FromUnsignedLong(seqshare_tag(name, (size_t)length, (size_t)size));
}

static PyObject *module_unlink(PyObject *module, PyObject *args)
{
    PyObject *path;
    char *name;
    int error;

    (void)module;
    if (!PyArg_ParseTuple(args, "O", &path) || PyBytes_AsStringAndSize(path, &name, NULL) != 0)
        return NULL;
    Py_BEGIN_ALLOW_THREADS error = seqshare_unlink(name);
    Py_END_ALLOW_THREADS return PyLong_FromLong(-error);
}

static PyMethodDef module_methods[] = {
    {"strerror", module_strerror, METH_VARARGS, "The library's sentence for an errno value."},
    {"check_json", module_check, METH_VARARGS, "None, or what is wrong with a JSON document."},
    {"decode_json", module_decode, METH_VARARGS, "A JSON document as read-only objects."},
    {"thaw", module_thaw, METH_O, "A copy of such objects, of dicts and lists."},
    {"tag", module_tag, METH_VARARGS, "The tag of a type: of its name and size."},
    {"unlink", module_unlink, METH_VARARGS, "0, or an errno value."},
    {NULL, NULL, 0, NULL}};

static int add_type(PyObject *module, const char *name, PyObject *type)
{
    int failed = type ? PyModule_AddObject(module, name, type) : -1; /* takes it, unless it fails */

    if (type && failed)
        Py_DECREF(type);
    return failed;
}

static int module_exec(PyObject *module)
{
    if (count_forks() < 0) {
        PyErr_NoMemory();
        return -1;
    }
    return add_type(module, "Share", PyType_FromSpec(&share_spec)) || add_type(module, "View", view_type())
               ? -1
               : 0;
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, (void *)module_exec},
#ifdef Py_GIL_DISABLED
                                          {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
                                          {0, NULL}};

static struct PyModuleDef module_definition = {PyModuleDef_HEAD_INIT,
                                               "_seqshare",
                                               "The C half of seqshare.",
                                               0,
                                               module_methods,
                                               module_slots,
                                               NULL,
                                               NULL,
                                               NULL};

PyMODINIT_FUNC PyInit__seqshare(void)
{
    return PyModuleDef_Init(&module_definition);
}
