/* SPDX-License-Identifier: MIT */
/* unlink: whom it tells, and what it leaves alone. Shows: NAME-3, NAME-8. */
#include "support.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(unlink, .timeout = 120);

Test(unlink, tells_those_who_have_the_share_and_takes_nothing_from_them)
{
    const char *name = temp_name();
    seqshare *share = named_share(name, "value", 0600), *reader = NULL;

    equals(seqshare_open(&reader, name, SEQSHARE_READ), 0);
    check(!seqshare_retired(share) && !seqshare_retired(reader));
    equals(seqshare_unlink(name), 0);
    check(seqshare_retired(share) && seqshare_retired(reader));
    equals(seqshare_unlink(name), -ENOENT);
    equals(seqshare_set(share, "goes on", 7), 0);
    equals(seqshare_lock(share), 0);
    equals(seqshare_unlock(share), 0);
    says(reader, "goes on");
    seqshare_close(reader);
    seqshare_close(share);
}

Test(unlink, removes_what_is_no_share_but_no_directory)
{
    const char *directory = temp_directory("/tmp"), *file = format("%s/file", directory);
    const char *link = format("%s/link", directory), *folder = format("%s/folder", directory);
    const char *target = format("%s/target", directory);
    seqshare *share = named_share(target, "value", 0600);

    check(close(open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)) == 0);
    check(symlink(target, link) == 0 && mkdir(folder, 0700) == 0);
    equals(seqshare_unlink(file), 0);
    equals(seqshare_unlink(link), 0); /* the link, not what it points to */
    check(!seqshare_retired(share));
    equals(seqshare_unlink(folder), -EISDIR);
    equals(entries(directory), 2);
    seqshare_close(share);
}

static void unlink_what_cannot_be_mapped(void *name)
{
    struct rlimit limit;
    unsigned long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "re");
    seqshare *share = NULL;

    check(statm && fscanf(statm, "%lu", &pages) == 1 && fclose(statm) == 0);
    check(getrlimit(RLIMIT_AS, &limit) == 0);
    limit.rlim_cur = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + (16 << 20);
    check(setrlimit(RLIMIT_AS, &limit) == 0);
    equals(seqshare_open(&share, name, SEQSHARE_READ), -ENOMEM);
    equals(seqshare_unlink(name), 0);
    equals(seqshare_unlink(name), -ENOENT);
}

Test(unlink, removes_a_share_too_large_to_be_mapped)
{
    const char *directory = temp_directory("/tmp"), *name = format("%s/name", directory);
    seqshare *share = NULL;

    skip_under_valgrind(); /* the limit would be its own */
    equals(seqshare_create(&share, name, 64 << 20, 0600), 0);
    equals(seqshare_set(share, "value", 5), 0);
    child_run(unlink_what_cannot_be_mapped, (void *)(uintptr_t)name);
    equals(entries(directory), 0);
    equals(seqshare_reopen(share), -ENOENT);
    says(share, "value");
    seqshare_close(share);
}

static void unlink_it(void *name)
{
    equals(seqshare_unlink(name), 0);
}

Test(unlink, by_one_who_may_not_write_the_file_is_noticed_by_reopen)
{
    const char *directory = temp_directory("/tmp"), *name = format("%s/name", directory);
    seqshare *share;

    skip_unless_root();
    check(chown(directory, NOBODY, NOBODY) == 0);
    share = named_share(name, "value", 0644);
    child_run_as(NOBODY, unlink_it, (void *)(uintptr_t)name);
    check(!seqshare_retired(share)); /* nobody could leave a mark */
    equals(seqshare_reopen(share), -ENOENT);
    says(share, "value");
    seqshare_close(share);
}

struct cutting {
    const char *name;
    int held, done;
};

/* The owner of the file keeps the lock. */
static void hold_the_lock(void *context)
{
    struct cutting *cutting = context;
    seqshare *share = NULL;

    equals(seqshare_open(&share, cutting->name, SEQSHARE_WRITE), 0);
    equals(seqshare_lock(share), 0);
    set_flag(&cutting->held, 1);
    await_flag(&cutting->done, 1);
}

static void unlink_and_tell(void *context)
{
    struct cutting *cutting = context;

    equals(seqshare_unlink(cutting->name), 0);
    set_flag(&cutting->done, 1);
}

/* Fails with: an unlink that waits for the lock of such a file, and dies of SIGBUS. */
Test(unlink, root_unlinks_what_another_user_cuts_meanwhile)
{
    const char *directory = temp_directory("/tmp");
    struct cutting *cutting = shared_memory(sizeof *cutting);
    pid_t holder, unlinker;
    int fd;

    skip_unless_root();
    cutting->name = format("%s/name", directory);
    seqshare_close(named_share(cutting->name, "value", 0600));
    fd = open(cutting->name, O_RDWR | O_CLOEXEC);
    check(fchown(fd, NOBODY, NOBODY) == 0);
    holder = child_start_as(NOBODY, hold_the_lock, cutting);
    await_flag(&cutting->held, 1);
    unlinker = child_start(unlink_and_tell, cutting);
    child_sleeps(unlinker); /* or has ended */
    check(ftruncate(fd, 0) == 0);
    equals(child_end(unlinker), 0);
    equals(child_end(holder), 0);
    equals(entries(directory), 0);
    close(fd);
}

Test(unlink, root_tells_who_has_another_users_share_that_it_is_unlinked)
{
    const char *directory = temp_directory("/tmp"), *name = format("%s/name", directory);
    const char *second = format("%s/second", directory);
    struct seqshare_stat stat;
    seqshare *share;

    skip_unless_root();
    share = named_share(name, "value", 0600);
    check(link(name, second) == 0 && chown(name, NOBODY, NOBODY) == 0);
    equals(seqshare_unlink(second), 0);
    check(!seqshare_retired(share)); /* it has a name still */
    equals(seqshare_unlink(name), 0);
    equals(entries(directory), 0);
    equals(seqshare_stat(share, &stat), 0);
    check(seqshare_retired(share) && stat.unlinked && !stat.replaced);
    says(share, "value");
    equals(seqshare_set(share, "goes on", 7), 0);
    seqshare_close(share);
}

/* Fails with: a mark set although another file had the name by the time it was removed. */
Test(unlink, a_second_link_keeps_the_region_unretired)
{
    const char *directory = temp_directory("/tmp"), *name = format("%s/name", directory);
    const char *second = format("%s/second", directory);
    seqshare *share = named_share(name, "value", 0600);

    check(link(name, second) == 0);
    equals(seqshare_unlink(name), 0);
    check(!seqshare_retired(share));
    name_opens(second, SEQSHARE_WRITE, "value");
    equals(seqshare_unlink(second), 0);
    check(seqshare_retired(share));
    seqshare_close(share);
}
