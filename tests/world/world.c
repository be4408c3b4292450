/* SPDX-License-Identifier: MIT */
/* Does and checks all that a reader and a writer can do with a share, allowed or not. */
#include "world.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

seqshare *share_with(const char *name, size_t capacity, const char *text)
{
    seqshare *share = NULL;

    equals(seqshare_create(&share, name, capacity, 0644), 0);
    equals(seqshare_set(share, text, strlen(text)), 0);
    return share;
}

struct letters {
    char bytes[100];
};
SEQSHARE_TYPE(letters, struct letters)

void reads_everything(const seqshare *share, const char *text)
{
    ssize_t length = (ssize_t)strlen(text);
    struct letters letters;
    struct seqshare_stat stat;
    seqshare_view view = {0};
    char got[200] = "";
    void *bytes = NULL;
    uint64_t version = 0;

    equals(seqshare_get(share, got, sizeof got, &version), length);
    check(memcmp(got, text, (size_t)length) == 0);
    equals(seqshare_version(share), version);
    equals(seqshare_try_get(share, got, sizeof got, NULL), length);
    equals(seqshare_get_alloc(share, &bytes, NULL), length);
    check(memcmp(bytes, text, (size_t)length) == 0);
    free(bytes);
    equals(seqshare_length(share, NULL), length);
    equals(seqshare_peek(share, &view), 0);
    check(memcmp(view.data, text, (size_t)length) == 0 && seqshare_valid(share, &view));
    equals(letters_get(share, &letters), -EBADMSG); /* another type */
    equals(seqshare_stat(share, &stat), 0);
    equals(stat.length, length);
    equals(seqshare_prefault(share), 0);
    equals(seqshare_wait(share, version - 1, -1), 0);
    equals(seqshare_wait(share, version, MILLISECONDS), -ETIMEDOUT);
    check(!seqshare_retired(share));
}

void writes_nothing(seqshare *share, int error)
{
    uint64_t version = seqshare_version(share), was = version;
    void *slot;

    equals(seqshare_set(share, "x", 1), error);
    equals(seqshare_set_if(share, &version, "x", 1), error);
    equals(seqshare_set_typed(share, "x", 1, 1), error);
    equals(seqshare_fill(share, 1, &slot), error);
    equals(seqshare_lock(share), error);
    equals(seqshare_trylock(share), error);
    equals(seqshare_lock_for(share, MILLISECONDS), error);
    check(seqshare_unlock(share) < 0 && seqshare_publish(share, 0) < 0 && seqshare_abandon(share) < 0);
    equals(seqshare_version(share), was);
}

void writes_everything(seqshare *share, const char *text)
{
    uint64_t version;
    size_t length = strlen(text);
    void *slot;

    equals(seqshare_lock(share), 0);
    equals(seqshare_set(share, "x", 1), 0);
    equals(seqshare_unlock(share), 0);
    version = seqshare_version(share);
    equals(seqshare_set_if(share, &version, "y", 1), 0);
    equals(seqshare_trylock(share), 0);
    equals(seqshare_unlock(share), 0);
    equals(seqshare_fill(share, length, &slot), 0);
    memcpy(slot, text, length);
    equals(seqshare_publish(share, length), 0);
    equals(seqshare_version(share), version + 1);
}

static char bytes[BYTES_MOST];

void sets_bytes(seqshare *share, size_t length)
{
    make_pattern(bytes, length, length);
    equals(seqshare_set(share, bytes, length), 0);
}

void has_bytes(const seqshare *share, size_t length, uint64_t version)
{
    uint64_t got = 0;

    equals(seqshare_get(share, bytes, sizeof bytes, &got), length);
    check(is_pattern(bytes, length, length));
    equals(got, version);
    equals(seqshare_version(share), version);
}

/* ---- this program as another one: told so by its environment before it becomes a test runner ---- */

#define JOB      "SEQSHARE_WORLD_JOB"
#define ARGUMENT "SEQSHARE_WORLD_ARGUMENT"

/* A reader with nothing but a descriptor. */
static int read_descriptor(const char *argument)
{
    seqshare *share = NULL, *writer = NULL;
    int fd = atoi(argument);
    char got[8];

    if (seqshare_attach(&writer, fd, SEQSHARE_WRITE) != -EACCES)
        return 10;
    if (seqshare_attach(&share, fd, SEQSHARE_READ) != 0)
        return 11;
    if (seqshare_get(share, got, sizeof got, NULL) != 5 || memcmp(got, "value", 5) != 0)
        return 12;
    if (seqshare_wait(share, 1, MILLISECONDS) != -ETIMEDOUT || seqshare_set(share, "x", 1) != -EROFS)
        return 13;
    return 0;
}

/* A respawned worker: `argument` is NAME VERSION, and its first read may find nothing older. */
static int read_first(const char *argument)
{
    const char *space = strchr(argument, ' ');
    seqshare *share = NULL;
    uint64_t got = 0, newest;

    if (!space ||
        seqshare_open(&share, format("%.*s", (int)(space - argument), argument), SEQSHARE_READ) != 0)
        return 20;
    newest = strtoull(space, NULL, 10);
    return seqshare_get(share, &got, sizeof got, NULL) == sizeof got && got >= newest ? 0 : 21;
}

/* All there is to do, in a system that the filters of kernels.c have made an old one; in the folder `argument`. */
static int do_everything(const char *argument)
{
    const char *name = format("%s/name", argument);
    seqshare *share = NULL, *named = NULL, *next = NULL;

    equals(seqshare_new(&share, 4096), 0);
    writes_everything(share, "value");
    reads_everything(share, "value");
    named = share_with(name, 4096, "first");
    writes_everything(named, "value");
    reads_everything(named, "value");
    equals(seqshare_replace(&next, name, 8192, 0600), 0);
    check(seqshare_retired(named));
    writes_nothing(named, -EIDRM);
    writes_everything(next, "next");
    equals(seqshare_reopen(named), 1);
    reads_everything(named, "next");
    equals(seqshare_drop_write(named), 0);
    writes_nothing(named, -EROFS);
    equals(entries(argument), 1);
    equals(seqshare_unlink(name), 0);
    return 0;
}

__attribute__((constructor)) static void be_executed(void)
{
    static const struct {
        const char *name;
        int (*work)(const char *argument);
    } jobs[] = {{"descriptor", read_descriptor}, {"first", read_first}, {"everything", do_everything}};
    const char *job = getenv(JOB);

    if (!job)
        return;
    alarm(SECONDS_TO_HANG);
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
        if (strcmp(job, jobs[i].name) == 0)
            _exit(jobs[i].work(getenv(ARGUMENT)));
    }
    _exit(9);
}

_Noreturn void execute(const char *job, const char *argument)
{
    check(setenv(JOB, job, 1) == 0 && setenv(ARGUMENT, argument, 1) == 0);
    execl("/proc/self/exe", "world-tests", (char *)NULL);
    _exit(8);
}
