/* SPDX-License-Identifier: MIT */
/* Both caches on a name that replace gives other regions. Shows: CACHE-3. */
#include "looker.h"
#include "support.h"

#include <unistd.h>

TestSuite(moving, .timeout = 120);

/* ---- by replace ---- */

static void replaced(bool many)
{
    const char *name = temp_name();
    seqshare *writer = looker_share(name, 1), *next = NULL;
    struct looker looker = looker_open(name, many);

    equals(looker_word(&looker), 1);
    for (uint64_t i = 2; i < 4; i++) { /* the second one at once: a second has not passed */
        equals(seqshare_replace(&next, name, 64 * (size_t)i, 0600), 0);
        seqshare_close(writer);
        writer = next;
        equals(looker_word(&looker), i - 1);
        equals(publish_words(writer, i), 0);
        looker_await(&looker, i - 1, i);
        equals(looker_stat(&looker).version, i);
    }
    equals(looker_stat(&looker).moved, 2);
    equals(looker_stat(&looker).failed, 0);
    equals(looker_stat(&looker).follow_error, 0);
    looker_close(&looker);
    seqshare_close(writer);
}

BOTH(moving, replaced)

static void made_anew(bool many)
{
    const char *name = temp_name();
    seqshare *writer = looker_share(name, 10), *next;
    struct looker looker = looker_open(name, many);

    equals(looker_word(&looker), 10);
    equals(seqshare_unlink(name), 0);
    equals(looker_word(&looker), 10);
    equals(looker_stat(&looker).follow_error, -ENOENT);
    equals(publish_words(writer, 11), 0); /* the old region still works */
    equals(looker_word(&looker), 11);
    next = looker_share(name, 20);
    looker_await(&looker, 11, 20); /* version 1 again */
    equals(looker_stat(&looker).version, 1);
    equals(looker_stat(&looker).moved, 1);
    equals(looker_stat(&looker).follow_error, 0);
    equals(publish_words(writer, 12), 0);
    equals(publish_words(next, 21), 0);
    equals(looker_word(&looker), 21);
    looker_close(&looker);
    seqshare_close(writer);
    seqshare_close(next);
}

BOTH(moving, made_anew)

/* The version is the same as before, and the value another. */
static void same_version(bool many)
{
    const char *name = temp_name();
    seqshare *writer = looker_share(name, 1), *next;
    struct looker looker = looker_open(name, many);

    equals(looker_word(&looker), 1);
    equals(seqshare_unlink(name), 0);
    next = looker_share(name, 2);
    looker_await(&looker, 1, 2);
    looker_close(&looker);
    seqshare_close(writer);
    seqshare_close(next);
}

BOTH(moving, same_version)

static void empty_for_a_while(bool many)
{
    int64_t end = now() + SECONDS_TO_HANG * SECONDS;
    const char *name = temp_name();
    seqshare *writer = looker_share(name, 1), *next;
    struct looker looker = looker_open(name, many);

    equals(looker_word(&looker), 1);
    equals(seqshare_unlink(name), 0);
    next = looker_share(name, 0);
    while (looker_stat(&looker).moved == 0) {
        equals(looker_word(&looker), 1);
        check(now() < end);
        usleep(1000);
    }
    equals(looker_word(&looker), 1);
    equals(publish_words(next, 2), 0);
    equals(looker_word(&looker), 2);
    equals(looker_stat(&looker).failed, 0);
    looker_close(&looker);
    seqshare_close(writer);
    seqshare_close(next);
}

BOTH(moving, empty_for_a_while)

static void at_most_once_a_second(bool many)
{
    const char *name = temp_name();
    seqshare *writer = looker_share(name, 1), *next;
    struct looker looker = looker_open(name, many);
    int64_t from;

    equals(looker_word(&looker), 1);
    equals(seqshare_unlink(name), 0);
    from = now();
    equals(looker_word(&looker), 1);
    equals(looker_stat(&looker).follow_error, -ENOENT);
    next = looker_share(name, 2);
    looker_await(&looker, 1, 2);
    check(now() - from > SECONDS / 2); /* the clock is a coarse one, which may have been late */
    looker_close(&looker);
    seqshare_close(writer);
    seqshare_close(next);
}

BOTH(moving, at_most_once_a_second)

static void child_follows(void *context)
{
    looker_await(context, 1, 2);
}

static void in_a_child(bool many)
{
    const char *name = temp_name();
    seqshare *writer = looker_share(name, 1), *next = NULL;
    struct looker looker = looker_open(name, many);
    pid_t child;

    equals(looker_word(&looker), 1);
    child = child_start(child_follows, &looker);
    equals(seqshare_replace(&next, name, 4096, 0600), 0);
    equals(publish_words(next, 2), 0);
    equals(child_end(child), 0);
    looker_await(&looker, 1, 2);
    looker_close(&looker);
    seqshare_close(writer);
    seqshare_close(next);
}

BOTH(moving, in_a_child)

/* ---- marks and sections ---- */

/* A mark that leads nowhere is asked about once a second, and not at every call. */
Test(moving, a_known_mark_costs_nothing)
{
    const char *name = temp_name();
    seqshare *writer = looker_share(name, 1);
    struct looker looker = looker_open(name, false);
    uint32_t calls;

    equals(looker_word(&looker), 1);
    equals(seqshare_unlink(name), 0);
    equals(looker_word(&looker), 1);
    equals(looker_stat(&looker).follow_error, -ENOENT);
    equals(looker.one->marks, SEQSHARE_UNLINKED);
    equals(looker_word(&looker), 1); /* the clock says that calls come often: from here on they are counted */
    equals(looker_word(&looker), 1);
    calls = looker.one->calls;
    check(calls > 1);
    equals(looker_word(&looker), 1);
    equals(looker.one->calls, calls - 1); /* by the inline function */
    looker_close(&looker);
    seqshare_close(writer);
}

/* As programs have it that were compiled with the first header: these notice marks, and nothing else. */
static const void *first_get(seqshare_cache *cache)
{
    const struct seqshare_head *head = cache->share->head;

    if (seqshare_read_begin(head) == cache->seen && !__atomic_load_n(&head->retired, __ATOMIC_RELAXED))
        return cache->object;
    return seqshare_cache_refresh(cache);
}

Test(moving, programs_of_the_first_header_follow_marks)
{
    const char *name = temp_name();
    seqshare *writer = looker_share(name, 1), *next = NULL;
    struct looker looker = looker_open(name, false);
    const struct object *object = first_get(looker.one);

    equals(object->words[0], 1);
    for (int i = 0; i < 1000; i++)
        check(first_get(looker.one) == object);
    equals(seqshare_replace(&next, name, 4096, 0600), 0);
    equals(publish_words(next, 2), 0);
    object = first_get(looker.one);
    equals(object->words[0], 2);
    looker_close(&looker);
    seqshare_close(writer);
    seqshare_close(next);
}

/* A section has the old region's object, while others are already in the new one. */
Test(moving, under_a_section)
{
    const char *name = temp_name();
    seqshare *writer = looker_share(name, 1), *next = NULL;
    struct looker looker = looker_open(name, true);
    seqshare_snapshot snapshot;
    const struct object *old = seqshare_cache_mt_enter(looker.many, &snapshot);

    equals(seqshare_replace(&next, name, 4096, 0600), 0);
    equals(publish_words(next, 2), 0);
    looker_await(&looker, 1, 2);
    equals(old->words[0], 1);
    seqshare_cache_mt_leave(looker.many, &snapshot);
    looker_close(&looker);
    seqshare_close(writer);
    seqshare_close(next);
}

static void told_to_look(bool many)
{
    const char *name = temp_name();
    seqshare *writer = looker_share(name, 1), *next = NULL, *anonymous = new_share(64);
    struct looker looker = looker_open(name, many);
    struct looker unnamed = {.share = anonymous};

    equals(looker_look(&looker), 0);
    equals(seqshare_replace(&next, name, 4096, 0600), 0);
    equals(looker_look(&looker), 1);
    equals(looker_look(&looker), 0);
    equals(looker_stat(&looker).moved, 1);
    looker_close(&looker);
    if (many)
        equals(seqshare_cache_mt_new(&unnamed.many, anonymous, object_decode, object_destroy, NULL), 0);
    else
        equals(seqshare_cache_new(&unnamed.one, anonymous, object_decode, object_destroy, NULL), 0);
    equals(looker_look(&unnamed), 0);
    equals(looker_stat(&unnamed).follow_error, 0);
    looker_close(&unnamed);
    equals(seqshare_cache_look(NULL), -EINVAL);
    equals(seqshare_cache_mt_look(NULL), -EINVAL);
    seqshare_close(writer);
    seqshare_close(next);
}

BOTH(moving, told_to_look)
