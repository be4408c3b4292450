/* SPDX-License-Identifier: MIT */
/*
 * A process is killed in create, replace, unlink, open and reopen: at the beginning and at the end of each
 * system call; where others have the region at that time, also at each instruction (with SEQSHARE_LONG=1
 * everywhere). A name then has the old region, the new one, or none, and never half of one; and whoever comes
 * next succeeds with whatever it wants to do.
 *
 * Shows: NAME-1, NAME-2, NAME-3, WRITE-5.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crash.h"

enum { OLD_CAPACITY = 1000, NEW_CAPACITY = 2000, MODE = 0640 };
enum { ABSENT = 1, OLD = 2, NEW = 4 }; /* what may have the name */

struct act {
    const char *name;
    int (*call)(void);
    unsigned before; /* OLD: there is a region, with a value, and `old` is a handle of it */
    unsigned after;  /* what may have the name when it was killed */
    unsigned end;    /* what has the name when it was through */
    bool no_tmpfile; /* on a file system that has no O_TMPFILE */
    bool may_leave;  /* a temporary file, for the reason given in leftovers_reason */
    bool steps;      /* by instruction, too */
    bool value;      /* what is made has the name with `coming` as its value */
};

static const char leftovers_reason[] = "only a file with a temporary name can take another's place; killed "
                                       "in between it stays, and nobody opens it";

static const struct kind kind = {600, false};
static char directory[64], path[128];
static seqshare *old, *moving;
static struct published standing, coming;

/* ---- the calls, in the tracee ------------------------------------------------------------------------- */

static int call_create(void)
{
    seqshare *made;

    return seqshare_create(&made, path, NEW_CAPACITY, MODE);
}

static int call_replace(void)
{
    seqshare *made;

    return seqshare_replace(&made, path, NEW_CAPACITY, MODE);
}

static unsigned char bytes[VALUE_MOST];

static seqshare_reading first_value(void)
{
    value_make(kind, coming.key, bytes);
    return (seqshare_reading){.bytes = bytes, .length = value_length(kind, coming.key)};
}

static int call_create_with(void)
{
    const seqshare_reading first = first_value();
    seqshare *made;

    return seqshare_create_with(&made, path, NEW_CAPACITY, MODE, &first);
}

static int call_replace_with(void)
{
    const seqshare_reading first = first_value();
    seqshare *made;

    return seqshare_replace_with(&made, path, NEW_CAPACITY, 0600, &first, SEQSHARE_KEEP_MODE);
}

static int call_replace_nothing_with(void)
{
    const seqshare_reading first = first_value();
    seqshare *made;

    return seqshare_replace_with(&made, path, NEW_CAPACITY, MODE, &first, SEQSHARE_KEEP_MODE);
}

static int call_unlink(void)
{
    return seqshare_unlink(path);
}

static int call_open_read(void)
{
    seqshare *opened;

    return seqshare_open(&opened, path, SEQSHARE_READ);
}

static int call_open_write(void)
{
    seqshare *opened;
    int error = seqshare_open(&opened, path, SEQSHARE_WRITE);

    seqshare_close(opened);
    return error;
}

static int call_reopen(void)
{
    return seqshare_reopen(moving) == 1 ? 0 : -1;
}

static const struct act acts[] = {
    {"create", call_create, ABSENT, ABSENT | NEW, NEW, false, false, false, false},
    {"create, without O_TMPFILE", call_create, ABSENT, ABSENT | NEW, NEW, true, true, false, false},
    {"replace", call_replace, OLD, OLD | NEW, NEW, false, true, true, false},
    {"replace, where nothing was", call_replace, ABSENT, ABSENT | NEW, NEW, false, false, false, false},
    {"create with a value", call_create_with, ABSENT, ABSENT | NEW, NEW, false, false, true, true},
    {"create with a value, without O_TMPFILE", call_create_with, ABSENT, ABSENT | NEW, NEW, true, true, false,
     true},
    {"replace with a value", call_replace_with, OLD, OLD | NEW, NEW, false, true, true, true},
    {"replace with a value, where nothing was", call_replace_nothing_with, ABSENT, ABSENT | NEW, NEW, false,
     false, false, true},
    {"unlink", call_unlink, OLD, OLD | ABSENT, ABSENT, false, false, true, false},
    {"open for reading", call_open_read, OLD, OLD, OLD, false, false, false, false},
    {"open for writing, and close", call_open_write, OLD, OLD, OLD, false, false, false, false},
    {"reopen after a replace", call_reopen, NEW, NEW, NEW, false, false, false, false},
    {NULL, NULL, 0, 0, 0, false, false, false, false},
};

static void refuse_tmpfile(void)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (O_TMPFILE & ~O_DIRECTORY), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof program / sizeof *program, program};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) != 0)
        die("no seccomp here to refuse O_TMPFILE with: %s", strerror(errno));
}

static void run_act(const void *argument)
{
    const struct act *act = argument;

    if (act->no_tmpfile)
        refuse_tmpfile();
    tracee_mark();
    stage->result = act->call();
    stage->over = true;
    tracee_mark();
}

/* ---- before ------------------------------------------------------------------------------------------- */

/* Remove what the directory holds: how many temporary files these were. Anything else is a failure. */
static unsigned long clear_directory(void)
{
    DIR *entries = opendir(directory);
    unsigned long temporary = 0;
    struct dirent *entry;

    if (!entries)
        die("cannot read %s", directory);
    while ((entry = readdir(entries))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (strncmp(entry->d_name, ".seqshare-", 10) == 0)
            temporary++;
        else if (strcmp(entry->d_name, strrchr(path, '/') + 1) != 0)
            report_wrong("there is a file %s", entry->d_name);
        unlinkat(dirfd(entries), entry->d_name, 0);
    }
    closedir(entries);
    return temporary;
}

static void make_old(void)
{
    standing = (struct published){3, new_key()};
    if (seqshare_create(&old, path, OLD_CAPACITY, MODE) != 0 || value_set(old, kind, new_key()) != 0 ||
        value_set(old, kind, new_key()) != 0 || value_set(old, kind, standing.key) != 0)
        die("cannot make a region in %s", directory);
}

static void prepare(const struct act *act)
{
    seqshare *made;

    clear_directory();
    old = moving = NULL;
    coming = (struct published){1, new_key()};
    if (act->before & (OLD | NEW)) {
        make_old();
        coming.version = standing.version + 1;
    }
    if (act->before == NEW && (seqshare_open(&moving, path, SEQSHARE_WRITE) != 0 ||
                               seqshare_replace(&made, path, NEW_CAPACITY, MODE) != 0))
        die("cannot replace the region in %s", directory);
    if (act->before == NEW)
        seqshare_close(made);
    stage->over = false;
}

/* ---- after -------------------------------------------------------------------------------------------- */

/* The file that has the name. 0: one that is neither whole nor nothing. */
static unsigned look(const struct act *act)
{
    seqshare *found;
    struct stat status;
    unsigned what;
    int error = seqshare_open(&found, path, SEQSHARE_READ);

    if (error == -ENOENT)
        return ABSENT;
    if (error) {
        report_wrong("open: %s", seqshare_strerror(error));
        return 0;
    }
    what = seqshare_capacity(found) == OLD_CAPACITY   ? OLD
           : seqshare_capacity(found) == NEW_CAPACITY ? NEW
                                                      : 0;
    if (stat(path, &status) != 0 || (status.st_mode & 07777) != MODE) {
        report_wrong("its mode is %o", status.st_mode & 07777U);
        what = 0;
    }
    if (act->value && what == NEW) {
        if (values_read(found, kind, &coming, 1) < 0)
            what = 0;
        seqshare_close(found);
        return what;
    }
    if (act->before == ABSENT && seqshare_length(found, NULL) != -ENODATA) {
        report_wrong("there is a value in a new region");
        what = 0;
    }
    if (act->before != ABSENT && values_read(found, kind, &standing, 1) < 0)
        what = 0;
    seqshare_close(found);
    return what;
}

/* The handle's next writer is refused, and told why; nothing was stored. Then it comes to the new region. */
static void check_told(const struct act *act, int error)
{
    const struct published *carried = act->value ? &coming : &standing;

    if (error != -EIDRM)
        report_wrong("a set in a region that has lost its name to another: %s", seqshare_strerror(error));
    if (!seqshare_retired(old))
        report_wrong("the old region says nothing");
    if (seqshare_reopen(old) != 1 || values_read(old, kind, carried, 1) < 0)
        report_wrong("a handle of the replaced region does not come to the new one");
}

/* A process that reads or waits learns it before anybody writes. */
static void check_hint(unsigned what)
{
    if (what != OLD && !seqshare_retired(old))
        report_wrong("the name has moved, and the region does not say so");
    if (what == NEW && seqshare_wait(old, standing.version, -1) != -EIDRM)
        report_wrong("a waiter on the old region does not learn of it");
}

/* A process that had the region goes on with it, or learns that it must reopen. */
static void check_old_handle(const struct act *act, unsigned what)
{
    struct published next = {standing.version + 1, new_key()};
    int error;

    check_hint(what);
    error = value_set(old, kind, next.key);
    if (what == NEW) {
        check_told(act, error);
        return;
    }
    if (error || values_read(old, kind, &next, 1) < 0)
        report_wrong("a handle from before: %s", seqshare_strerror(error));
    if (what == ABSENT && !seqshare_retired(old))
        report_wrong("the name was removed, and the region does not say so");
    if (what == OLD && seqshare_retired(old))
        report_wrong("the name is here, and the region says otherwise after a write");
}

/* The next process does its work by the name. */
static void check_next(const char *which)
{
    seqshare *made = NULL, *opened = NULL;
    uint64_t version = 0;
    struct published next;
    int error = seqshare_create(&made, path, OLD_CAPACITY, MODE);

    if (error && error != -EEXIST)
        report_wrong("the next create: %s", seqshare_strerror(error));
    seqshare_close(made);
    error = seqshare_open(&opened, path, SEQSHARE_WRITE);
    if (!error)
        error = value_set(opened, kind, new_key());
    version = error ? 0 : seqshare_version(opened);
    made = NULL;
    if (!error)
        error = seqshare_replace(&made, path, NEW_CAPACITY, MODE);
    next = (struct published){version + 1, new_key()};
    if (!error)
        error = value_set(made, kind, next.key);
    if (!error && values_read(made, kind, &next, 1) < 0)
        report_wrong("the next writer's value is not there");
    if (!error && seqshare_reopen(opened) != 1)
        report_wrong("the next replace is not noticed");
    seqshare_close(opened);
    seqshare_close(made);
    if (!error)
        error = seqshare_unlink(path);
    if (error)
        report_wrong("%s: the next to come: %s", which, seqshare_strerror(error));
}

struct tally {
    unsigned long points, strays, leftovers;
};

static void check_after(const struct act *act, pid_t pid, size_t point, struct tally *tally)
{
    unsigned what;
    char which[64];

    snprintf(which, sizeof which, "point %zu", point);
    report_alive();
    tracee_kill(pid);
    if (point % 2 == 0)
        tracee_reap(pid); /* else a zombie, until we are through */
    what = look(act);
    if (!(what & act->after) || (stage->over && what != act->end))
        report_wrong("%s: what has the name is %s", which,
                     what == OLD      ? "the old region"
                     : what == NEW    ? "the new region"
                     : what == ABSENT ? "missing"
                                      : "not whole");
    if (stage->over && stage->result != 0)
        report_wrong("%s: it was through with %ld", which, stage->result);
    if (old)
        check_old_handle(act, what);
    check_next(which);
    if (point % 2 != 0)
        tracee_reap(pid);
    seqshare_close(old);
    seqshare_close(moving);
    tally->points++;
    tally->leftovers += clear_directory();
}

/* ---- killing it --------------------------------------------------------------------------------------- */

/* Point 2n is before system call n, point 2n + 1 behind it. */
static void kill_at_system_calls(const struct act *act, struct tally *tally)
{
    for (size_t point = 0; !stage->over; point++) {
        pid_t pid;

        prepare(act);
        pid = tracee_start(run_act, act);
        for (size_t i = 0; i <= point; i++)
            if (!tracee_to_system_call(pid))
                break;
        check_after(act, pid, point, tally);
    }
}

static void kill_at_instructions(const struct act *act, size_t *instructions, struct tally *tally)
{
    struct path way;
    pid_t recorded;

    prepare(act);
    recorded = tracee_start(run_act, act);
    path_record(&way, recorded, stage, NULL);
    tracee_kill(recorded);
    tracee_reap(recorded);
    seqshare_close(old);
    seqshare_close(moving);
    *instructions = way.length;
    for (size_t k = 0; k <= way.length; k++) {
        pid_t pid;

        if (!path_wanted(&way, k))
            continue;
        prepare(act);
        pid = tracee_start(run_act, act);
        tally->strays += !path_go(&way, pid, 0, k);
        check_after(act, pid, k, tally);
    }
    path_free(&way);
}

static void kill_everywhere(const struct act *act)
{
    struct tally calls = {0}, steps = {0};
    unsigned long before = tracee_steps, leftovers;
    size_t instructions = 0;
    char name[128];

    snprintf(name, sizeof name, "killed in %s", act->name);
    report_check(name);
    stage->over = false;
    kill_at_system_calls(act, &calls);
    if (act->steps || is_long())
        kill_at_instructions(act, &instructions, &steps);
    leftovers = calls.leftovers + steps.leftovers;
    if (leftovers > 0 && !act->may_leave)
        report_wrong("%lu temporary files were left", leftovers);
    kills += calls.points + steps.points;
    if (instructions > 0)
        report_done(
            "%lu kill points around system calls, %lu of %zu instructions (%lu not met again), %lu steps",
            calls.points, steps.points, instructions, steps.strays, tracee_steps - before);
    else
        report_done("%lu kill points around system calls", calls.points);
    if (leftovers > 0)
        printf("    temporary files left %lu times: %s\n", leftovers, leftovers_reason);
}

static void remove_directory(void)
{
    clear_directory();
    rmdir(directory);
}

void test_names(void)
{
    snprintf(directory, sizeof directory, "/dev/shm/seqshare-crash-XXXXXX");
    if (!mkdtemp(directory))
        die("cannot make a directory in /dev/shm: %s", strerror(errno));
    snprintf(path, sizeof path, "%s/name", directory);
    report_clean_up(remove_directory);
    for (const struct act *act = acts; act->name; act++)
        kill_everywhere(act);
    report_clean_up(NULL);
    remove_directory();
}
