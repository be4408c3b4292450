/* SPDX-License-Identifier: MIT */
/*
 * The protocol: how one writer at a time publishes a value while any number of readers copy it.
 *
 * This header is the heart of seqshare, and has nothing else: sequence arithmetic, the writer's steps, the reader's
 * steps. It makes no system call, so that a model checker can drive the very code that ships. It compiles as C11 and as
 * C++11.
 *
 *      head    +0   sequence   2v: version v is in slot v & mask
 *                              2v + 1: the same, and a writer is filling slot (v+1) & mask
 *              +8   retired    not part of the protocol; it lives here because readers have this line anyway
 *              +16  slot 0     { length, tag }
 *              +32  slot 1     { length, tag }         ... up to 8 slots, mask = slots - 1
 *      bytes        slot 0, slot 1, ...                each starting a cache line
 *
 * One value needs two copies: the sequence always sends a reader to the one that nobody is writing. So a reader never
 * waits, not even for a writer that was killed in the middle. The price is memory for the second copy. And a reader
 * that *two* publications overtake (more, with more slots) must look again.
 *
 *      writer (holding the writer lock)            reader
 *      s = sequence; v = s / 2                     s1 = sequence                       [R1] acquire
 *      1  if s is even: sequence = s + 1  [W1]     v = s1 / 2      (0: nothing published yet)
 *      2  fence                           [W2]     length, tag, bytes of slot v & mask
 *      3  fill slot (v+1) & mask                   fence                               [R2] acquire
 *      4  sequence = 2 (v+1)              [W3]     s2 = sequence
 *                                                  accept if s2 - 2v <= 2 mask         (unsigned)
 *
 *      slots = 2:   sequence  2v          2v+1             2v+2        2v+3
 *                   reader of v may be copying: safe       safe        slot v & 1 filled again: reject
 *
 * A writer that dies, or gives up, in steps 1 to 3 leaves the sequence odd. The next writer sees that and fills the
 * same slot again. It must not announce a second time: 2v+2 or 2v+3 would send readers to the half filled slot, and
 * going back to 2v would let a reader accept bytes written in between. But it must fence a second time.
 *
 * Every edge, and what breaks without it (tests/model plants each of these faults and must catch it):
 *
 *   publication -> read        W3 release with R1 acquire: a reader of 2v sees all bytes of v. Relaxed: torn.
 *   publication -> read, odd   W1 release with R1 acquire: a reader of 2v+1 must see all bytes of v too, and
 *                              its acquire synchronises with the store that it read, which is W1. The writer
 *                              of v may have been another thread; the lock made its stores visible to the one
 *                              that announces, and this release passes them on. Relaxed: torn.
 *   announcement -> overwrite  W2 release fence with R2 acquire fence: a reader that picked up one word from
 *                              step 3 will after its fence find at least the announcement in s2, and reject.
 *                              Without either: torn. The recovering writer stores no announcement, but it has
 *                              read one, and coherence then gives the same: the fence is unconditional.
 *                              (On x86 it is not an instruction, and non-temporal stores may pass W1 in spite of
 *                              it: a writer that fills by these needs a real fence; see copy_fence in src/copy.h.)
 *   overwrite -> publication   W3 release: see the first edge.
 *   writer -> next writer      the lock's release and acquire. Relaxed: the next writer may miss 2(v+1).
 *   dead writer -> next        the dead one released nothing: src/lock.c has a fence in place of its release.
 *
 * Nothing needs to be stronger: readers look at one counter only, so no seq_cst order is needed. The bytes are copied
 * by atomic words (or by code that the compiler cannot see through), because a plain copy that races with a writer is
 * undefined in C11 even if its result is thrown away; see src/copy.h.
 *
 * Not promised: that a read succeeds at the first attempt; that a pointer into a slot stays as it is; that
 * two reads see the same version. Reads are lock-free, not wait-free.
 *
 * Sources: Boehm, "Can seqlocks get along with programming language memory models?" (2012), for the fences;
 * the latch in Linux's seqlock.h, for the two copies.
 */
#ifndef SEQSHARE_PROTOCOL_H
#define SEQSHARE_PROTOCOL_H

#include <stdbool.h>
#include <stdint.h>

/* clang says `sometimes` of 32-bit x86, where a long long may lie across two lines: ours are aligned. */
#if !(defined __GCC_ATOMIC_LLONG_LOCK_FREE && __GCC_ATOMIC_LLONG_LOCK_FREE == 2) &&                          \
    !(defined __clang__ && defined __i386__ && defined __GCC_HAVE_SYNC_COMPARE_AND_SWAP_8)
#error "seqshare needs 64-bit atomic loads and stores that take no lock"
#endif

/*
 * Functions that are inline for users. The library defines this in another way, to export the same functions. Always
 * inline: gcc would not do it in main, or in any function that runs once, and then a typed read of 64 bytes takes four
 * times as long.
 */
#ifndef SEQSHARE_INLINE
#define SEQSHARE_INLINE static inline __attribute__((always_inline))
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum { SEQSHARE_SLOTS_MAX = 8 };

/*
 * The bits of the retired mark. Each of them means: ask the name, because it may lead elsewhere. A process that moves
 * the name sets one of the last two before it does so, and clears it when it gives up. So a name that has moved leaves
 * a bit behind, wherever the mover is killed. The rules are in src/replace.c and src/follow.c.
 */
enum {
    SEQSHARE_REPLACED = 1,    /* the name leads to another region: nobody publishes in this one any more */
    SEQSHARE_UNLINKED = 2,    /* the name was removed: processes that have the region go on with it */
    SEQSHARE_LOOK = 4,        /* an owner of the lock moves the name, or died while it did */
    SEQSHARE_LOOK_OUTSIDE = 8 /* the same, by a process that may not lock */
};

/* The last version there can be: the sequence must hold 2(v+1). */
#define SEQSHARE_VERSION_MAX ((UINT64_C(1) << 63) - 2)

/* i386 aligns a uint64_t to 4 bytes inside a struct; the region's layout is the same everywhere. */
typedef uint64_t seqshare_word __attribute__((aligned(8)));

struct seqshare_slot {
    seqshare_word length; /* bytes */
    uint32_t tag;         /* the value's type; 0: untyped */
    uint32_t reserved;
};

struct seqshare_head {
    seqshare_word sequence;
    uint32_t retired; /* the bits above */
    uint32_t reserved;
    struct seqshare_slot slot[SEQSHARE_SLOTS_MAX];
};

/* Atomic accesses, their order in their name. Over the builtins, because g++ has no _Atomic. */

static inline uint64_t seqshare_load_relaxed(const seqshare_word *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline uint64_t seqshare_load_acquire(const seqshare_word *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void seqshare_store_relaxed(seqshare_word *word, uint64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

static inline void seqshare_store_release(seqshare_word *word, uint64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static inline void seqshare_fence_acquire(void)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
}

static inline void seqshare_fence_release(void)
{
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

/* Sequence arithmetic. */

static inline uint64_t seqshare_version_of(uint64_t sequence)
{
    return sequence >> 1;
}

static inline unsigned seqshare_slot_of(uint64_t version, unsigned mask)
{
    return (unsigned)version & mask;
}

/* Reader. */

/* The version to read; 0: nothing has been published. Acquire [R1]: pairs with W3, or with W1 when odd. */
static inline uint64_t seqshare_read_begin(const struct seqshare_head *head)
{
    return seqshare_version_of(seqshare_load_acquire(&head->sequence));
}

/*
 * Length and tag of the slot that `version` was published in. Neither means anything before the read is
 * accepted, except that a length must be bounded before it is used: it may be another version's, or an
 * enemy's. Relaxed: ordered by R1 before and R2 after, like the bytes.
 */
static inline uint64_t seqshare_read_length(const struct seqshare_head *head, unsigned mask, uint64_t version)
{
    return seqshare_load_relaxed(&head->slot[seqshare_slot_of(version, mask)].length);
}

static inline uint32_t seqshare_read_tag(const struct seqshare_head *head, unsigned mask, uint64_t version)
{
    return __atomic_load_n(&head->slot[seqshare_slot_of(version, mask)].tag, __ATOMIC_RELAXED);
}

/*
 * Was everything that was read from the slot since read_begin part of `version`? The fence [R2] keeps the loads of the
 * slot before the load of the sequence; pairs with W2. That load may be relaxed: its value only rejects. The test must
 * be this very one: an `s2 < 2v` test would accept a sequence that an enemy (or 2^63 publications) moved backwards.
 */
static inline bool seqshare_read_accept(const struct seqshare_head *head, unsigned mask, uint64_t version)
{
    seqshare_fence_acquire();
    return seqshare_load_relaxed(&head->sequence) - 2 * version <= 2 * (uint64_t)mask;
}

/* Writer: only while holding the writer lock, and with a current version below SEQSHARE_VERSION_MAX. */

/* Relaxed: only holders of the lock store here, and the lock's acquire made the last store visible. */
static inline uint64_t seqshare_write_current(const struct seqshare_head *head)
{
    return seqshare_version_of(seqshare_load_relaxed(&head->sequence));
}

/* Steps 1 and 2: announce. Returns the version to make; the writer may fill its slot from now on. */
static inline uint64_t seqshare_write_begin(struct seqshare_head *head)
{
    uint64_t sequence = seqshare_load_relaxed(&head->sequence);

    if ((sequence & 1) == 0)
        seqshare_store_release(&head->sequence, sequence + 1); /* [W1] pairs with R1 */
    seqshare_fence_release(); /* [W2] pairs with R2; also when W1 was skipped */
    return seqshare_version_of(sequence) + 1;
}

/* Step 3, the slot's header. Relaxed: after W2 and before W3, like the bytes. */
static inline void seqshare_write_slot(struct seqshare_head *head, unsigned mask, uint64_t version,
                                       uint64_t length, uint32_t tag)
{
    struct seqshare_slot *slot = &head->slot[seqshare_slot_of(version, mask)];

    seqshare_store_relaxed(&slot->length, length);
    __atomic_store_n(&slot->tag, tag, __ATOMIC_RELAXED);
}

/* Step 4: publish. Release [W3]: pairs with R1. */
static inline void seqshare_write_publish(struct seqshare_head *head, uint64_t version)
{
    seqshare_store_release(&head->sequence, version << 1);
}

#ifdef __cplusplus
}
#endif

#endif
