/* SPDX-License-Identifier: MIT */
/* The ways to write, and what may have happened before. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ground.h"

enum { SMALL = 8, LARGE = 1024, RECORDINGS = 4, GIVE_UP_NS = 1000000000 };

static unsigned char value[VALUE_MOST]; /* of the tracee, made before the mark */
static size_t value_size;

/* ---- the calls ---------------------------------------------------------------------------------------- */

static int call_set(struct kind kind)
{
    struct row row;

    if (!kind.typed)
        return seqshare_set(share, value, value_size);
    memcpy(&row, value, sizeof row);
    return row_set(share, &row);
}

static int call_set_if(struct kind kind)
{
    uint64_t version = stage->version;

    (void)kind;
    return seqshare_set_if(share, &version, value, value_size);
}

static int call_fill(struct kind kind)
{
    void *slot;
    int error = seqshare_fill(share, kind.size, &slot);

    if (error)
        return error;
    memcpy(slot, value, value_size);
    return seqshare_publish(share, value_size);
}

static int call_abandon(struct kind kind)
{
    void *slot;
    int error = seqshare_fill(share, kind.size, &slot);

    if (error)
        return error;
    memcpy(slot, value, value_size);
    return seqshare_abandon(share);
}

static int call_lock(struct kind kind)
{
    int taken = seqshare_lock(share), error;

    (void)kind;
    if (taken < 0)
        return taken;
    error = seqshare_unlock(share);
    return error ? error : taken;
}

/* Read, modify, write. */
static int call_lock_set(struct kind kind)
{
    unsigned char old[VALUE_MOST];
    int taken = seqshare_lock(share), error;

    if (taken < 0)
        return taken;
    if (seqshare_get(share, old, sizeof old, NULL) < 0)
        return -EIO;
    error = call_set(kind);
    if (!error)
        error = seqshare_unlock(share);
    return error ? error : taken;
}

static int call_lock_for(struct kind kind)
{
    (void)kind;
    return seqshare_lock_for(share, GIVE_UP_NS);
}

/* ---- what has happened before ------------------------------------------------------------------------- */

enum death { HOLDING, FILLING };

static pid_t dead;

static void reap_the_dead(void)
{
    tracee_reap(dead);
}

/* A writer dies: with the lock, or also in the middle of the bytes. It stays a zombie. */
static void let_one_die(size_t room, enum death death)
{
    siginfo_t end;

    dead = fork();
    if (dead == 0) {
        void *slot;
        int error;

        child_of_a_test();
        error = death == HOLDING ? seqshare_lock(share) : seqshare_fill(share, room, &slot);
        if (!error && death == FILLING)
            memset(slot, 0xee, room / 2);
        if (!error)
            raise(SIGKILL);
        die("the one to die could not write: %s", seqshare_strerror(error));
    }
    if (dead < 0 || waitid(P_PID, (id_t)dead, &end, WEXITED | WNOWAIT) != 0 || end.si_code != CLD_KILLED)
        die("nobody died");
}

static void one_died_holding(struct kind kind)
{
    let_one_die(kind.size, HOLDING);
    reap_the_dead();
}

static void one_died_filling(struct kind kind)
{
    let_one_die(kind.size, FILLING);
    reap_the_dead();
}

/* And nobody has waited for it: its number is still taken. */
static void one_is_a_zombie(struct kind kind)
{
    let_one_die(kind.size, FILLING);
}

/* A waiter that is killed in its sleep leaves its wish to be woken behind. */
static void one_died_waiting(struct kind kind)
{
    (void)kind;
    dead = fork();
    if (dead == 0) {
        child_of_a_test();
        seqshare_wait(share, seqshare_version(share), -1);
        _exit(0);
    }
    if (dead < 0)
        die("no waiter");
    process_asleep(dead);
    kill(dead, SIGKILL);
    reap_the_dead();
}

/* The next publication calls FUTEX_WAKE, though nobody has registered. */
static void a_tick_goes_by(struct kind kind)
{
    (void)kind;
    stage->ticks++;
}

static void hold_lock(struct kind kind)
{
    int taken = seqshare_lock(share);

    (void)kind;
    if (taken != 0)
        report_wrong("the lock was not free: %s", seqshare_strerror(taken));
}

static void give_lock_back(void)
{
    int error = seqshare_unlock(share);

    if (error)
        report_wrong("unlock: %s", seqshare_strerror(error));
}

const struct writing writings[] = {
    {.name = "set, 8 bytes", .kind = {SMALL, false}, .call = call_set, .publishes = 1},
    {.name = "set, 1 KiB", .kind = {LARGE, false}, .call = call_set, .publishes = 1},
    {.name = "typed set, 64 bytes", .kind = {64, true}, .call = call_set, .publishes = 1},
    {.name = "set_if, 8 bytes",
     .kind = {SMALL, false},
     .call = call_set_if,
     .publishes = 1,
     .conditional = true},
    {.name = "fill and publish, 1 KiB", .kind = {LARGE, false}, .call = call_fill, .publishes = 1},
    {.name = "fill and abandon, 1 KiB", .kind = {LARGE, false}, .call = call_abandon},
    {.name = "lock and unlock", .kind = {SMALL, false}, .call = call_lock},
    {.name = "lock, get, set and unlock, 8 bytes",
     .kind = {SMALL, false},
     .call = call_lock_set,
     .publishes = 1},
    {.name = "set, with a waiter to be woken",
     .kind = {SMALL, false},
     .call = call_set,
     .meanwhile = one_died_waiting,
     .publishes = 1},
    {.name = "set, the first of its tick",
     .kind = {SMALL, false},
     .call = call_set,
     .meanwhile = a_tick_goes_by,
     .publishes = 1},
    {.name = "set, the first of its process, with memory to allocate",
     .kind = {LARGE, false},
     .call = call_set,
     .publishes = 1,
     .cold = true},
    {.name = "set after one who died filling",
     .kind = {LARGE, false},
     .call = call_set,
     .meanwhile = one_died_filling,
     .publishes = 1},
    {.name = "set after one who died filling, and is a zombie",
     .kind = {SMALL, false},
     .call = call_set,
     .meanwhile = one_is_a_zombie,
     .afterwards = reap_the_dead,
     .publishes = 1},
    {.name = "lock, get, set and unlock after one who died holding the lock",
     .kind = {SMALL, false},
     .call = call_lock_set,
     .meanwhile = one_died_holding,
     .publishes = 1,
     .result = 1},
    {.name = "lock_for, until it sleeps",
     .kind = {SMALL, false},
     .call = call_lock_for,
     .meanwhile = hold_lock,
     .afterwards = give_lock_back,
     .result = -ETIMEDOUT,
     .sleeps = true},
    {.name = NULL},
};

/* ---- running one -------------------------------------------------------------------------------------- */

static void run(const void *argument)
{
    const struct writing *writing = argument;

    if (!writing->cold && value_set(share, writing->kind, stage->before) != 0)
        die("set before the mark failed");
    value_make(writing->kind, stage->key, value);
    value_size = value_length(writing->kind, stage->key);
    stage->version = seqshare_version(share);
    tracee_mark();
    stage->result = writing->call(writing->kind);
    stage->over = true;
    tracee_mark();
}

pid_t writing_start(const struct writing *writing, struct published allowed[2])
{
    pid_t pid;

    stage->before = new_key_less(1);
    stage->key = new_key_less(0); /* always the same length, copied the same way */
    stage->over = false;
    if (writing->cold) {
        fresh_region(writing->kind, 2);
        if (value_set(share, writing->kind, stage->before) != 0)
            die("set failed");
    } else if (seqshare_version(reader) % 2 != 0) { /* always the same slot: the way depends on its address */
        value_set(share, writing->kind, new_key());
    }
    pid = tracee_start(run, writing);
    allowed[0] = (struct published){seqshare_version(reader), stage->before};
    allowed[1] = (struct published){allowed[0].version + 1, stage->key};
    if (writing->meanwhile)
        writing->meanwhile(writing->kind);
    return pid;
}

static void record_once(struct path *path, const struct writing *writing)
{
    struct published allowed[2];
    pid_t pid = writing_start(writing, allowed);

    path_record(path, pid, stage, NULL);
    tracee_kill(pid);
    tracee_reap(pid);
    if (writing->afterwards)
        writing->afterwards();
}

void writing_record(struct path *path, const struct writing *writing)
{
    struct path again;

    record_once(path, writing);
    for (int i = 1; i < RECORDINGS; i++) { /* not the way of a clock that was just being set */
        record_once(&again, writing);
        path_free(path);
        if (again.length == path->length)
            i = RECORDINGS;
        *path = again;
    }
}
