/* SPDX-License-Identifier: MIT */
/*
 * What Criterion's tests share (unit, world, cache, json): checks that work in a test and in its children alike,
 * children that cannot hang or outlive the test, memory and names for one test.
 *
 * Criterion runs every test in a process of its own. A child forked by it ends with _exit: 0 when its body
 * returns, 1 after a failed check (which it has printed).
 */
#ifndef SEQSHARE_TEST_SUPPORT_H
#define SEQSHARE_TEST_SUPPORT_H

#include <criterion/criterion.h>
#include <seqshare/seqshare.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "check.h"
#include "clock.h"
#include "pattern.h"

enum { SECONDS_TO_HANG = 40 }; /* what has not happened by then is a hang, and fails */

/* ---- children ---- */

pid_t child_start(void (*body)(void *context), void *context);
/* The same as another user, and in that user's group alone. Only root can: see skip_unless_root. */
pid_t child_start_as(uid_t user, void (*body)(void *context), void *context);
/* Wait for its end: the exit status, or minus the number of the signal that killed it. */
int child_end(pid_t child);
/* SIGKILL, and wait for the end. */
void child_kill(pid_t child);
/* Start it and wait: it must end with 0. */
void child_run(void (*body)(void *context), void *context);
void child_run_as(uid_t user, void (*body)(void *context), void *context);
/* Wait until the child sleeps in the kernel, has been stopped, or has ended: it has got as far as it gets. */
void child_sleeps(pid_t child);
/* To a process that was there before the descriptor was. */
void send_descriptor(int socket, int fd);
int receive_descriptor(int socket);

/* A child whose status this is has found that the system does not let it do what it wants. */
enum { NOT_POSSIBLE = 77 };
/* The test ends as skipped: it says which capability is missing. */
void skip_as_impossible(void);
/* The test ends as skipped if that is the status, and fails with any other than 0. */
void skip_or_succeed(int status);
/* Run `body` in a child, whose status may be NOT_POSSIBLE. */
void try_in_child(void (*body)(void *context), void *context);
/* This process's own view of the mounts, for a child to change; gone with it. Else NOT_POSSIBLE. */
void own_mounts(void);
/* Children of this process have a clock that begins at one second. Else NOT_POSSIBLE. */
void slow_clock_for_children(void);

void skip_unless_root(void);    /* with the capabilities to become another user */
void skip_unless_admin(void);   /* with those for mounts and namespaces */
void skip_under_valgrind(void); /* which takes a fault that a test wants for a mistake */
enum { NOBODY = 65534 };        /* a user that owns nothing */

/* ---- memory that parent and children see, all zeros; and flags in it ---- */

void *shared_memory(size_t size);
void set_flag(int *flag, int value);
void await_flag(const int *flag, int value); /* until it is at least `value` */

/* ---- names and texts: gone after the run, whatever becomes of the test ---- */

const char *temp_name(void);                   /* for a share in /dev/shm */
const char *temp_directory(const char *below); /* new, mode 0755, below "/tmp" or "/dev/shm" */
const char *share_path(const char *name);      /* the file of a name without a slash */
int entries(const char *directory);            /* how many there are */
const char *format(const char *text, ...)      /* static; the last 64 are kept */
    __attribute__((format(printf, 1, 2)));

/* ---- shares ---- */

seqshare *new_share(size_t capacity);                        /* an anonymous one */
seqshare *another_handle(const seqshare *share, int access); /* of the same region */
/* A new one of that name and mode, for values up to 100 bytes; with this text as its value, unless that is NULL. */
seqshare *named_share(const char *name, const char *text, mode_t mode);
void name_opens(const char *name, int access, const char *text);       /* it can be, and has this value */
void says(const seqshare *share, const char *text);                    /* the value is this text, */
void holds(const seqshare *share, const char *text, uint64_t version); /* and of that version */
/* For this thread, or child_run. */
void lock_is_free(void *share);
void lock_is_taken(void *share);

#endif
