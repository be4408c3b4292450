/* SPDX-License-Identifier: MIT */
/*
 * The whole API over a region whose every byte an enemy may have written, between the calls and during them.
 *
 * The fuzzer's bytes are a program: what region there is, and then calls of the library and deeds of the
 * enemy in any order. Since the enemy begins with a good region and patches it, most programs get beyond the
 * checks at attach. A failure is a crash, a report of a sanitizer, a hang, an access outside of the mapping
 * (which is fenced), an answer that cannot be, or a value other than the one in the file.
 *
 * A process that may write the region may keep writers waiting for ever; that is not a failure. So a writer takes the
 * lock with a limit first, and writes only under it.
 *
 * Shows: READ-7.
 */
#include <fcntl.h>
#include <seqshare/seqshare.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enemy.h"
#include "layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerInitialize(int *count, char ***arguments);

enum {
    CALLS_MOST = 60,
    SCRIBBLED_ROUNDS = 10,
    SIZE_MOST = 3 << 20, /* of a file */
    SHORT_NS = 50000
};

struct number {
    uint64_t value;
};
struct line {
    unsigned char bytes[64];
};
struct text {
    unsigned char bytes[200];
};
SEQSHARE_TYPE(number, struct number)
SEQSHARE_TYPE(line, struct line)
SEQSHARE_TYPE(text, struct text)

struct game {
    struct input input;
    bool named;
    bool scribbled; /* the enemy writes meanwhile: no value is sure, and writers might wait */
    bool punched;   /* the enemy took memory away, which a reader may have known of */
    int file;       /* the enemy's way in */
    seqshare *share;
    struct header header; /* as it stood when `share` was attached */
};

static char path[200];

static void must(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "fuzz: %s\n", what);
    abort();
}
#define MUST(condition) must(condition, #condition)

/* An answer: not less than any error number, and no more than `most`. */
static ssize_t answer(ssize_t result, ssize_t most)
{
    MUST(result > -4096 && result <= most);
    return result;
}

/* ---- the region ---- */

static size_t file_size(const struct game *game)
{
    struct stat status;

    MUST(fstat(game->file, &status) == 0);
    return (size_t)status.st_size;
}

static void forget(struct game *game)
{
    seqshare_close(game->share);
    game->share = NULL;
}

/* A good one; with a value or two. */
static void begin(struct game *game)
{
    static const size_t capacities[] = {1, 200, 5000, 300000};
    static const unsigned slots[] = {2, 4, 8, 2};
    unsigned kind = (unsigned)take(&game->input, 1);
    size_t capacity = capacities[kind >> 1 & 3];

    game->named = kind & 1;
    if (game->named)
        MUST(seqshare_create(&game->share, path, capacity, 0600) == 0);
    else
        MUST(seqshare_new_slots(&game->share, capacity, slots[kind >> 3 & 3]) == 0);
    for (unsigned i = 0; i < kind >> 5; i++)
        MUST(seqshare_set(game->share, "value", capacity < 5 ? capacity : 5) == 0);
    game->file = seqshare_fd(game->share, SEQSHARE_WRITE);
    MUST(game->file >= 0);
    MUST(pread(game->file, &game->header, sizeof game->header, 0) == sizeof game->header);
}

/* The mapping of a region never reaches beyond its file. */
static bool fits_in_file(const struct game *game)
{
    const struct header *header = &game->header;
    uint64_t size;

    return !__builtin_mul_overflow(header->stride, header->slots, &size) &&
           !__builtin_add_overflow(size, header->header_size, &size) && size <= file_size(game);
}

static void attach(struct game *game)
{
    unsigned how = (unsigned)take(&game->input, 1);
    int access = how & 1 ? SEQSHARE_READ : SEQSHARE_WRITE;
    int error;

    forget(game);
    MUST(pread(game->file, &game->header, sizeof game->header, 0) >= 0);
    if (game->named && how & 2)
        error = seqshare_open(&game->share, path, access);
    else
        error = seqshare_attach(&game->share, game->file, access);
    MUST((error == 0) == (game->share != NULL));
    MUST(!game->share || fits_in_file(game));
    answer(error, 0);
}

/* ---- the enemy's deeds ---- */

static void patch_field(struct game *game)
{
    struct patch patch = patch_choose(&game->input, game->file);

    patch_apply(&patch, game->file);
}

static void patch_anywhere(struct game *game)
{
    struct patch patch = {.size = 1 + take(&game->input, 1) % 8};
    size_t size = file_size(game);
    uint64_t value;

    patch.at = (off_t)(take(&game->input, 3) % (size > 8 ? size - 8 : 1));
    value = take(&game->input, (unsigned)patch.size);
    memcpy(patch.bytes, &value, 8);
    if (size > 8)
        patch_apply(&patch, game->file);
}

/* Truncating a file under its readers can crash them, so the fuzzer does it before they come. */
static void resize(struct game *game)
{
    int64_t by = (int16_t)take(&game->input, 2) * (int64_t)(take(&game->input, 1) & 1 ? 128 : 1);
    int64_t size = (int64_t)file_size(game) + by;

    if (!game->named || size < 0 || size > SIZE_MOST || (by < 0 && game->share))
        return;
    MUST(ftruncate(game->file, size) == 0);
    game->punched |= by < 0;
}

static void punch(struct game *game)
{
    off_t from = (off_t)take(&game->input, 1) * 4096, length = (1 + (off_t)take(&game->input, 1)) * 4096;

    game->punched = true;
    fallocate(game->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from, length);
}

/* ---- readers ---- */

/* The bytes that were read are those in the slot of that version. */
static void same_as_file(const struct game *game, const void *bytes, size_t length, uint64_t version)
{
    uint64_t slot = version & (game->header.slots - 1);
    unsigned char *there = malloc(length + 1);
    off_t at = (off_t)(game->header.header_size + slot * game->header.stride);

    MUST(there != NULL);
    if (!game->scribbled) {
        MUST(pread(game->file, there, length, at) == (ssize_t)length);
        MUST(memcmp(there, bytes, length) == 0);
    }
    free(there);
}

static void get_with(struct game *game, ssize_t (*get)(const seqshare *, void *, size_t, uint64_t *))
{
    size_t size = take(&game->input, 1) & 1 ? seqshare_capacity(game->share) : take(&game->input, 2);
    void *buffer = malloc(size > 0 ? size : 1);
    uint64_t version = 0;
    ssize_t length;

    MUST(buffer != NULL);
    length = answer(get(game->share, buffer, size, &version), (ssize_t)size);
    if (length >= 0) {
        MUST(version > 0);
        same_as_file(game, buffer, (size_t)length, version);
    }
    free(buffer);
}

static void get(struct game *game)
{
    get_with(game, seqshare_get);
}

static void try_get(struct game *game)
{
    get_with(game, seqshare_try_get);
}

static void get_alloc(struct game *game)
{
    void *bytes = NULL;
    uint64_t version = 0;
    ssize_t length = answer(seqshare_get_alloc(game->share, &bytes, &version), SIZE_MOST);

    MUST((length >= 0) == (bytes != NULL));
    if (length >= 0)
        same_as_file(game, bytes, (size_t)length, version);
    free(bytes);
}

static void ask(struct game *game)
{
    uint64_t version = 0;
    ssize_t length = answer(seqshare_length(game->share, &version), (ssize_t)seqshare_capacity(game->share));

    MUST(length < 0 || version > 0);
    if (!game->scribbled)
        MUST(length < 0 || seqshare_version(game->share) == version);
    seqshare_retired(game->share);
}

static void peek(struct game *game)
{
    seqshare_view view = {NULL, 0, take(&game->input, 1)};
    unsigned sum = 0;

    seqshare_valid(game->share, &view);
    if (answer(seqshare_peek(game->share, &view), 0) != 0)
        return;
    MUST(mapped(view.data, view.length) && (uintptr_t)view.data % sizeof(uint64_t) == 0);
    for (size_t i = 0; i < view.length; i++)
        sum += ((const volatile unsigned char *)view.data)[i];
    (void)sum;
    if (!game->scribbled)
        MUST(seqshare_valid(game->share, &view));
    seqshare_valid(game->share, &view);
}

static void get_typed(struct game *game)
{
    struct number *number = malloc(sizeof *number);
    struct line *line = malloc(sizeof *line);
    struct text *text = malloc(sizeof *text);

    MUST(number && line && text);
    answer(number_get(game->share, number), 0);
    answer(line_get(game->share, line), 0);
    answer(text_get(game->share, text), 0);
    free(number);
    free(line);
    free(text);
}

static void stat_share(struct game *game)
{
    struct seqshare_stat stat;

    if (answer(seqshare_stat(game->share, &stat), 0) == 0)
        MUST(stat.length <= stat.capacity);
}

static void wait_share(struct game *game)
{
    uint64_t seen = take(&game->input, 1) & 1 ? seqshare_version(game->share) : take(&game->input, 1);

    answer(seqshare_wait(game->share, seen, (int64_t)take(&game->input, 1) * 1000), 0);
}

static void prefault(struct game *game)
{
    answer(seqshare_prefault(game->share), 0);
}

static void drop_write(struct game *game)
{
    answer(seqshare_drop_write(game->share), 0);
}

static void hand_out(struct game *game)
{
    int access = take(&game->input, 1) & 1 ? SEQSHARE_READ : SEQSHARE_WRITE;
    int fd = (int)answer(seqshare_fd(game->share, access), 1000);

    if (fd >= 0)
        close(fd);
}

/* ---- writers ---- */

static void try_lock(struct game *game)
{
    answer(seqshare_trylock(game->share), 1);
    if (take(&game->input, 1) & 1)
        answer(seqshare_unlock(game->share), 0);
}

/* Is the lock ours, so that nothing which needs it will wait? */
static bool lock(struct game *game)
{
    ssize_t result = answer(seqshare_lock_for(game->share, SHORT_NS), 1);

    return result >= 0 || result == -EDEADLK || result == -EBUSY;
}

static void fill(struct game *game, size_t length)
{
    unsigned how = (unsigned)take(&game->input, 1);
    void *slot = NULL;

    if (answer(seqshare_fill(game->share, length, &slot), 0) == 0) {
        MUST(mapped(slot, length));
        memset(slot, 'f', length);
    }
    for (unsigned i = 0; i < (how >> 4 & 3); i++)
        patch_field(game);
    if (how & 1)
        answer(seqshare_publish(game->share, how & 2 ? length : length / 2), 0);
    if (how & 4)
        answer(seqshare_abandon(game->share), 0);
}

static void write_value(struct game *game)
{
    unsigned how = (unsigned)take(&game->input, 1);
    size_t capacity = seqshare_capacity(game->share), length = how & 1 ? capacity : take(&game->input, 2);
    uint64_t version = seqshare_version(game->share) - (how >> 7);
    struct line line = {"a line"};
    unsigned char *value;

    if (!lock(game))
        return;
    value = malloc(length + 1);
    MUST(value != NULL);
    memset(value, (int)how, length + 1);
    if ((how >> 1 & 3) == 0)
        answer(seqshare_set(game->share, value, length), 0);
    else if ((how >> 1 & 3) == 1)
        answer(seqshare_set_if(game->share, &version, value, length), 0);
    else if ((how >> 1 & 3) == 2)
        answer(line_set(game->share, &line), 0);
    else
        fill(game, length < capacity ? length : capacity);
    free(value);
    if (how & 8)
        patch_field(game);
    if (how & 16)
        answer(seqshare_unlock(game->share), 0);
}

/* ---- names ---- */

static void reopen(struct game *game)
{
    struct header now;
    ssize_t moved;

    MUST(pread(game->file, &now, sizeof now, 0) >= 0);
    moved = answer(seqshare_reopen(game->share), 1);
    if (moved == 1)
        game->header = now;
}

static bool lock_is_free(const struct game *game)
{
    uint64_t owner = 1;

    MUST(pread(game->file, &owner, sizeof owner, offsetof(struct layout, lock.owner)) >= 0);
    return owner == 0;
}

/* A process that makes a region for the name waits for the old one's lock: so that is free, or ours. */
static void replace(struct game *game)
{
    seqshare *other = NULL;
    int error;

    if (!game->named || (!lock_is_free(game) && !lock(game)))
        return;
    error = seqshare_replace(&other, path, 1 + take(&game->input, 2), 0600);
    MUST((answer(error, 0) == 0) == (other != NULL));
    if (!other)
        return;
    forget(game);
    close(game->file);
    game->share = other;
    game->file = seqshare_fd(other, SEQSHARE_WRITE);
    MUST(game->file >= 0);
    MUST(pread(game->file, &game->header, sizeof game->header, 0) == sizeof game->header);
    answer(seqshare_get(other, NULL, 0, NULL), -1);
}

static void unlink_name(struct game *game)
{
    if (game->named)
        answer(seqshare_unlink(path), 0);
}

/* ---- the program ---- */

static void scribbled(struct game *game);

static const struct call {
    void (*make)(struct game *game);
    bool by_enemy;
    bool may_wait; /* or asks what only holds while nobody else writes */
} calls[] = {
    {patch_field, true, true},  {patch_anywhere, true, true}, {resize, true, true},
    {punch, true, true},        {attach, true, true},         {get, false, false},
    {try_get, false, false},    {get_alloc, false, false},    {ask, false, false},
    {peek, false, false},       {get_typed, false, false},    {stat_share, false, false},
    {wait_share, false, false}, {prefault, false, false},     {drop_write, false, false},
    {hand_out, false, false},   {try_lock, false, false},     {write_value, false, true},
    {reopen, false, true},      {replace, false, true},       {unlink_name, true, true},
    {scribbled, false, true},   {patch_field, true, true},    {get, false, false},
    {write_value, false, true}, {patch_field, true, true},    {attach, true, true},
};

static blkcnt_t blocks(const struct game *game)
{
    struct stat status;

    MUST(fstat(game->file, &status) == 0);
    return status.st_blocks;
}

static void one_call(struct game *game)
{
    const struct call *call = &calls[take(&game->input, 1) % (sizeof calls / sizeof *calls)];
    blkcnt_t before = blocks(game);

    if ((!call->by_enemy && !game->share) || (game->scribbled && call->may_wait))
        return;
    call->make(game);
    if (!call->may_wait && !game->scribbled && !game->punched)
        MUST(blocks(game) == before); /* a reader has touched no hole, whatever length stands there */
}

/* A few calls, several times, while the enemy writes the same fields over and over. */
static void scribbled(struct game *game)
{
    unsigned count = 1 + (unsigned)take(&game->input, 1) % 4;
    struct patch patches[4];
    struct input same;

    for (unsigned i = 0; i < count; i++)
        patches[i] = patch_choose(&game->input, game->file);
    game->scribbled = true;
    scribble_start(patches, count, game->file);
    same = game->input;
    for (unsigned round = 0; round < SCRIBBLED_ROUNDS; round++) {
        game->input = same;
        for (unsigned i = 0; i < 6 && game->input.at < game->input.end; i++)
            one_call(game);
    }
    scribble_stop();
    game->scribbled = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct game game = {.input = {bytes, bytes + size}, .file = -1};

    begin(&game);
    for (unsigned i = 0; i < CALLS_MOST && game.input.at < game.input.end; i++)
        one_call(&game);
    forget(&game);
    close(game.file);
    unlink(path);
    MUST(mappings() == 0);
    return 0;
}

static void remove_directory(void)
{
    *strrchr(path, '/') = 0;
    rmdir(path);
}

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    const char *place = getenv("SEQSHARE_FUZZ_PLACE"); /* a tmpfs is best */

    (void)count, (void)arguments;
    snprintf(path, sizeof path, "%s/seqshare-fuzz.XXXXXX", place ? place : "/dev/shm");
    MUST(strlen(path) < sizeof path - 10 && mkdtemp(path));
    strcat(path, "/name");
    atexit(remove_directory);
    return 0;
}
