/* SPDX-License-Identifier: MIT */
/*
 * A writer is killed at every instruction of every way to write.
 *
 * Shows: READ-1, READ-4, WRITE-1, WRITE-2, WRITE-4, WRITE-5.
 */
#include <stdio.h>
#include <unistd.h>

#include "crash.h"

enum { LOCK_WITHIN = 10, TRIES = 3 };

/* The next writer, alternately in one call and under the lock. */
static void check_next_writer(const struct writing *writing, struct published next, bool owned, size_t k)
{
    int taken = 0, error;

    if (k % 4 < 2) {
        taken = seqshare_lock_for(share, LOCK_WITHIN * INT64_C(1000000000));
        if (taken != (owned ? 1 : 0))
            report_wrong("point %zu: the next lock gives %d (%s), %s", k, taken, seqshare_strerror(taken),
                         owned ? "the owner being dead" : "the lock being free");
        if (taken < 0)
            return;
    }
    error = value_set(share, writing->kind, next.key);
    if (!error && k % 4 < 2)
        error = seqshare_unlock(share);
    if (error)
        report_wrong("point %zu: the next writer: %s", k, seqshare_strerror(error));
    else if (values_read(reader, writing->kind, &next, 1) < 0)
        report_wrong("point %zu: after the next writer", k);
}

/*
 * After a death at point k: a reader has one of the two values, whole, and the next writer succeeds; it must
 * have taken over if and only if the lock had an owner. 0: the old value stood, 1: the new one, -1: failed.
 */
static int check_aftermath(const struct writing *writing, const struct published allowed[2], size_t k)
{
    struct seqshare_stat stat;
    int seen = values_read(reader, writing->kind, allowed, 1 + writing->publishes);
    int error = seqshare_stat(reader, &stat);

    if (seen < 0 || error) {
        report_wrong("point %zu of the killed: a reader fails", k);
        return -1;
    }
    if (stat.owner != 0 && stat.owner_alive)
        report_wrong("point %zu: the lock belongs to %d, who lives", k, stat.owner);
    check_next_writer(writing, (struct published){allowed[seen].version + 1, new_key()}, stat.owner != 0, k);
    return seen;
}

struct tally {
    unsigned long points, strays;
    size_t announced; /* the first point at which readers had the new value */
};

/* Was it point k of the recorded way? */
static bool kill_at(const struct writing *writing, const struct path *path, size_t k, struct tally *tally)
{
    struct published allowed[2];
    pid_t pid = writing_start(writing, allowed);
    bool on_way;
    int seen;

    report_alive();
    on_way = path_go(path, pid, 0, k);
    tracee_kill(pid);
    if (k % 2 == 0)
        tracee_reap(pid); /* else it is a zombie, whose number still exists */
    if (writing->afterwards)
        writing->afterwards();
    seen = check_aftermath(writing, allowed, k);
    if (k % 2 != 0)
        tracee_reap(pid);
    if (stage->over && (seen != writing->publishes || stage->result != writing->result))
        report_wrong("it was through with %ld, and %s value stands", stage->result,
                     seen ? "the new" : "the old");
    if (seen == 1 && tally->announced > k)
        tally->announced = k;
    tally->points++;
    return on_way;
}

static void kill_there(const struct writing *writing, const struct path *path, size_t k, struct tally *tally)
{
    for (int tries = 0; tries < TRIES; tries++)
        if (kill_at(writing, path, k, tally))
            return;
    tally->strays++;
}

/* The last point of a call that sleeps: asleep. */
static void kill_asleep(const struct writing *writing, struct tally *tally)
{
    struct published allowed[2];
    pid_t pid = writing_start(writing, allowed);

    tracee_let_run(pid);
    process_asleep(pid);
    tracee_kill(pid);
    tracee_reap(pid);
    writing->afterwards();
    check_aftermath(writing, allowed, 0);
    tally->points++;
}

static void kill_everywhere(const struct writing *writing)
{
    struct tally tally = {.announced = SIZE_MAX};
    struct path path;
    unsigned long before = tracee_steps;
    char name[128];

    snprintf(name, sizeof name, "a writer killed in %s", writing->name);
    report_check(name);
    fresh_region(writing->kind, 2);
    writing_record(&path, writing);
    for (size_t k = 0; k <= path.length; k++)
        if (path_wanted(&path, k))
            kill_there(writing, &path, k, &tally);
    if (writing->sleeps)
        kill_asleep(writing, &tally);
    if (writing->publishes && tally.announced == SIZE_MAX)
        report_wrong("readers never saw the new value");
    report_done("%lu kill points of %zu instructions (%lu not met again), %lu steps", tally.points,
                path.length, tally.strays, tracee_steps - before);
    kills += tally.points;
    path_free(&path);
}

void test_killed_writers(void)
{
    for (const struct writing *writing = writings; writing->name; writing++)
        kill_everywhere(writing);
}
