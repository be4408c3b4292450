/* SPDX-License-Identifier: MIT */
/* The cache for many threads, as far as one thread can tell. Shows: CACHE-1, CACHE-2, JSON-2. */
#include "objects.h"
#include "support.h"

#include <pthread.h>
#include <unistd.h>

TestSuite(many, .timeout = 120);

static seqshare_cache_mt *cache_of(seqshare *share)
{
    seqshare_cache_mt *cache = NULL;

    equals(seqshare_cache_mt_new(&cache, share, object_decode, object_destroy, NULL), 0);
    return cache;
}

static struct seqshare_cache_stat stat_of(seqshare_cache_mt *cache)
{
    struct seqshare_cache_stat stat = {0};

    equals(seqshare_cache_mt_stat(cache, &stat), 0);
    return stat;
}

static uint64_t word_of(seqshare_cache_mt *cache)
{
    seqshare_snapshot snapshot;
    const struct object *object = seqshare_cache_mt_enter(cache, &snapshot);
    uint64_t word;

    check(object != NULL && object == snapshot.object);
    equals(object->alive, ALIVE);
    equals(object->version, snapshot.version);
    word = object->words[0];
    seqshare_cache_mt_leave(cache, &snapshot);
    check(snapshot.object == NULL);
    return word;
}

Test(many, decodes_once_per_version)
{
    seqshare *share = new_share(4096);
    seqshare_cache_mt *cache = cache_of(share);
    seqshare_snapshot snapshot;

    check(seqshare_cache_mt_enter(cache, &snapshot) == NULL);
    equals(snapshot.version, 0);
    seqshare_cache_mt_leave(cache, &snapshot);
    for (uint64_t word = 1; word < 1000; word++) {
        equals(publish_words(share, word), 0);
        equals(word_of(cache), word);
        equals(word_of(cache), word);
    }
    equals(counts.asked, 999);
    equals(stat_of(cache).decoded, 999);
    equals(stat_of(cache).version, 999);
    equals(counts.destroyed, 998);
    seqshare_cache_mt_close(cache);
    equals(counts.destroyed, 999);
    seqshare_close(share);
}

Test(many, a_section_keeps_its_object)
{
    seqshare *share = new_share(4096);
    seqshare_cache_mt *cache = cache_of(share);
    seqshare_snapshot first, second;
    const struct object *old, *new;

    equals(publish_words(share, 1), 0);
    old = seqshare_cache_mt_enter(cache, &first);
    equals(publish_words(share, 2), 0);
    new = seqshare_cache_mt_enter(cache, &second);
    equals(new->words[0], 2);
    equals(old->alive, ALIVE);
    equals(old->words[0], 1);
    equals(first.version, 1);
    equals(counts.destroyed, 0);
    seqshare_cache_mt_leave(cache, &second);
    equals(old->alive, ALIVE);
    equals(counts.destroyed, 0);
    seqshare_cache_mt_leave(cache, &first);
    equals(counts.destroyed, 1);
    seqshare_cache_mt_close(cache);
    equals(counts.destroyed, 2);
    seqshare_close(share);
}

/* More at a time than counting has places for: then the last that it had room for stays the newest. */
Test(many, hundreds_of_versions_in_use)
{
    enum { SECTIONS = 600 };
    static seqshare_snapshot snapshots[SECTIONS];
    seqshare *share = new_share(4096);
    seqshare_cache_mt *cache = cache_of(share);

    for (uint64_t i = 0; i < SECTIONS; i++) {
        equals(publish_words(share, i + 1), 0);
        check(seqshare_cache_mt_enter(cache, &snapshots[i]) != NULL);
        check(snapshots[i].version == i + 1 || (i > 200 && snapshots[i].version == snapshots[i - 1].version));
    }
    for (int i = 0; i < SECTIONS; i++) {
        const struct object *object = snapshots[i].object;

        equals(object->alive, ALIVE);
        equals(object->words[0], object->version);
        seqshare_cache_mt_leave(cache, &snapshots[i]);
    }
    equals(word_of(cache), SECTIONS);
    equals(counts.destroyed, counts.made - 1);
    seqshare_cache_mt_close(cache);
    equals(counts.destroyed, counts.made);
    seqshare_close(share);
}

Test(many, sections_of_two_caches)
{
    seqshare *shares[2] = {new_share(4096), new_share(4096)};
    seqshare_cache_mt *outer = cache_of(shares[0]), *inner = cache_of(shares[1]);
    seqshare_snapshot snapshot;

    equals(publish_words(shares[0], 1), 0);
    for (uint64_t word = 1; word < 100; word++) {
        equals(publish_words(shares[1], word), 0);
        check(seqshare_cache_mt_enter(outer, &snapshot) != NULL);
        equals(word_of(inner), word);
        seqshare_cache_mt_leave(outer, &snapshot);
        equals(counts.made - counts.destroyed, 2);
    }
    seqshare_cache_mt_close(inner);
    equals(word_of(outer), 1);
    seqshare_cache_mt_close(outer);
    equals(counts.made, counts.destroyed);
    seqshare_close(shares[0]);
    seqshare_close(shares[1]);
}

Test(many, a_cache_is_closed_inside_a_section_of_another)
{
    seqshare *shares[2] = {new_share(4096), new_share(4096)};
    seqshare_cache_mt *outer = cache_of(shares[0]), *inner = cache_of(shares[1]);
    seqshare_snapshot snapshot;

    equals(publish_words(shares[0], 1), 0);
    check(seqshare_cache_mt_enter(outer, &snapshot) != NULL);
    for (uint64_t word = 1; word < 10; word++) {
        equals(publish_words(shares[1], word), 0);
        equals(word_of(inner), word);
    }
    seqshare_cache_mt_close(inner);
    seqshare_close(shares[1]);
    seqshare_cache_mt_leave(outer, &snapshot);
    equals(counts.made - counts.destroyed, 1);
    seqshare_cache_mt_close(outer);
    seqshare_close(shares[0]);
}

/* An object that has a cache of its own, of the share that `context` is. */
static void *cache_decode(void *bytes, size_t length, uint64_t version, void *context)
{
    (void)bytes, (void)length, (void)version;
    return cache_of(context);
}

static void cache_destroy(void *cache)
{
    seqshare_cache_mt_close(cache);
}

Test(many, an_object_has_a_cache_of_its_own, .timeout = SECONDS_TO_HANG)
{
    seqshare *shares[2] = {new_share(4096), new_share(4096)};
    seqshare_cache_mt *outer = NULL;
    seqshare_snapshot snapshot;

    equals(seqshare_cache_mt_new(&outer, shares[0], cache_decode, cache_destroy, shares[1]), 0);
    for (uint64_t word = 1; word < 10; word++) {
        equals(publish_words(shares[0], word), 0);
        equals(publish_words(shares[1], word), 0);
        equals(word_of((seqshare_cache_mt *)(uintptr_t)seqshare_cache_mt_enter(outer, &snapshot)), word);
        seqshare_cache_mt_leave(outer, &snapshot);
    }
    seqshare_cache_mt_close(outer);
    equals(counts.made, counts.destroyed);
    seqshare_close(shares[0]);
    seqshare_close(shares[1]);
}

Test(many, a_bad_value_leaves_the_last_good_object)
{
    seqshare *share = new_share(4096);
    seqshare_cache_mt *cache = cache_of(share);

    equals(publish_words(share, 1), 0);
    equals(word_of(cache), 1);
    equals(seqshare_set(share, "bad", 3), 0);
    for (int i = 0; i < 100; i++)
        equals(word_of(cache), 1);
    equals(counts.asked, 2);
    equals(counts.destroyed, 0);
    equals(stat_of(cache).failed, 1);
    equals(stat_of(cache).failed_version, 2);
    equals(stat_of(cache).failed_error, -EILSEQ);
    equals(publish_words(share, 3), 0);
    equals(word_of(cache), 3);
    equals(counts.destroyed, 1);
    seqshare_cache_mt_close(cache);
    seqshare_close(share);
}

static void *fails_at_first(void *bytes, size_t length, uint64_t version, void *asked)
{
    if (++*(int *)asked > 1)
        return object_decode(bytes, length, version, NULL);
    errno = ENOMEM;
    return NULL;
}

Test(many, a_newer_version_is_not_held_back)
{
    seqshare *share = new_share(4096);
    seqshare_cache_mt *cache = NULL;
    seqshare_snapshot snapshot;
    int asked = 0;

    equals(seqshare_cache_mt_new(&cache, share, fails_at_first, object_destroy, &asked), 0);
    equals(publish_words(share, 1), 0);
    for (int i = 0; i < 10; i++) {
        check(seqshare_cache_mt_enter(cache, &snapshot) == NULL);
        seqshare_cache_mt_leave(cache, &snapshot);
    }
    equals(asked, 1);
    equals(publish_words(share, 2), 0);
    equals(word_of(cache), 2);
    equals(stat_of(cache).failed_version, 1);
    equals(stat_of(cache).failed_error, -ENOMEM);
    seqshare_cache_mt_close(cache);
    seqshare_close(share);
}

Test(many, tells_the_age_of_its_object)
{
    seqshare *share = new_share(4096);
    seqshare_cache_mt *cache = cache_of(share);

    equals(seqshare_cache_mt_age(cache), -ENODATA);
    equals(publish_words(share, 1), 0);
    equals(word_of(cache), 1);
    usleep(20000);
    check(seqshare_cache_mt_age(cache) >= 10 * MILLISECONDS);
    equals(seqshare_cache_mt_age(NULL), -EINVAL);
    seqshare_cache_mt_close(cache);
    seqshare_close(share);
}

enum { CROWD = 60 };

static pthread_barrier_t crowd_step;

static void *section_of_thread(void *cache)
{
    seqshare_snapshot snapshot;
    const struct object *object = seqshare_cache_mt_enter(cache, &snapshot);
    bool right;

    pthread_barrier_wait(&crowd_step); /* all are in */
    pthread_barrier_wait(&crowd_step); /* another object has come */
    right = object->alive == ALIVE && object->words[0] == 1;
    pthread_barrier_wait(&crowd_step); /* all have looked */
    seqshare_cache_mt_leave(cache, &snapshot);
    return right ? cache : NULL;
}

/* More than have a stripe of their own with liburcu; and then as many again, who take what these have left. */
Test(many, a_crowd_of_threads_is_in_sections)
{
    seqshare *share = new_share(4096);
    seqshare_cache_mt *cache = cache_of(share);
    pthread_t threads[CROWD];
    void *right;

    pthread_barrier_init(&crowd_step, NULL, CROWD + 1);
    for (int round = 0; round < 2; round++) {
        equals(publish_words(share, 1), 0);
        equals(word_of(cache), 1); /* else, while one of them decodes, others get the object before */
        for (int i = 0; i < CROWD; i++)
            equals(pthread_create(&threads[i], NULL, section_of_thread, cache), 0);
        pthread_barrier_wait(&crowd_step);
        equals(publish_words(share, 2), 0);
        equals(word_of(cache), 2);
        equals(counts.made - counts.destroyed, 2);
        pthread_barrier_wait(&crowd_step);
        pthread_barrier_wait(&crowd_step);
        for (int i = 0; i < CROWD; i++) {
            equals(pthread_join(threads[i], &right), 0);
            check(right != NULL);
        }
        equals(counts.made - counts.destroyed, 1);
    }
    seqshare_cache_mt_close(cache);
    equals(counts.made, counts.destroyed);
    seqshare_close(share);
}

struct family {
    seqshare *share;
    seqshare_cache_mt *cache;
    seqshare_snapshot snapshot;
};

static void child_goes_on(void *context)
{
    struct family *family = context;

    equals(word_of(family->cache), 2);
    for (uint64_t word = 3; word < 300; word++) {
        equals(publish_words(family->share, word), 0);
        equals(word_of(family->cache), word);
    }
    equals(counts.destroyed, counts.made - 1);
    seqshare_cache_mt_close(family->cache);
    equals(counts.destroyed, counts.made);
}

Test(many, works_in_children_of_fork)
{
    struct family family = {.share = new_share(4096)};

    family.cache = cache_of(family.share);
    equals(publish_words(family.share, 1), 0);
    equals(word_of(family.cache), 1);
    equals(publish_words(family.share, 2), 0);
    child_run(child_goes_on, &family);
    equals(word_of(family.cache), 299);
    seqshare_cache_mt_close(family.cache);
    seqshare_close(family.share);
}

static void child_leaves(void *context)
{
    struct family *family = context;
    const struct object *object = family->snapshot.object;

    equals(object->words[0], 1);
    equals(publish_words(family->share, 2), 0);
    equals(word_of(family->cache), 2);
    equals(object->words[0], 1);
    seqshare_cache_mt_leave(family->cache, &family->snapshot);
    equals(word_of(family->cache), 2);
    seqshare_cache_mt_close(family->cache);
}

Test(many, forks_inside_a_section)
{
    struct family family = {.share = new_share(4096)};

    family.cache = cache_of(family.share);
    equals(publish_words(family.share, 1), 0);
    check(seqshare_cache_mt_enter(family.cache, &family.snapshot) != NULL);
    child_run(child_leaves, &family);
    equals(((const struct object *)family.snapshot.object)->words[0], 1);
    seqshare_cache_mt_leave(family.cache, &family.snapshot);
    equals(word_of(family.cache), 2);
    equals(counts.destroyed, counts.made - 1);
    seqshare_cache_mt_close(family.cache);
    seqshare_close(family.share);
}

Test(many, bad_input)
{
    seqshare *share = new_share(4096);
    seqshare_cache_mt *cache = NULL;
    struct seqshare_cache_stat stat;

    equals(seqshare_cache_mt_new(NULL, share, object_decode, NULL, NULL), -EINVAL);
    equals(seqshare_cache_mt_new(&cache, NULL, object_decode, NULL, NULL), -EINVAL);
    equals(seqshare_cache_mt_new(&cache, share, NULL, NULL, NULL), -EINVAL);
    equals(seqshare_cache_mt_stat(NULL, &stat), -EINVAL);
    cache = cache_of(share);
    equals(seqshare_cache_mt_stat(cache, NULL), -EINVAL);
    seqshare_cache_mt_close(cache);
    seqshare_cache_mt_close(NULL);
    seqshare_close(share);
}

Test(many, is_the_reclamation_under_test)
{
    equals(strcmp(seqshare_cache_mt_reclamation(), CACHE_RECLAMATION), 0);
}
