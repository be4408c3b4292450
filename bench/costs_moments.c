/* SPDX-License-Identifier: MIT */
/* What is counted in micro- and milliseconds: after somebody died, until somebody notices; and in bytes. */
#include "costs.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "numbers.h"

enum { TIMES = 30 };

struct meeting { /* shared with the child */
    seqshare *share;
    _Atomic int ready;  /* the child holds the lock, or is about to wait */
    _Atomic int64_t at; /* when the child did what is measured; 0: not yet */
    int64_t delay;      /* ns */
};

typedef void child_part(struct meeting *meeting);

static pid_t meet(struct meeting *meeting, child_part *part)
{
    pid_t child;

    atomic_store(&meeting->ready, 0);
    atomic_store(&meeting->at, 0);
    child = fork();
    costs_must(child >= 0, "fork");
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        part(meeting);
        _exit(0);
    }
    while (!atomic_load(&meeting->ready))
        clock_sleep(MILLISECOND / 10);
    return child;
}

static void hold_the_lock(struct meeting *meeting)
{
    costs_must(seqshare_lock(meeting->share) == 0, "seqshare_lock");
    atomic_store(&meeting->ready, 1);
    for (;;)
        pause();
}

static void hold_the_lock_and_die(struct meeting *meeting)
{
    costs_must(seqshare_lock(meeting->share) == 0, "seqshare_lock");
    atomic_store(&meeting->ready, 1);
    clock_sleep(meeting->delay);
    atomic_store(&meeting->at, clock_now());
    raise(SIGKILL);
}

static void await(struct meeting *meeting)
{
    uint64_t seen = seqshare_version(meeting->share);

    atomic_store(&meeting->ready, 1);
    costs_must(seqshare_wait(meeting->share, seen, -1) == 0, "seqshare_wait");
    atomic_store(&meeting->at, clock_now());
}

static void await_read_only(struct meeting *meeting)
{
    costs_must(seqshare_drop_write(meeting->share) == 0, "seqshare_drop_write");
    await(meeting);
}

static void set_first(struct meeting *meeting)
{
    int64_t before = clock_now();

    costs_must(seqshare_set(meeting->share, "x", 1) == 0, "seqshare_set");
    atomic_store(&meeting->at, clock_now() - before);
    atomic_store(&meeting->ready, 1);
}

/* The owner is dead, and buried or not: the one who asks then. */
static double asker(struct meeting *meeting, int buried)
{
    pid_t owner = meet(meeting, hold_the_lock);
    siginfo_t info;
    int64_t before;
    double taken;

    kill(owner, SIGKILL);
    waitid(P_PID, (id_t)owner, &info, buried ? WEXITED : WEXITED | WNOWAIT);
    before = clock_now();
    costs_must(seqshare_lock(meeting->share) == 1, "taking the lock over");
    taken = (double)(clock_now() - before);
    costs_must(seqshare_unlock(meeting->share) == 0, "seqshare_unlock");
    if (!buried)
        waitpid(owner, NULL, 0);
    return taken;
}

static double ask_after_burial(struct meeting *meeting)
{
    return asker(meeting, 1);
}

static double ask_before_burial(struct meeting *meeting)
{
    return asker(meeting, 0);
}

/* The owner dies while this process sleeps on the lock. */
static double sleeper(struct meeting *meeting)
{
    pid_t owner;
    double taken;

    meeting->delay = (20 + rand() % 60) * (int64_t)MILLISECOND + rand() % MILLISECOND;
    owner = meet(meeting, hold_the_lock_and_die);
    costs_must(seqshare_lock(meeting->share) == 1, "taking the lock over after sleeping");
    taken = (double)(clock_now() - atomic_load(&meeting->at));
    costs_must(seqshare_unlock(meeting->share) == 0, "seqshare_unlock");
    waitpid(owner, NULL, 0);
    return taken;
}

static double notice(struct meeting *meeting, child_part *part)
{
    pid_t waiter = meet(meeting, part);
    int64_t before;

    clock_sleep((5 + rand() % 60) * (int64_t)MILLISECOND);
    before = clock_now();
    costs_must(seqshare_set(meeting->share, "x", 1) == 0, "seqshare_set");
    waitpid(waiter, NULL, 0);
    return (double)(atomic_load(&meeting->at) - before);
}

static double notice_registered(struct meeting *meeting)
{
    return notice(meeting, await);
}

static double notice_read_only(struct meeting *meeting)
{
    return notice(meeting, await_read_only);
}

static double first_set(struct meeting *meeting)
{
    waitpid(meet(meeting, set_first), NULL, 0);
    return (double)atomic_load(&meeting->at);
}

static void row(const char *what, double (*once)(struct meeting *), struct meeting *meeting,
                const char *wanted)
{
    double taken[TIMES];
    double middle;

    for (int i = 0; i < TIMES; i++)
        taken[i] = once(meeting);
    middle = median(taken, TIMES);
    printf("%-51s %8s  %8s  %s\n", what, ns_text(middle), ns_text(taken[TIMES - 1]), wanted);
    fflush(stdout);
}

static void rows_of_memory(void)
{
    static const size_t sizes[] = {4, 4 << 10, COSTS_LONGEST};
    unsigned char *value = costs_buffer();
    seqshare *share;

    costs_must(seqshare_new(&share, (size_t)8 << 30) == 0, "seqshare_new of 8 GiB");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct seqshare_stat stat;
        char what[64];

        costs_must(seqshare_set(share, value, sizes[i]) == 0 && seqshare_set(share, value, sizes[i]) == 0 &&
                       seqshare_stat(share, &stat) == 0,
                   "seqshare_set");
        snprintf(what, sizeof what, "memory: 8 GiB capacity, two values of %s", bytes_text(sizes[i]));
        printf("%-51s %8s\n", what, bytes_text((size_t)stat.allocated));
    }
    seqshare_close(share);
}

void costs_moments(void)
{
    struct meeting *meeting =
        mmap(NULL, sizeof *meeting, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    costs_must(meeting != MAP_FAILED, "mmap");
    costs_must(seqshare_new(&meeting->share, 4096) == 0, "seqshare_new");
    costs_must(seqshare_set(meeting->share, "x", 1) == 0, "seqshare_set");
    costs_heading("Moments, 30 of each                                   median       max  wanted");
    row("first set in a process", first_set, meeting, "");
    row("lock taken over from the dead, by who asks then", ask_after_burial, meeting, "1 ms");
    row("the same, the dead one being a zombie", ask_before_burial, meeting, "1 ms");
    row("lock taken over from the dead, by who slept", sleeper, meeting, "70 ms");
    row("publication noticed, by who may write", notice_registered, meeting, "200 us");
    row("publication noticed, by who may only read", notice_read_only, meeting, "200 us");
    rows_of_memory();
    seqshare_close(meeting->share);
}
