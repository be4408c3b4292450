/* SPDX-License-Identifier: MIT */
/*
 * seqshare alone: how soon the writer lock of an owner that was killed has another. By a process that asks for
 * it when the owner is dead and buried; when it is dead and nobody has asked after it (a zombie); and by one
 * that has been asleep on the lock since before. And what the first set in a process takes, which finds out who
 * the process is.
 */
#include "question.h"
#include "samples.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <seqshare/seqshare.h>

#include "../numbers.h"
#include "../process.h"

enum { TIMES = 20 };

/* Shared with the child. */
struct meeting {
    seqshare *share;
    _Atomic bool ready; /* the child holds the lock */
    _Atomic int64_t at; /* when it died, or how long it took */
};

static int64_t some_time(void)
{
    return 20 * MILLISECOND + clock_now() % (40 * MILLISECOND);
}

/* Holds the lock; until it is killed, or after a while kills itself. */
static void own(struct meeting *meeting, bool dies)
{
    if (seqshare_lock(meeting->share) != 0)
        _exit(1);
    atomic_store(&meeting->ready, true);
    clock_sleep(dies ? some_time() : 60 * (int64_t)SECOND);
    atomic_store(&meeting->at, clock_now());
    raise(SIGKILL);
}

static pid_t start_owner(struct meeting *meeting, bool dies)
{
    const int64_t deadline = clock_now() + 10 * (int64_t)SECOND;
    pid_t owner;

    atomic_store(&meeting->ready, false);
    owner = process_fork();
    if (owner == 0)
        own(meeting, dies);
    while (owner > 0 && !atomic_load(&meeting->ready) && clock_now() < deadline)
        clock_sleep(MILLISECOND / 10);
    return owner;
}

/* Take it over: since when that has been waited for, or a negative errno value. */
static int64_t taken_over(struct meeting *meeting, int64_t since)
{
    int taken = seqshare_lock(meeting->share);
    int64_t now = clock_now();

    if (taken == 0)
        return -EBUSY; /* the owner was not dead */
    if (taken < 0)
        return taken;
    if (since == 0)
        since = atomic_load(&meeting->at);
    taken = seqshare_unlock(meeting->share);
    return taken < 0 ? taken : now - since;
}

static int64_t ask_for_lock(struct meeting *meeting, bool buried)
{
    pid_t owner = start_owner(meeting, false);
    int64_t result;
    siginfo_t info;

    if (owner < 0)
        return owner;
    kill(owner, SIGKILL);
    waitid(P_PID, (id_t)owner, &info, buried ? WEXITED : WEXITED | WNOWAIT);
    result = taken_over(meeting, clock_now());
    if (!buried)
        waitpid(owner, NULL, 0);
    return result;
}

static int64_t once_buried(struct meeting *meeting)
{
    return ask_for_lock(meeting, true);
}

static int64_t once_zombie(struct meeting *meeting)
{
    return ask_for_lock(meeting, false);
}

static int64_t once_asleep(struct meeting *meeting)
{
    pid_t owner = start_owner(meeting, true);
    int64_t result = owner < 0 ? owner : taken_over(meeting, 0);

    if (owner > 0)
        waitpid(owner, NULL, 0);
    return result;
}

static int64_t once_first_set(struct meeting *meeting)
{
    pid_t child = process_fork();
    int64_t before;

    if (child == 0) {
        before = clock_now();
        if (seqshare_set(meeting->share, "x", 1) != 0)
            _exit(1);
        atomic_store(&meeting->at, clock_now() - before);
        _exit(0);
    }
    return child < 0 ? child : process_wait(child) ? atomic_load(&meeting->at) : -ECHILD;
}

static const struct way {
    const char *name;
    int64_t (*once)(struct meeting *meeting);
} ways[] = {
    {"buried", once_buried}, {"zombie", once_zombie}, {"asleep", once_asleep}, {"first-set", once_first_set}};

static int ask(struct scene *scene)
{
    struct meeting *meeting = shared_memory(sizeof *meeting);
    struct samples samples;
    int64_t took = 0;
    int error = meeting ? seqshare_new(&meeting->share, 4096) : -ENOMEM;

    if (error == 0)
        error = seqshare_set(meeting->share, "x", 1);
    if (error == 0)
        error = samples_make(&samples, TIMES);
    if (error != 0)
        return error;
    while (took >= 0 && !samples_full(&samples)) {
        took = ways[scene->number].once(meeting);
        samples_add(&samples, took);
    }
    samples_sort(&samples);
    scene->answer->ns = percentile(samples.ns, samples.count, 0.5);
    answer_add(scene->answer, "p50", scene->answer->ns);
    answer_add(scene->answer, "max", percentile(samples.ns, samples.count, 1));
    samples_free(&samples);
    return took < 0 ? (int)took : 0;
}

static void rows(const struct contender *contender, size_t size)
{
    if (strcmp(contender->name, "seqshare") != 0)
        return;
    for (unsigned i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        const struct row row = {.contender = contender, .ask = ask, .bytes = size, .number = i};

        row_add(&row, "takeover", "/from:%s", ways[i].name);
    }
}

const struct question question_takeover = {
    .sizes = {8},
    .quick_sizes = {8},
    .rows = rows,
};
