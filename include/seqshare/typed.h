/* SPDX-License-Identifier: MIT */
/*
 * Values of a C type, with a set and a get of their own: SEQSHARE_TYPE(limits, struct limits) makes
 *
 *     int limits_set(seqshare *share, const struct limits *value);
 *     int limits_get(const seqshare *share, struct limits *value);
 *
 * Both return 0 or an error. Up to 64 bytes, the get is inline: a handful of loads. A typed get of a value with another
 * name or size is -EBADMSG. So a program that was compiled with a struct of another size gets an error and not garbage.
 * If you change a struct but not its size, give the type another name. Otherwise they work as seqshare_set and
 * seqshare_get, also in threads and signal handlers (-ENOBUFS never comes). The type must be plain bytes: no pointers
 * that other processes cannot follow.
 */
#ifndef SEQSHARE_TYPED_H
#define SEQSHARE_TYPED_H

#include <string.h>

#include <seqshare/seqshare.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Set and get for a type that the caller names by its tag, from seqshare_tag (0: untyped); for SEQSHARE_TYPE and for
 * other languages. `size` in bytes. Errors: those of seqshare_set and of seqshare_get, and:
 *   -EBADMSG   get: the value has another tag or size
 */
SEQSHARE_API int seqshare_set_typed(seqshare *share, const void *value, size_t size, uint32_t tag);
SEQSHARE_API int seqshare_get_typed(const seqshare *share, void *value, size_t size, uint32_t tag);

/* As seqshare_set_if, with a type: publish only if *version is the current one. Errors: those of seqshare_set_if. */
SEQSHARE_API int seqshare_set_if_typed(seqshare *share, uint64_t *version, const void *value, size_t size,
                                       uint32_t tag);

/*
 * The tag of a serialisation, whose values have any size: seqshare_tag of its name and size 0. docs/format.md lists the
 * names that are taken, and the programs that read and write them. `name` is a string literal.
 */
#define SEQSHARE_TAG(name) seqshare_tag(name, sizeof(name) - 1, 0)

/* SEQSHARE_TAG("json") and SEQSHARE_TAG("cbor") as constants, for case labels and other languages. */
#define SEQSHARE_TAG_JSON UINT32_C(0xd86fc7a3)
#define SEQSHARE_TAG_CBOR UINT32_C(0xdf6b876d)

/* FNV-1a (32 bit), one byte and eight. */

static inline __attribute__((always_inline)) uint32_t seqshare_tag_byte(uint32_t tag, unsigned char byte)
{
    return (tag ^ byte) * UINT32_C(16777619);
}

/* Straight-line code on purpose: compilers fold it to a constant, but they would not unroll a loop. */
static inline __attribute__((always_inline)) uint32_t seqshare_tag_eight(uint32_t tag, const char *name,
                                                                         size_t length, size_t from)
{
#define SEQSHARE_TAG_STEP(i)                                                                                 \
    if (from + (i) < length)                                                                                 \
    tag = seqshare_tag_byte(tag, (unsigned char)name[from + (i)])
    SEQSHARE_TAG_STEP(0);
    SEQSHARE_TAG_STEP(1);
    SEQSHARE_TAG_STEP(2);
    SEQSHARE_TAG_STEP(3);
    SEQSHARE_TAG_STEP(4);
    SEQSHARE_TAG_STEP(5);
    SEQSHARE_TAG_STEP(6);
    SEQSHARE_TAG_STEP(7);
#undef SEQSHARE_TAG_STEP
    return tag;
}

/*
 * The tag of a type: over its name, then over its size as 8 little-endian bytes; never 0, which is `untyped`.
 */
SEQSHARE_INLINE uint32_t seqshare_tag(const char *name, size_t length, size_t size);

SEQSHARE_INLINE uint32_t seqshare_tag(const char *name, size_t length, size_t size)
{
    uint32_t tag = UINT32_C(2166136261);
    uint64_t rest = size;

    tag = seqshare_tag_eight(tag, name, length, 0);
    tag = seqshare_tag_eight(tag, name, length, 8);
    tag = seqshare_tag_eight(tag, name, length, 16);
    tag = seqshare_tag_eight(tag, name, length, 24);
    for (size_t i = 32; i < length; i++) /* long names: right, but not folded */
        tag = seqshare_tag_byte(tag, (unsigned char)name[i]);
    tag = seqshare_tag_byte(tag, (unsigned char)(rest & 0xff));
    tag = seqshare_tag_byte(tag, (unsigned char)(rest >> 8 & 0xff));
    tag = seqshare_tag_byte(tag, (unsigned char)(rest >> 16 & 0xff));
    tag = seqshare_tag_byte(tag, (unsigned char)(rest >> 24 & 0xff));
    tag = seqshare_tag_byte(tag, (unsigned char)(rest >> 32 & 0xff));
    tag = seqshare_tag_byte(tag, (unsigned char)(rest >> 40 & 0xff));
    tag = seqshare_tag_byte(tag, (unsigned char)(rest >> 48 & 0xff));
    tag = seqshare_tag_byte(tag, (unsigned char)(rest >> 56 & 0xff));
    return tag ? tag : 1;
}

/* Word i of a slot. Relaxed: ordered by read_begin before and read_accept after. */
static inline __attribute__((always_inline)) uint64_t seqshare_slot_word(const unsigned char *slot,
                                                                         unsigned i)
{
    return seqshare_load_relaxed((const seqshare_word *)(const void *)slot + i);
}

/*
 * The value's words, if they are `version`'s. Eight scalars and not an array: compilers keep them in
 * registers. `size` is a constant once inlined, so that only the words it needs are loaded. A slot is a
 * multiple of 128 bytes long, so its last word is complete.
 */
static inline __attribute__((always_inline)) bool seqshare_take_words(const struct seqshare_head *head,
                                                                      unsigned mask, uint64_t version,
                                                                      const unsigned char *slot,
                                                                      unsigned char *out, size_t size)
{
    uint64_t a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;

    a = seqshare_slot_word(slot, 0);
    if (size > 8)
        b = seqshare_slot_word(slot, 1);
    if (size > 16)
        c = seqshare_slot_word(slot, 2);
    if (size > 24)
        d = seqshare_slot_word(slot, 3);
    if (size > 32)
        e = seqshare_slot_word(slot, 4);
    if (size > 40)
        f = seqshare_slot_word(slot, 5);
    if (size > 48)
        g = seqshare_slot_word(slot, 6);
    if (size > 56)
        h = seqshare_slot_word(slot, 7);
    if (!seqshare_read_accept(head, mask, version))
        return false;
#define SEQSHARE_STORE(word, i)                                                                              \
    if (size > 8 * (i))                                                                                      \
    memcpy(out + 8 * (i), &word, size - 8 * (i) < 8 ? size - 8 * (i) : 8)
    SEQSHARE_STORE(a, 0);
    SEQSHARE_STORE(b, 1);
    SEQSHARE_STORE(c, 2);
    SEQSHARE_STORE(d, 3);
    SEQSHARE_STORE(e, 4);
    SEQSHARE_STORE(f, 5);
    SEQSHARE_STORE(g, 6);
    SEQSHARE_STORE(h, 7);
#undef SEQSHARE_STORE
    return true;
}

/*
 * The same for 33 to 64 bytes by sixteen at once, which takes half the loads and stores. As in src/copy.h, the compiler
 * cannot see through the loads, and the processor's memory model says what they do. The thread sanitizer cannot see
 * them either. Other processors use words until somebody has measured vectors there. Up to 32 bytes words are better:
 * they put each member into a register.
 */
#if defined __SANITIZE_THREAD__
#define SEQSHARE_WORDS_ALONE 1
#elif defined __has_feature
#if __has_feature(thread_sanitizer)
#define SEQSHARE_WORDS_ALONE 1
#endif
#endif
#if !defined __x86_64__ || !defined __SSE2__
#define SEQSHARE_WORDS_ALONE 1
#endif

#ifndef SEQSHARE_WORDS_ALONE
typedef unsigned char seqshare_vector __attribute__((vector_size(16), may_alias, aligned(1)));

/*
 * Sixteen bytes of a slot. Two things order them, as they order the words. The acquire load of read_begin before:
 * without it they might be of a version that is not complete yet. And the acquire fence of read_accept after: without
 * it the reader might miss a writer that overtook it. Both are fences for the compiler too, which moves no volatile
 * assembly over them.
 */
static inline __attribute__((always_inline)) seqshare_vector seqshare_slot_vector(const unsigned char *from)
{
    seqshare_vector vector;

    /* The target is last, or (with -masm=intel) first. If they were exchanged, it would be a store. */
#ifdef __AVX__ /* in a program with wider vectors the old form may wait for them */
    __asm__ volatile("vmovups {%1, %0|%0, %1}" : "=x"(vector) : "m"(*(const seqshare_vector *)from));
#else
    __asm__ volatile("movups {%1, %0|%0, %1}" : "=x"(vector) : "m"(*(const seqshare_vector *)from));
#endif
    return vector;
}

/* From both ends, overlapping in the middle. */
static inline __attribute__((always_inline)) bool seqshare_take_vectors(const struct seqshare_head *head,
                                                                        unsigned mask, uint64_t version,
                                                                        const unsigned char *slot,
                                                                        unsigned char *out, size_t size)
{
    seqshare_vector a = seqshare_slot_vector(slot), b = seqshare_slot_vector(slot + 16);
    seqshare_vector c = seqshare_slot_vector(slot + size - 32), d = seqshare_slot_vector(slot + size - 16);

    if (!seqshare_read_accept(head, mask, version))
        return false;
    memcpy(out, &a, 16);
    memcpy(out + 16, &b, 16);
    memcpy(out + size - 32, &c, 16);
    memcpy(out + size - 16, &d, 16);
    return true;
}
#endif

/* Not for programs: one attempt at a value of at most 64 bytes, for SEQSHARE_TYPE. */
SEQSHARE_INLINE bool seqshare_try_get_small(const seqshare *share, void *value, size_t size, uint32_t tag);

SEQSHARE_INLINE bool seqshare_try_get_small(const seqshare *share, void *value, size_t size, uint32_t tag)
{
    const struct seqshare_head *head = share->head;
    const unsigned mask = share->mask;
    uint64_t version = seqshare_read_begin(head);
    const struct seqshare_place *place = &share->place[seqshare_slot_of(version, mask)];
    const unsigned char *slot = place->bytes;

    /* Version 0 needs no test: its slot has no length. */
    if (seqshare_read_length(head, mask, version) != size || seqshare_read_tag(head, mask, version) != tag)
        return false;
    /* As seqshare_may_touch; the slow half asks about anything beyond. Relaxed, as there. */
    if (__atomic_load_n(&place->held, __ATOMIC_RELAXED) < size)
        return false;
#ifndef SEQSHARE_WORDS_ALONE
    if (size > 32)
        return seqshare_take_vectors(head, mask, version, slot, (unsigned char *)value, size);
#endif
    return seqshare_take_words(head, mask, version, slot, (unsigned char *)value, size);
}

#ifdef __cplusplus
}
#define SEQSHARE_PLAIN_BYTES(type)                                                                           \
    static_assert(__is_trivially_copyable(type), "a shared value is plain bytes")
#else
#define SEQSHARE_PLAIN_BYTES(type) _Static_assert(sizeof(type) > 0, "a shared value has a size")
#endif

/*
 * Define NAME_set and NAME_get for values of a C type (the top of typed.h shows them). The slow half of a get
 * (nothing there, another type, a writer in the way) is in the library. The long names are for programs with a
 * global `value` and -Wshadow.
 */
#define SEQSHARE_TYPE(name, type)                                                                            \
    SEQSHARE_PLAIN_BYTES(type);                                                                              \
    __attribute__((unused)) static inline int name##_set(seqshare *seqshare_in, const type *seqshare_value)  \
    {                                                                                                        \
        return seqshare_set_typed(seqshare_in, seqshare_value, sizeof(type),                                 \
                                  seqshare_tag(#name, sizeof #name - 1, sizeof(type)));                      \
    }                                                                                                        \
    __attribute__((unused)) static inline int name##_get(const seqshare *seqshare_in, type *seqshare_value)  \
    {                                                                                                        \
        const uint32_t seqshare_tag_ = seqshare_tag(#name, sizeof #name - 1, sizeof(type));                  \
        if (sizeof(type) <= 64 && seqshare_in && seqshare_value &&                                           \
            seqshare_try_get_small(seqshare_in, seqshare_value, sizeof(type), seqshare_tag_))                \
            return 0;                                                                                        \
        return seqshare_get_typed(seqshare_in, seqshare_value, sizeof(type), seqshare_tag_);                 \
    }

#endif
