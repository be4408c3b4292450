/* SPDX-License-Identifier: MIT */
/*
 * Calls that are interrupted at each single instruction, for step.c and its kind. A child makes the call with the
 * processor's trap flag set, so that each instruction brings a signal; at the n-th, for every n until the call is
 * over, the handler does something.
 */
#ifndef SEQSHARE_TEST_STEPPING_H
#define SEQSHARE_TEST_STEPPING_H

#include <signal.h>

#include "support.h"
#include "trap.h"

enum {
    LENGTH = 200,  /* of the value that the interrupted call sets; the handler's is one shorter */
    STRIDE = 19,   /* every 19th instruction, each time others; all of them if SEQSHARE_LONG is set */
    LONG_CALL = 97 /* and that much fewer of replace, which has so many more */
};

struct scene;
typedef int action(struct scene *scene);

/* Shared between the child and the test. */
struct scene {
    seqshare *share;
    char name[64]; /* of the share */
    action *call;
    action *handler;
    bool stops; /* the process, when the handler has succeeded: the test looks at the middle of it all */
    bool jumps; /* the handler does not return, but jumps out of the call */
    long at;    /* after that many instructions */
    int handled;
    int result;        /* of the call */
    int unlock_result; /* of the unlock that belongs to it */
    int handler_result;
    int abandon_result;
    int published; /* publications that succeeded, in this round */
    unsigned char first[LENGTH], second[LENGTH - 1];
};

/* ---- the calls ---- */

int stepping_set(struct scene *at);
int stepping_set_if(struct scene *at);
int stepping_fill(struct scene *at);
int stepping_publish(struct scene *at);         /* of a fill */
int stepping_set_over_a_fill(struct scene *at); /* whose thread has ended */
int stepping_lock(struct scene *at);            /* and unlock */
int stepping_set_under_lock(struct scene *at);
int stepping_replace(struct scene *at);

/* A handler may also do this: a set of the second value. */
int stepping_handler_set(struct scene *at);

/* ---- a run ---- */

/* A share with a value, and this call on it. */
struct scene *stepping_new(action *call);
/* Run `body` in a child, which has a trap flag, or skip the test. */
void stepping_in_child(action *call, void (*body)(void *));
/* In the child: from here on, this scene's handler comes. The call is made once undisturbed. */
void stepping_install(struct scene *at);
/* The handler at that instruction of the call. False: the call is shorter than that. */
bool stepping_interrupt_at(struct scene *at, long instruction);
/* For a child of its own: the handler of SIGTRAP alone. */
void stepping_trap(struct scene *at);
/* From one instruction to the next that is tried. */
long stepping_stride(const struct scene *at);

/* Count it if it is a publication. */
int stepping_published(struct scene *at, int result);
/* Whatever has happened: the lock can be had, each success is a version, and the value is one of ours. */
void stepping_all_is_well(struct scene *at, uint64_t version);
/* Is it a value that the call or the handler sets? */
bool stepping_whole(const unsigned char *value, size_t length);
/* Is it in that list, which ends with END? */
bool stepping_one_of(int result, const int *allowed);
enum { END = 1 };

#endif
