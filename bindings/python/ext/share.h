/* SPDX-License-Identifier: MIT */
/*
 * What the files of the extension share: the type of which Python's class seqshare.Share is made.
 *
 * The extension knows the limited API of CPython 3.9, but for free-threaded builds, which have none. So one type does
 * it all, and what needs no speed is Python (src/seqshare). The type asks its subclass by name: `_error` makes an
 * exception, `_decode` an object of a value, `_report` tells of trouble in the background.
 *
 * A call of the C library without the interpreter's lock must not meet a handle that another thread moves or closes.
 * So the handle that is read is only used with the interpreter's lock (or, without that, in a critical section of the
 * object), and each other one is a counted mapping, which is never moved: a newer one takes its place.
 */
#ifndef SEQSHARE_PYTHON_SHARE_H
#define SEQSHARE_PYTHON_SHARE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <seqshare/cache.h>
#include <stdbool.h>
#include <sys/types.h>

#ifndef Py_BEGIN_CRITICAL_SECTION /* only builds without the interpreter's lock need it */
#define Py_BEGIN_CRITICAL_SECTION(object) {
#define Py_END_CRITICAL_SECTION()         }
#endif

/* A handle of a region, which threads use without the interpreter's lock. */
struct mapping {
    seqshare *share;
    int users; /* atomic: the object's own reference counts, too */
};

/* A thread of this process that has the writer lock, and through which mapping it took it. */
struct holder {
    unsigned long thread;
    pid_t process;
    struct mapping *mapping;
    struct holder *next;
};

/* A handle to wait on, that no thread waits on now. */
struct waiter {
    seqshare *share;
    struct waiter *next;
};

typedef struct {
    PyObject_HEAD char *name; /* NULL: anonymous, or attached */
    int access;               /* of seqshare_open: READ or WRITE, and ANY_OWNER */
    bool decodes_in_python;   /* ask _decode for every value, and not only for those that are not JSON */
    bool is_closed;
    seqshare *reader;
    seqshare_cache *cache; /* over `reader`, and moves it */
    bool is_refreshing;    /* some thread is inside of the cache: the others take the last good object */
    PyObject *trouble;     /* a sentence for _report; NULL: none */
    PyObject *reason;      /* the last of them, for those who have no good document; NULL: there was none */
    PyObject *raised[3];   /* what a decoder raised that is no Exception (KeyboardInterrupt), to go on with */
    uint32_t marks;        /* as of the last look at the name by follow */
    int64_t next_look;     /* CLOCK_MONOTONIC_COARSE, ns */
    int64_t next_word;     /* of trouble with the name: once a minute */
    struct mapping *writer; /* NULL: read-only */
    struct mapping *peeked; /* NULL: made when asked for */
    struct holder *holders;
    struct waiter *idle;
} Share;

enum { VIEW_IS_READ_ONLY = 0x100 }; /* PyBUF_READ, which the limited API names since 3.11 */

static const int64_t SECOND = 1000000000;
static const int64_t SLICE = 100000000; /* how long a wait keeps Ctrl-C waiting */

/* An exception for what the library returned; NULL. */
PyObject *share_fail(Share *self, int error);

/* False, with an exception: the share is closed. */
bool share_is_open(Share *self);

int64_t coarse_time(void);

/* ---- mapping.c ---- */
struct mapping *mapping_new(seqshare *share); /* takes `share`; NULL: no memory, and closes it */
struct mapping *mapping_use(struct mapping *mapping);
void mapping_drop(struct mapping *mapping); /* NULL is fine */

/* ---- document.c ---- */

/* A value as read-only Python objects: mappingproxy, tuple, str, int, float, bool, None. NULL: either `why` says what
 * is wrong with the text, or it is "" and an exception is set. */
PyObject *document_build(const char *text, size_t length, char why[160]);

/* A copy of such objects, of plain dicts and lists. */
PyObject *document_thaw(PyObject *value);

/* ---- read.c ---- */
PyObject *share_snapshot(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *share_get(PyObject *self, PyObject *unused);
PyObject *share_read(PyObject *self, PyObject *unused);
PyObject *share_version(PyObject *self, void *unused);
PyObject *share_age(PyObject *self, PyObject *unused);
PyObject *share_stat(PyObject *self, PyObject *unused);
PyObject *share_peek(PyObject *self, PyObject *unused);
PyObject *share_valid(PyObject *self, PyObject *view);
PyObject *share_reopen(PyObject *self, PyObject *unused);
int share_begin_reading(Share *self);
void share_end_reading(Share *self);

/* ---- write.c ---- */
PyObject *share_set_bytes(PyObject *self, PyObject *args);
PyObject *share_set_bytes_if(PyObject *self, PyObject *args);
PyObject *share_lock(PyObject *self, PyObject *args);
PyObject *share_unlock(PyObject *self, PyObject *unused);
PyObject *share_drop_write(PyObject *self, PyObject *unused);
struct holder *share_holder(const Share *self); /* this thread; NULL: it has no lock */
void share_end_writing(Share *self);

/* ---- wait.c ---- */
PyObject *share_wait(PyObject *self, PyObject *args);
void share_end_waiting(Share *self);

#endif
