/* SPDX-License-Identifier: MIT */
/* Names: where they are, and how they appear. Shows: NAME-1. */
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

/* ---- where ---- */

Test(names, without_a_slash_is_in_dev_shm)
{
    const char *name = temp_name();
    seqshare *share = named_share(name, "value", 0600);

    equals(access(share_path(name), F_OK), 0);
    name_opens(name, SEQSHARE_READ, "value");
    name_opens(name, SEQSHARE_WRITE, "value");
    name_opens(name, SEQSHARE_READ | SEQSHARE_WRITE, "value");
    name_opens(share_path(name), SEQSHARE_WRITE, "value"); /* the same region under its path */
    equals(seqshare_version(share), 4);
    seqshare_close(share);
    name_opens(name, SEQSHARE_READ, "value"); /* it needs nobody to hold it */
    equals(seqshare_unlink(name), 0);
    check(access(share_path(name), F_OK) == -1);
}

static void lives_in(const char *directory)
{
    const char *path = format("%s/a name, \xc3\xa4", directory);
    seqshare *share = named_share(path, "value", 0600);

    equals(entries(directory), 1); /* nothing temporary is left */
    name_opens(path, SEQSHARE_READ, "value");
    name_opens(path, SEQSHARE_WRITE, "value");
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
    name_opens("below/../name", SEQSHARE_READ, "value");
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

/* ---- modes ---- */

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
