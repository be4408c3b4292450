/* SPDX-License-Identifier: MIT */
/*
 * Threads that use objects while others are made, the name moves on, and children are forked. An object is
 * freed by plain writes: the thread sanitizer sees whether anybody still reads it.
 *
 * Shows: CACHE-2, CACHE-5.
 */
#include "threads.h"
#include "objects.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

enum { READERS = 3, ROUNDS = 1500, REPLACED_EACH = 100, FORKED_EACH = 100 };

struct counts counts;

static struct {
    seqshare_cache_mt *caches[2];
    int stop;
} scene;

static uint64_t look(seqshare_cache_mt *cache, uint64_t newest)
{
    seqshare_snapshot snapshot;
    const struct object *object = seqshare_cache_mt_enter(cache, &snapshot);

    if (object) {
        equals(object->alive, ALIVE);
        for (int i = 0; i < OBJECT_WORDS; i++)
            equals(object->words[i], object->version);
        equals(object->version, snapshot.version);
        check(object->version >= newest);
        newest = object->version;
    }
    seqshare_cache_mt_leave(cache, &snapshot);
    return newest;
}

static void *reader(void *context)
{
    uint64_t newest[2] = {0}, looked = 0;
    seqshare_snapshot outer;

    (void)context;
    do {
        newest[0] = look(scene.caches[0], newest[0]);
        if (++looked % 8 > 0)
            continue;
        seqshare_cache_mt_enter(scene.caches[0], &outer);
        newest[1] = look(scene.caches[1], newest[1]);
        seqshare_cache_mt_leave(scene.caches[0], &outer);
    } while (!__atomic_load_n(&scene.stop, __ATOMIC_ACQUIRE));
    return NULL;
}

/* It has this thread alone. */
static void use_in_child(void)
{
    pid_t child = fork();
    int status;

    check(child >= 0);
    if (child == 0) {
        alarm(SECONDS_TO_HANG);
        for (int i = 0; i < 20; i++) {
            look(scene.caches[0], 0);
            look(scene.caches[1], 0);
            usleep(100);
        }
        _exit(0);
    }
    equals(waitpid(child, &status, 0), child);
    equals(status, 0);
}

static void publish(seqshare *share, bool bad)
{
    if (bad)
        equals(seqshare_set(share, "bad", 3), 0);
    else
        equals(publish_words(share, seqshare_version(share) + 1), 0);
}

/* Another region under the name, the value going on. */
static void replace(seqshare **writer, const char *name)
{
    seqshare *next;

    equals(seqshare_replace(&next, name, 4096, 0600), 0);
    seqshare_close(*writer);
    *writer = next;
}

static uint64_t moves_of(seqshare_cache_mt *cache)
{
    struct seqshare_cache_stat stat;

    equals(seqshare_cache_mt_stat(cache, &stat), 0);
    check(stat.decoded > 0 && stat.failed > 0);
    return stat.moved;
}

static void run(const char *name, bool forks)
{
    struct team team = {.size = 0};
    seqshare *named, *read_named, *anonymous;

    equals(seqshare_replace(&named, name, 4096, 0600), 0);
    equals(seqshare_open(&read_named, name, SEQSHARE_READ), 0);
    equals(seqshare_new(&anonymous, 4096), 0);
    equals(seqshare_cache_mt_new(&scene.caches[0], read_named, object_decode, object_destroy, NULL), 0);
    equals(seqshare_cache_mt_new(&scene.caches[1], anonymous, object_decode, object_destroy, NULL), 0);
    for (int i = 0; i < READERS; i++)
        team_add(&team, reader, NULL);
    for (int i = 1; i <= ROUNDS; i++) {
        publish(named, i % 10 == 0);
        publish(anonymous, i % 10 == 5);
        if (i % REPLACED_EACH == 0)
            replace(&named, name);
        if (forks && i % FORKED_EACH == 0)
            use_in_child();
        usleep(200);
    }
    __atomic_store_n(&scene.stop, 1, __ATOMIC_RELEASE);
    team_join(&team);
    scene.stop = 0;
    check(moves_of(scene.caches[0]) > 0);
    equals(moves_of(scene.caches[1]), 0);
    seqshare_cache_mt_close(scene.caches[0]);
    seqshare_cache_mt_close(scene.caches[1]);
    check(counted(&counts.made) > 0);
    equals(counted(&counts.made), counted(&counts.destroyed));
    seqshare_close(named);
    seqshare_close(read_named);
    seqshare_close(anonymous);
}

/* In a child: whatever ends it, a check, the watchdog or somebody's patience, the name is removed. */
int main(int argc, char **argv)
{
    char name[64];
    int status;
    pid_t child;

    snprintf(name, sizeof name, "test-cache-threads-%d", (int)getpid());
    child = fork();
    check(child >= 0);
    if (child == 0) {
        alarm(SECONDS_TO_HANG);
        run(name, argc > 1 && strcmp(argv[1], "fork") == 0);
        printf("%s: %u objects made\n", seqshare_cache_mt_reclamation(), counted(&counts.made));
        return 0;
    }
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    equals(waitpid(child, &status, 0), child);
    equals(seqshare_unlink(name), 0);
    return status != 0;
}
