/* SPDX-License-Identifier: MIT */
/* Waiting for a version. Shows: WAIT-1, WAIT-2, WAIT-3, WAIT-4, WRITE-9. */
#include "support.h"

#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../src/clock.h" /* tests have a clock.h of their own */
#include "layout.h"

TestSuite(wait, .timeout = 120);

struct meeting {
    seqshare *share;
    uint64_t seen;
    int64_t limit;
    int wanted; /* what the waiters must get */
    int arrived, left;
};

static struct meeting *meeting_of(const char *name)
{
    struct meeting *meeting = shared_memory(sizeof *meeting);

    if (name)
        equals(seqshare_create(&meeting->share, name, 100, 0600), 0);
    else
        equals(seqshare_new(&meeting->share, 100), 0);
    meeting->limit = -1;
    return meeting;
}

static void wait_there(void *context)
{
    struct meeting *meeting = context;

    __atomic_add_fetch(&meeting->arrived, 1, __ATOMIC_SEQ_CST);
    equals(seqshare_wait(meeting->share, meeting->seen, meeting->limit), meeting->wanted);
    __atomic_add_fetch(&meeting->left, 1, __ATOMIC_SEQ_CST);
}

static void wait_reading(void *context)
{
    struct meeting meeting = *(struct meeting *)context;

    meeting.share = another_handle(meeting.share, SEQSHARE_READ);
    wait_there(&meeting);
}

Test(wait, returns_at_once_when_the_version_is_another)
{
    struct meeting *meeting = meeting_of(NULL);

    equals(seqshare_wait(meeting->share, 1, -1),
           0); /* other, not newer: versions start over after a restart */
    equals(seqshare_wait(meeting->share, UINT64_MAX, -1), 0);
    equals(seqshare_set(meeting->share, "x", 1), 0);
    equals(seqshare_wait(meeting->share, 0, -1), 0);
    equals(seqshare_wait(meeting->share, 0, 0), 0);
    equals(seqshare_wait(meeting->share, 2, 0), 0);
    seqshare_close(meeting->share);
}

static struct layout *layout_of(const seqshare *share)
{
    return (struct layout *)(uintptr_t)((const unsigned char *)share->head - offsetof(struct layout, head));
}

static void nobody_is_to_be_woken(const seqshare *share)
{
    equals(layout_of(share)->wake & 1, 0);
}

/* Fails with: a waiter that asks to be woken before it looks. Polling would cost publishers a system call. */
Test(wait, who_need_not_sleep_costs_the_publisher_nothing)
{
    const char *name = temp_name();
    struct meeting *meeting = meeting_of(name);
    seqshare *next = NULL;

    equals(seqshare_wait(meeting->share, 0, 0), -ETIMEDOUT);
    nobody_is_to_be_woken(meeting->share);
    equals(seqshare_wait(meeting->share, 1, 0), 0);
    equals(seqshare_wait(meeting->share, 1, SECONDS), 0);
    equals(seqshare_wait(meeting->share, 1, -1), 0);
    nobody_is_to_be_woken(meeting->share);
    equals(seqshare_set(meeting->share, "x", 1), 0);

    equals(seqshare_replace(&next, name, 100, 0600), 0);
    equals(seqshare_wait(meeting->share, 1, -1), -EIDRM);
    equals(seqshare_wait(meeting->share, 1, 0), -EIDRM);
    nobody_is_to_be_woken(meeting->share);
    seqshare_close(next);
    seqshare_close(meeting->share);
}

/* ---- what a publication calls ---- */

static uint64_t date_of(const seqshare *share, uint64_t version)
{
    return layout_of(share)->note[seqshare_slot_of(version, share->mask)].published;
}

static int wake_calls; /* calls of FUTEX_WAKE that the kernel has refused to make */

static void count_wake(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    wake_calls++;
}

#ifdef SYS_futex
#define WAKING SYS_futex
#else
#define WAKING SYS_futex_time64
#endif
#ifdef SYS_clock_gettime64 /* without a vDSO */
#define ASKING SYS_clock_gettime64
#else
#define ASKING SYS_clock_gettime
#endif

/* From here on FUTEX_WAKE is counted, and anything else kills, but to end, and to ask a clock. False: not here. */
static bool count_wakes(void)
{
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, WAKING, 5, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigreturn, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ASKING, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                 offsetof(struct seccomp_data, args[1]) + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FUTEX_WAKE, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL),
    };
    struct sock_fprog filter = {sizeof steps / sizeof steps[0], steps};
    /* With SA_SIGINFO it returns by rt_sigreturn; i386 and arm have an older call for handlers without. */
    struct sigaction action = {.sa_sigaction = count_wake, .sa_flags = SA_SIGINFO};

    check(sigaction(SIGSYS, &action, NULL) == 0);
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

/* No check that fails can speak any more. */
static void set_and_count(void *context)
{
    seqshare *share = context;
    int ticks = 0;
    bool right = true;

    for (int i = 0; i < 2; i++) /* now it knows who it is, and both slots have memory */
        equals(seqshare_set(share, "x", 1), 0);
    equals(seqshare_wait(share, seqshare_version(share), 0), -ETIMEDOUT);
    if (!count_wakes())
        return;
    for (int sets = 0; sets < 1000 || ticks < 3; sets++) {
        uint64_t version;

        right &= seqshare_set(share, "x", 1) == 0;
        version = seqshare_version(share);
        ticks += !clock_same_tick(date_of(share, version), date_of(share, version - 1));
        right &= wake_calls == ticks;
    }
    syscall(SYS_exit, !right);
}

/* Fails with: a wake-up at each publication, or at none. */
Test(wait, a_set_calls_the_kernel_once_a_tick_and_only_to_wake)
{
    struct meeting *meeting = meeting_of(NULL);

    child_run(set_and_count, meeting->share);
    nobody_is_to_be_woken(meeting->share);
    seqshare_close(meeting->share);
}

/* Fails with: a tick that is longer than a kernel's shortest: two of those may then be one. */
Test(wait, a_tick_is_no_longer_than_a_kernel_makes_it)
{
    static const uint64_t lengths[] = {999500, 1000000, 4000000, 10000000};
    uint64_t date = clock_date(), next;
    int ticks = 0;

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        for (int k = 0; k < 5000; k++, date = next) {
            next = date + lengths[i];
            check(!clock_same_tick(date, next));
        }
    for (int us = 0; us < 1000000; us++) /* a clock as fine as this: its ticks are still few */
        ticks += !clock_same_tick(date + (uint64_t)us * 1000, date + (uint64_t)us * 1000 + 1000);
    check(ticks < 2000);
}

enum way { SET, SET_IF, SET_TYPED, SET_IF_TYPED, FILL, SET_LOCKED, WAYS };

static void publish(seqshare *share, enum way way)
{
    uint64_t version = seqshare_version(share);
    void *slot;

    switch (way) {
    case SET_IF:
        equals(seqshare_set_if(share, &version, "x", 1), 0);
        break;
    case SET_TYPED:
        equals(seqshare_set_typed(share, "x", 1, 1), 0);
        break;
    case SET_IF_TYPED:
        equals(seqshare_set_if_typed(share, &version, "x", 1, 1), 0);
        break;
    case FILL:
        equals(seqshare_fill(share, 1, &slot), 0);
        equals(seqshare_publish(share, 1), 0);
        break;
    case SET_LOCKED:
        equals(seqshare_lock(share), 0);
        equals(seqshare_set(share, "x", 1), 0);
        equals(seqshare_unlock(share), 0);
        break;
    case SET:
    case WAYS:
        equals(seqshare_set(share, "x", 1), 0);
        break;
    }
}

/*
 * While a process that cannot register sleeps, the next version comes: in the tick of the one before, as far as
 * that one's date tells, or long after it. Did the publisher wake anybody?
 */
static bool next_version_wakes(struct meeting *meeting, bool same_tick, enum way way)
{
    struct layout *layout = layout_of(meeting->share);
    pid_t waiter;
    uint32_t word;

    meeting->seen = seqshare_version(meeting->share);
    waiter = child_start(wait_reading, meeting);
    child_sleeps(waiter);
    word = layout->wake;
    layout->note[seqshare_slot_of(meeting->seen, 1)].published = same_tick ? clock_date() : 1;
    publish(meeting->share, way);
    equals(child_end(waiter), 0);
    equals(layout->wake & 1, 0);
    return layout->wake != word;
}

/* Fails with: who cannot register sleeps until it is woken. */
Test(wait, a_version_that_wakes_nobody_is_seen_all_the_same)
{
    struct meeting *meeting = meeting_of(NULL);

    for (enum way way = 0; way < WAYS; way++)
        while (next_version_wakes(meeting, true, way)) /* the clock went on just then */
            ;
    seqshare_close(meeting->share);
}

/* Fails with: a way to publish that does not say whether it is the first of its tick. */
Test(wait, the_first_version_of_a_tick_wakes_who_cannot_register)
{
    struct meeting *meeting = meeting_of(NULL);

    for (enum way way = 0; way < WAYS; way++)
        check(next_version_wakes(meeting, false, way));
    seqshare_close(meeting->share);
}

/* ---- limits ---- */

Test(wait, times_out_and_not_before)
{
    static const int64_t limits[] = {0, 1, 999, 1 * MILLISECONDS, 60 * MILLISECONDS, 700 * MILLISECONDS};
    struct meeting *meeting = meeting_of(NULL);

    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        int64_t start = now();

        equals(seqshare_wait(meeting->share, 0, limits[i]), -ETIMEDOUT);
        check(now() - start >= limits[i]);
    }
    meeting->limit = 600 * MILLISECONDS;
    meeting->wanted = -ETIMEDOUT;
    child_run(wait_reading, meeting);
    seqshare_close(meeting->share);
}

Test(wait, the_longest_limit_does_not_overflow)
{
    struct meeting *meeting = meeting_of(NULL);
    pid_t waiter;

    meeting->limit = INT64_MAX; /* added to a clock this overflows */
    waiter = child_start(wait_there, meeting);
    await_flag(&meeting->arrived, 1);
    child_sleeps(waiter);
    equals(waitpid(waiter, NULL, WNOHANG), 0);
    equals(seqshare_set(meeting->share, "x", 1), 0);
    equals(child_end(waiter), 0);
    seqshare_close(meeting->share);
}

static void wakes(void (*waits)(void *context))
{
    struct meeting *meeting = meeting_of(NULL);
    pid_t waiter;

    for (int i = 0; i < 5; i++) {
        meeting->seen = seqshare_version(meeting->share);
        waiter = child_start(waits, meeting);
        child_sleeps(waiter);
        equals(waitpid(waiter, NULL, WNOHANG), 0);
        equals(seqshare_set(meeting->share, "x", 1), 0);
        equals(child_end(waiter), 0);
    }
    seqshare_close(meeting->share);
}

Test(wait, a_set_in_another_process_ends_it)
{
    wakes(wait_there);
}

Test(wait, a_set_in_another_process_ends_it_for_a_read_only_share)
{
    wakes(wait_reading);
}

/* Each version in another way. */
static void publish_in_turn(void *context)
{
    seqshare *share = ((struct meeting *)context)->share;

    publish(share, (enum way)seqshare_version(share));
}

Test(wait, every_way_to_publish_ends_it)
{
    struct meeting *meeting = meeting_of(NULL);

    for (uint64_t version = 0; version < WAYS; version++) {
        pid_t waiter;

        meeting->seen = version;
        waiter = child_start(wait_there, meeting);
        child_sleeps(waiter);
        child_run(publish_in_turn, meeting);
        equals(child_end(waiter), 0);
    }
    seqshare_close(meeting->share);
}

enum { MANY = 20 };

Test(wait, many_waiters_all_wake_and_killed_ones_harm_nobody)
{
    struct meeting *meeting = meeting_of(NULL);
    pid_t waiter[MANY], victim[MANY];

    for (int round = 0; round < 3; round++) {
        meeting->seen = seqshare_version(meeting->share);
        meeting->arrived = meeting->left = 0;
        for (int i = 0; i < MANY; i++) {
            waiter[i] = child_start(wait_there, meeting);
            victim[i] = child_start(wait_there, meeting);
        }
        await_flag(&meeting->arrived, 2 * MANY);
        for (int i = 0; i < MANY; i++)
            child_kill(victim[i]);
        equals(seqshare_set(meeting->share, "x", 1), 0);
        for (int i = 0; i < MANY; i++)
            equals(child_end(waiter[i]), 0);
        equals(meeting->left, MANY);
    }
    seqshare_close(meeting->share);
}

static void *wait_in_thread(void *meeting)
{
    wait_there(meeting);
    return NULL;
}

Test(wait, threads_wait_too)
{
    struct meeting *meeting = meeting_of(NULL);
    pthread_t waiter[4];

    for (int i = 0; i < 4; i++)
        equals(pthread_create(&waiter[i], NULL, wait_in_thread, meeting), 0);
    await_flag(&meeting->arrived, 4);
    equals(seqshare_set(meeting->share, "x", 1), 0);
    for (int i = 0; i < 4; i++)
        equals(pthread_join(waiter[i], NULL), 0);
    seqshare_close(meeting->share);
}

/*
 * Two processes throw the ball to and fro: each wait ends because the other one published. One lost wake-up
 * costs half a second at most, and nothing is asserted about speed; what fails here is a wait that does not
 * end.
 */
enum { THROWS = 400 };

static void throw_back(void *context)
{
    seqshare *share = ((struct meeting *)context)->share;

    for (uint64_t version = 1; version < THROWS; version += 2) {
        equals(seqshare_wait(share, version - 1, -1), 0);
        equals(seqshare_version(share), version);
        equals(seqshare_set(share, "pong", 4), 0);
    }
}

Test(wait, two_processes_that_take_turns_never_miss_each_other)
{
    struct meeting *meeting = meeting_of(NULL);
    pid_t other = child_start(throw_back, meeting);

    for (uint64_t version = 0; version < THROWS; version += 2) {
        equals(seqshare_set(meeting->share, "ping", 4), 0);
        equals(seqshare_wait(meeting->share, version + 1, -1), 0);
        equals(seqshare_version(meeting->share), version + 2);
    }
    equals(child_end(other), 0);
    seqshare_close(meeting->share);
}

/* ---- interrupted ---- */

static void do_nothing(int signal)
{
    (void)signal;
}

static void wait_with_handler(void *context)
{
    struct sigaction action = {.sa_handler = do_nothing, .sa_flags = SA_RESTART};

    check(sigaction(SIGUSR1, &action, NULL) == 0);
    wait_there(context);
}

static void wait_with_handler_reading(void *context)
{
    struct sigaction action = {.sa_handler = do_nothing};

    check(sigaction(SIGUSR1, &action, NULL) == 0);
    wait_reading(context);
}

/* Again and again: a waiter that has just woken up to look misses a signal, as it may. */
static void is_interrupted(void (*waits)(void *context), int64_t limit)
{
    struct meeting *meeting = meeting_of(NULL);
    int64_t end = now() + SECONDS_TO_HANG * SECONDS;
    siginfo_t ended = {0};
    pid_t waiter;

    meeting->wanted = -EINTR;
    meeting->limit = limit;
    waiter = child_start(waits, meeting);
    child_sleeps(waiter);
    while (ended.si_pid == 0) {
        check(now() < end);
        check(kill(waiter, SIGUSR1) == 0);
        usleep(10000);
        check(waitid(P_PID, (id_t)waiter, &ended, WEXITED | WNOHANG | WNOWAIT) == 0);
    }
    equals(child_end(waiter), 0);
    seqshare_close(meeting->share);
}

Test(wait, a_signal_handler_ends_it)
{
    is_interrupted(wait_with_handler, -1);
    is_interrupted(wait_with_handler, 3600 * SECONDS);
    is_interrupted(wait_with_handler_reading, 3600 * SECONDS);
}

Test(wait, being_stopped_and_continued_does_not)
{
    struct meeting *meeting = meeting_of(NULL);
    pid_t waiter = child_start(wait_there, meeting);

    for (int i = 0; i < 3; i++) {
        child_sleeps(waiter);
        check(kill(waiter, SIGSTOP) == 0);
        child_sleeps(waiter);
        check(kill(waiter, SIGCONT) == 0);
    }
    child_sleeps(waiter);
    equals(waitpid(waiter, NULL, WNOHANG), 0);
    equals(seqshare_set(meeting->share, "x", 1), 0);
    equals(child_end(waiter), 0);
    seqshare_close(meeting->share);
}

/* ---- a region that was replaced, or lost its name ---- */

static void learns_of_replacement(void (*waits)(void *context))
{
    const char *name = temp_name();
    struct meeting *meeting = meeting_of(name);
    seqshare *next = NULL;
    pid_t waiter;

    equals(seqshare_set(meeting->share, "x", 1), 0);
    meeting->seen = 1;
    meeting->wanted = -EIDRM;
    waiter = child_start(waits, meeting);
    child_sleeps(waiter);
    equals(seqshare_replace(&next, name, 100, 0600), 0);
    equals(child_end(waiter), 0);
    child_run(waits, meeting); /* and a later one, at once */
    equals(seqshare_wait(meeting->share, 1, 0), -EIDRM);
    equals(seqshare_wait(meeting->share, 0, -1), 0); /* there is another version than 0: read it first */
    equals(seqshare_wait(next, 1, 0), -ETIMEDOUT);
    seqshare_close(next);
    seqshare_close(meeting->share);
}

Test(wait, who_waits_on_a_replaced_region_is_told)
{
    learns_of_replacement(wait_there);
}

Test(wait, who_waits_read_only_on_a_replaced_region_is_told)
{
    learns_of_replacement(wait_reading);
}

Test(wait, goes_on_when_the_name_is_unlinked)
{
    const char *name = temp_name();
    struct meeting *meeting = meeting_of(name);
    pid_t waiter = child_start(wait_there, meeting);

    child_sleeps(waiter);
    equals(seqshare_unlink(name), 0);
    equals(seqshare_wait(meeting->share, 0, 80 * MILLISECONDS), -ETIMEDOUT);
    equals(waitpid(waiter, NULL, WNOHANG), 0);
    equals(seqshare_set(meeting->share, "x", 1), 0);
    equals(child_end(waiter), 0);
    seqshare_close(meeting->share);
}
