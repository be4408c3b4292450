/* SPDX-License-Identifier: MIT */
/*
 * Decoders that do not come back: their thread is cancelled, or ends, or jumps, or throws an exception. The next
 * version is decoded at once by any thread that looks; the same one is tried again after a second.
 *
 * Shows: CACHE-4.
 */
#include "leaving.h"

#include <pthread.h>
#include <setjmp.h>
#include <unistd.h>

#include "objects.h"
#include "sanitizer.h"
#include "support.h"

TestSuite(leaving, .timeout = 120);

/* How the next decoding ends. */
static struct {
    enum how { RETURNS, JUMPS, EXITS, WAITS, THROWS } how;
    int begun; /* decodings that wait */
    int pipe[2];
    jmp_buf where;
} plan;

static void *leaving_decode(void *bytes, size_t length, uint64_t version, void *context)
{
    char byte;

    switch (plan.how) {
    case JUMPS:
        longjmp(plan.where, 1);
    case EXITS:
        pthread_exit(NULL);
    case WAITS:
        set_flag(&plan.begun, 1);
        if (read(plan.pipe[0], &byte, 1) < 0) /* where it is cancelled */
            abort();
        break;
    case THROWS:
        leaving_throw();
        break;
    case RETURNS:
        break;
    }
    return object_decode(bytes, length, version, context);
}

static void skip_for_unwinding(void)
{
    skip_under_address_sanitizer("takes the frames of a thread that is cancelled for there still");
}

struct scene {
    seqshare *share;
    seqshare_cache *one;
    seqshare_cache_mt *many;
};

static struct scene scene_of(bool many, uint64_t word)
{
    struct scene scene = {.share = new_share(4096)};

    plan.how = RETURNS;
    if (many)
        equals(seqshare_cache_mt_new(&scene.many, scene.share, leaving_decode, object_destroy, NULL), 0);
    else
        equals(seqshare_cache_new(&scene.one, scene.share, leaving_decode, object_destroy, NULL), 0);
    if (word)
        equals(publish_words(scene.share, word), 0);
    return scene;
}

static void end_scene(struct scene *scene)
{
    seqshare_cache_close(scene->one);
    seqshare_cache_mt_close(scene->many);
    seqshare_close(scene->share);
    equals(counts.made, counts.destroyed);
}

/* 0: there is no object. For any thread. */
static uint64_t look(struct scene *scene)
{
    seqshare_snapshot snapshot;
    const struct object *object =
        scene->many ? seqshare_cache_mt_enter(scene->many, &snapshot) : seqshare_cache_get(scene->one);
    uint64_t word = object ? object->words[0] : 0;

    if (scene->many)
        seqshare_cache_mt_leave(scene->many, &snapshot);
    return word;
}

static void *look_in_thread(void *scene)
{
    look(scene);
    return NULL;
}

static void *jump_in_thread(void *scene)
{
    if (setjmp(plan.where) == 0)
        look(scene);
    return NULL;
}

static void *catch_in_thread(void *scene)
{
    leaving_catch(look_in_thread, scene);
    return NULL;
}

static struct seqshare_cache_stat stat_of(struct scene *scene)
{
    struct seqshare_cache_stat stat = {0};

    if (scene->many)
        equals(seqshare_cache_mt_stat(scene->many, &stat), 0);
    else
        equals(seqshare_cache_stat(scene->one, &stat), 0);
    return stat;
}

/* Version `failed` was left, `before` is used: it is reported, not tried at once, and the next one is decoded. */
static void goes_on(struct scene *scene, uint64_t before, uint64_t failed)
{
    unsigned asked = counted(&counts.asked);

    plan.how = RETURNS;
    for (int i = 0; i < 10; i++)
        equals(look(scene), before);
    equals(counts.asked, asked);
    equals(stat_of(scene).failed, 1);
    equals(stat_of(scene).failed_version, failed);
    equals(stat_of(scene).failed_error, -ECANCELED);
    equals(publish_words(scene->share, 77), 0);
    equals(look(scene), 77);
    equals(stat_of(scene).failed, 1);
}

static void is_tried_again(struct scene *scene, uint64_t before, uint64_t after)
{
    int64_t end = now() + SECONDS_TO_HANG * SECONDS;
    uint64_t word;

    plan.how = RETURNS;
    while ((word = look(scene)) != after) {
        equals(word, before);
        check(now() < end);
        usleep(10000);
    }
}

static void run_thread(void *(*body)(void *), struct scene *scene)
{
    pthread_t thread;

    equals(pthread_create(&thread, NULL, body, scene), 0);
    equals(pthread_join(thread, NULL), 0);
}

static void cancelled(bool many, uint64_t first)
{
    struct scene scene = scene_of(many, first);
    pthread_t thread;

    skip_for_unwinding();
    equals(look(&scene), first);
    equals(publish_words(scene.share, 5), 0);
    equals(pipe(plan.pipe), 0);
    plan.how = WAITS;
    equals(pthread_create(&thread, NULL, look_in_thread, &scene), 0);
    await_flag(&plan.begun, 1);
    if (many && first)
        equals(look(&scene), first); /* no other waits for it */
    equals(pthread_cancel(thread), 0);
    equals(pthread_join(thread, NULL), 0);
    goes_on(&scene, first, first ? 2 : 1);
    end_scene(&scene);
}

static void left(bool many, enum how how, void *(*body)(void *), uint64_t first)
{
    struct scene scene = scene_of(many, first);

    if (how == EXITS)
        skip_for_unwinding();
    equals(look(&scene), first);
    equals(publish_words(scene.share, 5), 0);
    plan.how = how;
    run_thread(body, &scene);
    goes_on(&scene, first, first ? 2 : 1);
    end_scene(&scene);
}

/* In one thread, which has the right to refresh still. */
static void jumped(bool many)
{
    struct scene scene = scene_of(many, 1);

    equals(look(&scene), 1);
    for (uint64_t word = 2; word < 12; word++) {
        equals(publish_words(scene.share, word), 0);
        plan.how = JUMPS;
        if (setjmp(plan.where) == 0)
            look(&scene);
        equals(look(&scene), 1);
    }
    equals(stat_of(&scene).failed, 10);
    is_tried_again(&scene, 1, 11);
    equals(stat_of(&scene).version, 11);
    end_scene(&scene);
}

/* A thread jumps out of decode, and lives on elsewhere while the cache is closed. */
Test(leaving, many_closed_before_the_thread_ends)
{
    struct scene scene = scene_of(true, 1);

    plan.how = JUMPS;
    if (setjmp(plan.where) == 0)
        look(&scene);
    plan.how = RETURNS;
    end_scene(&scene);
    scene = scene_of(true, 2);
    run_thread(look_in_thread, &scene);
    equals(look(&scene), 2);
    end_scene(&scene);
}

/* It waits for the first object that another thread decodes, and does not wait for ever. */
Test(leaving, many_wait_for_the_first_object)
{
    struct scene scene = scene_of(true, 1);
    pthread_t decoder, waiter;

    skip_for_unwinding();
    equals(pipe(plan.pipe), 0);
    plan.how = WAITS;
    equals(pthread_create(&decoder, NULL, look_in_thread, &scene), 0);
    await_flag(&plan.begun, 1);
    equals(pthread_create(&waiter, NULL, look_in_thread, &scene), 0);
    usleep(1000);
    equals(pthread_cancel(decoder), 0);
    equals(pthread_join(decoder, NULL), 0);
    plan.how = RETURNS;
    equals(pthread_join(waiter, NULL), 0);
    is_tried_again(&scene, 0, 1);
    end_scene(&scene);
}

/* While a decoder of one cache was at work, its thread used another: both are left. */
static void *nested_decode(void *bytes, size_t length, uint64_t version, void *inner)
{
    look(inner);
    return object_decode(bytes, length, version, NULL);
}

Test(leaving, many_leave_two_caches_at_once)
{
    struct scene inner = scene_of(true, 1), outer = {.share = new_share(4096)};

    equals(seqshare_cache_mt_new(&outer.many, outer.share, nested_decode, object_destroy, &inner), 0);
    equals(publish_words(outer.share, 1), 0);
    plan.how = JUMPS;
    run_thread(jump_in_thread, &outer);
    plan.how = RETURNS;
    for (uint64_t word = 2; word < 5; word++) {
        equals(publish_words(inner.share, word), 0);
        equals(publish_words(outer.share, word), 0);
        equals(look(&outer), word);
        equals(look(&inner), word);
    }
    seqshare_cache_mt_close(outer.many);
    seqshare_close(outer.share);
    end_scene(&inner);
}

#define TEST_BOTH(name, ...)                                                                                 \
    Test(leaving, one_##name)                                                                                \
    {                                                                                                        \
        const bool many = false;                                                                             \
        __VA_ARGS__;                                                                                         \
    }                                                                                                        \
    Test(leaving, many_##name)                                                                               \
    {                                                                                                        \
        const bool many = true;                                                                              \
        __VA_ARGS__;                                                                                         \
    }

TEST_BOTH(cancelled, cancelled(many, 1))
TEST_BOTH(cancelled_before_the_first_object, cancelled(many, 0))
TEST_BOTH(exits, left(many, EXITS, look_in_thread, 1))
TEST_BOTH(exits_before_the_first_object, left(many, EXITS, look_in_thread, 0))
TEST_BOTH(jumped_and_ended, left(many, JUMPS, jump_in_thread, 1))
TEST_BOTH(jumped_and_ended_before_the_first_object, left(many, JUMPS, jump_in_thread, 0))
TEST_BOTH(jumped, jumped(many))
TEST_BOTH(thrown, left(many, THROWS, catch_in_thread, 1))

/* The thread that caught it lives, and never looks again. */
Test(leaving, many_thrown_by_a_thread_that_lives_on)
{
    struct scene scene = scene_of(true, 0);

    equals(publish_words(scene.share, 5), 0);
    plan.how = THROWS;
    leaving_catch(look_in_thread, &scene);
    plan.how = RETURNS;
    equals(publish_words(scene.share, 6), 0);
    run_thread(look_in_thread, &scene);
    equals(counts.made, 1);
    equals(look(&scene), 6);
    end_scene(&scene);
}
