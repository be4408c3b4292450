/* SPDX-License-Identifier: MIT */
/*
 * A writer is stepped, and at every instruction another one wants to write: at once, or also holding the
 * lock while the first goes on. They exclude each other, no version is lost, only one takes over from a
 * dead owner.
 *
 * Shows: WRITE-1, WRITE-3, WRITE-4, WRITE-5.
 */
#include <errno.h>
#include <stdio.h>

#include "step.h"

enum manner { AT_ONCE, HOLDING, AFTERWARDS };

struct rival {
    int taken;     /* what trylock gave */
    uint64_t seen; /* the version it found */
    uint64_t key;  /* of what it published over it */
};

/* The other one writes, while the stepped one stands still, or runs into the lock. */
static struct rival write_between(const struct writing *writing, pid_t pid, enum manner manner, size_t k)
{
    struct rival rival = {.key = new_key()};

    rival.taken = seqshare_trylock(share);
    if (rival.taken < 0)
        return rival;
    rival.seen = seqshare_version(reader);
    if (manner == HOLDING) {
        tracee_let_run(pid);
        process_asleep(pid);
        if (seqshare_version(reader) != rival.seen)
            report_wrong("point %zu: a version is published by one who does not own the lock", k);
    }
    if (value_set(share, writing->kind, rival.key) != 0 || seqshare_unlock(share) != 0)
        report_wrong("point %zu: the owner of the lock cannot write", k);
    return rival;
}

/* The lock is refused if the stepped one owns it, and only then; taken over if a dead one did. */
static void check_taken(const struct writing *writing, const struct seqshare_stat *stat, pid_t pid, int taken,
                        size_t k)
{
    int right = stat->owner == pid ? -EBUSY : stat->owner != 0 ? 1 : 0;

    if (taken != right)
        report_wrong("point %zu of %s: the lock gives %d (%s) instead of %d", k, writing->name, taken,
                     seqshare_strerror(taken), right);
}

/* After both: nothing is lost, and the last one stands. */
static void check_end(const struct writing *writing, const struct published allowed[2], struct rival rival,
                      size_t k)
{
    bool wrote = rival.taken >= 0;
    bool stale = writing->conditional && wrote && rival.seen == allowed[0].version;
    bool published = writing->publishes && !stale;
    struct published last = allowed[0];

    if (published)
        last = (struct published){last.version + 1, allowed[1].key};
    if (wrote) {
        last.version++;
        if (!published || rival.seen == allowed[1].version)
            last.key = rival.key;
    }
    if (stage->result != (stale ? -ESTALE : rival.taken == 1 ? 0 : writing->result))
        report_wrong("point %zu: the stepped one ends with %ld", k, stage->result);
    if (values_read(reader, writing->kind, &last, 1) < 0)
        report_wrong("point %zu: %llu stood, version %llu should now", k,
                     (unsigned long long)allowed[0].version, (unsigned long long)last.version);
}

static bool run_round(const struct writing *writing, const struct path *path, enum manner manner, size_t k)
{
    struct published allowed[2];
    pid_t pid = writing_start(writing, allowed);
    bool on_way = path_go(path, pid, 0, k);
    struct seqshare_stat stat;
    struct rival rival;

    report_alive();
    if (seqshare_stat(reader, &stat) != 0)
        report_wrong("point %zu: stat fails", k);
    if (stage->over) /* it stands at its last mark, and is not to run on */
        manner = AFTERWARDS;
    rival = write_between(writing, pid, manner, k);
    check_taken(writing, &stat, pid, rival.taken, k);
    if (manner == AT_ONCE || (manner == HOLDING && rival.taken < 0))
        tracee_let_run(pid);
    if (manner != AFTERWARDS)
        tracee_collect(pid);
    if (!stage->over)
        die("the stepped one did not come to its end");
    check_end(writing, allowed, rival, k);
    tracee_kill(pid);
    tracee_reap(pid);
    if (writing->afterwards)
        writing->afterwards();
    return on_way;
}

void test_rivals(void)
{
    for (const struct writing *writing = writings; writing->name; writing++) {
        unsigned long rounds = 0, strays = 0, before = tracee_steps;
        struct path path;
        char name[128];

        if (writing->sleeps || (writing->cold && !is_long()))
            continue;
        snprintf(name, sizeof name, "two writers, one stepped through %s", writing->name);
        report_check(name);
        fresh_region(writing->kind, 2);
        writing_record(&path, writing);
        for (size_t k = 0; k <= path.length; k++)
            for (enum manner manner = AT_ONCE; path_wanted(&path, k) && manner <= HOLDING; manner++) {
                rounds++;
                strays += !run_round(writing, &path, manner, k);
            }
        all_rounds += rounds;
        report_done("%lu rounds at %zu instructions (%lu not there), %lu steps", rounds, path.length, strays,
                    tracee_steps - before);
        path_free(&path);
    }
}
