/* SPDX-License-Identifier: MIT */
/* The cache for one thread. Shows: CACHE-1, JSON-2, JSON-3. */
#include "objects.h"
#include "support.h"

#include <time.h>
#include <unistd.h>

TestSuite(one, .timeout = 120);

struct counts counts;

static seqshare_cache *cache_of(seqshare *share)
{
    seqshare_cache *cache = NULL;

    equals(seqshare_cache_new(&cache, share, object_decode, object_destroy, NULL), 0);
    return cache;
}

static struct seqshare_cache_stat stat_of(const seqshare_cache *cache)
{
    struct seqshare_cache_stat stat = {0};

    equals(seqshare_cache_stat(cache, &stat), 0);
    return stat;
}

static uint64_t word_of(seqshare_cache *cache)
{
    const struct object *object = seqshare_cache_get(cache);

    check(object != NULL);
    equals(object->alive, ALIVE);
    return object->words[OBJECT_WORDS - 1];
}

Test(one, decodes_once_per_version)
{
    seqshare *share = new_share(4096);
    seqshare_cache *cache = cache_of(share);
    const void *object;

    check(seqshare_cache_get(cache) == NULL);
    equals(counts.asked, 0);
    equals(publish_words(share, 7), 0);
    object = seqshare_cache_get(cache);
    for (int i = 0; i < 100; i++)
        check(seqshare_cache_get(cache) == object);
    equals(counts.asked, 1);
    equals(word_of(cache), 7);
    for (int i = 8; i < 10; i++)
        equals(publish_words(share, (uint64_t)i), 0);
    equals(word_of(cache), 9);
    equals(counts.asked, 2);
    equals(counts.destroyed, 1);
    equals(stat_of(cache).version, 3);
    equals(stat_of(cache).decoded, 2);
    equals(stat_of(cache).failed, 0);
    seqshare_cache_close(cache);
    equals(counts.destroyed, 2);
    equals(seqshare_version(share), 3);
    seqshare_close(share);
}

Test(one, a_bad_value_leaves_the_last_good_object)
{
    seqshare *share = new_share(4096);
    seqshare_cache *cache = cache_of(share);

    equals(publish_words(share, 1), 0);
    equals(word_of(cache), 1);
    equals(seqshare_set(share, "bad", 3), 0);
    for (int i = 0; i < 100; i++)
        equals(word_of(cache), 1);
    equals(counts.asked, 2);
    equals(stat_of(cache).failed, 1);
    equals(stat_of(cache).failed_version, 2);
    equals(stat_of(cache).failed_error, -EILSEQ);
    equals(stat_of(cache).version, 1);
    equals(publish_words(share, 3), 0);
    equals(word_of(cache), 3);
    equals(stat_of(cache).failed, 1);
    equals(stat_of(cache).version, 3);
    seqshare_cache_close(cache);
    equals(counts.made, counts.destroyed);
    seqshare_close(share);
}

Test(one, a_bad_first_value_is_none)
{
    seqshare *share = new_share(4096);
    seqshare_cache *cache = cache_of(share);

    equals(seqshare_set(share, "bad", 3), 0);
    check(seqshare_cache_get(cache) == NULL);
    check(seqshare_cache_get(cache) == NULL);
    equals(counts.asked, 1);
    equals(stat_of(cache).version, 0);
    seqshare_cache_close(cache);
    seqshare_close(share);
}

static void *fails_silently(void *bytes, size_t length, uint64_t version, void *context)
{
    (void)bytes, (void)length, (void)version;
    *(int *)context += 1;
    return NULL;
}

Test(one, a_decoder_without_errno_gets_badmsg)
{
    seqshare *share = new_share(4096);
    seqshare_cache *cache = NULL;
    int asked = 0;

    equals(seqshare_cache_new(&cache, share, fails_silently, NULL, &asked), 0);
    equals(seqshare_set(share, "x", 1), 0);
    errno = ENOTTY;
    check(seqshare_cache_get(cache) == NULL);
    equals(asked, 1);
    equals(stat_of(cache).failed_error, -EBADMSG);
    seqshare_cache_close(cache);
    seqshare_close(share);
}

static void *fails_at_first(void *bytes, size_t length, uint64_t version, void *context)
{
    (void)bytes, (void)length, (void)version;
    errno = ENOMEM;
    return ++*(int *)context == 1 ? NULL : context;
}

Test(one, a_decoder_without_memory_is_asked_again)
{
    int64_t end = now() + SECONDS_TO_HANG * SECONDS;
    seqshare *share = new_share(4096);
    seqshare_cache *cache = NULL;
    int asked = 0;

    equals(seqshare_cache_new(&cache, share, fails_at_first, NULL, &asked), 0);
    equals(seqshare_set(share, "x", 1), 0);
    check(seqshare_cache_get(cache) == NULL);
    equals(stat_of(cache).failed_error, -ENOMEM);
    equals(stat_of(cache).failed_version, 1);
    while (seqshare_cache_get(cache) == NULL) { /* after a second */
        check(now() < end);
        usleep(10000);
    }
    equals(asked, 2);
    equals(stat_of(cache).version, 1);
    equals(stat_of(cache).failed, 1);
    seqshare_cache_close(cache);
    seqshare_close(share);
}

/* A failure of one version does not stop the next. */
Test(one, a_newer_version_is_not_held_back)
{
    seqshare *share = new_share(4096);
    seqshare_cache *cache = NULL;
    int asked = 0;

    equals(seqshare_cache_new(&cache, share, fails_at_first, NULL, &asked), 0);
    equals(seqshare_set(share, "x", 1), 0);
    check(seqshare_cache_get(cache) == NULL);
    check(seqshare_cache_get(cache) == NULL);
    equals(asked, 1);
    equals(seqshare_set(share, "y", 1), 0);
    check(seqshare_cache_get(cache) != NULL);
    equals(stat_of(cache).version, 2);
    equals(stat_of(cache).failed_version, 1);
    seqshare_cache_close(cache);
    seqshare_close(share);
}

static void *is_outrun_without_memory(void *bytes, size_t length, uint64_t version, void *share)
{
    (void)bytes, (void)length, (void)version;
    equals(seqshare_set(share, "y", 1), 0);
    errno = ENOMEM;
    return NULL;
}

/* Not the one that is current by then. */
Test(one, the_version_that_failed_is_told)
{
    seqshare *share = new_share(4096);
    seqshare_cache *cache = NULL;

    equals(seqshare_cache_new(&cache, share, is_outrun_without_memory, NULL, share), 0);
    equals(seqshare_set(share, "x", 1), 0);
    check(seqshare_cache_get(cache) == NULL);
    equals(stat_of(cache).failed_version, 1);
    equals(stat_of(cache).failed_error, -ENOMEM);
    check(seqshare_cache_get(cache) == NULL);
    equals(stat_of(cache).failed_version, 2);
    seqshare_cache_close(cache);
    seqshare_close(share);
}

static int64_t coarse_time(void)
{
    struct timespec time;

    clock_gettime(CLOCK_REALTIME_COARSE, &time);
    return time.tv_sec * SECONDS + time.tv_nsec;
}

/* A bad version has no age of its own: it is the object's. */
Test(one, tells_the_age_of_its_object)
{
    seqshare *share = new_share(4096);
    seqshare_cache *cache = cache_of(share);
    int64_t before = coarse_time(), age;

    equals(seqshare_cache_age(cache), -ENODATA);
    equals(publish_words(share, 1), 0);
    equals(word_of(cache), 1);
    usleep(20000);
    equals(seqshare_set(share, "bad", 3), 0);
    equals(word_of(cache), 1);
    age = seqshare_cache_age(cache);
    check(age >= 10 * MILLISECONDS && age <= coarse_time() - before);
    equals(publish_words(share, 3), 0);
    equals(word_of(cache), 3);
    check(seqshare_cache_age(cache) <= coarse_time() - before - 10 * MILLISECONDS);
    equals(seqshare_cache_age(NULL), -EINVAL);
    seqshare_cache_close(cache);
    seqshare_close(share);
}

static void *length_and_end(void *bytes, size_t length, uint64_t version, void *context)
{
    (void)version;
    equals(((char *)bytes)[length], 0);
    *(size_t *)context = length;
    return context;
}

Test(one, any_length_ends_in_a_zero)
{
    static const size_t lengths[] = {0, 1, 63, 64, 4096};
    seqshare *share = new_share(4096);
    seqshare_cache *cache = NULL;
    char bytes[4096];
    size_t seen = 99;

    memset(bytes, 'x', sizeof bytes);
    equals(seqshare_cache_new(&cache, share, length_and_end, NULL, &seen), 0);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        equals(seqshare_set(share, bytes, lengths[i]), 0);
        check(seqshare_cache_get(cache) == &seen);
        equals(seen, lengths[i]);
    }
    seqshare_cache_close(cache);
    seqshare_close(share);
}

struct family {
    seqshare *share;
    seqshare_cache *cache;
};

static void child_sees_the_newest(void *context)
{
    struct family *family = context;

    equals(word_of(family->cache), 2);
    equals(publish_words(family->share, 3), 0);
    equals(word_of(family->cache), 3);
    seqshare_cache_close(family->cache);
}

Test(one, works_in_children_of_fork)
{
    struct family family = {.share = new_share(4096)};

    family.cache = cache_of(family.share);
    equals(publish_words(family.share, 1), 0);
    equals(word_of(family.cache), 1);
    equals(publish_words(family.share, 2), 0);
    child_run(child_sees_the_newest, &family);
    equals(word_of(family.cache), 3);
    equals(stat_of(family.cache).decoded, 2);
    seqshare_cache_close(family.cache);
    seqshare_close(family.share);
}

Test(one, bad_input)
{
    seqshare *share = new_share(4096);
    seqshare_cache *cache = NULL;
    struct seqshare_cache_stat stat;

    equals(seqshare_cache_new(NULL, share, object_decode, NULL, NULL), -EINVAL);
    equals(seqshare_cache_new(&cache, NULL, object_decode, NULL, NULL), -EINVAL);
    equals(seqshare_cache_new(&cache, share, NULL, NULL, NULL), -EINVAL);
    equals(seqshare_cache_stat(NULL, &stat), -EINVAL);
    cache = cache_of(share);
    equals(seqshare_cache_stat(cache, NULL), -EINVAL);
    seqshare_cache_close(cache);
    seqshare_cache_close(NULL);
    seqshare_close(share);
}

/* The length of what was published last, as an enemy leaves it. */
static void corrupt_length(seqshare *share)
{
    struct seqshare_head *head = (struct seqshare_head *)(uintptr_t)share->head;

    seqshare_store_relaxed(&head->slot[seqshare_version(share) & share->mask].length, UINT64_MAX);
}

Test(one, a_corrupt_region_costs_an_error)
{
    int64_t end = now() + SECONDS_TO_HANG * SECONDS;
    seqshare *share = new_share(4096);
    seqshare_cache *cache = cache_of(share);

    equals(publish_words(share, 1), 0);
    equals(word_of(cache), 1);
    equals(publish_words(share, 2), 0);
    corrupt_length(share);
    equals(word_of(cache), 1);
    equals(stat_of(cache).failed, 1);
    equals(stat_of(cache).failed_error, -EBADMSG);
    equals(counts.asked, 1);
    equals(publish_words(share, 3), 0);
    while (word_of(cache) != 3) { /* it looks again after a second */
        check(now() < end);
        usleep(10000);
    }
    equals(stat_of(cache).version, 3);
    seqshare_cache_close(cache);
    seqshare_close(share);
}
