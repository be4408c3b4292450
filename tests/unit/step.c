/* SPDX-License-Identifier: MIT */
/*
 * A signal handler at each single instruction of a write. A child makes the call with the processor's trap
 * flag set, so that each instruction brings a signal; at the n-th, for every n until the call is over, the
 * handler does something. That may be refused with -EBUSY or done; the call itself then is done; nothing is
 * torn, and the lock is neither lost nor given away. And exec at each instruction, by the handler or by another
 * thread.
 *
 * Shows: WRITE-7, WRITE-2.
 */
#include "exec.h"
#include "support.h"
#include "trap.h"

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(step, .timeout = 300);

enum {
    CALL_IS_SHORTER = 99, /* a status */
    LENGTH = 200,         /* of the value that the interrupted call sets; the handler's is one shorter */
    STRIDE = 19,          /* every 19th instruction, each time others; all of them if SEQSHARE_LONG is set */
    LONG_CALL = 97        /* and that much fewer of replace, which has so many more */
};

struct scene;
typedef int action(struct scene *scene);

/* Shared between the child and the test. */
struct scene {
    seqshare *share;
    char name[64]; /* of the share */
    action *call;
    action *handler;
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

static struct scene *scene;
static volatile long instructions;
static sigjmp_buf out;

static int published(struct scene *at, int result)
{
    __atomic_fetch_add(&at->published, result == 0, __ATOMIC_RELAXED); /* a handler comes in between */
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

/* Only the publish is interrupted: the value is whole before. */
static int call_publish(struct scene *at)
{
    void *slot;

    trap_each_instruction(false);
    equals(seqshare_fill(at->share, LENGTH, &slot), 0);
    memcpy(slot, at->first, LENGTH);
    trap_each_instruction(true);
    return published(at, seqshare_publish(at->share, LENGTH));
}

static void *fill_and_end(void *context)
{
    struct scene *at = context;
    void *slot;

    return seqshare_fill(at->share, LENGTH, &slot) ? at : NULL;
}

/* A set into the slot that a thread was filling when it ended. */
static int call_set_over_a_fill(struct scene *at)
{
    pthread_t thread;
    void *failed = NULL;

    trap_each_instruction(false);
    check(pthread_create(&thread, NULL, fill_and_end, at) == 0 && pthread_join(thread, &failed) == 0);
    check(!failed && seqshare_lock(at->share) == 1);
    trap_each_instruction(true);
    at->result = call_set(at);
    trap_each_instruction(false);
    at->unlock_result = seqshare_unlock(at->share);
    return at->result;
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

/* The share stays the old region's: all_is_well moves it. */
static int call_replace(struct scene *at)
{
    seqshare *next = NULL;
    int error = seqshare_replace(&next, at->name, 4096, 0600);

    seqshare_close(next);
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

static int handler_publish(struct scene *at)
{
    return published(at, seqshare_publish(at->share, LENGTH));
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

/* There is nothing that it began: it must not end what it interrupted, unless that is a write. */
static int handler_abandon(struct scene *at)
{
    return seqshare_abandon(at->share);
}

static int handler_abandon_and_set(struct scene *at)
{
    int error = seqshare_abandon(at->share);

    return error == -EPERM ? handler_set(at) : error;
}

/* It keeps it: what is interrupted goes on under this lock, unless it has it already. */
static int handler_lock_alone(struct scene *at)
{
    return seqshare_lock(at->share);
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

static void on_trap(int signal, siginfo_t *info, void *interrupted)
{
    (void)signal, (void)info;
    if (++instructions != scene->at)
        return;
    trap_no_more(interrupted);
    scene->handled = 1;
    if (scene->handler)
        scene->handler_result = scene->handler(scene);
    if (scene->jumps)
        siglongjmp(out, 1);
    if (scene->handler == handler_unlock && scene->handler_result == 0)
        raise(SIGSTOP); /* to the test: look, the lock is free in the middle of it all */
}

/* The handler at that instruction of the call. False: the call is shorter than that. */
static bool interrupt_at(struct scene *at, long instruction)
{
    at->at = instruction;
    at->handled = at->published = 0;
    at->result = at->handler_result = at->unlock_result = at->abandon_result = 0;
    instructions = 0;
    if (sigsetjmp(out, 1) == 0) {
        trap_each_instruction(true);
        at->result = at->call(at);
        trap_each_instruction(false);
    } else { /* jumped out: what may be left is tidied up, whether it is or not */
        at->abandon_result = seqshare_abandon(at->share);
        at->unlock_result = seqshare_unlock(at->share);
    }
    return at->handled != 0;
}

/* Whatever has happened: the lock can be had, each success is a version, and the value is one of ours. */
static void all_is_well(struct scene *at, uint64_t version)
{
    unsigned char got[LENGTH];
    uint64_t now_version = 0;
    ssize_t length;

    if (seqshare_retired(at->share))
        equals(seqshare_reopen(at->share), 1);
    equals(seqshare_lock_for(at->share, SECONDS_TO_HANG * SECONDS), 0);
    equals(seqshare_unlock(at->share), 0);
    length = seqshare_get(at->share, got, sizeof got, &now_version);
    check(length > 0 && whole(got, (size_t)length));
    if (at->jumps) /* who jumped out cannot know whether it was published before */
        check(now_version - version <= 1);
    else
        equals(now_version, version + (uint64_t)at->published);
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
} handlers[] = {{handler_set, {0, -EBUSY, END}},
                {handler_set_if, {0, -EBUSY, END}},
                {handler_fill, {0, -EBUSY, END}},
                {handler_lock, {0, -EBUSY, -EDEADLK, END}},
                {handler_unlock, {0, -EBUSY, -EPERM, END}},
                {handler_reads, {0, END}}};
enum { HANDLERS = sizeof handlers / sizeof *handlers };

/* Only in a call that locks by itself may the handler find a lock to give back. */
static bool permitted(const struct scene *at, const int *allowed)
{
    bool locks = at->call == call_lock || at->call == call_set_under_lock;
    bool unlocked = at->handler == handler_unlock && at->handler_result == 0;
    bool outdated = at->call == call_set_if && at->result == -ESTALE && at->published == 1;
    bool replaced = at->call == call_replace && at->handler_result == -EIDRM;

    return (one_of(at->handler_result, allowed) || replaced) && (locks || !unlocked) &&
           (at->result == 0 || outdated) &&
           (at->unlock_result == 0 || (unlocked && at->unlock_result == -EPERM));
}

static long stride(const struct scene *at)
{
    return (getenv("SEQSHARE_LONG") ? 1 : STRIDE) * (at->call == call_replace ? LONG_CALL : 1);
}

static void interrupt_everywhere(struct scene *at, int h)
{
    int refused = 0, done = 0;
    long n = 1 + (getpid() + h) % stride(at);

    at->handler = handlers[h].act;
    for (uint64_t version = seqshare_version(at->share); interrupt_at(at, n); n += stride(at)) {
        if (!permitted(at, handlers[h].allowed)) {
            fprintf(stderr, "handler %d at instruction %ld got %d, the call %d, its unlock %d\n", h, n,
                    at->handler_result, at->result, at->unlock_result);
            _exit(1);
        }
        all_is_well(at, version);
        version = seqshare_version(at->share);
        refused += at->handler_result < 0;
        done += at->handler_result == 0;
    }
    check(n > 50);
    /* A call that only locks is busy for a moment, which may fall between two strides. */
    check(refused > 0 || at->handler == handler_reads || (at->call == call_lock && stride(at) > 1));
    check(done > 0 || at->handler == handler_unlock);
}

static void install(struct scene *at)
{
    struct sigaction on_sigtrap = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};

    scene = at;
    check(sigaction(SIGTRAP, &on_sigtrap, NULL) == 0);
    equals(at->call(at), 0); /* once undisturbed: it allocates, and resolves symbols */
    if (seqshare_retired(at->share))
        equals(seqshare_reopen(at->share), 1);
}

static void interrupted_by_all(void *context)
{
    install(context);
    for (int h = 0; h < HANDLERS; h++)
        interrupt_everywhere(context, h);
}

/* Whichever publishes first does, and the other has nothing to publish. */
static void interrupted_by_publish(void *context)
{
    struct scene *at = context;
    int refused = 0, done = 0;
    long n = 1, step = at->call == call_publish ? 1 : stride(at);

    install(at);
    at->handler = handler_publish;
    for (uint64_t version = seqshare_version(at->share); interrupt_at(at, n); n += step) {
        equals(at->handler_result + at->result, -EPERM);
        equals(at->unlock_result, 0);
        all_is_well(at, version);
        version = seqshare_version(at->share);
        refused += at->handler_result < 0;
        done += at->handler_result == 0;
    }
    check(n > 50 && refused > 0);
    check((done > 0) == (at->call == call_publish)); /* a set's value is not its to publish */
}

/* The two that could do harm in so long a call: what is published is lost, or the lock given away. */
static void interrupted_by_set_and_unlock(void *context)
{
    install(context);
    for (int h = 0; h < HANDLERS; h++) {
        if (handlers[h].act == handler_set || handlers[h].act == handler_unlock)
            interrupt_everywhere(context, h);
    }
}

static void jumps_out_everywhere(void *context)
{
    struct scene *at = context;
    int given_back = 0, old_stood = 0;
    long n = 1 + getpid() % stride(at);

    install(at);
    at->jumps = true;
    for (uint64_t version = seqshare_version(at->share); interrupt_at(at, n); n += stride(at)) {
        check(at->abandon_result == 0 || at->abandon_result == -EPERM);
        check(at->unlock_result == 0 || at->unlock_result == -EPERM);
        all_is_well(at, version);
        given_back += at->abandon_result == 0;
        old_stood += at->abandon_result == 0 && seqshare_version(at->share) == version;
        version = seqshare_version(at->share);
        equals(seqshare_set(at->share, at->second, LENGTH - 1), 0);
        equals(seqshare_version(at->share), ++version);
    }
    check(n > 50 && given_back > 0 && old_stood > 0);
}

static struct scene *scene_new(action *call)
{
    struct scene *at = shared_memory(sizeof *at);

    snprintf(at->name, sizeof at->name, "%s", temp_name());
    equals(seqshare_create(&at->share, at->name, 4096, 0600), 0);
    at->call = call;
    memcpy(at->first, &(uint64_t){2}, 8);
    make_pattern(at->first + 8, LENGTH - 8, 2);
    memcpy(at->second, &(uint64_t){3}, 8);
    make_pattern(at->second + 8, LENGTH - 9, 3);
    equals(seqshare_set(at->share, at->second, LENGTH - 1), 0);
    return at;
}

/* ---- abandon where there is no write, and a lock that the handler keeps ---- */

/* lock and unlock are done as if the handler had not been there. */
static void abandoned_everywhere(void *context)
{
    struct scene *at = context;
    action *const acts[] = {handler_abandon, handler_abandon_and_set};

    install(at);
    for (int i = 0; i < 2; i++) {
        uint64_t version = seqshare_version(at->share);

        at->handler = acts[i];
        for (long n = 1; interrupt_at(at, n); n++) {
            check(at->handler_result == -EPERM ||
                  (i == 1 && one_of(at->handler_result, (int[]){0, -EBUSY, END})));
            equals(at->result, 0);
            equals(at->unlock_result, 0);
            all_is_well(at, version);
            version = seqshare_version(at->share);
        }
    }
}

/* Fails with: an unlock that gives the lock back first and then strikes the owner off, who is another by then. */
static void locked_everywhere(void *context)
{
    struct scene *at = context;
    seqshare *const parents = at->share;
    int kept = 0;

    install(at);
    at->handler = handler_lock_alone;
    for (long n = 1; interrupt_at(at, n); n++) {
        check(one_of(at->handler_result, (int[]){0, -EBUSY, -EDEADLK, END}));
        if (at->handler_result == 0) { /* lock says so when it came before it, and then there is no unlock */
            seqshare *other = another_handle(at->share, SEQSHARE_WRITE);

            check(at->result == 0 || at->result == -EDEADLK);
            equals(seqshare_trylock(other), -EDEADLK);
            seqshare_close(at->share); /* which gives back what was locked through it */
            at->share = other;
            kept++;
        } else {
            equals(at->result, 0);
        }
        equals(at->unlock_result, 0);
        lock_is_free(at->share);
    }
    check(kept > 0);
    at->share = parents;
}

/* ---- exec ---- */

static int region_fd = -1;
static sem_t go;

static void *execute_when_told(void *unused)
{
    (void)unused;
    while (sem_wait(&go) != 0)
        ;
    execute_again("settled", region_fd);
}

/* In the handler: the interrupted thread gets no further. */
static int handler_executes(struct scene *at)
{
    if (at->jumps) { /* another thread does */
        sem_post(&go);
        for (;;)
            pause();
    }
    execute_again("settled", region_fd);
}

static void call_and_execute(void *context)
{
    struct scene *at = context;
    struct sigaction on_sigtrap = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
    pthread_t thread;

    scene = at;
    region_fd = seqshare_fd(at->share, SEQSHARE_WRITE);
    check(region_fd >= 0 && fcntl(region_fd, F_SETFD, 0) == 0);
    check(sigaction(SIGTRAP, &on_sigtrap, NULL) == 0);
    check(sem_init(&go, 0, 0) == 0);
    if (at->jumps)
        check(pthread_create(&thread, NULL, execute_when_told, NULL) == 0);
    equals(at->call(at), 0); /* as in install */
    interrupt_at(at, at->at);
    _exit(CALL_IS_SHORTER);
}

/* By the handler, or by another thread: the new program can write, and so can we when it has ended. */
static void executed_everywhere(action *call, bool by_thread)
{
    struct scene *at;
    int held = 0, freed = 0, status = 0;
    long n;

    if (!CAN_TRAP)
        cr_skip_test("this processor has no trap flag");
    skip_under_valgrind();
    at = scene_new(call);
    at->handler = handler_executes;
    at->jumps = by_thread;
    for (n = 1 + getpid() % stride(at);; n += stride(at)) {
        uint64_t version = seqshare_version(at->share), now_version;

        at->at = n;
        status = child_end(child_start(call_and_execute, at));
        if (status == CALL_IS_SHORTER)
            break;
        now_version = seqshare_version(at->share) - version;
        if ((status != 0 && status != WAS_HELD) || now_version < 2 || now_version > 4) {
            fprintf(stderr, "executed at instruction %ld: status %d, %d versions\n", n, status,
                    (int)now_version);
            check(false);
        }
        held += status == WAS_HELD;
        freed += status == 0;
        holds(at->share, "new", version + now_version);
        equals(seqshare_trylock(at->share), 0);
        equals(seqshare_unlock(at->share), 0);
    }
    check(n > 50 && freed > 0);
    check((held > 0) == (call == call_lock || call == call_set_under_lock));
    seqshare_close(at->share);
}

/* ---- the test ---- */

/*
 * The child stands in a handler that has just given the lock back, in the middle of its call. As long as it
 * is ours now, nothing may be published, and our unlock is ours alone.
 */
static void look(struct scene *at, pid_t child)
{
    uint64_t version = seqshare_version(at->share);

    equals(seqshare_trylock(at->share), 0);
    check(kill(child, SIGCONT) == 0);
    child_sleeps(child); /* waits for the lock, in this call or after it */
    equals(seqshare_version(at->share), version);
    equals(seqshare_unlock(at->share), 0);
}

static void in_child(action *call, void (*body)(void *))
{
    struct scene *at = scene_new(call);
    pid_t child;
    int status = 0;

    if (!CAN_TRAP)
        cr_skip_test("this processor has no trap flag");
    skip_under_valgrind(); /* it has no trap flag either */
    child = child_start(body, at);
    for (;;) {
        check(waitpid(child, &status, WUNTRACED) == child);
        if (!WIFSTOPPED(status))
            break;
        look(at, child);
    }
    equals(status, 0);
    seqshare_close(at->share);
}

Test(step, set)
{
    in_child(call_set, interrupted_by_all);
}

Test(step, set_if)
{
    in_child(call_set_if, interrupted_by_all);
}

Test(step, fill_and_publish)
{
    in_child(call_fill, interrupted_by_all);
}

Test(step, publish)
{
    in_child(call_publish, interrupted_by_publish);
}

Test(step, set_over_a_fill)
{
    in_child(call_set_over_a_fill, interrupted_by_publish);
}

Test(step, lock_and_unlock)
{
    in_child(call_lock, interrupted_by_all);
}

Test(step, set_under_the_lock)
{
    in_child(call_set_under_lock, interrupted_by_all);
}

/* Fails with: a value carried on that a handler of the same thread has replaced meanwhile. */
Test(step, replace)
{
    in_child(call_replace, interrupted_by_set_and_unlock);
}

/* Out of the call, and never back. */

Test(step, longjmp_out_of_set)
{
    in_child(call_set, jumps_out_everywhere);
}

Test(step, longjmp_out_of_set_if)
{
    in_child(call_set_if, jumps_out_everywhere);
}

Test(step, longjmp_out_of_fill)
{
    in_child(call_fill, jumps_out_everywhere);
}

Test(step, longjmp_out_of_set_under_the_lock)
{
    in_child(call_set_under_lock, jumps_out_everywhere);
}

/* Not of its own. */

/* Fails with: a handler's abandon that takes a lock in the making for a write, and frees it. */
Test(step, lock_and_unlock_are_not_abandoned)
{
    in_child(call_lock, abandoned_everywhere);
}

Test(step, a_lock_that_a_handler_takes_in_lock_and_unlock)
{
    in_child(call_lock, locked_everywhere);
}

Test(step, a_lock_that_a_handler_takes_in_set)
{
    in_child(call_set, locked_everywhere);
}

/* The code is gone, in the middle of the call. */

Test(step, exec_in_set)
{
    executed_everywhere(call_set, false);
}

Test(step, exec_in_set_by_another_thread)
{
    executed_everywhere(call_set, true);
}

Test(step, exec_in_lock_and_unlock)
{
    executed_everywhere(call_lock, false);
}

Test(step, exec_in_lock_and_unlock_by_another_thread)
{
    executed_everywhere(call_lock, true);
}

Test(step, exec_in_set_under_the_lock)
{
    executed_everywhere(call_set_under_lock, false);
}

Test(step, exec_in_set_under_the_lock_by_another_thread)
{
    executed_everywhere(call_set_under_lock, true);
}
