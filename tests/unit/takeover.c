/* SPDX-License-Identifier: MIT */
/* The lock of an owner that died is taken over; that of one that lives never is. Shows: WRITE-4, WRITE-5. */
#include "support.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "layout.h"

TestSuite(takeover, .timeout = 120);

#define WAITERS (UINT64_C(1) << 31)

struct scene {
    seqshare *share;
    int stage;
    int number;
};

static struct scene *scene_new(void)
{
    struct scene *scene = shared_memory(sizeof *scene);

    equals(seqshare_new(&scene->share, 4096), 0);
    equals(seqshare_set(scene->share, "old", 3), 0);
    return scene;
}

static void lock_and_stay(void *context)
{
    struct scene *scene = context;

    check(seqshare_lock(scene->share) >= 0);
    set_flag(&scene->stage, 1);
    pause();
}

static void fill_and_stay(void *context)
{
    struct scene *scene = context;
    void *slot;

    equals(seqshare_fill(scene->share, 4096, &slot), 0);
    make_pattern(slot, 4096, 1);
    set_flag(&scene->stage, 1);
    pause();
}

/* A child that does this, and has got as far as it gets. */
static pid_t staying(struct scene *scene, void (*body)(void *))
{
    pid_t child;

    set_flag(&scene->stage, 0);
    child = child_start(body, scene);
    await_flag(&scene->stage, 1);
    return child;
}

/* Taken over once; from then on it is a lock like any other. */
static void taken_over(struct scene *scene, int result)
{
    equals(result, 1);
    equals(seqshare_trylock(scene->share), -EDEADLK);
    equals(seqshare_set(scene->share, "new", 3), 0);
    equals(seqshare_unlock(scene->share), 0);
    child_run(lock_is_free, scene->share);
    lock_is_free(scene->share);
}

static struct scene *dead_owner(void)
{
    struct scene *scene = scene_new();

    child_kill(staying(scene, lock_and_stay));
    return scene;
}

Test(takeover, by_lock)
{
    struct scene *scene = dead_owner();

    taken_over(scene, seqshare_lock(scene->share));
    seqshare_close(scene->share);
}

Test(takeover, by_trylock)
{
    struct scene *scene = dead_owner();

    taken_over(scene, seqshare_trylock(scene->share));
    seqshare_close(scene->share);
}

Test(takeover, by_lock_for)
{
    struct scene *scene = dead_owner();

    taken_over(scene, seqshare_lock_for(scene->share, SECONDS));
    seqshare_close(scene->share);
    scene = dead_owner();
    taken_over(scene, seqshare_lock_for(scene->share, 0));
    seqshare_close(scene->share);
}

Test(takeover, by_set_and_set_if_and_fill)
{
    struct scene *scene = dead_owner();
    uint64_t version = 1;
    void *slot;

    equals(seqshare_set(scene->share, "new", 3), 0);
    lock_is_free(scene->share);
    seqshare_close(scene->share);
    scene = dead_owner();
    equals(seqshare_set_if(scene->share, &version, "new", 3), 0);
    lock_is_free(scene->share);
    seqshare_close(scene->share);
    scene = dead_owner();
    equals(seqshare_fill(scene->share, 3, &slot), 0);
    equals(seqshare_publish(scene->share, 3), 0);
    equals(seqshare_version(scene->share), 2);
    lock_is_free(scene->share);
    seqshare_close(scene->share);
}

Test(takeover, from_one_that_is_not_reaped_yet)
{
    struct scene *scene = scene_new();
    pid_t child = staying(scene, lock_and_stay);
    siginfo_t info;

    check(kill(child, SIGKILL) == 0);
    check(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == 0);
    taken_over(scene, seqshare_trylock(scene->share));
    equals(child_end(child), -SIGKILL);
    seqshare_close(scene->share);
}

static void *lock_and_exit(void *context)
{
    struct scene *scene = context;

    equals(seqshare_lock(scene->share), 0);
    return NULL;
}

Test(takeover, from_a_thread_that_ended)
{
    struct scene *scene = scene_new();
    pthread_t thread;

    equals(pthread_create(&thread, NULL, lock_and_exit, scene), 0);
    equals(pthread_join(thread, NULL), 0);
    taken_over(scene, seqshare_lock(scene->share));
    seqshare_close(scene->share);
}

static void *outlive_the_first_thread(void *context)
{
    (void)context;
    pause();
    return NULL;
}

static void first_thread_ends(void *context)
{
    struct scene *scene = context;
    pthread_t thread;

    equals(pthread_create(&thread, NULL, outlive_the_first_thread, NULL), 0);
    equals(seqshare_lock(scene->share), 0);
    set_flag(&scene->stage, 1);
    pthread_exit(NULL);
}

Test(takeover, from_a_first_thread_that_ended_before_its_process)
{
    struct scene *scene = scene_new();
    pid_t child = staying(scene, first_thread_ends);

    taken_over(scene, seqshare_lock(scene->share));
    child_kill(child);
    seqshare_close(scene->share);
}

static void die_in_a_fill(void *context)
{
    struct scene *scene = context;
    void *slot;

    if (scene->number)
        check(seqshare_lock(scene->share) >= 0);
    equals(seqshare_fill(scene->share, 4096, &slot), 0);
    make_pattern(slot, 4096, 1);
    raise(SIGKILL);
}

Test(takeover, from_one_that_died_in_the_middle_of_a_write)
{
    struct scene *scene = scene_new();
    uint64_t version;
    char got[4];

    for (int i = 0; i < 4; i++) {
        scene->number = i % 2;
        equals(child_end(child_start(die_in_a_fill, scene)), -SIGKILL);
        equals(seqshare_get(scene->share, got, sizeof got, &version), 3);
        check(version == 1 && memcmp(got, "old", 3) == 0);
    }
    taken_over(scene, seqshare_lock(scene->share));
    equals(seqshare_get(scene->share, got, sizeof got, &version), 3);
    check(version == 2 && memcmp(got, "new", 3) == 0);
    seqshare_close(scene->share);
}

static void sleep_for_it(void *context)
{
    struct scene *scene = context;
    int result = seqshare_lock(scene->share);

    check(result >= 0);
    scene->number += result;
    equals(seqshare_unlock(scene->share), 0);
}

Test(takeover, by_those_who_slept_already)
{
    struct scene *scene = scene_new();
    pid_t owner = staying(scene, lock_and_stay), children[5];

    for (int i = 0; i < 5; i++)
        children[i] = child_start(sleep_for_it, scene);
    for (int i = 0; i < 5; i++)
        child_sleeps(children[i]);
    child_kill(owner);
    for (int i = 0; i < 5; i++)
        equals(child_end(children[i]), 0);
    equals(scene->number, 1); /* one took it over, the others got it from one another */
    lock_is_free(scene->share);
    seqshare_close(scene->share);
}

/* ---- never from the living ---- */

static void not_taken_over(struct scene *scene)
{
    int64_t end = now() + 300 * MILLISECONDS;

    while (now() < end)
        equals(seqshare_trylock(scene->share), -EBUSY);
    equals(seqshare_lock_for(scene->share, 200 * MILLISECONDS), -ETIMEDOUT);
    equals(seqshare_version(scene->share), 1);
}

Test(takeover, not_from_one_that_lives)
{
    struct scene *scene = scene_new();
    pid_t child = staying(scene, lock_and_stay);

    not_taken_over(scene);
    child_kill(child);
    child = staying(scene, fill_and_stay);
    not_taken_over(scene);
    child_kill(child);
    equals(seqshare_trylock(scene->share), 1);
    seqshare_close(scene->share);
}

Test(takeover, not_from_one_that_is_stopped)
{
    struct scene *scene = scene_new();
    pid_t child = staying(scene, lock_and_stay);
    int status;

    check(kill(child, SIGSTOP) == 0);
    check(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
    not_taken_over(scene);
    check(kill(child, SIGCONT) == 0);
    not_taken_over(scene);
    child_kill(child);
    equals(seqshare_trylock(scene->share), 1);
    seqshare_close(scene->share);
}

static void *lock_and_stay_in_thread(void *context)
{
    lock_and_stay(context);
    return NULL;
}

static void thread_locks_and_stays(void *context)
{
    pthread_t thread;

    equals(pthread_create(&thread, NULL, lock_and_stay_in_thread, context), 0);
    pause();
}

Test(takeover, not_from_a_thread_that_lives)
{
    struct scene *scene = scene_new();
    pid_t child = staying(scene, thread_locks_and_stays);
    struct seqshare_stat stat;

    equals(seqshare_stat(scene->share, &stat), 0);
    check(stat.owner != child && stat.owner_alive);
    not_taken_over(scene);
    child_kill(child);
    taken_over(scene, seqshare_trylock(scene->share));
    seqshare_close(scene->share);
}

/* ---- words that somebody else wrote into the region ---- */

static struct lock_line *lock_line(const seqshare *share)
{
    int fd = seqshare_fd(share, SEQSHARE_WRITE);
    char *region;

    check(fd >= 0);
    region = mmap(NULL, sizeof(struct layout), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    check(region != MAP_FAILED);
    close(fd);
    return &((struct layout *)(void *)region)->lock;
}

static void plant(struct lock_line *lock, uint64_t owner)
{
    __atomic_store_n(&lock->owner, owner, __ATOMIC_SEQ_CST);
}

/* The low half of a process's start time, as the owner word has it. */
static uint64_t start_of(pid_t pid)
{
    char text[1024], *at;
    int fd = open(format("/proc/%d/stat", (int)pid), O_RDONLY);
    ssize_t length = read(fd, text, sizeof text - 1);
    uint64_t start;

    check(length > 0);
    text[length] = 0;
    close(fd);
    at = strrchr(text, ')');
    for (int field = 2; field < 22; field++) { /* the 22nd; the 2nd ends with the parenthesis */
        check(at);
        at = strchr(at + 1, ' ');
    }
    check(at);
    start = strtoull(at, NULL, 10) & UINT32_MAX;
    return start ? start : 1;
}

static void stay(void *context)
{
    set_flag(&((struct scene *)context)->stage, 1);
    pause();
}

Test(takeover, from_one_whose_number_was_given_to_another)
{
    struct scene *scene = scene_new();
    struct lock_line *lock = lock_line(scene->share);
    pid_t child = staying(scene, stay);
    uint64_t start = start_of(child), tid = (uint64_t)child;

    plant(lock, start << 32 | tid); /* this is how it would look if the child owned it */
    equals(seqshare_trylock(scene->share), -EBUSY);
    plant(lock, tid); /* its start is not known: it lives, for all one knows */
    equals(seqshare_trylock(scene->share), -EBUSY);
    plant(lock, (start + 1) << 32 | tid);
    taken_over(scene, seqshare_trylock(scene->share));
    plant(lock, (start - 1) << 32 | tid | WAITERS);
    taken_over(scene, seqshare_lock(scene->share));
    child_kill(child);
    plant(lock, tid); /* the number is nobody's any more */
    taken_over(scene, seqshare_lock(scene->share));
    seqshare_close(scene->share);
}

Test(takeover, from_one_who_had_our_own_number)
{
    struct scene *scene = scene_new();
    struct lock_line *lock = lock_line(scene->share);
    uint64_t start = start_of(getpid()), tid = (uint64_t)getpid();

    plant(lock, (start + 1) << 32 | tid);
    taken_over(scene, seqshare_trylock(scene->share));
    plant(lock, (start + 1) << 32 | tid);
    equals(seqshare_unlock(scene->share), -EPERM);
    equals(seqshare_set(scene->share, "new", 3), 0);
    lock_is_free(scene->share);
    seqshare_close(scene->share);
}

Test(takeover, the_owner_word_is_as_documented)
{
    struct scene *scene = scene_new();
    struct lock_line *lock = lock_line(scene->share);
    uint64_t me = start_of(getpid()) << 32 | (uint64_t)getpid();

    equals(lock->owner, 0);
    equals(seqshare_lock(scene->share), 0);
    equals(lock->owner, me);
    equals(seqshare_unlock(scene->share), 0);
    equals(lock->owner, 0);
    child_kill(staying(scene, lock_and_stay));
    lock->owner |= WAITERS;
    equals(seqshare_lock(scene->share), 1);
    equals(lock->owner, me | WAITERS); /* for threads that may still sleep */
    equals(seqshare_unlock(scene->share), 0);
    equals(lock->owner, 0);
    seqshare_close(scene->share);
}

/* Everything a process may ask, whatever the lock looks like. A caller that cannot have it learns that soon. */
static void ask_everything(void *context)
{
    struct scene *scene = context;
    struct seqshare_stat stat;
    char got[8];
    int result;

    equals(seqshare_get(scene->share, got, sizeof got, NULL), 3);
    equals(seqshare_stat(scene->share, &stat), 0);
    result = seqshare_trylock(scene->share);
    if (result >= 0)
        result = seqshare_unlock(scene->share);
    check(result == 0 || result == -EBUSY || result == -EDEADLK);
    result = seqshare_lock_for(scene->share, MILLISECONDS);
    if (result >= 0)
        result = seqshare_unlock(scene->share);
    check(result == 0 || result == -EBUSY || result == -EDEADLK || result == -ETIMEDOUT);
    seqshare_unlock(scene->share);
    seqshare_abandon(scene->share);
    equals(seqshare_get(scene->share, got, sizeof got, NULL), 3);
}

Test(takeover, hostile_words_harm_nobody_but_writers)
{
    static const uint64_t words[] = {UINT64_MAX,
                                     WAITERS,
                                     UINT32_MAX,
                                     UINT64_C(0xffffffff00000000),
                                     UINT64_C(0xffffffff80000000),
                                     UINT64_C(0x40000000),
                                     UINT64_C(0x3fffffff),
                                     UINT64_C(0x7fffffff),
                                     UINT64_C(0xc0000001),
                                     1,
                                     1 | WAITERS,
                                     UINT64_C(0x8000000000000000)};
    struct scene *scene = scene_new();
    struct lock_line *lock = lock_line(scene->share);
    uint64_t version = seqshare_version(scene->share);

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
            plant(lock, words[i]);
            lock->state = words[k];
            child_run(ask_everything, scene);
        }
    }
    for (int bit = 0; bit < 64; bit++) { /* ours, but for one bit; and the asker's own word */
        plant(lock, (start_of(getpid()) << 32 | (uint64_t)getpid()) ^ UINT64_C(1) << bit);
        ask_everything(scene);
        plant(lock, start_of(getpid()) << 32 | (uint64_t)getpid());
        lock->state = UINT64_C(1) << bit;
        ask_everything(scene);
    }
    plant(lock, 0);
    lock->state = UINT64_MAX;
    taken_over(scene, seqshare_lock(scene->share) + 1); /* 0: it was free */
    equals(seqshare_version(scene->share), version + 1);
    seqshare_close(scene->share);
}

Test(takeover, from_number_nobody_ever_has)
{
    struct scene *scene = scene_new();
    struct lock_line *lock = lock_line(scene->share);

    plant(lock, WAITERS);
    taken_over(scene, seqshare_trylock(scene->share));
    plant(lock, UINT64_C(5) << 32);
    taken_over(scene, seqshare_trylock(scene->share));
    plant(lock, UINT64_C(0x3fffffff)); /* beyond the highest that the kernel gives */
    taken_over(scene, seqshare_trylock(scene->share));
    seqshare_close(scene->share);
}

/* ---- many deaths ---- */

enum { COUNTERS = 4, DEATHS = 400 };

struct counter {
    seqshare *share;
    uint64_t *acknowledged; /* shared: outlives who counts */
    pid_t child;
};

static void count_until_killed(void *context)
{
    const struct counter *counter = context;
    uint64_t count;

    for (;;) {
        check(seqshare_lock(counter->share) >= 0);
        equals(seqshare_get(counter->share, &count, sizeof count, NULL), sizeof count);
        count++;
        equals(seqshare_set(counter->share, &count, sizeof count), 0);
        __atomic_fetch_add(counter->acknowledged, 1, __ATOMIC_SEQ_CST);
        equals(seqshare_unlock(counter->share), 0);
    }
}

Test(takeover, a_counter_loses_nothing_that_was_acknowledged)
{
    uint64_t *acknowledged = shared_memory(COUNTERS * sizeof *acknowledged), sum = 0, count = 0;
    struct counter counters[COUNTERS];
    seqshare *share;

    equals(seqshare_new(&share, sizeof count), 0);
    equals(seqshare_set(share, &count, sizeof count), 0);
    srandom((unsigned)getpid());
    for (int i = 0; i < COUNTERS; i++) {
        counters[i] = (struct counter){share, &acknowledged[i], 0};
        counters[i].child = child_start(count_until_killed, &counters[i]);
    }
    for (int death = 0; death < DEATHS; death++) {
        struct counter *victim = &counters[random() % COUNTERS];

        usleep((useconds_t)(random() % 3000));
        child_kill(victim->child);
        victim->child = child_start(count_until_killed, victim);
    }
    for (int i = 0; i < COUNTERS; i++) {
        child_kill(counters[i].child);
        sum += acknowledged[i];
    }
    equals(seqshare_get(share, &count, sizeof count, NULL), sizeof count);
    check(sum > DEATHS); /* they did work */
    check(count >= sum && count <= sum + DEATHS + COUNTERS);
    equals(seqshare_version(share), count + 1);
    seqshare_close(share);
}
