/* SPDX-License-Identifier: MIT */
/*
 * The extension seqshare for PHP: what its files share.
 *
 * From the top down; each file uses only those below it:
 *
 *     seqshare.c    the module, its setting in php.ini, and the functions
 *     share.c       the class Seqshare\Share; write.c and update.c are its half that writes, lock.c the class Seqshare\Lock
 *     served.c      the shares of php.ini: opened when PHP starts, inherited by the workers
 *     follow.c      follows a share: its documents and its name
 *     good.c        the last good document of a share of php.ini, kept for all workers
 *     document.c    a document as PHP values that outlive a request
 *     shape.c       objects that stay objects when a document is changed
 *     encode.c      PHP values as JSON and back
 *     pointer.c     JSON Pointers
 *     log.c         lines of the log about a share: each once, over all workers
 *
 * The way of a document: somebody publishes it in the share. The first worker that notices reads it, checks it, and
 * keeps it in `good`, memory that all workers inherit. Each worker decodes the document in `good`, and nothing else. So
 * they agree, also while the current value of the share cannot be used, and with workers that start then.
 *
 * The share may be another user's file, which that user may cut at any time. So nobody who reads touches its mapped
 * memory: all use pread. To look on every call would then cost system calls. So a worker looks at the first call of
 * each request, and then at most once in each tick of the coarse clock.
 */
#ifndef PHP_SEQSHARE_H
#define PHP_SEQSHARE_H

#ifdef HAVE_CONFIG_H
#include "config.h" /* made by configure */
#endif

#include <php.h>
#include <seqshare/json.h>

#define PHP_SEQSHARE_VERSION "0.1.0"

extern zend_module_entry seqshare_module_entry;
#define phpext_seqshare_ptr &seqshare_module_entry

static const int64_t SECOND = INT64_C(1000000000);

/* The kinds of lines in the log. Each share has at most one of each kind a minute. */
enum line {
    LINE_REFUSAL, /* a document that cannot be used */
    LINE_TROUBLE, /* with opening, following or reading: one for each error */
    TROUBLES = 128,
    LINES = LINE_TROUBLE + TROUBLES
};

/* Workers tell each other these things, in memory that they share. Everything in it is atomic. */
struct journal {
    uint64_t said[LINES]; /* see log.c */
    uint64_t refusals;    /* over all workers */
    int trouble;          /* reported, and not yet over: a negative errno value; 0: none */
};

/* Where a document is from: it differs between two publications, even of two regions. */
struct origin {
    unsigned char region_id[16];
    uint64_t version;
    int64_t published; /* nanoseconds since 1970 */
};

/* A document in this process (with ZTS: in this thread). */
struct document {
    struct document *next; /* of those that are no longer the newest */
    zval root;
    struct origin origin;
    uint64_t leaked; /* references to one of its values that ended requests may have left, at most */
};

/* A share of php.ini. It stays as it is from the start of PHP to its end. */
struct served {
    const char *name;
    const char *path; /* as seqshare_open takes it */
    seqshare *source; /* as it was at the start; NULL: there was none */
    seqshare *good;   /* the last good document: an origin, and then its text */
    struct journal *journal;
};

/* Follows one share: for this process (with ZTS: this thread), or for one object. */
struct follower {
    const char *name; /* for the log */
    const char *path; /* NULL: the share has no name */
    int access;       /* of seqshare_open, to read */
    seqshare *source; /* NULL: there is no such name yet */
    bool owns_source;
    bool is_moved;  /* `source` is another one since documents were looked for */
    seqshare *good; /* NULL: nobody keeps documents for others */
    struct journal *journal;

    struct origin seen; /* the last document that was used or refused; */
    bool refused;       /* it could not be used, */
    char why[SEQSHARE_JSON_WHY_SIZE];
    int name_trouble;   /* with following the name, and */
    int read_trouble;   /* with the document: 0, or an error */
    int64_t next_check; /* CLOCK_MONOTONIC_COARSE, of the name and of what could not be read */

    int64_t tick;              /* by the same clock: the last look, */
    uint64_t request;          /* and in which request */
    uint64_t good_seen;        /* the version of `good` that was decoded */
    struct document *document; /* NULL: none was good */
    uint64_t decoded, refusals, moved;
};

ZEND_BEGIN_MODULE_GLOBALS(seqshare)
struct follower *followers; /* one for each share of php.ini; NULL: none has been asked for */
uint64_t request;           /* a number that is another one when followers must look */
struct document *old;       /* which the request may still use */
bool unclean;               /* the request has ended by a fatal error */
bool is_worker;
ZEND_END_MODULE_GLOBALS(seqshare)

ZEND_EXTERN_MODULE_GLOBALS(seqshare)
#define SEQSHARE_G(member) ZEND_MODULE_GLOBALS_ACCESSOR(seqshare, member)
#if defined(ZTS) && defined(COMPILE_DL_SEQSHARE)
ZEND_TSRMLS_CACHE_EXTERN()
#endif

/* ---- log.c ---- */

/* Callers report as often as they like; the line is written once over all workers, or once a minute. */
void log_trouble(struct follower *follower, int trouble);
void log_trouble_over(struct follower *follower);
void log_refusal(struct follower *follower);
void log_line(const char *name, const char *text);

/* ---- pointer.c ---- */
bool pointer_is_valid(const char *pointer, size_t length);
zval *pointer_find(zval *root, const char *pointer, size_t length); /* NULL: there is none */

/* ---- encode.c ---- */

/* The JSON text of a value, for the caller to release; NULL, with an exception: it has none. */
zend_string *encode_value(zval *value);

/* A script's own copy of a text that has passed seqshare_json_check. `options`: of json_decode. False: an exception. */
bool decode_text(const char *text, size_t length, int options, zval *to);

/* ---- shape.c ---- */

/* The value, with objects where the text has some that PHP would write as arrays. */
void shape_keep(zval *to, zval *value, const char *text, size_t length);

/* ---- document.c ---- */

/* `text` has passed seqshare_json_check, and has a zero byte after it. NULL: it cannot be decoded after all. */
struct document *document_new(const char *text, size_t length, const struct origin *origin);
void document_retire(struct document *document);      /* NULL is fine. The request may still use it */
void document_sweep(void);                            /* free those that nobody uses */
void document_end_request(struct document *document); /* a request that may have used it has ended */
void document_free(struct document *document);        /* NULL is fine. Nobody uses it */

/* ---- good.c ---- */

/* Room for the last good document; `inherited`, if not NULL, is that of the program before this one. */
int good_make(struct served *served, seqshare *inherited);

/* Keep a document that is known to be good, if it is newer than the one that is kept. */
int good_keep(const struct follower *follower, const struct origin *origin, const char *text, size_t length);

/* Is it this one? */
bool good_has(const seqshare *good, const struct origin *origin);

/* The document that is kept: its text with a zero byte after it, for the caller to free; NULL: none, or no memory. */
char *good_get(const seqshare *good, struct origin *origin, size_t *length, uint64_t *version);

/* ---- follow.c ---- */
int origin_read(const seqshare *source, struct origin *origin);
bool origin_is_same(const struct origin *one, const struct origin *other);
bool origin_is_of_same_region(const struct origin *one, const struct origin *other);

/* If there is another document, and it is good, keep it. Not within a request: what is kept is not decoded. */
void follower_keep(struct follower *follower);

/* The newest document, by a look that this request has not made yet in this tick of the clock; NULL: none. */
static inline struct document *follower_document(struct follower *follower);
struct document *follower_look(struct follower *follower, int64_t tick); /* the slow half */
struct document *follower_newest(struct follower *follower);             /* by a look of its own */
void follower_follow(struct follower *follower); /* look at the name alone, if that is due */
/* 0: it is a document; -EBADMSG: `why` says why it is not. */
int follower_check(const seqshare_reading *reading, char why[SEQSHARE_JSON_WHY_SIZE]);
bool follower_has_document(const struct follower *follower);
double follower_age(struct follower *follower); /* in seconds; negative: there is no document */
void follower_end(struct follower *follower);   /* its documents go at the end of the request */
int64_t follower_clock(void);

/* ---- served.c ---- */
void served_start(const char *setting);
void served_stop(void);
void served_say_once(const char *name, const char *text); /* of all workers */
struct follower *served_find(zend_string *name);          /* NULL: php.ini names no such share */
void served_look_again(
    bool at_names); /* what this process knows of from elsewhere, the functions must find */
void served_end_request(void);
void served_end_thread(void *globals);
void served_begin_worker(void);

/* ---- share.c, write.c, lock.c ---- */

struct share_object {
    struct follower follower;
    char *path;
    int access;       /* SEQSHARE_ANY_OWNER, or 0 */
    seqshare *writer; /* NULL: this object only reads */
    zend_object std;
};

extern zend_class_entry *exception_class, *share_class, *lock_class;
void share_register(void);
void lock_register(void);
struct share_object *share_of_object(zend_object *object);

/* Throw what the library returned. */
void share_throw(const struct share_object *share, int error);
void throw_error(const char *name, int error);

/* ns < 0: for ever. What the library returned; -EINTR: there is an exception, or the request ends. */
int write_lock(struct share_object *share, int64_t ns);
int write_publish(struct share_object *share, const char *bytes, size_t length, uint32_t tag,
                  uint64_t *version);
bool write_publish_value(struct share_object *share, zval *value, uint64_t *version, int *error);
bool write_publish_text(struct share_object *share, zend_string *json, uint64_t *version, int *error);

/* False: an exception must go on. Lets signal handlers and time limits of PHP have their turn. */
bool waiting_may_go_on(void);
bool timeout_to_ns(bool is_null, double seconds, int64_t *ns);

void lock_new(zval *to, struct share_object *share, bool recovered);

/* ---- inline ---- */

static inline struct document *follower_document(struct follower *follower)
{
    const int64_t tick = follower_clock();

    if (follower->tick == tick && follower->request == SEQSHARE_G(request))
        return follower->document;
    return follower_look(follower, tick);
}

#endif
