/* SPDX-License-Identifier: MIT */
/* Caches where one thread forks while others are in the middle of something. Shows: CACHE-2, CACHE-5. */
#include <pthread.h>
#include <unistd.h>

#include "objects.h"
#include "sanitizer.h"
#include "support.h"

TestSuite(forking, .timeout = 120);

enum { FORKS = 100 };

static struct {
    seqshare *share;
    seqshare_cache_mt *cache;
    int waits;   /* this decoding does, */
    int waiting; /* has begun to, */
    int go_on;   /* until this is set */
    int stop;
} scene;

static void *waiting_decode(void *bytes, size_t length, uint64_t version, void *context)
{
    if (scene.waits) {
        set_flag(&scene.waiting, 1);
        await_flag(&scene.go_on, 1);
    }
    return object_decode(bytes, length, version, context);
}

static void begin(seqshare *share)
{
    scene.share = share;
    equals(seqshare_cache_mt_new(&scene.cache, share, waiting_decode, object_destroy, NULL), 0);
}

static uint64_t look(void)
{
    seqshare_snapshot snapshot;
    const struct object *object = seqshare_cache_mt_enter(scene.cache, &snapshot);
    uint64_t word = object ? object->words[0] : 0;

    if (object && object->alive != ALIVE)
        abort();
    seqshare_cache_mt_leave(scene.cache, &snapshot);
    return word;
}

static void *look_once(void *unused)
{
    look();
    return unused;
}

static void *look_on(void *unused)
{
    while (!__atomic_load_n(&scene.stop, __ATOMIC_ACQUIRE))
        look();
    return unused;
}

/* Its locks are held in the child by threads that it has not. */
static void skip_for_allocator(void)
{
    skip_under_address_sanitizer("allocates no memory in a child of many threads");
}

static pthread_t started(void *(*body)(void *))
{
    pthread_t thread;

    equals(pthread_create(&thread, NULL, body, NULL), 0);
    return thread;
}

static void joined(pthread_t thread)
{
    equals(pthread_join(thread, NULL), 0);
}

/* ---- inside of a section ---- */

static void child_leaves(void *snapshot)
{
    unsigned made, destroyed;

    seqshare_cache_mt_leave(scene.cache, snapshot);
    made = counts.made;
    destroyed = counts.destroyed;
    for (uint64_t word = 2; word < 1000; word++) {
        equals(publish_words(scene.share, word), 0);
        equals(look(), word);
    }
    equals(counts.made - made, counts.destroyed - destroyed);
}

Test(forking, a_child_forked_in_a_section_keeps_one_object)
{
    seqshare_snapshot snapshot;

    begin(new_share(4096));
    equals(publish_words(scene.share, 1), 0);
    check(seqshare_cache_mt_enter(scene.cache, &snapshot) != NULL);
    child_run(child_leaves, &snapshot);
    seqshare_cache_mt_leave(scene.cache, &snapshot);
}

/* Of the child's own threads none may wait for one that it does not have: to be registered, say. */
static void child_has_threads(void *snapshot)
{
    alarm(SECONDS_TO_HANG);
    if (snapshot)
        seqshare_cache_mt_leave(scene.cache, snapshot);
    joined(started(look_once));
    look();
}

static void fork_with_threads(bool in_section)
{
    seqshare_snapshot snapshot;

    for (uint64_t word = 2; word < FORKS; word++) {
        equals(publish_words(scene.share, word), 0);
        if (in_section)
            seqshare_cache_mt_enter(scene.cache, &snapshot);
        child_run(child_has_threads, in_section ? &snapshot : NULL);
        if (in_section)
            seqshare_cache_mt_leave(scene.cache, &snapshot);
        joined(started(look_once)); /* a new thread, which registers */
    }
}

static void threads_of_children(bool in_section)
{
    pthread_t readers[2];

    skip_for_allocator();
    begin(new_share(4096));
    equals(publish_words(scene.share, 1), 0);
    for (int i = 0; i < 2; i++)
        readers[i] = started(look_on);
    fork_with_threads(in_section);
    __atomic_store_n(&scene.stop, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < 2; i++)
        joined(readers[i]);
}

Test(forking, children_have_threads)
{
    threads_of_children(false);
}

Test(forking, children_forked_in_a_section_have_threads)
{
    threads_of_children(true);
}

/* ---- beside a section ---- */

static void child_ends(void *unused)
{
    (void)unused;
}

static void *fork_once(void *unused)
{
    child_run(child_ends, NULL);
    return unused;
}

/* Nor does a thread that leaves another section, of an object that has been replaced. */
Test(forking, fork_waits_for_no_section, .timeout = SECONDS_TO_HANG)
{
    seqshare_snapshot snapshot;

    begin(new_share(4096));
    equals(publish_words(scene.share, 1), 0);
    check(seqshare_cache_mt_enter(scene.cache, &snapshot) != NULL);
    equals(publish_words(scene.share, 2), 0);
    joined(started(look_once));
    joined(started(fork_once));
    seqshare_cache_mt_leave(scene.cache, &snapshot);
    equals(counts.destroyed, 1);
}

static void *leave_for_another(void *snapshot)
{
    seqshare_cache_mt_leave(scene.cache, snapshot);
    return NULL;
}

Test(forking, a_section_ends_in_another_thread)
{
    seqshare_snapshot snapshot;
    pthread_t thread;

    begin(new_share(4096));
    equals(publish_words(scene.share, 1), 0);
    check(seqshare_cache_mt_enter(scene.cache, &snapshot) != NULL);
    equals(publish_words(scene.share, 2), 0);
    equals(look(), 2);
    equals(counts.destroyed, 0);
    equals(pthread_create(&thread, NULL, leave_for_another, &snapshot), 0);
    joined(thread);
    equals(counts.destroyed, 1);
}

/* ---- while another thread decodes ---- */

static void child_decodes(void *unused)
{
    (void)unused;
    scene.waits = 0;
    equals(look(), 2); /* at once: nothing has failed */
}

static void forked_while_decoding(uint64_t first)
{
    pthread_t thread;

    begin(new_share(4096));
    if (first)
        equals(publish_words(scene.share, first), 0);
    equals(look(), first);
    scene.waits = 1;
    equals(publish_words(scene.share, 2), 0);
    thread = started(look_once);
    await_flag(&scene.waiting, 1);
    child_run(child_decodes, NULL);
    set_flag(&scene.go_on, 1);
    joined(thread);
    equals(look(), 2);
}

Test(forking, a_child_decodes_what_a_thread_of_the_parent_did)
{
    forked_while_decoding(1);
}

Test(forking, a_child_decodes_the_first_value_that_a_thread_of_the_parent_did)
{
    forked_while_decoding(0);
}

/* The same for a cache that only the other thread uses, until the child does. */

static uint64_t look_at(seqshare_cache *cache)
{
    const struct object *object = seqshare_cache_get(cache);

    return object ? object->words[0] : 0;
}

static void *look_at_once(void *cache)
{
    look_at(cache);
    return NULL;
}

static void child_of_one_decodes(void *cache)
{
    struct seqshare_cache_stat stat;

    scene.waits = 0;
    equals(look_at(cache), 2);
    equals(seqshare_cache_stat(cache, &stat), 0);
    equals(stat.failed, 0);
    seqshare_cache_close(cache);
}

static void forked_while_one_decodes(uint64_t first)
{
    seqshare_cache *cache;
    pthread_t thread;

    scene.share = new_share(4096);
    equals(seqshare_cache_new(&cache, scene.share, waiting_decode, object_destroy, NULL), 0);
    if (first)
        equals(publish_words(scene.share, first), 0);
    equals(look_at(cache), first);
    scene.waits = 1;
    equals(publish_words(scene.share, 2), 0);
    equals(pthread_create(&thread, NULL, look_at_once, cache), 0);
    await_flag(&scene.waiting, 1);
    child_run(child_of_one_decodes, cache);
    set_flag(&scene.go_on, 1);
    joined(thread);
    equals(look_at(cache), 2);
    seqshare_cache_close(cache);
}

Test(forking, a_child_of_one_decodes_what_a_thread_of_the_parent_did)
{
    forked_while_one_decodes(1);
}

Test(forking, a_child_of_one_decodes_the_first_value_that_a_thread_of_the_parent_did)
{
    forked_while_one_decodes(0);
}

static void child_follows(void *name)
{
    seqshare *next;

    scene.waits = 0;
    equals(seqshare_replace(&next, name, 4096, 0600), 0);
    equals(publish_words(next, 3), 0);
    equals(seqshare_cache_mt_look(scene.cache), 1);
    equals(look(), 3);
    seqshare_close(next);
}

Test(forking, a_child_follows_though_a_thread_of_the_parent_decoded)
{
    const char *name = temp_name();
    seqshare *writer, *reader;
    pthread_t thread;

    equals(seqshare_create(&writer, name, 4096, 0600), 0);
    equals(publish_words(writer, 1), 0);
    equals(seqshare_open(&reader, name, SEQSHARE_READ), 0);
    begin(reader);
    equals(look(), 1);
    scene.waits = 1;
    equals(publish_words(writer, 2), 0);
    thread = started(look_once);
    await_flag(&scene.waiting, 1);
    child_run(child_follows, (void *)(uintptr_t)name);
    set_flag(&scene.go_on, 1);
    joined(thread);
    scene.waits = 0;
    while (seqshare_cache_mt_look(scene.cache) != 0) /* (1: it moved) */
        ;
    equals(look(), 3);
}

/* ---- while another thread moves the share ---- */

static void *look_at_name_on(void *unused)
{
    while (!__atomic_load_n(&scene.stop, __ATOMIC_ACQUIRE))
        if (seqshare_cache_mt_look(scene.cache) >= 0)
            look();
    return unused;
}

static void child_sees(void *word)
{
    while (seqshare_cache_mt_look(scene.cache) < 0)
        ;
    equals(look(), *(uint64_t *)word);
}

Test(forking, children_follow_though_a_thread_of_the_parent_was_about_to)
{
    const char *name = temp_name();
    seqshare *writer, *reader, *next;
    pthread_t thread;

    skip_for_allocator();
    equals(seqshare_create(&writer, name, 4096, 0600), 0);
    equals(seqshare_open(&reader, name, SEQSHARE_READ), 0);
    begin(reader);
    thread = started(look_at_name_on);
    for (uint64_t word = 1; word < FORKS; word++) {
        equals(publish_words(writer, word), 0);
        equals(seqshare_replace(&next, name, 4096, 0600), 0);
        seqshare_close(writer);
        writer = next;
        child_run(child_sees, &word);
    }
    __atomic_store_n(&scene.stop, 1, __ATOMIC_RELEASE);
    joined(thread);
    seqshare_close(writer);
}
