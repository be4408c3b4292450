/* SPDX-License-Identifier: MIT */
/* Both caches on a name that goes to other regions. */
#include "objects.h"
#include "support.h"

#include <unistd.h>

/* One of the two, and what it reads through. */
struct looker {
    seqshare *share;
    seqshare_cache *one;
    seqshare_cache_mt *many;
};

static struct looker open_looker(const char *name, bool many)
{
    struct looker looker = {0};

    equals(seqshare_open(&looker.share, name, SEQSHARE_READ), 0);
    if (many)
        equals(seqshare_cache_mt_new(&looker.many, looker.share, object_decode, object_destroy, NULL), 0);
    else
        equals(seqshare_cache_new(&looker.one, looker.share, object_decode, object_destroy, NULL), 0);
    return looker;
}

static void close_looker(struct looker *looker)
{
    seqshare_cache_close(looker->one);
    seqshare_cache_mt_close(looker->many);
    equals(counts.made, counts.destroyed);
    seqshare_close(looker->share);
}

static uint64_t word_of(struct looker *looker)
{
    const struct object *object;
    seqshare_snapshot snapshot;
    uint64_t word = 0;

    object =
        looker->many ? seqshare_cache_mt_enter(looker->many, &snapshot) : seqshare_cache_get(looker->one);
    if (object) {
        equals(object->alive, ALIVE);
        word = object->words[0];
    }
    if (looker->many)
        seqshare_cache_mt_leave(looker->many, &snapshot);
    return word;
}

static struct seqshare_cache_stat stat_of(struct looker *looker)
{
    struct seqshare_cache_stat stat = {0};

    if (looker->many)
        equals(seqshare_cache_mt_stat(looker->many, &stat), 0);
    else
        equals(seqshare_cache_stat(looker->one, &stat), 0);
    return stat;
}

/* Whoever looks at every moment sees `before` until it sees `after`. */
static void await_word(struct looker *looker, uint64_t before, uint64_t after)
{
    int64_t end = now() + SECONDS_TO_HANG * SECONDS;
    uint64_t word;

    while ((word = word_of(looker)) != after) {
        equals(word, before);
        check(now() < end);
        usleep(1000);
    }
}

static seqshare *made(const char *name, uint64_t word)
{
    seqshare *share = NULL;

    equals(seqshare_create(&share, name, 4096, 0600), 0);
    if (word)
        equals(publish_words(share, word), 0);
    return share;
}

static void replaced(bool many)
{
    const char *name = temp_name();
    seqshare *writer = made(name, 1), *next = NULL;
    struct looker looker = open_looker(name, many);

    equals(word_of(&looker), 1);
    for (uint64_t i = 2; i < 4; i++) { /* the second one at once: a second has not passed */
        equals(seqshare_replace(&next, name, 64 * (size_t)i, 0600), 0);
        seqshare_close(writer);
        writer = next;
        equals(word_of(&looker), i - 1);
        equals(publish_words(writer, i), 0);
        await_word(&looker, i - 1, i);
        equals(stat_of(&looker).version, i);
    }
    equals(stat_of(&looker).moved, 2);
    equals(stat_of(&looker).failed, 0);
    equals(stat_of(&looker).follow_error, 0);
    close_looker(&looker);
    seqshare_close(writer);
}

static void made_anew(bool many)
{
    const char *name = temp_name();
    seqshare *writer = made(name, 10), *next;
    struct looker looker = open_looker(name, many);

    equals(word_of(&looker), 10);
    equals(seqshare_unlink(name), 0);
    equals(word_of(&looker), 10);
    equals(stat_of(&looker).follow_error, -ENOENT);
    equals(publish_words(writer, 11), 0); /* the old region still works */
    equals(word_of(&looker), 11);
    next = made(name, 20);
    await_word(&looker, 11, 20); /* version 1 again */
    equals(stat_of(&looker).version, 1);
    equals(stat_of(&looker).moved, 1);
    equals(stat_of(&looker).follow_error, 0);
    equals(publish_words(writer, 12), 0);
    equals(publish_words(next, 21), 0);
    equals(word_of(&looker), 21);
    close_looker(&looker);
    seqshare_close(writer);
    seqshare_close(next);
}

/* The version is the same as before, and the value another. */
static void same_version(bool many)
{
    const char *name = temp_name();
    seqshare *writer = made(name, 1), *next;
    struct looker looker = open_looker(name, many);

    equals(word_of(&looker), 1);
    equals(seqshare_unlink(name), 0);
    next = made(name, 2);
    await_word(&looker, 1, 2);
    close_looker(&looker);
    seqshare_close(writer);
    seqshare_close(next);
}

static void empty_for_a_while(bool many)
{
    int64_t end = now() + SECONDS_TO_HANG * SECONDS;
    const char *name = temp_name();
    seqshare *writer = made(name, 1), *next;
    struct looker looker = open_looker(name, many);

    equals(word_of(&looker), 1);
    equals(seqshare_unlink(name), 0);
    next = made(name, 0);
    while (stat_of(&looker).moved == 0) {
        equals(word_of(&looker), 1);
        check(now() < end);
        usleep(1000);
    }
    equals(word_of(&looker), 1);
    equals(publish_words(next, 2), 0);
    equals(word_of(&looker), 2);
    equals(stat_of(&looker).failed, 0);
    close_looker(&looker);
    seqshare_close(writer);
    seqshare_close(next);
}

static void at_most_once_a_second(bool many)
{
    const char *name = temp_name();
    seqshare *writer = made(name, 1), *next;
    struct looker looker = open_looker(name, many);
    int64_t from;

    equals(word_of(&looker), 1);
    equals(seqshare_unlink(name), 0);
    from = now();
    equals(word_of(&looker), 1);
    equals(stat_of(&looker).follow_error, -ENOENT);
    next = made(name, 2);
    await_word(&looker, 1, 2);
    check(now() - from > SECONDS / 2); /* the clock is a coarse one, which may have been late */
    close_looker(&looker);
    seqshare_close(writer);
    seqshare_close(next);
}

static void child_follows(void *context)
{
    await_word(context, 1, 2);
}

static void in_a_child(bool many)
{
    const char *name = temp_name();
    seqshare *writer = made(name, 1), *next = NULL;
    struct looker looker = open_looker(name, many);
    pid_t child;

    equals(word_of(&looker), 1);
    child = child_start(child_follows, &looker);
    equals(seqshare_replace(&next, name, 4096, 0600), 0);
    equals(publish_words(next, 2), 0);
    equals(child_end(child), 0);
    await_word(&looker, 1, 2);
    close_looker(&looker);
    seqshare_close(writer);
    seqshare_close(next);
}

/* A section has the old region's object, while others are already in the new one. */
Test(moving, under_a_section)
{
    const char *name = temp_name();
    seqshare *writer = made(name, 1), *next = NULL;
    struct looker looker = open_looker(name, true);
    seqshare_snapshot snapshot;
    const struct object *old = seqshare_cache_mt_enter(looker.many, &snapshot);

    equals(seqshare_replace(&next, name, 4096, 0600), 0);
    equals(publish_words(next, 2), 0);
    await_word(&looker, 1, 2);
    equals(old->words[0], 1);
    seqshare_cache_mt_leave(looker.many, &snapshot);
    close_looker(&looker);
    seqshare_close(writer);
    seqshare_close(next);
}

Test(moving, one_replaced)
{
    replaced(false);
}

Test(moving, many_replaced)
{
    replaced(true);
}

Test(moving, one_made_anew)
{
    made_anew(false);
}

Test(moving, many_made_anew)
{
    made_anew(true);
}

Test(moving, one_same_version)
{
    same_version(false);
}

Test(moving, many_same_version)
{
    same_version(true);
}

Test(moving, one_empty_for_a_while)
{
    empty_for_a_while(false);
}

Test(moving, many_empty_for_a_while)
{
    empty_for_a_while(true);
}

Test(moving, one_at_most_once_a_second)
{
    at_most_once_a_second(false);
}

Test(moving, many_at_most_once_a_second)
{
    at_most_once_a_second(true);
}

Test(moving, one_in_a_child)
{
    in_a_child(false);
}

Test(moving, many_in_a_child)
{
    in_a_child(true);
}
