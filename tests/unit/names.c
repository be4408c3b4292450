/* SPDX-License-Identifier: MIT */
/* Names: where they are, whom they let in, how they appear and go. Shows: NAME-1, NAME-3, NAME-4, NAME-8. */
#include "support.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(names, .timeout = 120);

static void opens(const char *name, int access, const char *text)
{
    seqshare *share = NULL;

    equals(seqshare_open(&share, name, access), 0);
    says(share, text);
    equals(seqshare_set(share, text, strlen(text)), access & SEQSHARE_WRITE ? 0 : -EROFS);
    seqshare_close(share);
}

/* ---- where ---- */

Test(names, without_a_slash_is_in_dev_shm)
{
    const char *name = temp_name();
    seqshare *share = named_share(name, "value", 0600);

    equals(access(share_path(name), F_OK), 0);
    opens(name, SEQSHARE_READ, "value");
    opens(name, SEQSHARE_WRITE, "value");
    opens(name, SEQSHARE_READ | SEQSHARE_WRITE, "value");
    opens(share_path(name), SEQSHARE_WRITE, "value"); /* the same region under its path */
    equals(seqshare_version(share), 4);
    seqshare_close(share);
    opens(name, SEQSHARE_READ, "value"); /* it needs nobody to hold it */
    equals(seqshare_unlink(name), 0);
    check(access(share_path(name), F_OK) == -1);
}

static void lives_in(const char *directory)
{
    const char *path = format("%s/a name, \xc3\xa4", directory);
    seqshare *share = named_share(path, "value", 0600);

    equals(entries(directory), 1); /* nothing temporary is left */
    opens(path, SEQSHARE_READ, "value");
    opens(path, SEQSHARE_WRITE, "value");
    equals(seqshare_version(share), 2);
    equals(seqshare_reopen(share), 0);
    seqshare_close(share);
    equals(seqshare_unlink(path), 0);
    equals(entries(directory), 0);
}

Test(names, with_a_slash_is_a_path_on_disk_or_tmpfs)
{
    lives_in(temp_directory("/tmp"));
    lives_in(temp_directory("/dev/shm"));
}

/* Where a long has 32 bits, too. */
Test(names, a_file_of_the_far_future_can_be_opened)
{
    const struct timespec future[2] = {{.tv_sec = 2208988800}, {.tv_sec = 2208988800}}; /* 2040 */
    const char *name = temp_name();
    seqshare *share, *opened;

    equals(seqshare_create(&share, name, 100, 0600), 0);
    equals(seqshare_set(share, "value", 5), 0);
    check(utimensat(AT_FDCWD, share_path(name), future, 0) == 0);
    equals(seqshare_open(&opened, name, SEQSHARE_WRITE), 0);
    holds(opened, "value", 1);
    equals(seqshare_unlink(name), 0);
    check(seqshare_retired(opened));
    seqshare_close(opened);
    seqshare_close(share);
}

Test(names, relative_paths_stay_what_they_were_at_open)
{
    const char *directory = temp_directory("/tmp");
    seqshare *share, *reader = NULL;
    char before[4096];

    check(getcwd(before, sizeof before) != NULL && chdir(directory) == 0 && mkdir("below", 0700) == 0);
    share = named_share("./name", "value", 0600);
    opens("below/../name", SEQSHARE_READ, "value");
    equals(seqshare_open(&reader, "./name", SEQSHARE_READ), 0);
    check(chdir("below") == 0);
    equals(seqshare_reopen(share), 0);
    equals(seqshare_reopen(reader), 0);
    equals(seqshare_unlink("../name"), 0);
    equals(seqshare_reopen(share), -ENOENT);
    equals(seqshare_reopen(reader), -ENOENT);
    check(chdir(before) == 0);
    seqshare_close(reader);
    seqshare_close(share);
}

/* ---- modes and owners ---- */

Test(names, the_mode_is_exact_whatever_the_umask)
{
    static const mode_t modes[] = {0600, 0640, 0644, 0660, 0664, 0666, 0400, 0444, 0, 0700, 0777};
    static const mode_t masks[] = {0, 022, 077, 0777};
    const char *directory = temp_directory("/tmp");

    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        for (size_t k = 0; k < sizeof masks / sizeof *masks; k++) {
            const char *name = format("%s/%o-%o", directory, modes[i], masks[k]);
            mode_t before = umask(masks[k]);
            struct stat stat;

            seqshare_close(named_share(name, "value", modes[i]));
            umask(before);
            check(lstat(name, &stat) == 0);
            equals(stat.st_mode & 07777, modes[i]);
            equals(stat.st_uid, geteuid());
        }
    }
}

Test(names, a_mode_is_permission_bits_only)
{
    static const mode_t modes[] = {04755, 02755, 01777, 010000, 0100600, (mode_t)-1};
    const char *name = temp_name();
    seqshare *share = NULL;

    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        equals(seqshare_create(&share, name, 100, modes[i]), -EINVAL);
        equals(seqshare_replace(&share, name, 100, modes[i]), -EINVAL);
    }
    check(access(share_path(name), F_OK) == -1);
}

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

Test(names, another_user_gets_what_the_mode_says)
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

/* In a directory for everybody, whoever comes first may have the name: an enemy, too. */
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

Test(names, a_squatted_name_is_refused_where_everybody_may_write)
{
    const char *name = temp_name(), *directory = format("%s/theirs", temp_directory("/tmp"));

    skip_unless_root();
    check(mkdir(directory, 0755) == 0);
    squatted(name, -EPERM);
    opens(name, SEQSHARE_READ | SEQSHARE_ANY_OWNER, "value");
    opens(name, SEQSHARE_WRITE | SEQSHARE_ANY_OWNER, "value");
    nobody_visits(name, SEQSHARE_WRITE, 0); /* our own is fine */
    child_run_as(NOBODY - 1, visit, &(struct visit){name, SEQSHARE_READ, -EPERM});
    child_run_as(NOBODY - 1, visit, &(struct visit){name, SEQSHARE_READ | SEQSHARE_ANY_OWNER, 0});

    check(chown(directory, NOBODY, NOBODY) == 0); /* not everybody's: who writes there was let in */
    squatted(format("%s/theirs", directory), 0);
    check(chmod(directory, 01777) == 0);
    squatted(format("%s/everybodys", directory), -EPERM);
}

/* What a stranger made in a folder that everybody may write to: a folder with a share, and a link to one. */
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
Test(names, a_squatted_folder_is_refused_anywhere_on_the_way)
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

Test(names, links_that_lead_nowhere_or_round_and_round_are_errors)
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
Test(names, a_folder_is_reached_through_proc)
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

Test(names, reopen_refuses_a_squatter_as_open_does)
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

/* ---- a name appears when the region is complete, and to one creator ---- */

struct appearing {
    const char *name;
    int stop;
};

static void appear_and_go(void *context)
{
    struct appearing *appearing = context;

    while (!__atomic_load_n(&appearing->stop, __ATOMIC_RELAXED)) {
        seqshare_close(named_share(appearing->name, "value", 0600));
        equals(seqshare_unlink(appearing->name), 0);
    }
}

/* Fails with: a file made under its name and filled afterwards. */
Test(names, nobody_ever_opens_half_a_region)
{
    struct appearing *appearing = shared_memory(sizeof *appearing);
    int found = 0;
    pid_t maker;

    appearing->name = temp_name();
    maker = child_start(appear_and_go, appearing);
    while (found < 300) {
        seqshare *share = NULL;
        char buffer[100];
        ssize_t length;
        int error = seqshare_open(&share, appearing->name, SEQSHARE_READ);

        equals(waitpid(maker, NULL, WNOHANG), 0);
        if (error == -ENOENT)
            continue;
        equals(error, 0);
        length = seqshare_get(share, buffer, sizeof buffer, NULL);
        check(length == 5 || length == -ENODATA);
        seqshare_close(share);
        found++;
    }
    set_flag(&appearing->stop, 1);
    equals(child_end(maker), 0);
}

struct race {
    const char *name;
    int start, winners;
};

static void race_to_create(void *context)
{
    struct race *race = context;
    seqshare *share = NULL;
    int error;

    await_flag(&race->start, 1);
    error = seqshare_create(&share, race->name, 100, 0600);
    if (error == 0)
        __atomic_add_fetch(&race->winners, 1, __ATOMIC_SEQ_CST);
    else
        equals(error, -EEXIST);
}

Test(names, of_many_creators_one_wins)
{
    enum { RACERS = 6 };
    const char *directory = temp_directory("/tmp");

    for (int round = 0; round < 10; round++) {
        struct race *race = shared_memory(sizeof *race);
        pid_t racer[RACERS];

        race->name = format("%s/%d", directory, round);
        for (int i = 0; i < RACERS; i++)
            racer[i] = child_start(race_to_create, race);
        set_flag(&race->start, 1);
        for (int i = 0; i < RACERS; i++)
            equals(child_end(racer[i]), 0);
        equals(race->winners, 1);
        equals(entries(directory), round + 1);
    }
}

/* ---- unlink ---- */

Test(names, unlink_tells_those_who_have_the_share_and_takes_nothing_from_them)
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

Test(names, unlink_removes_what_is_no_share_but_no_directory)
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

Test(names, unlink_removes_a_share_too_large_to_be_mapped)
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

Test(names, unlink_by_one_who_may_not_write_the_file_is_noticed_by_reopen)
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
Test(names, root_unlinks_what_another_user_cuts_meanwhile)
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

Test(names, root_tells_who_has_another_users_share_that_it_is_unlinked)
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
Test(names, a_second_link_keeps_the_region_unretired)
{
    const char *directory = temp_directory("/tmp"), *name = format("%s/name", directory);
    const char *second = format("%s/second", directory);
    seqshare *share = named_share(name, "value", 0600);

    check(link(name, second) == 0);
    equals(seqshare_unlink(name), 0);
    check(!seqshare_retired(share));
    opens(second, SEQSHARE_WRITE, "value");
    equals(seqshare_unlink(second), 0);
    check(seqshare_retired(share));
    seqshare_close(share);
}

/* A thread that has left its process's table of descriptors, in which its numbers are files of others. */
static void *creates_with_descriptors_of_its_own(void *context)
{
    const char **name = context;
    seqshare *share = NULL;
    int fd;

    if (unshare(CLONE_FILES) != 0)
        return NULL;
    for (fd = 3; fd < 64; fd++)
        close(fd);
    equals(seqshare_create(&share, *name, 100, 0600), 0);
    equals(seqshare_set(share, "value", 5), 0);
    fd = seqshare_fd(share, SEQSHARE_READ);
    check(fd > 2);
    close(fd);
    seqshare_close(share);
    return context;
}

Test(names, a_thread_with_descriptors_of_its_own_links_no_other_file)
{
    const char *name = temp_name();
    seqshare *share = NULL;
    void *result = NULL;
    pthread_t thread;

    for (int i = 0; i < 16; i++)
        check(open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) >= 0);
    check(pthread_create(&thread, NULL, creates_with_descriptors_of_its_own, &name) == 0);
    check(pthread_join(thread, &result) == 0);
    if (!result)
        skip_as_impossible(); /* threads cannot have descriptors of their own here */
    equals(seqshare_open(&share, name, SEQSHARE_READ), 0);
    says(share, "value");
    seqshare_close(share);
}
