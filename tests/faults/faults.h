/* SPDX-License-Identifier: MIT */
/*
 * The library's calls to the system fail, each in turn. An *operation* is one function of the API in one
 * situation; in its run number (n, k) the n-th call that it makes to the system is refused with the k-th
 * error that this call may plausibly have, once or from then on. Whatever happens: the function says a clean
 * error and nothing has changed, or it says success and all that it promises is true.
 *
 * How: the tests link a copy of the static library in which these calls are redirected, by their symbols, to
 * the functions in inject.c. (Not ptrace or a seccomp filter: these need a second process, permissions that
 * containers may refuse, and time; they cannot fail malloc, and do not go with sanitizers.)
 */
#ifndef FAULTS_H
#define FAULTS_H

#include <errno.h>
#include <pthread.h>
#include <seqshare/seqshare.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "check.h"

/* ---- refusing (inject.c, refusals.c) ---- */

/* The results that the operation may have when a call is refused. */
enum expectation {
    FAILS = 1, /* an error: to ignore this would be a lie */
    EITHER,    /* an error or success */
    PASSES     /* success: it can do without, or has to try again */
};

/* Instead of an error number: the call moves one byte, or none. */
enum { SHORT = -1, NOTHING = -2 };

struct refusal {
    int error;
    enum expectation expectation;
};

enum { REFUSALS_MAX = 14 };

/* A kind of call, with all that may go wrong with it; ends with error 0. */
struct call {
    const char *name;
    struct refusal refusals[REFUSALS_MAX];
};

enum { REFUSED_MAX = 16 };

/* The refusals of one operation's calls. */
struct fault {
    const struct call *call; /* NULL: it made fewer calls */
    struct refusal refusal;  /* error 0: the call has fewer refusals */
    unsigned calls;          /* made by the operation */
    unsigned wakes;          /* of these, FUTEX_WAKE */
    unsigned refused;
    int fds[REFUSED_MAX]; /* the descriptors whose fstat was refused; -1: none */
};

/* The calls that this system lacks, for all threads. */
enum {
    NO_PROC = 1,
    NO_TMPFILE = 2,
    NO_MEMFD = 4,
    NO_FALLOCATE = 8,
    NO_EXCHANGE = 16,
    OLD_KERNEL = 32,
    LOW_FREE = 64 /* descriptors 0 and 2 are closed, and would be given away next */
};
extern unsigned lacking;

/* From here on, in this thread: refuse call `at` (0: none) by its refusal `which`, once or for ever. */
void faults_arm(unsigned at, unsigned which, bool for_ever);
struct fault faults_disarm(void);
void faults_pause(void);
void faults_resume(void);

/* A refusal that nobody meets for ever. */
bool comes_once(const struct call *call, int error);

/* The program has begun. Before, calls are refused as FAULTS_LOADING="AT WHICH" says. */
struct fault faults_of_loading(void);

/* Blocks that the library has allocated and not freed (what seqshare_get_alloc gave included). */
long heap_blocks(void);
void forget_block(void); /* the test freed one */

/* refusals.c: the kinds of calls */
extern const struct call access_call, allocate_call, close_call, fallocate_call, fchmod_call, fchown_call,
    fgetxattr_call, fsetxattr_call, fremovexattr_call, dup_call, getfl_call, add_seals_call, get_seals_call,
    fstat_call, fstatat_call, fstatfs_call, ftruncate_call, getcwd_call, getrandom_call, getrlimit_call,
    kill_call, linkat_call, dontdump_call, populate_read_call, populate_write_call, wipe_on_fork_call,
    memfd_call, mmap_call, private_mmap_call, mprotect_call, munmap_call, open_directory_call, open_proc_call,
    open_nameless_call, open_new_call, open_old_call, poll_call, pread_call, atfork_call, pwrite_call,
    read_call, lseek_call, readlinkat_call, renameat_call, stat_call, futex_wait_call, futex_wake_call,
    pidfd_call, exchange_call, membarrier_call, unlinkat_call;

/* ---- operations (names.c, regions.c, values.c, locks.c) ---- */

struct stage {
    char path[128];   /* of the name in it */
    seqshare *share;  /* what the operation works on */
    seqshare *other;  /* another handle of it */
    seqshare *made;   /* what the operation makes; NULL before */
    int fd;           /* -1: none */
    uint64_t version; /* what stands, see `publish` */
    size_t length;
    struct fault fault; /* once the operation has returned */
    pid_t owner;        /* a process that has the lock, or died with it; 0: none */
    pthread_t helper;
    pid_t sleeper; /* the helper, once it goes to sleep */
    bool helped;
    int go;
};

struct operation {
    const char *name;
    int good;          /* what it returns without a fault */
    unsigned worlds;   /* besides the ordinary one: lacking this or that; a bit each */
    bool careless;     /* does its work also where some part of it is refused */
    bool silent;       /* makes no call to the system, but may wake sleepers */
    const int *errors; /* may say these, too, when a call is refused with another; ends with 0; NULL: none */
    void (*prepare)(struct stage *stage);
    int (*operate)(struct stage *stage);    /* in a thread of its own; the calls are refused here */
    void (*good_now)(struct stage *stage);  /* it has said `good`: so it must be. Same thread. */
    void (*as_before)(struct stage *stage); /* it has said an error: all works as before. Same thread. */
    void (*clear)(struct stage *stage);
};

extern const struct operation name_operations[], region_operations[], value_operations[], lock_operations[];

/* ---- checks (check.h): the process ends at the first that fails, with 1 (main.c) ---- */

void fail(const char *text, ...) __attribute__((format(printf, 1, 2), noreturn));

/* ---- what is there (world.c) ---- */

/* Descriptors, shared mappings, files in `directory`, blocks on the heap: a text; the caller frees it. */
char *snapshot(const char *directory);
/* Of the mapping at this address, as in "rw-s". */
void permissions_of(const void *address, char text[5]);
/* Files that the library could not know to be its own, or could not remove, and so rightly left behind. */
void remove_what_may_be_left(const struct fault *fault, const char *before, const char *directory);

/* ---- what operations have in common (stage.c) ---- */

enum { CAPACITY = 4 << 20, SMALL = 100, LONG = (1 << 20) + 20000 };

const unsigned char *pattern(uint64_t version); /* LONG bytes */
/* Set the next version, which must succeed. */
void publish(struct stage *stage, seqshare *share, size_t length);
/* This is what a reader gets, and the library's bookkeeping agrees. */
void stands(const struct stage *stage, const seqshare *share);
/* The lock is free, and can be had; set works, of a longer value, too: where one may write at all. */
void usable(struct stage *stage, seqshare *share);
void close_all(struct stage *stage);
void make_anonymous(struct stage *stage); /* share, with a value */
void make_named(struct stage *stage);     /* the same */
/* /proc is there in part at most: whose a region is may not be known, and then it is not written to. */
bool proc_says_nothing(const struct stage *stage);
bool was_refused(const struct stage *stage, const struct call *call, int error);

#endif
