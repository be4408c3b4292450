/* SPDX-License-Identifier: MIT */
/* Whom a name lets in, and whose files are trusted on the way to it. Shows: NAME-4, NAME-8. */
#include "support.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(trust, .timeout = 120);

struct visit {
    const char *name;
    int access, wanted;
};

static void visit(void *context)
{
    const struct visit *visit = context;
    seqshare *share = NULL;

    equals(seqshare_open(&share, visit->name, visit->access), visit->wanted);
    if (visit->wanted != 0)
        return;
    says(share, "value");
    equals(seqshare_set(share, "value", 5), visit->access & SEQSHARE_WRITE ? 0 : -EROFS);
    equals(seqshare_reopen(share), 0);
    if (!(visit->access & SEQSHARE_WRITE))
        check(seqshare_fd(share, SEQSHARE_READ) >= 0);
}

static void nobody_visits(const char *name, int access, int wanted)
{
    child_run_as(NOBODY, visit, &(struct visit){name, access, wanted});
}

Test(trust, another_user_gets_what_the_mode_says)
{
    const char *all = temp_name(), *group = temp_name(), *none = temp_name(), *write = temp_name();

    skip_unless_root();
    seqshare_close(named_share(all, "value", 0644));
    seqshare_close(named_share(group, "value", 0640));
    seqshare_close(named_share(none, "value", 0600));
    seqshare_close(named_share(write, "value", 0666));
    nobody_visits(all, SEQSHARE_READ, 0);
    nobody_visits(all, SEQSHARE_WRITE, -EACCES);
    nobody_visits(group, SEQSHARE_READ, -EACCES);
    check(chown(share_path(group), 0, NOBODY) == 0);
    nobody_visits(group, SEQSHARE_READ, 0);
    nobody_visits(group, SEQSHARE_WRITE, -EACCES);
    nobody_visits(none, SEQSHARE_READ, -EACCES);
    nobody_visits(none, SEQSHARE_READ | SEQSHARE_ANY_OWNER, -EACCES);
    nobody_visits(write, SEQSHARE_WRITE, 0);
}

/* In a directory for everybody, the first who comes may have the name, even an enemy. */
static void squat(void *name)
{
    seqshare_close(named_share(name, "value", 0666));
}

static void squatted(const char *name, int wanted)
{
    seqshare *share = NULL;

    child_run_as(NOBODY, squat, (void *)(uintptr_t)name);
    equals(seqshare_open(&share, name, SEQSHARE_READ), wanted);
    seqshare_close(share);
    share = NULL;
    equals(seqshare_open(&share, name, SEQSHARE_WRITE), wanted);
    seqshare_close(share);
    share = NULL;
    equals(seqshare_replace(&share, name, 100, 0600), wanted);
    seqshare_close(share);
}

Test(trust, a_squatted_name_is_refused_where_everybody_may_write)
{
    const char *name = temp_name(), *directory = format("%s/theirs", temp_directory("/tmp"));

    skip_unless_root();
    check(mkdir(directory, 0755) == 0);
    squatted(name, -EPERM);
    name_opens(name, SEQSHARE_READ | SEQSHARE_ANY_OWNER, "value");
    name_opens(name, SEQSHARE_WRITE | SEQSHARE_ANY_OWNER, "value");
    nobody_visits(name, SEQSHARE_WRITE, 0); /* our own is fine */
    child_run_as(NOBODY - 1, visit, &(struct visit){name, SEQSHARE_READ, -EPERM});
    child_run_as(NOBODY - 1, visit, &(struct visit){name, SEQSHARE_READ | SEQSHARE_ANY_OWNER, 0});

    check(chown(directory, NOBODY, NOBODY) == 0); /* not everybody's: its writers were let in */
    squatted(format("%s/theirs", directory), 0);
    check(chmod(directory, 01777) == 0);
    squatted(format("%s/everybodys", directory), -EPERM);
}

/* A stranger's files in a folder that everybody may write to: a folder with a share, and a link to one. */
static void squat_a_folder(void *context)
{
    const char *directory = context;

    check(mkdir(format("%s/app", directory), 0755) == 0 &&
          mkdir(format("%s/app/deep", directory), 0755) == 0);
    squat((void *)(uintptr_t)format("%s/app/conf", directory));
    squat((void *)(uintptr_t)format("%s/app/deep/conf", directory));
    check(symlink("mine", format("%s/link", directory)) == 0);
}

static void opens_as(const char *name, int wanted)
{
    static const int accesses[] = {SEQSHARE_READ, SEQSHARE_WRITE};

    for (size_t i = 0; i < 2; i++) {
        seqshare *share = NULL;

        equals(seqshare_open(&share, name, accesses[i]), wanted);
        seqshare_close(share);
        equals(seqshare_open(&share, name, accesses[i] | SEQSHARE_ANY_OWNER), 0);
        seqshare_close(share);
    }
}

/* Fails with: a look at the last folder alone. */
Test(trust, a_squatted_folder_is_refused_anywhere_on_the_way)
{
    const char *directory = temp_directory("/tmp"), *mine = format("%s/mine", directory);
    seqshare *share = NULL;

    skip_unless_root();
    check(chmod(directory, 01777) == 0 && mkdir(mine, 0755) == 0);
    seqshare_close(named_share(format("%s/conf", mine), "value", 0666));
    child_run_as(NOBODY, squat_a_folder, (void *)(uintptr_t)directory);
    opens_as(format("%s/app/conf", directory), -EPERM);
    opens_as(format("%s/app/deep/conf", directory), -EPERM);
    opens_as(format("%s/mine/../app/deep/../conf", directory), -EPERM);
    opens_as(format("%s/link/conf", directory), -EPERM);
    equals(seqshare_replace(&share, format("%s/app/conf", directory), 100, 0600), -EPERM);
    check(symlink(format("%s/app/deep", directory), format("%s/deep", mine)) == 0);
    opens_as(format("%s/mine/deep/conf", directory), -EPERM); /* our link, into their folder */

    opens_as(format("%s/conf", mine), 0);
    opens_as(format("%s/app/../mine/./conf", directory), -EPERM); /* their folder is on the way */
    check(symlink("mine", format("%s/ours", directory)) == 0);
    opens_as(format("%s/ours//conf", directory), 0);
    check(chdir(mine) == 0);
    opens_as("./conf", 0);
    opens_as("../app/conf", -EPERM);
    nobody_visits(format("%s/app/conf", directory), SEQSHARE_WRITE, 0);
    nobody_visits(format("%s/mine/conf", directory), SEQSHARE_WRITE, 0); /* root's */
}

Test(trust, links_that_lead_nowhere_or_round_and_round_are_errors)
{
    const char *directory = temp_directory("/tmp");
    seqshare *share = NULL;

    check(symlink("round", format("%s/round", directory)) == 0);
    check(symlink("nowhere", format("%s/lost", directory)) == 0);
    check(symlink("/dev/null", format("%s/null", directory)) == 0);
    equals(seqshare_open(&share, format("%s/round/x", directory), SEQSHARE_READ), -ELOOP);
    equals(seqshare_open(&share, format("%s/lost/x", directory), SEQSHARE_READ), -ENOENT);
    equals(seqshare_open(&share, format("%s/null/x", directory), SEQSHARE_READ), -ENOTDIR);
    equals(seqshare_open(&share, "/dev/null/x", SEQSHARE_READ), -ENOTDIR);
    check(share == NULL);
}

/* Fails with: links of /proc that are followed by their text. */
Test(trust, a_folder_is_reached_through_proc)
{
    const char *directory = temp_directory("/tmp");
    seqshare *share = named_share(format("%s/name", directory), "value", 0600);
    int fd = open(directory, O_PATH | O_CLOEXEC);

    opens_as(format("/proc/self/fd/%d/name", fd), 0);
    opens_as(format("/proc/%d/root%s/name", (int)getpid(), directory), 0);
    check(chdir(directory) == 0);
    opens_as("/proc/thread-self/cwd/name", 0);
    close(fd);
    seqshare_close(share);
}

Test(trust, reopen_refuses_a_squatter_as_open_does)
{
    const char *name = temp_name();
    seqshare *share = NULL, *trusting = NULL;

    skip_unless_root();
    share = named_share(name, "mine", 0600);
    equals(seqshare_open(&trusting, name, SEQSHARE_READ | SEQSHARE_ANY_OWNER), 0);
    equals(seqshare_unlink(name), 0);
    child_run_as(NOBODY, squat, (void *)(uintptr_t)name);
    equals(seqshare_reopen(share), -EPERM);
    says(share, "mine");
    equals(seqshare_set(share, "still mine", 10), 0);
    equals(seqshare_reopen(trusting), 1);
    says(trusting, "value");
    seqshare_close(trusting);
    seqshare_close(share);
}
