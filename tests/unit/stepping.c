/* SPDX-License-Identifier: MIT */
/* Makes calls and interrupts them, as stepping.h says. */
#include "stepping.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct scene *scene;
static volatile long instructions;
static sigjmp_buf out;

int stepping_published(struct scene *at, int result)
{
    __atomic_fetch_add(&at->published, result == 0, __ATOMIC_RELAXED); /* a handler comes in between */
    return result;
}

/* ---- what is interrupted ---- */

int stepping_set(struct scene *at)
{
    return stepping_published(at, seqshare_set(at->share, at->first, LENGTH));
}

int stepping_set_if(struct scene *at)
{
    uint64_t version = seqshare_version(at->share);

    return stepping_published(at, seqshare_set_if(at->share, &version, at->first, LENGTH));
}

int stepping_fill(struct scene *at)
{
    void *slot;
    int error = seqshare_fill(at->share, LENGTH, &slot);

    if (error)
        return error;
    memcpy(slot, at->first, LENGTH);
    return stepping_published(at, seqshare_publish(at->share, LENGTH));
}

/* Only the publish is interrupted: the value is whole before. */
int stepping_publish(struct scene *at)
{
    void *slot;

    trap_each_instruction(false);
    equals(seqshare_fill(at->share, LENGTH, &slot), 0);
    memcpy(slot, at->first, LENGTH);
    trap_each_instruction(true);
    return stepping_published(at, seqshare_publish(at->share, LENGTH));
}

static void *fill_and_end(void *context)
{
    struct scene *at = context;
    void *slot;

    return seqshare_fill(at->share, LENGTH, &slot) ? at : NULL;
}

/* A set into the slot that a thread was filling when it ended. */
int stepping_set_over_a_fill(struct scene *at)
{
    pthread_t thread;
    void *failed = NULL;

    trap_each_instruction(false);
    check(pthread_create(&thread, NULL, fill_and_end, at) == 0 && pthread_join(thread, &failed) == 0);
    check(!failed && seqshare_lock(at->share) == 1);
    trap_each_instruction(true);
    at->result = stepping_set(at);
    trap_each_instruction(false);
    at->unlock_result = seqshare_unlock(at->share);
    return at->result;
}

int stepping_lock(struct scene *at)
{
    int error = seqshare_lock(at->share);

    at->unlock_result = error ? 0 : seqshare_unlock(at->share);
    return error;
}

int stepping_set_under_lock(struct scene *at)
{
    int error = seqshare_lock(at->share);

    if (error)
        return error;
    error = stepping_set(at);
    at->unlock_result = seqshare_unlock(at->share);
    return error;
}

/* The share stays the old region's: all_is_well moves it. */
int stepping_replace(struct scene *at)
{
    seqshare *next = NULL;
    int error = seqshare_replace(&next, at->name, 4096, 0600);

    seqshare_close(next);
    return error;
}

int stepping_handler_set(struct scene *at)
{
    return stepping_published(at, seqshare_set(at->share, at->second, LENGTH - 1));
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
    if (scene->stops && scene->handler_result == 0)
        raise(SIGSTOP); /* to the test: look */
}

bool stepping_interrupt_at(struct scene *at, long instruction)
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

void stepping_trap(struct scene *at)
{
    struct sigaction on_sigtrap = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};

    scene = at;
    check(sigaction(SIGTRAP, &on_sigtrap, NULL) == 0);
}

void stepping_install(struct scene *at)
{
    stepping_trap(at);
    equals(at->call(at), 0); /* once undisturbed: it allocates, and resolves symbols */
    if (seqshare_retired(at->share))
        equals(seqshare_reopen(at->share), 1);
}

/* ---- what must be true ---- */

/* The value of which version it is does not matter here; it must be a whole one. */
bool stepping_whole(const unsigned char *value, size_t length)
{
    uint64_t seed;

    if (length != LENGTH && length != LENGTH - 1)
        return false;
    memcpy(&seed, value, 8);
    return is_pattern(value + 8, length - 8, seed) && (seed % 2 == 0) == (length == LENGTH);
}

void stepping_all_is_well(struct scene *at, uint64_t version)
{
    unsigned char got[LENGTH];
    uint64_t now_version = 0;
    ssize_t length;

    if (seqshare_retired(at->share))
        equals(seqshare_reopen(at->share), 1);
    equals(seqshare_lock_for(at->share, SECONDS_TO_HANG * SECONDS), 0);
    equals(seqshare_unlock(at->share), 0);
    length = seqshare_get(at->share, got, sizeof got, &now_version);
    check(length > 0 && stepping_whole(got, (size_t)length));
    if (at->jumps) /* who jumped out cannot know whether it was published before */
        check(now_version - version <= 1);
    else
        equals(now_version, version + (uint64_t)at->published);
}

bool stepping_one_of(int result, const int *allowed)
{
    for (; *allowed <= 0; allowed++) {
        if (result == *allowed)
            return true;
    }
    return false;
}

long stepping_stride(const struct scene *at)
{
    return (getenv("SEQSHARE_LONG") ? 1 : STRIDE) * (at->call == stepping_replace ? LONG_CALL : 1);
}

/* ---- the test ---- */

struct scene *stepping_new(action *call)
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

void stepping_in_child(action *call, void (*body)(void *))
{
    struct scene *at = stepping_new(call);
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
