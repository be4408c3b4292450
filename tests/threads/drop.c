/* SPDX-License-Identifier: MIT */
/*
 * One thread gives up writing while others read through the same handle: they notice nothing.
 *
 * Shows: NAME-6, READ-1.
 */
#include "threads.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#if defined __SANITIZE_THREAD__
#define THREAD_SANITIZER 1
#elif defined __has_feature
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZER 1
#endif
#endif

/*
 * The sanitizer takes a new mapping for a plain write to every byte of it. This one replaces a mapping by
 * another of the same bytes, under readers, on purpose; and the kernel does that in one step. So it goes
 * unseen, and everything else that drop_write does is seen.
 */
#ifdef THREAD_SANITIZER
void *mmap64(void *address, size_t length, int protection, int flags, int fd, off64_t offset)
{
    return (void *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);
}
#endif

enum { SHARES = 60, READERS = 3, WORDS = 64 };

static struct {
    seqshare *share;
    int ready; /* readers that have read */
    int stop;
} scene;

static void read_once(void)
{
    uint64_t words[WORDS], version = 0;
    seqshare_view view = {0};

    equals(seqshare_get(scene.share, words, sizeof words, &version), sizeof words);
    for (int i = 0; i < WORDS; i++)
        check(words[i] == version);
    equals(seqshare_peek(scene.share, &view), 0);
    version = load_word((const uint64_t *)view.data + WORDS - 1);
    check(!seqshare_valid(scene.share, &view) || version == view.version);
    equals(seqshare_wait(scene.share, UINT64_MAX, 0), 0);
}

static void *reader(void *context)
{
    bool counted = false;

    (void)context;
    while (!__atomic_load_n(&scene.stop, __ATOMIC_ACQUIRE)) {
        read_once();
        if (!counted)
            __atomic_add_fetch(&scene.ready, 1, __ATOMIC_RELEASE);
        counted = true;
    }
    return NULL;
}

static void publish(seqshare *share)
{
    uint64_t words[WORDS];

    for (int i = 0; i < WORDS; i++)
        words[i] = seqshare_version(share) + 1;
    equals(seqshare_set(share, words, sizeof words), 0);
}

static void *other_writer(void *context)
{
    while (!__atomic_load_n(&scene.stop, __ATOMIC_ACQUIRE)) {
        publish(context);
        usleep(50);
    }
    return NULL;
}

static void run(void)
{
    struct team team = {.size = 0};
    seqshare *writer;

    scene.ready = scene.stop = 0;
    equals(seqshare_new(&scene.share, sizeof(uint64_t[WORDS])), 0);
    writer = another_handle(scene.share, SEQSHARE_WRITE); /* goes on through its own mapping */
    publish(scene.share);
    for (int i = 0; i < READERS; i++)
        team_add(&team, reader, NULL);
    team_add(&team, other_writer, writer);
    while (__atomic_load_n(&scene.ready, __ATOMIC_ACQUIRE) < READERS)
        usleep(50);
    equals(seqshare_drop_write(scene.share), 0);
    equals(seqshare_set(scene.share, "x", 1), -EROFS);
    equals(seqshare_drop_write(scene.share), 0);
    usleep(500);
    __atomic_store_n(&scene.stop, 1, __ATOMIC_RELEASE);
    team_join(&team);
    read_once();
    seqshare_close(writer);
    seqshare_close(scene.share);
}

static void *wait_for_the_next(void *context)
{
    (void)context;
    equals(seqshare_wait(scene.share, 1, -1), 0);
    return NULL;
}

/* It registers again now and then, for which it would have to write: here it may not any more. */
static void a_waiter_sleeps_through_it(void)
{
    struct team team = {.size = 0};
    seqshare *writer;

    equals(seqshare_new(&scene.share, sizeof(uint64_t[WORDS])), 0);
    writer = another_handle(scene.share, SEQSHARE_WRITE);
    publish(writer);
    team_add(&team, wait_for_the_next, NULL);
    usleep(100000);
    equals(seqshare_drop_write(scene.share), 0);
    usleep(1200000);
    publish(writer);
    team_join(&team);
    seqshare_close(writer);
    seqshare_close(scene.share);
}

int main(void)
{
    alarm(SECONDS_TO_HANG);
    a_waiter_sleeps_through_it();
    for (int i = 0; i < SHARES; i++)
        run();
    return 0;
}
