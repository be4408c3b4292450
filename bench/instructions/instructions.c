/* SPDX-License-Identifier: MIT */
/*
 * Calls every read that a program has inline, and get, a known number of times: show.sh runs this under callgrind,
 * which counts the instructions of each call of counted(), and prints both beside each other. In the order of the
 * calls, a line for each says what was called, with what value, and how often.
 *
 * The functions shown_* are for looking at: what the compiler made of each inline read.
 */
#include <seqshare/cache.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMES = 1000, LONGEST = 1024 };

struct bytes8 {
    uint64_t word[1];
};

struct bytes16 {
    uint64_t word[2];
};

struct bytes32 {
    uint64_t word[4];
};

struct bytes64 {
    uint64_t word[8];
};

SEQSHARE_TYPE(bytes8, struct bytes8)
SEQSHARE_TYPE(bytes16, struct bytes16)
SEQSHARE_TYPE(bytes32, struct bytes32)
SEQSHARE_TYPE(bytes64, struct bytes64)

struct subject {
    seqshare *share;
    seqshare_cache *cache;
    unsigned char *value;  /* what is published */
    unsigned char *buffer; /* the reader's own */
    size_t size;
};

typedef void *copy_function(void *to, const void *from, size_t length);

static void must(bool good, const char *what)
{
    if (good)
        return;
    fflush(stdout);
    fprintf(stderr, "instructions: %s did not do what it must\n", what);
    exit(1);
}

/* A function that does nothing but one inline read. */
#define SHOWN(type, name, arguments, read)                                                                   \
    __attribute__((noinline, used)) static type shown_##name arguments                                       \
    {                                                                                                        \
        return read;                                                                                         \
    }

/* ---- loops ----------------------------------------------------------------------------------- */

/* Make the compiler believe that the memory is read and written. */
static inline void use(const void *memory)
{
    __asm__ volatile("" : : "r"(memory) : "memory");
}

static void loop_alone(const struct subject *subject)
{
    const void *buffer = subject->buffer;

    for (int i = 0; i < TIMES; i++)
        use(buffer);
}

static void loop_memcpy(const struct subject *subject)
{
    copy_function *volatile hidden = memcpy; /* or it would be inlined, where the size is known */
    copy_function *copy = hidden;
    void *buffer = subject->buffer;
    const void *value = subject->value;
    const size_t size = subject->size;

    for (int i = 0; i < TIMES; i++) {
        copy(buffer, value, size);
        use(buffer);
    }
}

static void loop_get(const struct subject *subject)
{
    const seqshare *share = subject->share;
    void *buffer = subject->buffer;
    const size_t size = subject->size;

    for (int i = 0; i < TIMES; i++) {
        seqshare_get(share, buffer, size, NULL);
        use(buffer);
    }
}

static void loop_version(const struct subject *subject)
{
    const seqshare *share = subject->share;

    for (int i = 0; i < TIMES; i++)
        __asm__ volatile("" : : "r"(seqshare_version(share)) : "memory");
}

static void loop_retired(const struct subject *subject)
{
    const seqshare *share = subject->share;

    for (int i = 0; i < TIMES; i++)
        __asm__ volatile("" : : "r"(seqshare_retired(share)) : "memory");
}

/* A word of the value, seen where it lies; 0: it was not whole. */
static inline __attribute__((always_inline)) uint64_t peek_and_valid(const seqshare *share)
{
    seqshare_view view;
    uint64_t word;

    if (seqshare_peek(share, &view) != 0)
        return 0;
    word = seqshare_load_relaxed(view.data); /* told good from bad by seqshare_valid */
    return seqshare_valid(share, &view) ? word : 0;
}

static void loop_peek(const struct subject *subject)
{
    const seqshare *share = subject->share;

    for (int i = 0; i < TIMES; i++)
        __asm__ volatile("" : : "r"(peek_and_valid(share)) : "memory");
}

static void loop_cache(const struct subject *subject)
{
    seqshare_cache *cache = subject->cache;

    for (int i = 0; i < TIMES; i++)
        use(seqshare_cache_get(cache));
}

/* And the same read to look at. */
#define LOOP_TYPED(type)                                                                                     \
    static void loop_##type(const struct subject *subject)                                                   \
    {                                                                                                        \
        const seqshare *share = subject->share;                                                              \
        struct type mine;                                                                                    \
                                                                                                             \
        for (int i = 0; i < TIMES; i++) {                                                                    \
            type##_get(share, &mine);                                                                        \
            use(&mine);                                                                                      \
        }                                                                                                    \
    }                                                                                                        \
    SHOWN(int, get_##type, (const seqshare *share, struct type *mine), type##_get(share, mine))

LOOP_TYPED(bytes8)
LOOP_TYPED(bytes16)
LOOP_TYPED(bytes32)
LOOP_TYPED(bytes64)

SHOWN(uint64_t, version, (const seqshare *share), seqshare_version(share))
SHOWN(bool, retired, (const seqshare *share), seqshare_retired(share))
SHOWN(int, peek, (const seqshare *share, seqshare_view *view), seqshare_peek(share, view))
SHOWN(bool, valid, (const seqshare *share, const seqshare_view *view), seqshare_valid(share, view))
SHOWN(const void *, cache_get, (seqshare_cache * cache), seqshare_cache_get(cache))

/* ---- what is counted ------------------------------------------------------------------------- */

/* show.sh knows this name. */
__attribute__((noinline)) void counted(void (*loop)(const struct subject *), const struct subject *subject);

void counted(void (*loop)(const struct subject *), const struct subject *subject)
{
    loop(subject);
    __asm__ volatile(""); /* callgrind must see the loop return to here */
}

static void row(const char *name, void (*loop)(const struct subject *), const struct subject *subject)
{
    counted(loop, subject);
    printf("%zu %d %s\n", subject->size, TIMES, name);
}

/* Beside memcpy of the same size, which comes first. */
static void row_of_copy(const char *name, void (*loop)(const struct subject *), struct subject *subject,
                        size_t size)
{
    subject->size = size;
    row("memcpy", loop_memcpy, subject);
    row(name, loop, subject);
}

#define ROW_TYPED(type, subject)                                                                             \
    do {                                                                                                     \
        struct type mine = {{1}};                                                                            \
                                                                                                             \
        must(type##_set((subject)->share, &mine) == 0 && type##_get((subject)->share, &mine) == 0, #type);   \
        row_of_copy("typed get, inline", loop_##type, subject, sizeof mine);                                 \
    } while (0)

static void rows_of_get(struct subject *subject)
{
    for (size_t size = 8; size <= LONGEST; size *= 2) {
        must(seqshare_set(subject->share, subject->value, size) == 0, "seqshare_set");
        must(seqshare_get(subject->share, subject->buffer, size, NULL) == (ssize_t)size, "seqshare_get");
        row_of_copy("get", loop_get, subject, size);
    }
}

static void *decode(void *bytes, size_t length, uint64_t version, void *context)
{
    (void)bytes, (void)length, (void)version;
    return context;
}

static void rows_without_copy(struct subject *subject)
{
    subject->size = 0;
    must(seqshare_cache_new(&subject->cache, subject->share, decode, NULL, subject) == 0,
         "seqshare_cache_new");
    must(seqshare_cache_get(subject->cache) == subject, "seqshare_cache_get");
    row("version, inline", loop_version, subject);
    row("retired, inline", loop_retired, subject);
    row("peek + a word + valid, inline", loop_peek, subject);
    row("cache get, unchanged, inline", loop_cache, subject);
    seqshare_cache_close(subject->cache);
}

int main(void)
{
    static unsigned char value[LONGEST], buffer[LONGEST];
    struct subject subject = {.value = value, .buffer = buffer};

    must(seqshare_new(&subject.share, LONGEST) == 0, "seqshare_new");
    row("loop", loop_alone, &subject);
    rows_of_get(&subject);
    ROW_TYPED(bytes8, &subject);
    ROW_TYPED(bytes16, &subject);
    ROW_TYPED(bytes32, &subject);
    ROW_TYPED(bytes64, &subject);
    rows_without_copy(&subject);
    seqshare_close(subject.share);
    return 0;
}
