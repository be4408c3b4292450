/* SPDX-License-Identifier: MIT */
/*
 * The copy: bytes in and out of a slot that another process may be reading or writing at that moment.
 *
 * In C11 a plain memcpy that races is undefined, even if its result is thrown away. A compiler may use that: load
 * twice, or move the copy over a fence that, as far as it can see, orders nothing. There are two ways out, and this
 * file chooses one:
 *
 *   portable   Relaxed atomic words. Right under the language, visible to ThreadSanitizer and to model
 *              checkers, and 3 to 10 times slower than memcpy from 256 bytes on. For them, and for processors
 *              that we have not looked at yet.
 *   opaque     Loads and stores in assembly, which the compiler cannot see through, and libc's memcpy behind a
 *              pointer of unknown value. The processor's memory model defines them: no aligned word is torn, and
 *              the protocol's fences (on arm64 real instructions) order them like any other access. For x86-64
 *              and arm64. For a long value memcpy may use non-temporal stores, which on x86 keep no order with
 *              others. It ends with the fence that they need; for the fence before them see copy_fence.
 *
 * We have measured which length goes which way. With AVX the loop below equals or beats memcpy from 33 bytes to 256
 * KiB. (memcpy spends its time on choosing; and from 2 KiB on, on `rep movsb`, which is many times slower on some
 * processors if the target is a few bytes after the source, modulo a page.) Beyond that, memcpy knows more about
 * caches than we do; and so it does from 65 bytes on if x86-64 has no AVX, and from 257 on arm64.
 *
 * Neither order nor wholeness comes from here: protocol.h provides both, before and after the copy.
 */
#ifndef SEQSHARE_COPY_H
#define SEQSHARE_COPY_H

#include <stdbool.h>
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

/*
 * Before stores into a slot that may be non-temporal: a program's own, or memcpy's. On x86, readers may see these
 * before earlier stores, even before the announcement [W1], and W2 is not an instruction there. A reader would take in
 * bytes of the next version and accept them. It pairs, as W2 does, with R2.
 */
static inline void copy_fence(void)
{
#if defined __x86_64__ || defined __i386__
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

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
        word = __atomic_load_n(from, __ATOMIC_RELAXED); /* the same */
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
        __atomic_store_n(to, word, __ATOMIC_RELAXED); /* the same */
    }
}

/* As copy_out where that is over soon; else false, and nothing is done. */
static inline bool copy_out_short(void *to, const void *slot, size_t length)
{
    enum { SHORT_MOST = 256 << 10 }; /* a longer one may outlast a read's second, which its caller minds */

    if (length > SHORT_MOST)
        return false;
    copy_out(to, slot, length);
    return true;
}

#else

#define COPY_INLINE static inline __attribute__((always_inline))

/*
 * Single loads and stores of 1, 4, 8 and 16 bytes, unaligned as may be. `volatile` and the memory operand
 * keep each one single, unexamined, and in its place between the fences.
 */
#define COPY_MOVES(bytes, type, kind, memory, load, store)                                                   \
    COPY_INLINE type copy_load##bytes(const unsigned char *from)                                             \
    {                                                                                                        \
        typedef type __attribute__((may_alias, aligned(1))) any;                                             \
        type value;                                                                                          \
        __asm__ volatile(load : "=" kind(value) : memory(*(const any *)from));                               \
        return value;                                                                                        \
    }                                                                                                        \
    COPY_INLINE void copy_store##bytes(unsigned char *to, type value)                                        \
    {                                                                                                        \
        typedef type __attribute__((may_alias, aligned(1))) any;                                             \
        __asm__ volatile(store : "=" memory(*(any *)to) : kind(value));                                      \
    }

typedef uint8_t __attribute__((vector_size(16))) copy_vector;

#ifdef __x86_64__
COPY_MOVES(1, uint8_t, "q", "m", "movb %1, %0", "movb %1, %0")
COPY_MOVES(4, uint32_t, "r", "m", "movl %1, %0", "movl %1, %0")
COPY_MOVES(8, uint64_t, "r", "m", "movq %1, %0", "movq %1, %0")
COPY_MOVES(16, copy_vector, "x", "m", "movups %1, %0", "movups %1, %0")
#else
COPY_MOVES(1, uint8_t, "r", "Q", "ldrb %w0, %1", "strb %w1, %0")
COPY_MOVES(4, uint32_t, "r", "Q", "ldr %w0, %1", "str %w1, %0")
COPY_MOVES(8, uint64_t, "r", "Q", "ldr %x0, %1", "str %x1, %0")
COPY_MOVES(16, copy_vector, "w", "Q", "ldr %q0, %1", "str %q1, %0")
#endif

/* Up to 32 bytes: both ends, overlapping in the middle, all loaded before anything is stored. */
COPY_INLINE void copy_32(unsigned char *to, const unsigned char *from, size_t length)
{
    if (length >= 16) {
        copy_vector first = copy_load16(from), last = copy_load16(from + length - 16);

        copy_store16(to, first);
        copy_store16(to + length - 16, last);
    } else if (length >= 8) {
        uint64_t first = copy_load8(from), last = copy_load8(from + length - 8);

        copy_store8(to, first);
        copy_store8(to + length - 8, last);
    } else if (length >= 4) {
        uint32_t first = copy_load4(from), last = copy_load4(from + length - 4);

        copy_store4(to, first);
        copy_store4(to + length - 4, last);
    } else {
        for (size_t i = 0; i < length; i++)
            copy_store1(to + i, copy_load1(from + i));
    }
}

/* The same for 33 to 64 bytes. */
COPY_INLINE void copy_64(unsigned char *to, const unsigned char *from, size_t length)
{
    copy_vector a = copy_load16(from), b = copy_load16(from + 16);
    copy_vector c = copy_load16(from + length - 32), d = copy_load16(from + length - 16);

    copy_store16(to, a);
    copy_store16(to + 16, b);
    copy_store16(to + length - 32, c);
    copy_store16(to + length - 16, d);
}

#ifdef __x86_64__
enum { COPY_WIDE_MOST = 256 << 10 }; /* beyond, memcpy's knowledge of caches wins over the loop of 32 */

/* COPY_WIDE_MOST, or 0 where the processor or the system has no AVX: memcpy knows best there. See copy.c. */
extern __attribute__((visibility("hidden"))) size_t copy_wide_most;

/* At the same distance `at` from both: there are not enough registers, so a reader would have to save some. */
COPY_INLINE void copy_wide_64(unsigned char *to, const unsigned char *from, size_t at)
{
    __asm__ volatile("vmovups (%1,%2), %%ymm0\n\t"
                     "vmovups 32(%1,%2), %%ymm1\n\t"
                     "vmovups %%ymm0, (%0,%2)\n\t"
                     "vmovups %%ymm1, 32(%0,%2)"
                     :
                     : "r"(to), "r"(from), "r"(at)
                     : "memory", "xmm0", "xmm1");
}

COPY_INLINE void copy_wide_128(unsigned char *to, const unsigned char *from, size_t at)
{
    __asm__ volatile("vmovups (%1,%2), %%ymm0\n\t"
                     "vmovups 32(%1,%2), %%ymm1\n\t"
                     "vmovups 64(%1,%2), %%ymm2\n\t"
                     "vmovups 96(%1,%2), %%ymm3\n\t"
                     "vmovups %%ymm0, (%0,%2)\n\t"
                     "vmovups %%ymm1, 32(%0,%2)\n\t"
                     "vmovups %%ymm2, 64(%0,%2)\n\t"
                     "vmovups %%ymm3, 96(%0,%2)"
                     :
                     : "r"(to), "r"(from), "r"(at)
                     : "memory", "xmm0", "xmm1", "xmm2", "xmm3");
}

/* From 65 bytes. The last run overlaps the one before it: written twice, the same bytes or none that will be
 * accepted. */
COPY_INLINE void copy_wide(unsigned char *to, const unsigned char *from, size_t length)
{
    size_t done;

    if (length <= 128) {
        copy_wide_64(to, from, 0);
        copy_wide_64(to, from, length - 64);
    } else {
        for (done = 0; done + 128 < length; done += 128)
            copy_wide_128(to, from, done);
        copy_wide_128(to, from, length - 128);
    }
    /* Or SSE code after us crawls. It clears the upper half of all sixteen. */
    __asm__ volatile("vzeroupper" ::
                         : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
                           "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}
#else
enum { COPY_VECTORS_MOST = 256 }; /* beyond, memcpy's wider vectors win over 16 bytes at a time */
#endif

/* All that needs no call, so that a reader's hot path is a leaf function; false: nothing is done. */
COPY_INLINE bool copy_short(unsigned char *to, const unsigned char *from, size_t length)
{
    if (length <= 32) {
        copy_32(to, from, length);
        return true;
    }
    if (length <= 64) {
        copy_64(to, from, length);
        return true;
    }
#ifdef __x86_64__
    if (length <= copy_wide_most) {
        copy_wide(to, from, length);
        return true;
    }
#else
    if (length <= COPY_VECTORS_MOST) {
        for (size_t done = 0; done + 64 < length; done += 64)
            copy_64(to + done, from + done, 64);
        copy_64(to + length - 64, from + length - 64, 64);
        return true;
    }
#endif
    return false;
}

/* By libc, where copy_short does not. */
COPY_INLINE void copy_long(void *to, const void *from, size_t length)
{
    void *(*copy)(void *, const void *, size_t) = memcpy;

    __asm__("" : "+r"(copy)); /* from here on the compiler does not know what it calls */
    copy(to, from, length);
}

COPY_INLINE bool copy_out_short(void *to, const void *slot, size_t length)
{
    return copy_short(to, slot, length);
}

COPY_INLINE void copy_out(void *to, const void *slot, size_t length)
{
    if (!copy_short(to, slot, length))
        copy_long(to, slot, length);
}

COPY_INLINE void copy_in(void *slot, const void *value, size_t length)
{
    if (copy_short(slot, value, length))
        return;
    copy_fence();
    copy_long(slot, value, length);
}

#endif

#endif
