/* SPDX-License-Identifier: MIT */
/*
 * A scene: the processes of one round around one contender. It is played in a process of its own, which makes
 * the store, starts a writer and readers, and mostly sleeps; so nothing that happens there reaches the next
 * round.
 *
 * Role 0 is the writer, the others are readers; role i runs on processor i, or begins again with the first
 * where there are fewer, unless a question says otherwise. Each is a fork, or, for contenders that live in
 * one process, a thread. It attaches, writes or reads for the first time, says that it is ready, waits until
 * all begin together, and plays until it has to stop.
 */
#ifndef BENCH_SUITE_SCENE_H
#define BENCH_SUITE_SCENE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "../clock.h"
#include "../contender.h"
#include "suite.h"
#include "value.h"

/* What a role tells the others, on cache lines of its own. */
struct log {
    _Alignas(128) _Atomic bool ready;
    _Atomic bool ended;
    _Atomic int error;     /* a negative errno value: its end */
    _Atomic uint64_t done; /* reads or writes, since all began */
    _Atomic uint64_t torn; /* values that were a mixture of two, or older than one seen before */
    int64_t ns;            /* how long it has played; before: what its first read or write took */
    double held_up;        /* the part of its playing that it waited for a processor */
};

struct shared {
    size_t mapped;
    _Alignas(128) _Atomic bool go;
    _Atomic bool stop;
    _Alignas(128) _Atomic uint64_t issued; /* the version that the writer began to write last */
    _Atomic bool writing;
    struct log log[];
};

struct role;

/* 0 or a negative errno value. */
typedef int role_play(struct role *role);

/* Threads write to their own all the time: on cache lines that they share with nobody. */
struct role {
    _Alignas(128) struct scene *scene;
    const struct contender *contender;
    unsigned number;
    unsigned processor;
    enum contender_access access;
    role_play *play;
    struct log *log;
    pid_t process; /* 0: none */
    pthread_t thread;

    /* its own, once it plays */
    void *handle;
    unsigned char *buffer; /* what it reads, or writes next */
    size_t size;
    uint64_t version; /* the newest that it saw */
};

struct scene {
    const struct contender *contender;
    size_t size;           /* of every value */
    long rate;             /* writes a second, for role_writes; 0: none, RATE_FREE: no pause */
    unsigned number;       /* whatever the question counts */
    int64_t patience;      /* ns: who needs longer to begin or to end hangs; 0: the usual */
    const char *directory; /* the contender's */
    struct suite_answer *answer;

    void *store;
    unsigned roles;
    struct role *role;
    struct shared *shared;
    void *extra; /* shared memory of the question's own */
};

enum { RATE_IDLE = 0, RATE_FREE = -1 };

/* Room beyond the value in every reader's buffer, to read to more than one place. */
enum { BUFFER_PLACES = 5, BUFFER_PLACES_APART = 1088 };

/* ---- for who directs the scene; all of them 0 or a negative errno value ---- */

/* The store, and a writer with `readers` readers to come. scene_end in any case. */
int scene_begin(struct scene *scene, unsigned readers);

/* Start one, and wait until it is ready: -ETIMEDOUT if it hangs. */
int scene_enter(struct scene *scene, unsigned number, enum contender_access access, role_play *play);

void scene_go(struct scene *scene);

/* Has it ended, or died? */
bool scene_has_left(struct scene *scene, unsigned number);

/* Make all come to an end, and wait until they have: the first error of theirs, or -ETIMEDOUT. */
int scene_stop(struct scene *scene);

void scene_end(struct scene *scene);

/*
 * All of it: a writer that plays `writer`, readers that play `reader`, for so long. Where each has a
 * processor, the answer says by `held_up` how large a part of the time the unluckiest of them had to wait for
 * it: whatever else ran there was not the suite.
 */
int scene_play(struct scene *scene, role_play *writer, unsigned readers, role_play *reader, int64_t ns);

/* Shared memory, all zeros; NULL: there is none. Goes with the process. */
void *shared_memory(size_t size);

/* ---- for the roles ---- */

/* Writes at the scene's rate. */
int role_writes(struct role *role);

/* Stamp the next version and write it. */
int role_write(struct role *role);

/* Look at what has just been read: `length` is what the read returned. 0 or a negative errno value. */
int role_check(struct role *role, ssize_t length);

/* Reads for some milliseconds, so that caches and branches know the way. */
int role_warm_up(struct role *role);

static inline bool role_goes_on(const struct role *role)
{
    return !atomic_load_explicit(&role->scene->shared->stop, memory_order_relaxed);
}

/* Make the compiler believe that the memory is read and written. */
static inline void use(const void *memory)
{
    __asm__ volatile("" : : "r"(memory) : "memory");
}

/* ---- for the answer ---- */

void answer_add(struct suite_answer *answer, const char *name, double value);

/* What the writer wrote, and the torn values of who can tear. */
void answer_add_scene(const struct scene *scene);

#endif
