/* SPDX-License-Identifier: MIT */
/*
 * A signal handler at each single instruction of a write. A child makes the call, its tracer steps through it
 * and delivers a signal after n instructions, for every n until the call is over. What the handler does may
 * be refused with -EBUSY or done; the call itself then is done; nothing is torn, and the lock is neither lost
 * nor given away.
 */
#include "support.h"

#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(step, .timeout = 300);

enum {
    LENGTH = 200,       /* of the value that the interrupted call sets; the handler's is one shorter */
    STEPS_MAX = 200000, /* no call is that long, unless stepping starves it (load-linked loops do) */
    ROUNDS = 500,       /* of a longer call, not every instruction is tried, but that many in turn */
    CANNOT_BE_TRACED = 77
};

struct scene;
typedef int action(struct scene *scene);

/* Shared between tracer and child. */
struct scene {
    seqshare *share;
    action *call;
    action *handler;
    bool jumps; /* the handler does not return, but jumps out of the call */
    int done;
    int handled;
    int result;        /* of the call */
    int unlock_result; /* of the unlock that belongs to it */
    int handler_result;
    int abandon_result;
    int published; /* publications that succeeded, in this round */
    unsigned char first[LENGTH], second[LENGTH - 1];
};

static struct scene *scene;
static volatile sig_atomic_t inside; /* the call */
static sigjmp_buf out;

static int published(struct scene *at, int result)
{
    at->published += result == 0;
    return result;
}

/* ---- what is interrupted ---- */

static int call_set(struct scene *at)
{
    return published(at, seqshare_set(at->share, at->first, LENGTH));
}

static int call_set_if(struct scene *at)
{
    uint64_t version = seqshare_version(at->share);

    return published(at, seqshare_set_if(at->share, &version, at->first, LENGTH));
}

static int call_fill(struct scene *at)
{
    void *slot;
    int error = seqshare_fill(at->share, LENGTH, &slot);

    if (error)
        return error;
    memcpy(slot, at->first, LENGTH);
    return published(at, seqshare_publish(at->share, LENGTH));
}

static int call_lock(struct scene *at)
{
    int error = seqshare_lock(at->share);

    at->unlock_result = error ? 0 : seqshare_unlock(at->share);
    return error;
}

static int call_set_under_lock(struct scene *at)
{
    int error = seqshare_lock(at->share);

    if (error)
        return error;
    error = call_set(at);
    at->unlock_result = seqshare_unlock(at->share);
    return error;
}

/* ---- what the handler does ---- */

static int handler_set(struct scene *at)
{
    return published(at, seqshare_set(at->share, at->second, LENGTH - 1));
}

static int handler_set_if(struct scene *at)
{
    uint64_t version = seqshare_version(at->share);

    return published(at, seqshare_set_if(at->share, &version, at->second, LENGTH - 1));
}

static int handler_fill(struct scene *at)
{
    void *slot;
    int error = seqshare_fill(at->share, LENGTH - 1, &slot);

    if (error)
        return error;
    memcpy(slot, at->second, LENGTH - 1);
    return published(at, seqshare_publish(at->share, LENGTH - 1));
}

static int handler_lock(struct scene *at)
{
    int error = seqshare_lock(at->share);

    return error ? error : seqshare_unlock(at->share);
}

static int handler_unlock(struct scene *at)
{
    return seqshare_unlock(at->share);
}

/* The value of which version it is does not matter here; it must be a whole one. */
static bool whole(const unsigned char *value, size_t length)
{
    uint64_t seed;

    if (length != LENGTH && length != LENGTH - 1)
        return false;
    memcpy(&seed, value, 8);
    return is_pattern(value + 8, length - 8, seed) && (seed % 2 == 0) == (length == LENGTH);
}

static int handler_reads(struct scene *at)
{
    unsigned char got[LENGTH];
    seqshare_view view = {0};
    uint64_t version;
    ssize_t length = seqshare_get(at->share, got, sizeof got, &version);

    if (length < 0 || !whole(got, (size_t)length) || version != seqshare_version(at->share))
        return 1;
    if (seqshare_try_get(at->share, got, sizeof got, NULL) != length ||
        seqshare_length(at->share, NULL) != length || seqshare_retired(at->share))
        return 2;
    if (seqshare_peek(at->share, &view) != 0 || view.version != version ||
        memcmp(view.data, got, (size_t)length) != 0 || !seqshare_valid(at->share, &view))
        return 3;
    return 0;
}

/* ---- the child ---- */

static void on_signal(int signal)
{
    (void)signal;
    if (scene->handler)
        scene->handler_result = scene->handler(scene);
    set_flag(&scene->handled, 1);
    if (!scene->jumps)
        raise(SIGSTOP); /* to the tracer: look, in the middle of it all */
    else if (inside)
        siglongjmp(out, 1);
}

static void call_once(struct scene *at)
{
    if (sigsetjmp(out, 1) == 0) {
        inside = 1;
        at->result = at->call(at);
        inside = 0;
        set_flag(&at->done, 1);
        return;
    }
    inside = 0; /* jumped out: what may be left is tidied up, whether it is or not */
    at->abandon_result = seqshare_abandon(at->share);
    at->unlock_result = seqshare_unlock(at->share);
}

static void be_traced(void *context)
{
    struct sigaction on_usr1 = {.sa_handler = on_signal};

    scene = context;
    check(sigaction(SIGUSR1, &on_usr1, NULL) == 0);
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        _exit(CANNOT_BE_TRACED);
    for (;;) {
        raise(SIGSTOP); /* to the tracer: the next round */
        call_once(scene);
    }
}

/* ---- the tracer ---- */

static void resume(pid_t child, bool one_step, int signal, int wanted)
{
    int status;

    check(ptrace(one_step ? PTRACE_SINGLESTEP : PTRACE_CONT, child, NULL, (void *)(intptr_t)signal) == 0);
    check(waitpid(child, &status, 0) == child);
    check(WIFSTOPPED(status)); /* else it has ended, and said why */
    equals(WSTOPSIG(status), wanted);
}

static pid_t trace(struct scene *at)
{
    const char *preloaded = getenv("LD_PRELOAD");
    pid_t child;
    int status;

    if (preloaded && strstr(preloaded, "valgrind"))
        cr_skip_test("under valgrind, an instruction is valgrind's and not the call's");
    child = child_start(be_traced, at);
    check(waitpid(child, &status, 0) == child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT_BE_TRACED)
        cr_skip_test("no process may trace another here");
    check(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    resume(child, false, 0, SIGSTOP); /* one call undisturbed: it allocates, and resolves symbols */
    return child;
}

/*
 * The handler has run, the call has not gone on. If the lock can be had now, the call does not have it: while
 * we hold it, nothing may be published, and our unlock is ours alone.
 */
static void in_the_middle(struct scene *at, pid_t child)
{
    uint64_t version = seqshare_version(at->share);

    if (seqshare_trylock(at->share) != 0) {
        resume(child, false, 0, SIGSTOP);
        return;
    }
    check(ptrace(PTRACE_CONT, child, NULL, NULL) == 0);
    child_sleeps(child); /* waits for the lock; or is at its next round */
    equals(seqshare_version(at->share), version);
    equals(seqshare_unlock(at->share), 0);
    check(waitpid(child, NULL, 0) == child);
}

/* Deliver the signal after `steps` instructions of the round. False: the call is shorter than that. */
static bool round_at(struct scene *at, pid_t child, long steps, bool look)
{
    at->done = at->handled = at->published = 0;
    at->result = at->handler_result = at->unlock_result = at->abandon_result = 0;
    for (long i = 0; i < steps && !at->done; i++)
        resume(child, true, 0, SIGTRAP);
    if (at->done) {
        resume(child, false, 0, SIGSTOP);
        return false;
    }
    resume(child, false, SIGUSR1, SIGSTOP);
    equals(at->handled, 1);
    if (at->jumps)
        return true; /* it stands at its next round already */
    if (look)
        in_the_middle(at, child);
    else
        resume(child, false, 0, SIGSTOP);
    return true;
}

static long length_of_call(struct scene *at, pid_t child)
{
    long steps = 0;

    at->done = 0;
    while (!at->done) {
        resume(child, true, 0, SIGTRAP);
        if (++steps == STEPS_MAX)
            cr_skip_test("this processor cannot be stepped through an atomic operation");
    }
    resume(child, false, 0, SIGSTOP);
    check(steps > 50);
    return steps;
}

/* Whatever has happened: the lock is free for others, each success is a version, and the value is one of
 * ours. */
static void all_is_well(struct scene *at, uint64_t version)
{
    unsigned char got[LENGTH];
    uint64_t now_version;
    ssize_t length;

    equals(seqshare_trylock(at->share), 0);
    equals(seqshare_unlock(at->share), 0);
    length = seqshare_get(at->share, got, sizeof got, &now_version);
    check(length > 0 && whole(got, (size_t)length));
    if (at->jumps) /* who jumped out cannot know whether it was published before */
        check(now_version - version <= 1);
    else
        equals(now_version, version + (uint64_t)at->published);
}

static struct scene *scene_new(action *call)
{
    struct scene *at = shared_memory(sizeof *at);

    equals(seqshare_new(&at->share, 4096), 0);
    at->call = call;
    memcpy(at->first, &(uint64_t){2}, 8);
    make_pattern(at->first + 8, LENGTH - 8, 2);
    memcpy(at->second, &(uint64_t){3}, 8);
    make_pattern(at->second + 8, LENGTH - 9, 3);
    equals(seqshare_set(at->share, at->second, LENGTH - 1), 0);
    return at;
}

static bool one_of(int result, const int *allowed)
{
    for (; *allowed <= 0; allowed++) {
        if (result == *allowed)
            return true;
    }
    return false;
}
enum { END = 1 }; /* of such a list */

static const struct {
    action *act;
    int allowed[5];
    bool look;
} handlers[] = {
    {handler_set, {0, -EBUSY, END}, false},           {handler_set_if, {0, -EBUSY, END}, false},
    {handler_fill, {0, -EBUSY, END}, false},          {handler_lock, {0, -EBUSY, -EDEADLK, END}, true},
    {handler_unlock, {0, -EBUSY, -EPERM, END}, true}, {handler_reads, {0, END}, false}};
enum { HANDLERS = sizeof handlers / sizeof *handlers };

/* A call that `locks` by itself: in it, and only there, the handler may find a lock to give back. */
static bool permitted(const struct scene *at, const int *allowed, bool locks)
{
    bool unlocked = at->handler == handler_unlock && at->handler_result == 0;
    bool outdated = at->call == call_set_if && at->result == -ESTALE && at->published == 1;

    return one_of(at->handler_result, allowed) && (locks || !unlocked) &&
           (at->result == 0 || outdated || (unlocked && at->result == -EBUSY)) &&
           (at->unlock_result == 0 || (unlocked && at->unlock_result == -EPERM));
}

/* Not each instruction of a longer call in every run, but each handler at others. */
static long stride_of(long steps)
{
    return getenv("SEQSHARE_LONG") ? 1 : 1 + steps / ROUNDS;
}

static void interrupt(action *call, bool locks)
{
    struct scene *at = scene_new(call);
    pid_t child = trace(at);
    long stride = stride_of(length_of_call(at, child));

    for (int h = 0; h < HANDLERS; h++) {
        int refused = 0, done = 0;

        at->handler = handlers[h].act;
        for (long n = (getpid() + h) % stride;; n += stride) {
            uint64_t version = seqshare_version(at->share);

            if (!round_at(at, child, n, handlers[h].look))
                break;
            if (!permitted(at, handlers[h].allowed, locks))
                cr_assert_fail("handler %d after %ld steps: it got %d, the call %d, its unlock %d", h, n,
                               at->handler_result, at->result, at->unlock_result);
            all_is_well(at, version);
            refused += at->handler_result < 0;
            done += at->handler_result == 0;
        }
        check(refused > 0 || at->handler == handler_reads);
        check(done > 0 || at->handler == handler_unlock);
    }
    child_kill(child);
}

Test(step, set)
{
    interrupt(call_set, false);
}

Test(step, set_if)
{
    interrupt(call_set_if, false);
}

Test(step, fill_and_publish)
{
    interrupt(call_fill, false);
}

Test(step, lock_and_unlock)
{
    interrupt(call_lock, true);
}

Test(step, set_under_the_lock)
{
    interrupt(call_set_under_lock, true);
}

/* ---- out of the call, and never back ---- */

static void jump_out(action *call)
{
    struct scene *at = scene_new(call);
    pid_t child = trace(at);
    long stride = stride_of(length_of_call(at, child));
    int given_back = 0, old_stood = 0;

    at->jumps = true;
    for (long n = getpid() % stride;; n += stride) {
        uint64_t version = seqshare_version(at->share);

        if (!round_at(at, child, n, false))
            break;
        check(at->abandon_result == 0 || at->abandon_result == -EPERM);
        check(at->unlock_result == 0 || at->unlock_result == -EPERM);
        all_is_well(at, version);
        given_back += at->abandon_result == 0;
        old_stood += at->abandon_result == 0 && seqshare_version(at->share) == version;
        equals(seqshare_set(at->share, at->second, LENGTH - 1), 0);
        all_is_well(at, seqshare_version(at->share));
    }
    check(given_back > 0 && old_stood > 0);
    child_kill(child);
}

Test(step, longjmp_out_of_set)
{
    jump_out(call_set);
}

Test(step, longjmp_out_of_set_if)
{
    jump_out(call_set_if);
}

Test(step, longjmp_out_of_fill)
{
    jump_out(call_fill);
}

Test(step, longjmp_out_of_set_under_the_lock)
{
    jump_out(call_set_under_lock);
}
