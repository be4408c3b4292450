/* SPDX-License-Identifier: MIT */
/*
 * A process under single-step. The tracee runs one call of the library; the tracer, its parent, stops it
 * between any two instructions, and then kills it, stops it, or does something behind its back.
 *
 *      tracee                              tracer
 *      prepare                             tracee_start
 *      tracee_mark                         ... returns when this is reached
 *      the call                            path_go to instruction k; then anything that must happen there
 *      stage->over = true
 *
 * A kill point needs a fresh process, and a step of ptrace takes long: going to instruction k step by step,
 * for every k, would take a square of them. So the way is recorded once (struct path), and a process runs
 * at full speed to a breakpoint at the last address before k that was met only a few times before; only
 * from there on it is stepped.
 */
#ifndef TRACEE_H
#define TRACEE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { STAGE_BYTES = 8192 };

/* Memory that tracer and tracee share besides the region; each looks while the other is stopped. */
struct stage {
    volatile bool over; /* the call has returned */
    volatile long result;
    volatile uint64_t version; /* that the call reported */
    volatile uint64_t before;  /* key (see values.h) of a value to be written before the mark */
    volatile uint64_t key;     /* of the one to be written by the call */
    volatile uint64_t size;    /* of the buffer to read into */
    volatile uint64_t ticks;   /* of the clock that publications are dated by: see ground.c */
    unsigned char bytes[STAGE_BYTES];
};

struct stage *stage_new(void);

/* NULL, or why nothing can be single-stepped on this machine. */
const char *tracee_impossible(void);

/* Fork; the child runs `body`, then ends. Returns when it has come to its first tracee_mark. */
pid_t tracee_start(void (*body)(const void *), const void *argument);

/* First of all in any child: it must not outlive the test. */
void child_of_a_test(void);

/* In the tracee: stop here until the tracer lets go. */
void tracee_mark(void);

/* One instruction (a system call is one); false when the process has ended or is at its next mark. */
bool tracee_step(pid_t pid);

/* On to the next mark, or to its end: false. */
bool tracee_continue(pid_t pid);

/*
 * On to the beginning or the end of its next system call; false when it has come to a mark or ended
 * instead.
 */
bool tracee_to_system_call(pid_t pid);

/* On without looking; tracee_collect then waits for the next mark, or for its end: false. */
void tracee_let_run(pid_t pid);
bool tracee_collect(pid_t pid);

/* A SIGSTOP in place of the tracer: an ordinary stopped process from here on. */
void tracee_stop_and_release(pid_t pid);

/* SIGKILL; returns when it is dead. It is a zombie until tracee_reap. */
void tracee_kill(pid_t pid);
void tracee_reap(pid_t pid);

/* Returns when the process sleeps in a system call, or is stopped by its tracer: true if it sleeps. */
bool process_asleep(pid_t pid);

/* All steps that were made, for the report. */
extern unsigned long tracee_steps;

/* The instructions of a call, in order: pc[k] is where the process stands after k steps from the mark. */
struct path {
    uint64_t *pc;
    unsigned *visit;     /* how often this address was met before on the way */
    size_t *from;        /* the last point up to here that a breakpoint reaches: visited rarely before */
    size_t length, room; /* at point `length` the call is over, or would go to sleep */
};

/*
 * Step from the mark to the end of the call, or to a FUTEX_WAIT. `look` (if not NULL) is asked at each
 * point.
 */
void path_record(struct path *path, pid_t pid, const struct stage *stage, void (*look)(size_t k));
void path_free(struct path *path);

/*
 * From point `at` (0: the mark) to point k; false if it went another way than recorded (say, a number was
 * longer).
 */
bool path_go(const struct path *path, pid_t pid, size_t at, size_t k);

/*
 * Is point k to be visited? On ways up to PATH_SHORT, each; else each address at its first two visits. Of
 * loops, where a point is some steps behind the last breakpoint, every PATH_STRIDE-th up to PATH_LOOP steps;
 * with SEQSHARE_LONG=1 each up to PATH_LOOP, and every PATH_STRIDE-th beyond (a 4 KiB memset can have 4096).
 * With SEQSHARE_QUICK=1 only every PATH_SAMPLE-th of all these.
 */
bool path_wanted(const struct path *path, size_t k);
enum { PATH_SHORT = 1000, PATH_STRIDE = 101, PATH_LOOP = 1000, PATH_SAMPLE = 11 };
bool is_long(void);

#endif
