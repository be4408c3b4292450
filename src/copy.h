/* SPDX-License-Identifier: MIT */
/*
 * The copy: bytes in and out of a slot that another process may be reading or writing at that moment.
 *
 * For C11 a plain memcpy that races is undefined, even if its result is thrown away, and a compiler may use
 * that: read twice, or move the copy over a fence that it can prove to order nothing. There are two ways out,
 * chosen here once:
 *
 *   portable   Relaxed atomic words. Right under the language, visible to ThreadSanitizer and to model
 * checkers, and 3 to 10 times slower than memcpy from 256 bytes on. For processors that we have not looked
 * at. opaque     Code that the compiler cannot see through: vector moves in assembly up to 256 bytes (up to
 * 16, atomic words again), libc's memcpy called through a pointer of unknown value beyond. What the processor
 * then does is defined by its own memory model: each aligned word is loaded and stored at once, and the
 * protocol's fences (on arm64 real instructions) order these accesses like any other. memcpy ends with the
 * fence that its non-temporal stores need. For x86-64 and arm64.
 *
 * Neither order nor wholeness comes from here: both are protocol.h's business, before and after.
 */
#ifndef SEQSHARE_COPY_H
#define SEQSHARE_COPY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined __SANITIZE_THREAD__
#define COPY_PORTABLE 1
#elif defined __has_feature
#if __has_feature(thread_sanitizer)
#define COPY_PORTABLE 1
#endif
#endif
#if !defined COPY_PORTABLE && !defined __x86_64__ && !(defined __aarch64__ && defined __AARCH64EL__)
#define COPY_PORTABLE 1
#endif

#ifdef COPY_PORTABLE

/* A slot is aligned and a multiple of its words long, so the last word may be touched whole. */
typedef uintptr_t copy_word;

static inline void copy_out(void *to, const void *slot, size_t length)
{
    const copy_word *from = slot;
    unsigned char *out = to;
    copy_word word;

    for (; length >= sizeof word; length -= sizeof word, out += sizeof word, from++) {
        word = __atomic_load_n(from, __ATOMIC_RELAXED); /* ordered by the protocol's R1 and R2 */
        memcpy(out, &word, sizeof word);
    }
    if (length > 0) {
        word = __atomic_load_n(from, __ATOMIC_RELAXED); /* likewise */
        memcpy(out, &word, length);
    }
}

static inline void copy_in(void *slot, const void *value, size_t length)
{
    copy_word *to = slot;
    const unsigned char *in = value;
    copy_word word = 0;

    for (; length >= sizeof word; length -= sizeof word, in += sizeof word, to++) {
        memcpy(&word, in, sizeof word);
        __atomic_store_n(to, word, __ATOMIC_RELAXED); /* ordered by the protocol's W2 and W3 */
    }
    if (length > 0) {
        memcpy(&word, in, length);
        __atomic_store_n(to, word, __ATOMIC_RELAXED); /* likewise */
    }
}

#else

/* Up to 16 bytes: two words, atomic and relaxed on the slot's side (ordered by the protocol's fences). */

__extension__ typedef unsigned __int128 copy_pair;

static inline uint64_t copy_load8(const void *from)
{
    uint64_t word;

    memcpy(&word, from, sizeof word);
    return word;
}

static inline void copy_out_small(unsigned char *out, const void *slot, size_t length)
{
    const uint64_t *word = slot;
    uint64_t low = __atomic_load_n(word, __ATOMIC_RELAXED);
    uint32_t low4;

    if (length >= 8) { /* the first eight and the last eight, overlapping */
        uint64_t high = __atomic_load_n(word + 1, __ATOMIC_RELAXED);
        uint64_t last = (uint64_t)(((copy_pair)high << 64 | low) >> 8 * (length - 8));

        memcpy(out, &low, 8);
        memcpy(out + length - 8, &last, 8);
    } else if (length >= 4) {
        low4 = (uint32_t)low;
        memcpy(out, &low4, 4);
        low4 = (uint32_t)(low >> 8 * (length - 4));
        memcpy(out + length - 4, &low4, 4);
    } else if (length > 0) { /* first, middle and last of 1 to 3 are all of them */
        out[0] = (unsigned char)low;
        out[length / 2] = (unsigned char)(low >> 8 * (length / 2));
        out[length - 1] = (unsigned char)(low >> 8 * (length - 1));
    }
}

static inline void copy_in_small(void *slot, const unsigned char *in, size_t length)
{
    uint64_t *word = slot;
    uint64_t low = 0;

    if (length >= 8) {
        low = copy_load8(in);
        if (length > 8)
            __atomic_store_n(word + 1, copy_load8(in + length - 8) >> 8 * (16 - length), __ATOMIC_RELAXED);
    } else {
        memcpy(&low, in, length);
    }
    __atomic_store_n(word, low, __ATOMIC_RELAXED);
}

/* 17 to 256 bytes: vectors, in assembly so that each access is single, unexamined, and stays between the
 * fences. */

typedef uint8_t __attribute__((vector_size(16), may_alias, aligned(1))) copy_vector;

static inline __attribute__((always_inline)) copy_vector copy_load16(const unsigned char *from)
{
    copy_vector vector;
#ifdef __x86_64__
    __asm__ volatile("movups %1, %0" : "=x"(vector) : "m"(*(const copy_vector *)from));
#else
    __asm__ volatile("ldr %q0, %1" : "=w"(vector) : "Q"(*(const copy_vector *)from));
#endif
    return vector;
}

static inline __attribute__((always_inline)) void copy_store16(unsigned char *to, copy_vector vector)
{
#ifdef __x86_64__
    __asm__ volatile("movups %1, %0" : "=m"(*(copy_vector *)to) : "x"(vector));
#else
    __asm__ volatile("str %q1, %0" : "=Q"(*(copy_vector *)to) : "w"(vector));
#endif
}

/* Two vectors from each end: 33 to 64 bytes, overlapping in the middle. Loads first: they are what races. */
static inline __attribute__((always_inline)) void copy_64(unsigned char *to, const unsigned char *from,
                                                          size_t length)
{
    copy_vector a = copy_load16(from), b = copy_load16(from + 16);
    copy_vector c = copy_load16(from + length - 32), d = copy_load16(from + length - 16);

    copy_store16(to, a);
    copy_store16(to + 16, b);
    copy_store16(to + length - 32, c);
    copy_store16(to + length - 16, d);
}

static inline __attribute__((always_inline)) void copy_opaque(void *target, const void *source, size_t length)
{
    unsigned char *to = target;
    const unsigned char *from = source;

    if (length <= 32) {
        copy_vector first = copy_load16(from), last = copy_load16(from + length - 16);

        copy_store16(to, first);
        copy_store16(to + length - 16, last);
    } else if (length <= 64) {
        copy_64(to, from, length);
    } else if (length <= 256) {
        for (size_t done = 0; done + 64 < length; done += 64)
            copy_64(to + done, from + done, 64);
        copy_64(to + length - 64, from + length - 64, 64);
    } else {
        void *(*copy)(void *, const void *, size_t) = memcpy;

        __asm__("" : "+r"(copy)); /* from here on the compiler does not know what it calls */
        copy(to, from, length);
    }
}

static inline __attribute__((always_inline)) void copy_out(void *to, const void *slot, size_t length)
{
    if (length <= 16)
        copy_out_small(to, slot, length);
    else
        copy_opaque(to, slot, length);
}

static inline __attribute__((always_inline)) void copy_in(void *slot, const void *value, size_t length)
{
    if (length <= 16)
        copy_in_small(slot, value, length);
    else
        copy_opaque(slot, value, length);
}

#endif

#endif
