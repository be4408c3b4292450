/* SPDX-License-Identifier: MIT */
/*
 * Every way to write beside every way to read: on one handle, and on a handle for each thread.
 *
 * Shows: READ-1, WRITE-1, WRITE-3.
 */
#include "threads.h"

#include <sched.h>

#include "pattern.h"

enum { WORDS_MAX = 512, RECORD_WORDS = 8, WRITES = 3000, WRITERS = 2, MEETINGS = 200 };

struct record {
    uint64_t words[RECORD_WORDS];
};
SEQSHARE_TYPE(record, struct record)

static struct scene {
    seqshare *share;
    bool several_handles;
    bool typed;
    int reading; /* readers that have begun */
    int writing; /* writers that have not finished */
    int met;     /* reads that found another version than the read before */
} scene;

/* A value of n words: n from the first word, the others from the first and their place. */

static size_t words_of(uint64_t seed)
{
    return scene.typed ? RECORD_WORDS : 1 + seed % WORDS_MAX;
}

static uint64_t word_of(uint64_t seed, size_t i)
{
    return i == 0 ? seed : pattern_word(seed, i);
}

static size_t make(uint64_t *words, uint64_t seed)
{
    size_t n = words_of(seed);

    for (size_t i = 0; i < n; i++)
        words[i] = word_of(seed, i);
    return n * 8;
}

static void check_whole(const uint64_t *words, size_t length)
{
    check(length % 8 == 0 && length / 8 == words_of(words[0]));
    for (size_t i = 1; i < length / 8; i++)
        check(words[i] == word_of(words[0], i));
}

/* ---- writers ---- */

static void write_in_place(seqshare *share, uint64_t seed)
{
    size_t n = words_of(seed);
    void *slot;

    equals(seqshare_fill(share, WORDS_MAX * 8, &slot), 0);
    for (size_t i = 0; i < n; i++)
        store_word((uint64_t *)slot + i, word_of(seed, i));
    if (seed % 5 == 0)
        equals(seqshare_abandon(share), 0);
    else
        equals(seqshare_publish(share, n * 8), 0);
}

static void write_one(seqshare *share, uint64_t seed)
{
    uint64_t words[WORDS_MAX];
    size_t length = make(words, seed);
    uint64_t version = seqshare_version(share);
    int error;

    switch (scene.typed ? 4 : seed % 4) {
    case 0:
        equals(seqshare_set(share, words, length), 0);
        break;
    case 1:
        error = seqshare_set_if(share, &version, words, length);
        check(error == 0 || error == -ESTALE);
        break;
    case 2:
        write_in_place(share, seed);
        break;
    case 3:
        equals(seqshare_lock(share), 0);
        equals(seqshare_set(share, words, length), 0);
        equals(seqshare_unlock(share), 0);
        break;
    default:
        equals(record_set(share, (const struct record *)(const void *)words), 0);
    }
}

/* ---- readers: each reads once, and says which version it was, if it can ---- */

static uint64_t read_get(const seqshare *share)
{
    uint64_t words[WORDS_MAX], version = 0;
    ssize_t length = seqshare_get(share, words, sizeof words, &version);

    if (length == -EAGAIN)
        return 0;
    check(length >= 8);
    check_whole(words, (size_t)length);
    return version;
}

static uint64_t read_try(const seqshare *share)
{
    uint64_t words[WORDS_MAX], version = 0;
    ssize_t length = seqshare_try_get(share, words, sizeof words, &version);

    if (length == -EAGAIN)
        return 0;
    check(length >= 8);
    check_whole(words, (size_t)length);
    check(seqshare_length(share, NULL) >= 8);
    return version;
}

static uint64_t read_alloc(const seqshare *share)
{
    uint64_t version = 0;
    void *words;
    ssize_t length = seqshare_get_alloc(share, &words, &version);

    if (length == -EAGAIN)
        return 0;
    check(length >= 8);
    check_whole(words, (size_t)length);
    free(words);
    return version;
}

static uint64_t read_peek(const seqshare *share)
{
    uint64_t words[WORDS_MAX];
    seqshare_view view = {0};

    equals(seqshare_peek(share, &view), 0);
    check(view.length <= sizeof words);
    for (size_t i = 0; i < view.length / 8; i++)
        words[i] = load_word((const uint64_t *)view.data + i);
    if (!seqshare_valid(share, &view))
        return 0;
    check_whole(words, view.length);
    return view.version;
}

static uint64_t read_typed(const seqshare *share)
{
    uint64_t version = seqshare_version(share);
    struct record record;
    int error = record_get(share, &record);

    if (error == -EAGAIN)
        return 0;
    equals(error, 0);
    check_whole(record.words, sizeof record.words);
    return version; /* or a later one */
}

static uint64_t read_stat(const seqshare *share)
{
    struct seqshare_stat stat;
    int error = seqshare_stat(share, &stat);

    if (error == -EAGAIN)
        return 0;
    equals(error, 0);
    check(stat.length % 8 == 0 && stat.length <= WORDS_MAX * 8 && !stat.retired);
    return stat.version;
}

static uint64_t (*const readers[])(const seqshare *) = {read_get,  read_try,  read_alloc,
                                                        read_peek, read_stat, read_typed};
enum { READERS = sizeof readers / sizeof *readers, UNTYPED_READERS = READERS - 1 };

static void *reader(void *context)
{
    uint64_t (*read)(const seqshare *) = readers[*(const int *)context];
    seqshare *share = scene.several_handles ? another_handle(scene.share, SEQSHARE_READ) : scene.share;
    uint64_t last = 0;

    equals(seqshare_prefault(share), 0);
    __atomic_add_fetch(&scene.reading, 1, __ATOMIC_RELEASE);
    while (__atomic_load_n(&scene.writing, __ATOMIC_ACQUIRE) > 0) {
        uint64_t version = read(share);

        check(version == 0 || version >= last);
        if (version > last) {
            last = version;
            __atomic_add_fetch(&scene.met, 1, __ATOMIC_RELAXED);
        }
    }
    if (share != scene.share)
        seqshare_close(share);
    return NULL;
}

static void *writer(void *context)
{
    seqshare *share = scene.several_handles ? another_handle(scene.share, SEQSHARE_WRITE) : scene.share;
    uint64_t seed = *(const uint64_t *)context << 32;

    while (__atomic_load_n(&scene.reading, __ATOMIC_ACQUIRE) < (scene.typed ? READERS : UNTYPED_READERS))
        sched_yield();
    /* Readers and writers that never meet test nothing: so until they have (or the alarm rings). */
    for (int i = 0; i < WRITES || __atomic_load_n(&scene.met, __ATOMIC_RELAXED) < MEETINGS; i++)
        write_one(share, seed++);
    if (share != scene.share)
        seqshare_close(share);
    __atomic_sub_fetch(&scene.writing, 1, __ATOMIC_RELEASE);
    return NULL;
}

static void run(bool several_handles, bool typed, unsigned slots)
{
    static const uint64_t seeds[WRITERS] = {1, 2};
    static int numbers[READERS];
    struct team team = {.size = 0};
    uint64_t words[WORDS_MAX];

    scene = (struct scene){.several_handles = several_handles, .typed = typed, .writing = WRITERS};
    equals(seqshare_new_slots(&scene.share, WORDS_MAX * 8, slots), 0);
    if (typed)
        write_one(scene.share, 1);
    else
        equals(seqshare_set(scene.share, words, make(words, 1)), 0);
    for (int i = 0; i < (typed ? READERS : UNTYPED_READERS); i++) {
        numbers[i] = i;
        team_add(&team, reader, &numbers[i]);
    }
    for (int i = 0; i < WRITERS; i++)
        team_add(&team, writer, (void *)(uintptr_t)&seeds[i]);
    team_join(&team);
    check(seqshare_version(scene.share) > WRITES / 2);
    seqshare_close(scene.share);
}

int main(void)
{
    alarm(SECONDS_TO_HANG);
    for (int i = 0; i < 8; i++)
        run(i & 1, i & 2, i & 4 ? 4 : 2);
    return 0;
}
