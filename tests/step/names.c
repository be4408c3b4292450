/* SPDX-License-Identifier: MIT */
/*
 * One process replaces a name's region, or removes the name, and is stopped before and behind each of its system
 * calls; there another one publishes, replaces, or unlinks. A process that opens the name then always gets a whole
 * region, and no publication is lost. A region that has lost the name says so, and one that has it does not.
 *
 * Shows: NAME-1, NAME-2, NAME-3.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "step.h"

enum { CAPACITY = 2000, MODE = 0600 };
enum act { SET, REPLACE_AND_SET, UNLINK, MOVE, ACTS };

static const char *const act_names[] = {"publishes", "replaces and publishes", "unlinks",
                                        "gives the name to another region, and publishes later"};
static const struct kind kind = {600, false};
static char directory[64], path[128];

/* Of the regions that had the name; the last one is of no use any more. */
enum { SEEN_MOST = 3 };
static seqshare *seen[SEEN_MOST];
static int seen_number;

static void see(seqshare *region)
{
    seen[seen_number++] = region;
}

static int call_replace(void)
{
    seqshare *made;

    return seqshare_replace(&made, path, CAPACITY, MODE);
}

static int call_unlink(void)
{
    return seqshare_unlink(path);
}

static const struct call {
    const char *name;
    int (*call)(void);
} calls[] = {{"a replace", call_replace}, {"an unlink", call_unlink}, {NULL, NULL}};

static void run_call(const void *argument)
{
    const struct call *call = argument;

    tracee_mark();
    stage->result = call->call();
    stage->over = true;
    tracee_mark();
}

/* A handle of what has the name, whose lock is free; NULL if there is none, or the stepped one owns it. */
static seqshare *open_free(void)
{
    seqshare *opened = NULL;
    int taken = -1, error = seqshare_open(&opened, path, SEQSHARE_WRITE);

    if (!error)
        taken = seqshare_trylock(opened);
    if (error && error != -ENOENT)
        report_wrong("open: %s", seqshare_strerror(error));
    if (taken > 0 || (taken < 0 && !error && taken != -EBUSY))
        report_wrong("the lock of what has the name: %d (%s)", taken, seqshare_strerror(taken));
    if (taken >= 0)
        seqshare_unlock(opened);
    if (taken >= 0)
        return opened;
    seqshare_close(opened);
    return NULL;
}

/* The step of the other process; `standing` is then the last publication. False: it had to wait. */
static bool do_act(enum act act, struct published *standing)
{
    seqshare *opened = open_free(), *made = NULL;
    bool done = opened != NULL;
    int error = 0;

    if (done && act == REPLACE_AND_SET)
        error = seqshare_replace(&made, path, CAPACITY, MODE);
    if (done && act == UNLINK)
        error = seqshare_unlink(path);
    if (done && !error && act != UNLINK) {
        *standing = (struct published){standing->version + 1, new_key()};
        error = value_set(made ? made : opened, kind, standing->key);
    }
    if (error)
        report_wrong("the other one: %s", seqshare_strerror(error));
    if (made)
        see(made);
    seqshare_close(opened);
    return done;
}

/* No lock is in the way of that, but for one whose owner moves the name at this very instant. */
static void move_name(struct published *standing)
{
    seqshare *made = NULL;
    int error = seqshare_unlink(path);

    if (error == -EBUSY)
        return;
    if (!error || error == -ENOENT)
        error = seqshare_create(&made, path, CAPACITY, MODE);
    *standing = (struct published){1, new_key()};
    if (!error)
        error = value_set(made, kind, standing->key);
    if (error)
        report_wrong("the other one: %s", seqshare_strerror(error));
    if (made)
        see(made);
}

/* A region that has lost the name says so, and no other does. */
static void check_marks(size_t point)
{
    for (int i = 0; i < seen_number; i++) {
        struct seqshare_stat stat;
        int named = seqshare_named(seen[i]);

        if (named < 0 || seqshare_stat(seen[i], &stat) != 0)
            report_wrong("point %zu: region %d cannot be asked", point, i);
        else if (named ? stat.replaced || stat.unlinked : !stat.retired)
            report_wrong("point %zu: region %d has%s the name; replaced %d, unlinked %d", point, i,
                         named ? "" : " not", stat.replaced, stat.unlinked);
        seqshare_close(seen[i]);
    }
    seen_number = 0;
}

/* Both are through. */
static void check_replaced(enum act act, bool done, const struct published *standing, size_t point)
{
    seqshare *opened = NULL;
    int error = seqshare_open(&opened, path, SEQSHARE_READ);

    if (stage->result != 0)
        report_wrong("point %zu: replace ends with %ld", point, stage->result);
    if (act == UNLINK && done) { /* before or after; if before, it made a region of its own */
        if (error ? error != -ENOENT
                  : seqshare_version(opened) != 0 && values_read(opened, kind, standing, 1) < 0)
            report_wrong("point %zu: what has the name is not whole: %s", point, seqshare_strerror(error));
    } else if (error || values_read(opened, kind, standing, 1) < 0) {
        report_wrong("point %zu: the last publication is lost: %s", point, seqshare_strerror(error));
    }
    seqshare_close(opened);
}

/* The file that has the name now got it later, or there is none. */
static void check_unlinked(enum act act, bool done, const struct published *standing, size_t point)
{
    seqshare *opened = NULL;
    int error = seqshare_open(&opened, path, SEQSHARE_READ);

    if (stage->result != 0 && !(stage->result == -ENOENT && (act == UNLINK || act == MOVE)))
        report_wrong("point %zu: unlink ends with %ld", point, stage->result);
    if (error ? error != -ENOENT : act == UNLINK || (act == SET && done))
        report_wrong("point %zu: after unlink: %s", point, seqshare_strerror(error));
    if (!error && values_read(opened, kind, standing, 1) < 0)
        report_wrong("point %zu: the last publication is lost", point);
    seqshare_close(opened);
}

static void check_end(const struct call *call, enum act act, bool done, const struct published *standing,
                      size_t point)
{
    if (call->call == call_replace)
        check_replaced(act, done, standing, point);
    else
        check_unlinked(act, done, standing, point);
    check_marks(point);
}

static void run_round(const struct call *call, enum act act, size_t point, unsigned long *acted)
{
    struct published standing = {1, new_key()};
    seqshare *made;
    bool done;
    pid_t pid;

    report_alive();
    if (seqshare_create(&made, path, CAPACITY, MODE) != 0 || value_set(made, kind, standing.key) != 0)
        die("cannot make a region in %s", directory);
    see(made);
    stage->over = false;
    pid = tracee_start(run_call, call);
    for (size_t i = 0; i <= point; i++)
        if (!tracee_to_system_call(pid))
            break;
    if (!stage->over) {
        if (act == MOVE) { /* and then, a stop later, publish in whatever has the name by then */
            move_name(&standing);
            tracee_to_system_call(pid);
        }
        done = do_act(act == MOVE ? SET : act, &standing);
        *acted += done;
        if (!stage->over)
            tracee_continue(pid);
        check_end(call, act, done, &standing, point);
        stage->over = false;
    } else {
        check_marks(point);
    }
    tracee_kill(pid);
    tracee_reap(pid);
    unlink(path);
}

static void remove_directory(void)
{
    unlink(path);
    rmdir(directory);
}

static void run_rounds(const struct call *call, enum act act)
{
    unsigned long acted = 0;
    size_t points = 0;
    char name[128];

    snprintf(name, sizeof name, "during %s another one %s", call->name, act_names[act]);
    report_check(name);
    do
        run_round(call, act, points++, &acted);
    while (!stage->over);
    all_rounds += points;
    report_done("%zu stops around system calls, at %lu of them the lock was free", points, acted);
}

void test_names(void)
{
    snprintf(directory, sizeof directory, "/dev/shm/seqshare-step-XXXXXX");
    if (!mkdtemp(directory))
        die("cannot make a directory in /dev/shm");
    snprintf(path, sizeof path, "%s/name", directory);
    report_clean_up(remove_directory);
    for (const struct call *call = calls; call->name; call++)
        for (enum act act = SET; act < ACTS; act++)
            run_rounds(call, act);
    report_clean_up(NULL);
    remove_directory();
}
