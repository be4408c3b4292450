/* SPDX-License-Identifier: MIT */
/*
 * Signal handlers that come at any moment, many of them; for those at each single instruction see step.c.
 *
 * Shows: READ-8, WRITE-7.
 */
#include "support.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

TestSuite(signal, .timeout = 120);

enum { LENGTH_MAX = 3000, ROUNDS = 20000, SIGNALS_WANTED = 300 };

/* Shared; the counters are those of the process that writes, and of its handler. */
struct scene {
    seqshare *share;
    int running;
    int seed;
    int published; /* by whom ever */
    int handled;   /* signals */
    int refused;   /* writes of the handler */
    int read;      /* reads of the handler */
    int wrong;     /* answers nobody may get; the last is kept */
    int wrong_result;
};

static struct scene *scene;

static struct scene *scene_new(void)
{
    scene = shared_memory(sizeof *scene);
    equals(seqshare_new(&scene->share, LENGTH_MAX), 0);
    return scene;
}

/* A value that says how long it is, and what it is made of: length and bytes follow from the seed in front. */
static size_t make_value(unsigned char *value, unsigned seed)
{
    size_t length = 16 + (size_t)(seed * 37U % 10) * (seed * 37U % 10) * 35; /* most are short */

    memset(value, (int)(seed & 0xff), length);
    memcpy(value, &(uint64_t){seed}, 8);
    return length;
}

static bool whole(const unsigned char *value, size_t length)
{
    unsigned char wanted[LENGTH_MAX];
    uint64_t seed;

    if (length < 16)
        return false;
    memcpy(&seed, value, 8);
    return make_value(wanted, (unsigned)seed) == length && memcmp(value, wanted, length) == 0;
}

static void expect(bool condition, int result)
{
    if (!condition) {
        scene->wrong++;
        scene->wrong_result = result;
    }
}

/* ---- what handlers do ---- */

static void handler_reads(void)
{
    unsigned char got[LENGTH_MAX];
    seqshare_view view = {0};
    uint64_t version = 0;
    ssize_t length = seqshare_get(scene->share, got, sizeof got, &version);

    expect(length > 0 && whole(got, (size_t)length), (int)length);
    expect(seqshare_version(scene->share) >= version, 0);
    length = seqshare_try_get(scene->share, got, sizeof got, NULL);
    expect(length == -EAGAIN || (length > 0 && whole(got, (size_t)length)), (int)length);
    length = seqshare_get_typed(scene->share, got, 16, 0); /* the shortest are values of that size, untyped */
    expect(length == -EBADMSG || (length == 0 && whole(got, 16)), (int)length);
    length = seqshare_length(scene->share, NULL);
    expect(length >= 16, (int)length);
    expect(seqshare_peek(scene->share, &view) == 0 && view.length >= 16, 0);
    length = whole(view.data, view.length);
    expect(!seqshare_valid(scene->share, &view) || length, 0);
    expect(!seqshare_retired(scene->share), 0);
    scene->read++;
}

static void written(int result)
{
    expect(result == 0 || result == -EBUSY || result == -ESTALE, result);
    scene->refused += result == -EBUSY;
    scene->published += result == 0;
}

static void handler_writes(unsigned which)
{
    unsigned char value[LENGTH_MAX];
    size_t length = make_value(value, (unsigned)++scene->seed);
    uint64_t version = seqshare_version(scene->share);
    void *slot;
    int result;

    switch (which) {
    case 0:
        written(seqshare_set(scene->share, value, length));
        break;
    case 1:
        written(seqshare_set_if(scene->share, &version, value, length));
        break;
    case 2:
        result = seqshare_fill(scene->share, length, &slot);
        if (result == 0) {
            memcpy(slot, value, length);
            result = seqshare_publish(scene->share, length);
        }
        written(result);
        break;
    default:
        result = seqshare_lock(scene->share);
        expect(result == 0 || result == -EBUSY || result == -EDEADLK, result);
        if (result == 0) {
            result = seqshare_unlock(scene->share);
            expect(result == 0, result);
        }
    }
}

static void on_signal(int signal)
{
    int saved = errno;
    unsigned which = (unsigned)scene->handled++ % 6;

    (void)signal;
    if (which < 4)
        handler_writes(which);
    else
        handler_reads();
    errno = saved;
}

static void install(int signal, int flags)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};

    check(sigaction(signal, &action, NULL) == 0);
}

/* ---- what they interrupt ---- */

static void write_all_ways(unsigned round)
{
    unsigned char value[LENGTH_MAX];
    size_t length = make_value(value, (unsigned)__atomic_add_fetch(&scene->seed, 1, __ATOMIC_RELAXED));
    uint64_t version = seqshare_version(scene->share);
    void *slot;
    int result;

    switch (round % 4) {
    case 0:
        equals(seqshare_set(scene->share, value, length), 0);
        break;
    case 1:
        result = seqshare_set_if(scene->share, &version, value, length);
        check(result == 0 || result == -ESTALE);
        if (result)
            return;
        break;
    case 2:
        equals(seqshare_fill(scene->share, length, &slot), 0);
        memcpy(slot, value, length);
        equals(seqshare_publish(scene->share, length), 0);
        break;
    default:
        equals(seqshare_lock(scene->share), 0);
        equals(seqshare_set(scene->share, value, length), 0);
        equals(seqshare_unlock(scene->share), 0);
    }
    __atomic_add_fetch(&scene->published, 1, __ATOMIC_RELAXED);
}

static void first_value(void)
{
    unsigned char value[LENGTH_MAX];

    equals(seqshare_set(scene->share, value, make_value(value, 0)), 0);
    scene->published = 1;
}

/* The writer, with signals arriving; it goes on until enough of them have. */
static void write_on(void *context)
{
    (void)context;
    install(SIGUSR1, SA_RESTART);
    set_flag(&scene->running, 1);
    for (unsigned round = 0; round < ROUNDS || scene->handled < SIGNALS_WANTED; round++)
        write_all_ways(round);
    set_flag(&scene->running, 2);
}

static void read_on(void *context)
{
    unsigned char got[LENGTH_MAX];
    uint64_t version = 0, before = 0;
    bool last; /* read once more after the writer's end: that may have come first */

    (void)context;
    do {
        ssize_t length;

        last = __atomic_load_n(&scene->running, __ATOMIC_SEQ_CST) == 2;
        length = seqshare_get(scene->share, got, sizeof got, &version);
        check(length > 0 && whole(got, (size_t)length) && version >= before);
        before = version;
    } while (!last);
    check(before > 1);
}

static void all_is_well(void)
{
    if (scene->wrong)
        cr_assert_fail("%d wrong answers, one of them %d", scene->wrong, scene->wrong_result);
    equals(seqshare_version(scene->share), scene->published);
    equals(seqshare_trylock(scene->share), 0);
    equals(seqshare_unlock(scene->share), 0);
    check(scene->handled >= SIGNALS_WANTED && scene->read > 0);
}

Test(signal, storm_from_another_process)
{
    pid_t writer, reader;

    scene_new();
    first_value();
    writer = child_start(write_on, NULL);
    reader = child_start(read_on, NULL);
    await_flag(&scene->running, 1);
    while (__atomic_load_n(&scene->running, __ATOMIC_SEQ_CST) < 2) {
        kill(writer, SIGUSR1); /* it may just have ended */
        usleep(20);
    }
    equals(child_end(writer), 0);
    equals(child_end(reader), 0);
    all_is_well();
    seqshare_close(scene->share);
}

static void write_with_a_timer(void *context)
{
    struct itimerval often = {{0, 50}, {0, 50}}, never = {{0, 0}, {0, 0}};

    (void)context;
    install(SIGALRM, SA_RESTART);
    check(setitimer(ITIMER_REAL, &often, NULL) == 0);
    for (unsigned round = 0; round < ROUNDS || scene->handled < SIGNALS_WANTED; round++)
        write_all_ways(round);
    check(setitimer(ITIMER_REAL, &never, NULL) == 0);
    set_flag(&scene->running, 2);
}

Test(signal, storm_of_ones_own_timer)
{
    pid_t writer, reader;

    scene_new();
    first_value();
    writer = child_start(write_with_a_timer, NULL);
    reader = child_start(read_on, NULL);
    equals(child_end(writer), 0);
    equals(child_end(reader), 0);
    all_is_well();
    seqshare_close(scene->share);
}

/* Two processes that write, each with such handlers: the handler of one waits for the lock of the other. */
static void write_with_a_slow_timer(void *context)
{
    struct itimerval often = {{0, 500}, {0, 500}}, never = {{0, 0}, {0, 0}};

    (void)context;
    install(SIGALRM, 0);
    check(setitimer(ITIMER_REAL, &often, NULL) == 0);
    for (unsigned round = 0; round < ROUNDS || scene->handled < SIGNALS_WANTED; round++)
        write_all_ways(round);
    check(setitimer(ITIMER_REAL, &never, NULL) == 0);
}

Test(signal, handlers_in_two_writers)
{
    pid_t writers[2];

    scene_new();
    first_value();
    for (int i = 0; i < 2; i++)
        writers[i] = child_start(write_with_a_slow_timer, NULL);
    for (int i = 0; i < 2; i++)
        equals(child_end(writers[i]), 0);
    check(scene->wrong == 0);
    equals(seqshare_trylock(scene->share), 0);
    equals(seqshare_unlock(scene->share), 0);
    seqshare_close(scene->share);
}

/* ---- signals while one sleeps ---- */

static void count_signal(int signal)
{
    (void)signal;
    scene->handled++;
}

static void sleep_for_the_lock(void *context)
{
    struct sigaction action = {.sa_handler = count_signal}; /* without SA_RESTART */

    (void)context;
    check(sigaction(SIGUSR1, &action, NULL) == 0);
    set_flag(&scene->running, 1);
    do { /* until signals have come meanwhile */
        int64_t begin = now();

        equals(seqshare_lock_for(scene->share, 100 * MILLISECONDS), -ETIMEDOUT);
        check(now() - begin >= 100 * MILLISECONDS);
    } while (scene->handled == 0);
    set_flag(&scene->running, 2);
    equals(seqshare_lock(scene->share), 0);
    equals(seqshare_unlock(scene->share), 0);
}

Test(signal, who_sleeps_for_the_lock_sleeps_on)
{
    pid_t child;

    scene_new();
    equals(seqshare_lock(scene->share), 0);
    child = child_start(sleep_for_the_lock, NULL);
    await_flag(&scene->running, 1);
    while (__atomic_load_n(&scene->running, __ATOMIC_SEQ_CST) < 2) {
        check(kill(child, SIGUSR1) == 0);
        usleep(1000);
    }
    for (int i = 0; i < 20; i++) {
        check(kill(child, SIGUSR1) == 0);
        child_sleeps(child);
    }
    check(scene->handled > 20);
    equals(seqshare_unlock(scene->share), 0);
    equals(child_end(child), 0);
    seqshare_close(scene->share);
}

/* ---- the handler and the lock that its thread holds ---- */

static void set_under_the_lock_in_handler(int signal)
{
    (void)signal;
    scene->wrong_result = seqshare_set(scene->share, "handler", 7);
}

Test(signal, a_handler_may_set_under_its_threads_lock)
{
    struct sigaction action = {.sa_handler = set_under_the_lock_in_handler};
    char got[8];

    scene_new();
    check(sigaction(SIGUSR1, &action, NULL) == 0);
    equals(seqshare_lock(scene->share), 0);
    raise(SIGUSR1);
    equals(scene->wrong_result, 0);
    equals(seqshare_get(scene->share, got, sizeof got, NULL), 7);
    equals(seqshare_trylock(scene->share), -EDEADLK);
    equals(seqshare_unlock(scene->share), 0);
    seqshare_close(scene->share);
}

Test(signal, a_handler_between_fill_and_publish_is_refused)
{
    struct sigaction action = {.sa_handler = set_under_the_lock_in_handler};
    void *slot;

    scene_new();
    check(sigaction(SIGUSR1, &action, NULL) == 0);
    equals(seqshare_fill(scene->share, 4, &slot), 0);
    memcpy(slot, "fill", 4);
    raise(SIGUSR1);
    equals(scene->wrong_result, -EBUSY);
    check(memcmp(slot, "fill", 4) == 0);
    equals(seqshare_publish(scene->share, 4), 0);
    raise(SIGUSR1);
    equals(scene->wrong_result, 0);
    equals(seqshare_version(scene->share), 2);
    seqshare_close(scene->share);
}

/* A signal may come in any thread, also in one that does not hold the lock. */
static void *take_a_signal(void *context)
{
    (void)context;
    raise(SIGUSR1);
    return NULL;
}

static void try_in_handler(int signal)
{
    (void)signal;
    scene->wrong_result = seqshare_trylock(scene->share);
}

Test(signal, a_handler_in_another_thread_is_another)
{
    struct sigaction action = {.sa_handler = try_in_handler};
    pthread_t thread;
    void *slot;

    scene_new();
    check(sigaction(SIGUSR1, &action, NULL) == 0);
    equals(seqshare_lock(scene->share), 0);
    equals(seqshare_fill(scene->share, 4, &slot), 0);
    equals(pthread_create(&thread, NULL, take_a_signal, NULL), 0);
    equals(pthread_join(thread, NULL), 0);
    equals(scene->wrong_result, -EBUSY);
    equals(seqshare_unlock(scene->share), -EBUSY);
    equals(seqshare_abandon(scene->share), 0);
    equals(seqshare_unlock(scene->share), 0);
    seqshare_close(scene->share);
}
