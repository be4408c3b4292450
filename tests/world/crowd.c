/* SPDX-License-Identifier: MIT */
/*
 * Many readers, readers that stop for a long time, workers that start again; and yesterday's file.
 *
 * Shows: READ-3, READ-4, READ-6, NAME-2.
 */
#include "world.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "layout.h"

TestSuite(crowd, .timeout = 120);

/* ---- hundreds, each of whom opens the name, sleeps, and moves on with it ---- */

enum { READERS = 300, VALUES = 50 };

struct scene {
    seqshare *share;
    const char *name;
    int ready, moved, stop;
    uint64_t reads;
};

static uint64_t read_number(const seqshare *share)
{
    uint64_t number = 0;

    equals(seqshare_get(share, &number, sizeof number, NULL), sizeof number);
    return number;
}

static void set_number(seqshare *share, uint64_t number)
{
    equals(seqshare_set(share, &number, sizeof number), 0);
}

static void sleep_until_the_last(seqshare *share, uint64_t last)
{
    uint64_t number = read_number(share), version = 0, before;

    while (number < last) {
        int error = seqshare_wait(share, version, SECONDS_TO_HANG * SECONDS);

        check(error == 0 || error == -EIDRM);
        if (error == -EIDRM || seqshare_retired(share))
            equals(seqshare_reopen(share), 1);
        before = number;
        check(seqshare_get(share, &number, sizeof number, &version) == sizeof number);
        check(number >= before);
    }
}

static void one_of_many(void *context)
{
    struct scene *scene = context;
    seqshare *share = NULL;

    equals(seqshare_open(&share, scene->name, SEQSHARE_READ), 0);
    __atomic_fetch_add(&scene->ready, 1, __ATOMIC_SEQ_CST);
    sleep_until_the_last(share, 2 * VALUES);
    equals(read_number(share), 2 * VALUES);
}

Test(crowd, hundreds_of_sleepers_all_see_the_last_value_also_of_a_region_that_came_later)
{
    struct scene *scene = shared_memory(sizeof *scene);
    seqshare *next = NULL;
    pid_t readers[READERS];

    scene->name = temp_name();
    equals(seqshare_create(&scene->share, scene->name, 4096, 0600), 0);
    set_number(scene->share, 1);
    for (int i = 0; i < READERS; i++)
        readers[i] = child_start(one_of_many, scene);
    await_flag(&scene->ready, READERS);
    for (uint64_t number = 2; number <= VALUES; number++)
        set_number(scene->share, number);
    equals(seqshare_replace(&next, scene->name, 8192, 0600), 0);
    for (uint64_t number = VALUES + 1; number <= 2 * VALUES; number++)
        set_number(next, number);
    for (int i = 0; i < READERS; i++)
        equals(child_end(readers[i]), 0);
    equals(seqshare_version(next), 2 * VALUES);
}

/* ---- a reader that is stopped, wherever it is, while thousands of versions go by ---- */

enum { WORDS = 512, STOPS = 30, VERSIONS = 2000 };

static void read_on(void *context)
{
    struct scene *scene = context;
    uint64_t words[WORDS], last = 0, version = 0;

    while (!__atomic_load_n(&scene->stop, __ATOMIC_SEQ_CST)) {
        equals(seqshare_get(scene->share, words, sizeof words, &version), sizeof words);
        for (int i = 0; i < WORDS; i++)
            check(words[i] == version); /* whole, and the value of that version */
        check(version >= last);
        last = version;
        __atomic_fetch_add(&scene->reads, 1, __ATOMIC_SEQ_CST);
    }
}

static void publish_words(seqshare *share)
{
    uint64_t words[WORDS], version = seqshare_version(share) + 1;

    for (int i = 0; i < WORDS; i++)
        words[i] = version;
    equals(seqshare_set(share, words, sizeof words), 0);
}

Test(crowd, a_reader_stopped_for_thousands_of_versions_goes_on_with_the_newest)
{
    struct scene *scene = shared_memory(sizeof *scene);
    pid_t reader;

    equals(seqshare_new(&scene->share, sizeof(uint64_t[WORDS])), 0);
    publish_words(scene->share);
    reader = child_start(read_on, scene);
    for (int i = 0; i < STOPS; i++) {
        uint64_t reads = __atomic_load_n(&scene->reads, __ATOMIC_SEQ_CST);
        int64_t end = now() + SECONDS_TO_HANG * SECONDS;

        while (__atomic_load_n(&scene->reads, __ATOMIC_SEQ_CST) == reads) {
            check(now() < end);
            usleep((useconds_t)(i * 37 % 500));
        }
        check(kill(reader, SIGSTOP) == 0);
        child_sleeps(reader);
        for (int k = 0; k < VERSIONS; k++)
            publish_words(scene->share);
        check(kill(reader, SIGCONT) == 0);
    }
    set_flag(&scene->stop, 1);
    equals(child_end(reader), 0);
    equals(seqshare_version(scene->share), 1 + STOPS * VERSIONS);
}

/* ---- workers that are killed and executed again ---- */

struct respawn {
    const char *name;
    uint64_t number;
};

static void execute_worker(void *context)
{
    const struct respawn *respawn = context;

    execute("first", format("%s %llu", respawn->name, (unsigned long long)respawn->number));
}

Test(crowd, a_worker_executed_anew_sees_the_newest_value_on_its_first_read)
{
    struct respawn respawn = {temp_name(), 0};
    seqshare *share = NULL, *next = NULL;

    equals(seqshare_create(&share, respawn.name, 100, 0600), 0);
    for (respawn.number = 1; respawn.number <= 30; respawn.number++) {
        if (respawn.number % 10 == 0) { /* also when the name has moved on */
            equals(seqshare_replace(&next, respawn.name, 100, 0600), 0);
            seqshare_close(share);
            share = next;
        }
        set_number(share, respawn.number);
        child_run(execute_worker, &respawn);
    }
}

/* ---- yesterday's file: a region on disk, of another boot ---- */

static void copy_file(const char *from, const char *to)
{
    char buffer[65536];
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ssize_t got;

    check(in >= 0 && out >= 0);
    while ((got = read(in, buffer, sizeof buffer)) > 0)
        equals(write(out, buffer, (size_t)got), got);
    equals(got, 0);
    close(in);
    close(out);
}

struct yesterday {
    const char *original, *copy;
};

/* With an owner of the lock in it, which means nothing the day after. */
static void copy_while_locked(void *context)
{
    const struct yesterday *yesterday = context;
    seqshare *share = share_with(yesterday->original, 1000, "value");

    equals(seqshare_lock(share), 0);
    copy_file(yesterday->original, yesterday->copy);
}

Test(crowd, a_copy_of_another_boot_is_read_and_not_written_until_it_is_replaced)
{
    const char *directory = temp_directory("/tmp"), *copy = format("%s/copy", directory);
    struct yesterday yesterday = {format("%s/original", directory), copy};
    seqshare *share = NULL, *next = NULL;
    int fd;

    child_run(copy_while_locked, &yesterday);
    fd = open(copy, O_WRONLY | O_CLOEXEC);
    equals(pwrite(fd, "another boot id.", 16, offsetof(struct layout, header.boot_id)), 16);
    close(fd);
    equals(seqshare_open(&share, copy, SEQSHARE_WRITE), 0);
    writes_nothing(share, -EOPNOTSUPP);
    reads_everything(share, "value");
    equals(seqshare_replace(&next, copy, 1000, 0600), 0);
    equals(seqshare_version(next), 1);
    reads_everything(next, "value");
    writes_everything(next, "value");
    equals(seqshare_reopen(share), 1);
    writes_everything(share, "value");
}
