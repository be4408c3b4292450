/* SPDX-License-Identifier: MIT */
/* The roles of the processes that chaos.c kills. */
#include "chaos.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <seqshare/cache.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "clock.h"
#include "pattern.h"

enum { CAPACITY = 4096, MODE = 0600 };

/* ---- values ---- */

static uint64_t mix(const struct value *value)
{
    uint64_t state = value->stamp;

    for (unsigned i = 0; i < WRITERS; i++)
        state = random_next(&state) ^ value->done[i];
    return random_next(&state);
}

void value_seal(struct value *value)
{
    value->check = mix(value);
    for (size_t i = 0; i < sizeof value->filler / sizeof *value->filler; i++)
        value->filler[i] = value->check;
}

bool value_is_whole(const struct value *value)
{
    if (value->check != mix(value))
        return false;
    for (size_t i = 0; i < sizeof value->filler / sizeof *value->filler; i++)
        if (value->filler[i] != value->check)
            return false;
    return true;
}

SEQSHARE_TYPE(chaos, struct value)

/* ---- the account ---- */

static void wrong(struct life *life, const char *what, long result)
{
    complain(&life->book->account[life->index].complaint, what, result);
}

static void did(struct life *life)
{
    count(&life->book->account[life->index].done, 1);
}

static bool stopped(const struct life *life)
{
    return __atomic_load_n(&life->book->stop, __ATOMIC_RELAXED) != 0;
}

static bool finished(const struct life *life)
{
    return __atomic_load_n(&life->book->finished, __ATOMIC_RELAXED) != 0;
}

static void pause_for(struct life *life, uint64_t most_us)
{
    rest((int64_t)(random_next(&life->random) % (most_us * 1000)));
}

/* The name may be missing where it is removed; where it is only replaced, it never is. */
static bool may_be_missing(const struct life *life, int error)
{
    return life->book->weather >= REMOVED && error == -ENOENT;
}

/* ---- opening ---- */

/* An open share in life->share; false: it is over. */
static bool come_by(struct life *life, int access)
{
    while (!life->share && !finished(life) && !(access & SEQSHARE_WRITE && stopped(life))) {
        int error = seqshare_open(&life->share, life->book->path, access);

        if (error && !may_be_missing(life, error))
            wrong(life, "open", error);
        if (error)
            pause_for(life, 2000);
    }
    return life->share;
}

static void let_go(struct life *life)
{
    seqshare_close(life->share);
    life->share = NULL;
}

/* ---- writers ---- */

/* The value of the share, whole, with everything that was acknowledged before. */
static bool read_newest(struct life *life, const uint64_t known[WRITERS], struct value *value,
                        uint64_t *version)
{
    ssize_t length = seqshare_get(life->share, value, sizeof *value, version);

    if (length == -ENODATA && life->book->weather >= REMOVED) { /* replace made one under a free name */
        *value = (struct value){0};
        *version = 0;
        return true;
    }
    if (length != sizeof *value) {
        wrong(life, "get", length);
        return false;
    }
    if (!value_is_whole(value)) {
        wrong(life, "a torn value, at version", (long)*version);
        return false;
    }
    for (unsigned i = 0; known && i < WRITERS && life->book->weather == REPLACED; i++)
        if (value->done[i] < known[i]) {
            wrong(life, "acknowledged sets lost", (long)(known[i] - value->done[i]));
            return false;
        }
    return true;
}

static void know(const struct life *life, uint64_t known[WRITERS])
{
    for (unsigned i = 0; i < WRITERS; i++) /* acquire: that set was over before what comes now begins */
        known[i] = __atomic_load_n(&life->book->acknowledged[i], __ATOMIC_ACQUIRE);
}

static int publish_by_fill(struct life *life, const struct value *value)
{
    void *slot;
    int error = seqshare_fill(life->share, sizeof *value, &slot);

    if (error)
        return error;
    memcpy(slot, value, sizeof *value);
    return seqshare_publish(life->share, sizeof *value);
}

static int publish(struct life *life, const struct value *value)
{
    switch (random_next(&life->random) % 3) {
    case 0:
        return publish_by_fill(life, value);
    case 1:
        return chaos_set(life->share, value);
    default:
        return seqshare_set(life->share, value, sizeof *value);
    }
}

static int write_locked(struct life *life, struct value *value)
{
    uint64_t version, known[WRITERS];
    int error = seqshare_lock(life->share);

    if (error < 0)
        return error;
    know(life, known); /* under the lock nobody else's is on its way */
    error = -EAGAIN;
    if (read_newest(life, known, value, &version)) {
        value->done[life->number]++;
        value_seal(value);
        error = publish(life, value);
    }
    if (seqshare_unlock(life->share) != 0)
        wrong(life, "unlock", -EPERM);
    return error;
}

static int write_if(struct life *life, struct value *value)
{
    uint64_t version;

    if (!read_newest(life, NULL, value, &version))
        return -EAGAIN;
    value->done[life->number]++;
    value_seal(value);
    return seqshare_set_if(life->share, &version, value, sizeof *value);
}

/* Follow the name after what a write said. In all weathers but one a region of strangers is an answer, too. */
static void after_refusal(struct life *life, int error)
{
    bool foreign = error == -EOPNOTSUPP && life->book->weather == FOREIGN;

    if (error == -ESTALE || error == -EAGAIN)
        return;
    if (error != -EIDRM && !foreign)
        wrong(life, "a write", error);
    let_go(life);
    pause_for(life, 1000);
}

/* This thread may have the lock still: the program before it was executed while it held it. */
static void unlock_what_was_left(struct life *life)
{
    int error = seqshare_unlock(life->share);

    if (error && error != -EPERM)
        wrong(life, "unlock after exec", error);
}

static void write_on(struct life *life)
{
    struct value value;

    if (come_by(life, SEQSHARE_WRITE))
        unlock_what_was_left(life);
    while (!stopped(life) && come_by(life, SEQSHARE_WRITE)) {
        int error = random_next(&life->random) % 2 ? write_locked(life, &value) : write_if(life, &value);

        if (error) {
            after_refusal(life, error);
            continue;
        }
        /* Release: a process that knows of it reads it. */
        __atomic_store_n(&life->book->acknowledged[life->number], value.done[life->number], __ATOMIC_RELEASE);
        did(life);
        if (random_next(&life->random) % 4 == 0)
            pause_for(life, 300);
    }
}

/* ---- exec in the middle ---- */

static char *again[4];

static void execute_again(int signal)
{
    (void)signal;
    execv("/proc/self/exe", again);
    _exit(1);
}

static void *execute_from_a_thread(void *nothing)
{
    rest(2000000);
    execute_again(0);
    return nothing;
}

/* A writer that becomes a new program at any moment: from a handler, or from another thread. */
static void write_and_execute(struct life *life)
{
    static char fd[16], index[16];
    struct itimerval soon = {{0, 0}, {0, 1 + (long)(random_next(&life->random) % 5000)}};
    sigset_t alarms;
    pthread_t thread;

    snprintf(fd, sizeof fd, "%d", life->book_fd);
    snprintf(index, sizeof index, "%u", life->index);
    again[0] = (char *)(uintptr_t) "chaos", again[1] = fd, again[2] = index, again[3] = NULL;
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    signal(SIGALRM, execute_again);
    sigprocmask(SIG_UNBLOCK, &alarms, NULL); /* a handler executed this program */
    if (random_next(&life->random) % 4 != 0)
        setitimer(ITIMER_REAL, &soon, NULL);
    else if (pthread_create(&thread, NULL, execute_from_a_thread, NULL) != 0)
        wrong(life, "a thread", -EAGAIN);
    write_on(life);
}

/* ---- those that move the name ---- */

static void replace_once(struct life *life, size_t capacity)
{
    seqshare *new = NULL;
    int error = seqshare_replace(&new, life->book->path, capacity, MODE);

    /* -EAGAIN: outrun by writers that it may not lock out, or by a thousand others. */
    if (error && error != -EAGAIN)
        wrong(life, "replace", error);
    else
        did(life);
    seqshare_close(new);
}

static void replace_on(struct life *life)
{
    while (!stopped(life)) {
        replace_once(life, CAPACITY + random_next(&life->random) % CAPACITY);
        pause_for(life, 3000);
    }
}

/* A region that replaces no other: it appears with its value. */
static void make_first(struct life *life)
{
    struct value value = {0};
    seqshare_reading first = {.bytes = &value, .length = sizeof value};
    seqshare *new = NULL;
    int error;

    value_seal(&value);
    error = seqshare_create_with(&new, life->book->path, CAPACITY, MODE, &first);
    if (error && error != -EEXIST)
        wrong(life, "create_with", error);
    seqshare_close(new);
}

/* By its own means, by hand, and back to a region that was another's before. */
static void remove_once(struct life *life)
{
    char aside[300];
    int error = 0;

    snprintf(aside, sizeof aside, "%s.aside", life->book->path);
    switch (random_next(&life->random) % 4) {
    case 0:
    case 1:
        error = seqshare_unlink(life->book->path);
        break;
    case 2:
        error = rename(life->book->path, aside) == 0 ? 0 : -errno;
        break;
    default:
        error = rename(aside, life->book->path) == 0 ? 0 : -errno;
        break;
    }
    if (error && error != -ENOENT)
        wrong(life, "unlink or rename", error);
    else
        did(life);
}

static void remove_on(struct life *life)
{
    while (!stopped(life)) {
        remove_once(life);
        pause_for(life, 1000);
        make_first(life);
        pause_for(life, 10000);
    }
}

/* A container's publisher: it sets, and replaces a region that it may not write. */
static void publish_as_a_foreigner(struct life *life)
{
    while (!stopped(life) && come_by(life, SEQSHARE_WRITE)) {
        struct value value = {0};
        int error;

        value.stamp = random_next(&life->random) >> 1;
        value_seal(&value);
        error = seqshare_set(life->share, &value, sizeof value);
        if (error == 0) {
            did(life);
        } else if (error == -EOPNOTSUPP) {
            replace_once(life, CAPACITY);
            let_go(life);
        } else {
            after_refusal(life, error);
        }
        pause_for(life, 4000);
    }
}

/* ---- want ---- */

/* Everything may fail if there are no descriptors or no memory; nothing may come to harm. */
static void starve_on(struct life *life)
{
    struct rlimit files, memory;

    getrlimit(RLIMIT_NOFILE, &files);
    getrlimit(RLIMIT_AS, &memory);
    while (!stopped(life)) {
        bool of_files = random_next(&life->random) & 1;
        struct rlimit few = {random_next(&life->random) % 12, files.rlim_max}, none = {0, memory.rlim_max};
        seqshare *share = NULL;
        int error;

        setrlimit(of_files ? RLIMIT_NOFILE : RLIMIT_AS, of_files ? &few : &none);
        error = random_next(&life->random) & 1 ? seqshare_replace(&share, life->book->path, CAPACITY, MODE)
                                               : seqshare_open(&share, life->book->path, SEQSHARE_WRITE);
        if (share) {
            seqshare_reopen(share);
            seqshare_close(share);
        }
        setrlimit(RLIMIT_NOFILE, &files);
        setrlimit(RLIMIT_AS, &memory);
        if (error && error != -EMFILE && error != -ENOMEM && error != -EAGAIN && !may_be_missing(life, error))
            wrong(life, "open or replace in want", error);
        else
            did(life);
        pause_for(life, 2000);
    }
}

/* ---- those that look ---- */

/* A process born now sees everything that was acknowledged before. */
static void look_afresh(struct life *life)
{
    while (!stopped(life)) {
        struct value value;
        uint64_t version, known[WRITERS];

        know(life, known);
        if (come_by(life, SEQSHARE_READ) && seqshare_version(life->share) != 0 &&
            read_newest(life, known, &value, &version))
            did(life);
        let_go(life);
        pause_for(life, 500);
    }
}

static void show(struct life *life, const struct value *value)
{
    __atomic_store_n(&life->book->shown[life->number], value->stamp, __ATOMIC_RELAXED);
    did(life);
}

/* By the handle itself: wait, and ask the name when wait says so. */
static void follow_by_wait(struct life *life)
{
    while (!finished(life) && come_by(life, SEQSHARE_READ)) {
        uint64_t version = 0;
        struct value value;
        int error;

        if (seqshare_version(life->share) != 0 && read_newest(life, NULL, &value, &version))
            show(life, &value);
        error = seqshare_wait(life->share, version, 5000000000);
        if (error == -EIDRM || seqshare_retired(life->share))
            error = seqshare_reopen(life->share);
        /* A name that is missing, or that leads back to a replaced region, says so until somebody mends it. */
        if (error < 0 && error != -ETIMEDOUT && !may_be_missing(life, error) && error != -EIDRM)
            wrong(life, "wait or reopen", error);
        if (error == -ENOENT || error == -EIDRM)
            pause_for(life, 20000);
    }
}

static void *decode(void *bytes, size_t length, uint64_t version, void *context)
{
    struct value *value = malloc(sizeof *value);

    (void)version;
    if (!value)
        return NULL;
    memcpy(value, bytes, length < sizeof *value ? length : sizeof *value);
    if (length == sizeof *value && value_is_whole(value))
        return value;
    wrong(context, "a cache got a torn value of length", (long)length);
    free(value);
    errno = EBADMSG;
    return NULL;
}

static void follow_by_cache(struct life *life)
{
    seqshare_cache *cache;

    if (!come_by(life, SEQSHARE_READ))
        return;
    if (seqshare_cache_new(&cache, life->share, decode, free, life) != 0) {
        wrong(life, "cache_new", -ENOMEM);
        return;
    }
    while (!finished(life)) {
        const struct value *value = seqshare_cache_get(cache);

        if (value)
            show(life, value);
        pause_for(life, 2000);
    }
    seqshare_cache_close(cache);
}

static void follow_by_shared_cache(struct life *life)
{
    seqshare_cache_mt *cache;

    if (!come_by(life, SEQSHARE_READ))
        return;
    if (seqshare_cache_mt_new(&cache, life->share, decode, free, life) != 0) {
        wrong(life, "cache_mt_new", -ENOMEM);
        return;
    }
    while (!finished(life)) {
        seqshare_snapshot snapshot;
        const struct value *value = seqshare_cache_mt_enter(cache, &snapshot);

        if (value)
            show(life, value);
        seqshare_cache_mt_leave(cache, &snapshot);
        pause_for(life, 2000);
    }
    seqshare_cache_mt_close(cache);
}

/* ---- all of them ---- */

const struct role roles[] = {
    {"writer", write_on, 0, REPLACED, false, false},
    {"writer", write_on, 1, REPLACED, false, false},
    {"writer that executes itself", write_and_execute, 2, REPLACED, false, false},
    {"replacer", replace_on, 0, REPLACED, false, false},
    {"replacer", replace_on, 1, REPLACED, false, false},
    {"in want of descriptors and memory", starve_on, 0, REPLACED, false, false},
    {"fresh reader", look_afresh, 0, REPLACED, false, false},
    {"waiter", follow_by_wait, 0, REPLACED, false, true},
    {"waiter", follow_by_wait, 1, REPLACED, false, true},
    {"cache", follow_by_cache, 2, REPLACED, false, true},
    {"cache of many threads", follow_by_shared_cache, 3, REPLACED, false, true},
    {"remover and maker", remove_on, 0, REMOVED, false, false},
    {"publisher of another PID namespace", publish_as_a_foreigner, 0, FOREIGN, true, false},
};
const unsigned roles_number = sizeof roles / sizeof *roles;
_Static_assert(sizeof roles / sizeof *roles <= ROLES_MOST, "each role has an account");

_Noreturn void role_live(struct book *book, int book_fd, unsigned index)
{
    struct life life = {.book = book, .index = index, .number = roles[index].number, .book_fd = book_fd};

    /* Another life, other choices: time and process, for a killed role has nothing to count its lives by. */
    life.random =
        book->seed ^ (uint64_t)getpid() << 32 ^ (uint64_t)clock() ^ counted(&book->account[index].done);
    roles[index].run(&life);
    _exit(0);
}
