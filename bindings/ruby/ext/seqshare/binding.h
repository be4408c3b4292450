/* SPDX-License-Identifier: MIT */
/*
 * What the files of the extension share: the object behind Ruby's class Seqshare::Share.
 *
 * What needs no speed is Ruby (lib/seqshare). The class asks itself by name: `failure` makes an exception, `report`
 * tells of trouble in the background.
 *
 * A share belongs to one Ractor, as an IO does. So its members are used with that Ractor's lock (GVL). A call of the C
 * library without it must not meet a handle that another thread moves or closes. So the handle that is read is only
 * used with the GVL, and each other one is a counted handle, which is never moved: a newer one takes its place.
 *
 * No code of Ruby runs inside of a callback of the library: an exception would jump over it.
 */
#ifndef SEQSHARE_RUBY_BINDING_H
#define SEQSHARE_RUBY_BINDING_H

#include <ruby.h>
#include <seqshare/cache.h>
#include <stdbool.h>

#include "cut.h"
#include "json/grammar.h"

/* A handle of a region, which threads use without the GVL. */
struct handle {
    seqshare *share;
    unsigned users; /* with the GVL */
    bool is_cut;    /* its memory is not the file's any more: cut.h */
};

/* A thread, by a number that no other gets when it has ended. The one that forks keeps it in the child. */
struct thread {
    unsigned long number; /* 0: none */
    unsigned long forks;  /* that lead from the program's begin to this process */
};

/* A thread that has the writer lock, and through which handle it took it. */
struct holder {
    struct thread thread;
    struct handle *handle;
    struct holder *next;
};

/* A handle to wait on. */
struct waiter {
    seqshare *share;
    uint64_t moves; /* of the reader, when this one was opened */
    bool is_stale;  /* it has moved by itself meanwhile, or its file was cut */
    struct waiter *next;
};

enum kind { KIND_JSON, KIND_BYTES, KIND_PACK };

/* What the cache has of a version: a text that passed its check. Ruby's objects are made of it later. */
struct text {
    uint64_t number; /* of this share's texts */
    size_t length;
    char bytes[];
};

struct share {
    char *name; /* NULL: anonymous, or attached */
    int access; /* of seqshare_open: READ or WRITE, and ANY_OWNER */
    bool is_closed;
    enum kind kind;
    uint32_t tag; /* of what this share publishes */
    size_t size;  /* of a value of KIND_PACK */
    VALUE format; /* of String#unpack, for KIND_PACK */

    seqshare *reader;
    seqshare_cache *cache;   /* over `reader`, and moves it */
    const void *unchanged;   /* while the cache has this text, snapshot is `document`; NULL: look closer */
    uint64_t texts;          /* that the cache took so far */
    uint64_t made;           /* the number of the text that `document` was made of */
    VALUE document;          /* Qundef: none */
    char why[JSON_WHY_SIZE]; /* the last text that was refused */
    uint64_t told;           /* failures of the cache that were reported */
    uint64_t earlier_moves;  /* before the handle was opened again */
    bool is_overtaken;       /* by a newer version, while the cache decoded */
    bool is_cut;             /* the reader's memory is not the file's any more */
    uint32_t marks;          /* as of the last look at the name by follow */
    int64_t next_look;       /* CLOCK_MONOTONIC_COARSE, ns */
    int64_t next_word;       /* of trouble with the name or the file: once a minute */
    struct handle *writer;   /* NULL: read-only */
    struct holder *holders;
    struct thread asking; /* the first of the threads that wait for the lock now, */
    unsigned asked;       /* and how many they are */
    struct waiter *idle;  /* no thread waits on these now */
};

static const int64_t SECOND = 1000000000;

extern const rb_data_type_t share_type;

struct share *share_of(VALUE self);

/* The same, or an exception: it is closed. */
struct share *share_open_of(VALUE self);

/* Raise what the library returned. */
NORETURN(void share_fail(VALUE self, int error));

/* Let go of all but the locks that threads hold. */
void share_let_go(struct share *share);

uint64_t to_uint64(VALUE number);
uint32_t to_uint32(VALUE number);
int64_t coarse_time(void); /* CLOCK_MONOTONIC_COARSE */
int64_t exact_time(void);  /* CLOCK_MONOTONIC */

/* ---- process.c ---- */
int count_forks(void);
bool is_of_this_process(const struct thread *thread);
struct thread this_thread(void);
bool is_this_thread(const struct thread *thread);

/* Let Ruby run what waits for this thread (Thread#kill, Thread#raise, traps). Not 0: it must go on, by rb_jump_tag. */
int check_interrupts(void);

/* Call it without the GVL, to its end. It returns its argument. May raise before that. */
typedef void *function_without_gvl(void *argument);
void call_without_gvl(function_without_gvl *function, void *argument);

/* ---- handle.c ---- */
struct handle *handle_new(seqshare *share); /* takes `share`; NULL: no memory, and closes it */
struct handle *handle_use(struct handle *handle);
void handle_drop(struct handle *handle); /* NULL is fine */

/* ---- document.c ---- */
VALUE document_build(const char *text,
                     size_t length); /* of a text that passed the grammar: frozen all the way down */

/* ---- look.c ---- */
VALUE share_snapshot(VALUE self);

/* Where the caller reads: where it holds the lock, else where the name leads. Or an exception. */
const seqshare *share_reading(VALUE self);

/* After a read between cut_begin and this: an exception if it failed, or if a page was missing. */
void share_check_reading(VALUE self, int error);
VALUE share_reopen(VALUE self);
VALUE share_moves_(VALUE self);
int share_begin_reading(struct share *share);
void share_end_reading(struct share *share);
int share_look(
    struct share *share); /* where the name leads now: 1: the reader has moved there; or an error */
bool share_mend(struct share *share); /* of which the file was cut; once a second. False: it still is */
void share_tell(VALUE self);          /* of trouble; may run any code */
uint64_t share_moves(const struct share *share); /* how often the reader moved */

/* ---- facts.c ---- */
VALUE share_bytes(VALUE self);
VALUE share_read(VALUE self);
VALUE share_version(VALUE self);
VALUE share_age(VALUE self);
VALUE share_stat(VALUE self);

/* ---- make.c ---- */
VALUE share_set_up(VALUE self, VALUE how, VALUE name, VALUE first, VALUE options);

/* ---- writer.c ---- */
struct request {
    const char *bytes;
    size_t length;
    uint32_t tag;
    uint64_t *version; /* publish over this version only; NULL: over any */
    int state;         /* not 0: an interrupt must go on */
};

struct holder *share_holder(const struct share *share); /* this thread; NULL: it has no lock */
int holder_note(struct share *share, struct handle *handle);
void holder_forget(struct share *share, struct holder *holder);
bool can_stay_in_this_thread(void); /* can a thread ask Ruby not to move it? */
void stay_in_this_thread(void);

int writer_move(struct share *share);     /* to the region that has the name now */
int writer_catch_up(struct share *share); /* the same, if the name leads elsewhere or the file was cut */
int writer_try_lock(struct handle *handle);
void writer_unlock(struct handle *handle);
int writer_publish(struct handle *handle,
                   const struct request *request); /* between cut_begin and writer_end */
int writer_end(struct handle *handle, int error);  /* of what was done since cut_begin */
unsigned *writer_askers(struct share *share);      /* how many threads of this process wait for the lock */

/* Wait for the lock as long as `ns`, and publish or (request NULL) keep it. *state not 0: an interrupt must go on. */
int writer_ask(struct share *share, struct handle *handle, const struct request *request, int64_t ns,
               int *state);

/* ---- publish.c ---- */
VALUE share_set_bytes(VALUE self, VALUE bytes, VALUE tag);
VALUE share_set_bytes_if(VALUE self, VALUE version, VALUE bytes, VALUE tag);
VALUE share_with_lock(VALUE self, VALUE ns);
VALUE share_drop_write(VALUE self);
void share_end_writing(struct share *share);
void share_end_locks(struct share *share);

/* ---- sleep.c ---- */
VALUE share_wait(VALUE self, VALUE seen, VALUE ns);
void share_end_waiting(struct share *share);

#endif
