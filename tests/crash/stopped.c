/* SPDX-License-Identifier: MIT */
/*
 * A writer is stopped by SIGSTOP at every instruction: readers go on, and the lock is not taken from it.
 *
 * Shows: READ-4, WRITE-4.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "crash.h"

enum { TRY_NS = 1000 };

/*
 * While it is stopped. The version that another writer could publish meanwhile, or 0: the lock was not
 * free.
 */
static uint64_t check_while_stopped(const struct writing *writing, pid_t pid, struct published last,
                                    uint64_t key, size_t k)
{
    struct seqshare_stat stat;
    bool owned;
    int taken;

    if (seqshare_stat(reader, &stat) != 0) {
        report_wrong("point %zu: stat fails", k);
        return 0;
    }
    owned = stat.owner == pid;
    taken = k % 2 ? seqshare_trylock(share) : seqshare_lock_for(share, TRY_NS);
    if (taken != (owned ? (k % 2 ? -EBUSY : -ETIMEDOUT) : 0))
        report_wrong("point %zu: the lock of a stopped owner gives %d (%s)", k, taken,
                     seqshare_strerror(taken));
    if (taken < 0)
        return 0;
    last.version++;
    last.key = key;
    if (value_set(share, writing->kind, key) != 0 || seqshare_unlock(share) != 0 ||
        values_read(reader, writing->kind, &last, 1) < 0)
        report_wrong("point %zu: another writer fails, though the lock was free", k);
    return last.version;
}

/* Was it point k of the recorded way? */
static bool stop_at(const struct writing *writing, const struct path *path, size_t k)
{
    struct published allowed[2], last;
    pid_t pid = writing_start(writing, allowed);
    uint64_t key = new_key(), ours;
    bool on_way, stale;
    int seen;

    report_alive();
    on_way = path_go(path, pid, 0, k);
    tracee_stop_and_release(pid);
    seen = values_read(reader, writing->kind, allowed, 1 + writing->publishes);
    if (seen < 0) {
        report_wrong("point %zu of the stopped: a reader fails", k);
        seen = 0;
    }
    ours = check_while_stopped(writing, pid, allowed[seen], key, k);
    kill(pid, SIGCONT);
    last = ours ? (struct published){ours, key} : allowed[seen];
    while (!stage->over)
        usleep(20);
    tracee_kill(pid);
    tracee_reap(pid);
    stale = writing->conditional && ours && seen == 0;
    if (stage->result != (stale ? -ESTALE : 0))
        report_wrong("point %zu: woken again, it ends with %ld", k, stage->result);
    if (writing->publishes > seen && !stale)
        last = (struct published){last.version + 1, allowed[1].key};
    if (values_read(reader, writing->kind, &last, 1) < 0)
        report_wrong("point %zu: after the stopped one went on", k);
    return on_way;
}

void test_stopped_writers(void)
{
    for (const struct writing *writing = writings; writing->name; writing++) {
        unsigned long points = 0, strays = 0, before = tracee_steps;
        struct path path;
        char name[128];

        if (writing->meanwhile || writing->cold)
            continue;
        snprintf(name, sizeof name, "a writer stopped in %s", writing->name);
        report_check(name);
        fresh_region(writing->kind, 2);
        writing_record(&path, writing);
        for (size_t k = 0; k <= path.length; k++) {
            if (!path_wanted(&path, k))
                continue;
            points++;
            if (!stop_at(writing, &path, k) && !stop_at(writing, &path, k))
                strays++;
        }
        report_done("%lu stops at %zu instructions (%lu not met again), %lu steps", points, path.length,
                    strays, tracee_steps - before);
        stops += points;
        path_free(&path);
    }
}
