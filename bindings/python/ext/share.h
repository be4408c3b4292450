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

#ifndef Py_BEGIN_CRITICAL_SECTION /* only builds without the interpreter's lock need it */
#define Py_BEGIN_CRITICAL_SECTION(object) {
#define Py_END_CRITICAL_SECTION()         }
#endif

/* The limited API names these since 3.11. CPython has had them, just so, since 3.9. */
#if defined(Py_LIMITED_API) && Py_LIMITED_API + 0 < 0x030B0000
typedef struct {
    void *buf;
    PyObject *obj;
    Py_ssize_t len, itemsize;
    int readonly, ndim;
    char *format;
    Py_ssize_t *shape, *strides, *suboffsets;
    void *internal;
} Py_buffer;

PyAPI_FUNC(int) PyBuffer_FillInfo(Py_buffer *view, PyObject *object, void *bytes, Py_ssize_t length,
                                  int readonly, int flags);
#ifndef Py_bf_getbuffer
#define Py_bf_getbuffer 1
#endif
#endif

/* A method, or a member, of a function that takes the share alone. */
#define GUARDED(scope, method, function, second)                                                             \
    scope PyObject *method(PyObject *self, second unused)                                                    \
    {                                                                                                        \
        PyObject *result;                                                                                    \
                                                                                                             \
        (void)unused;                                                                                        \
        Py_BEGIN_CRITICAL_SECTION(self);                                                                     \
        result = function((Share *)self);                                                                    \
        Py_END_CRITICAL_SECTION();                                                                           \
        return result;                                                                                       \
    }

/* A handle of a region, which threads use without the interpreter's lock. */
struct mapping {
    seqshare *share;
    int users; /* atomic: the object's own reference counts, too */
};

/* A thread, by a number that no other gets when it has ended. The one that forks keeps it in the child. */
struct thread {
    unsigned long number; /* 0: none */
    unsigned long
        forks; /* that lead from the program's begin to this process: no system call, as getpid is one */
};

/* A thread that has the writer lock, and through which mapping it took it. */
struct holder {
    struct thread thread;
    struct mapping *mapping;
    struct holder *next;
};

/* A handle to wait on. */
struct waiter {
    seqshare *share;
    uint64_t moves; /* of the reader, when this one was opened */
    bool has_moved; /* by itself, meanwhile */
    struct waiter *next;
};

typedef struct {
    PyObject_HEAD char *name; /* NULL: anonymous, or attached */
    int access;               /* of seqshare_open: READ or WRITE, and ANY_OWNER */
    bool decodes_in_python;   /* ask _decode for every value, and not only for those that are not JSON */
    bool is_closed;
    seqshare *reader;
    seqshare_cache *cache; /* over `reader`, and moves it */
    struct thread inside;  /* of the cache: the others take the last good object */
    PyObject *trouble;     /* a sentence for _report; NULL: none */
    PyObject *reason;      /* the last of them, for those who have no good document; NULL: there was none */
    PyObject *raised[3];   /* what a decoder raised that is no Exception (KeyboardInterrupt), to go on with */
    uint32_t marks;        /* as of the last look at the name by follow */
    int64_t next_look;     /* CLOCK_MONOTONIC_COARSE, ns */
    int64_t next_word;     /* of trouble with the name: once a minute */
    struct mapping *writer; /* NULL: read-only */
    struct mapping *peeked; /* NULL: made when asked for */
    uint64_t peeked_moves;  /* of the reader, when that was made */
    struct holder *holders;
    struct thread asking; /* the first of the threads that wait for the lock now, */
    unsigned asked;       /* and how many they are */
    struct waiter *idle;  /* no thread waits on these now */
} Share;

static const int64_t SECOND = 1000000000;
static const int64_t SLICE = 100000000; /* how long a wait keeps Ctrl-C waiting */

/* An exception for what the library returned; NULL. */
PyObject *share_fail(Share *self, int error);

/* False, with an exception: the share is closed. */
bool share_is_open(Share *self);

/* Let go of all but the locks that threads hold. */
void share_let_go(Share *self);

bool is_of_this_process(const struct thread *thread);
struct thread this_thread(void);
bool is_this_thread(const struct thread *thread);

/* Converters for PyArg_ParseTuple, which has none that refuses what is too large. */
int to_uint32(PyObject *number, void *result);
int to_uint64(PyObject *number, void *result);

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
PyObject *share_moved(PyObject *self, PyObject *unused);
PyObject *share_age(PyObject *self, PyObject *unused);
PyObject *share_stat(PyObject *self, PyObject *unused);
PyObject *share_peek(PyObject *self, PyObject *unused);
PyObject *share_valid(PyObject *self, PyObject *view);
PyObject *view_type(void); /* a new type, of what _peek returns */
PyObject *share_reopen(PyObject *self, PyObject *unused);
int share_begin_reading(Share *self);
bool share_is_inside(const Share *self); /* of the cache: this thread or another */
int share_look(
    Share *self); /* where the name leads now: 1: the reader has moved there; or a negative errno value */
bool share_tell(Share *self);            /* of trouble; false: an exception that must go on */
uint64_t share_moves(const Share *self); /* how often the reader moved */
void share_end_reading(Share *self);

/* ---- write.c ---- */
PyObject *share_set_bytes(PyObject *self, PyObject *args);
PyObject *share_set_bytes_if(PyObject *self, PyObject *args);
PyObject *share_lock(PyObject *self, PyObject *args);
PyObject *share_unlock(PyObject *self, PyObject *unused);
PyObject *share_drop_write(PyObject *self, PyObject *unused);
struct holder *share_holder(const Share *self); /* this thread; NULL: it has no lock */
void share_end_writing(Share *self);
void share_end_locks(Share *self);

/* ---- wait.c ---- */
PyObject *share_wait(PyObject *self, PyObject *args);
void share_end_waiting(Share *self);

#endif
