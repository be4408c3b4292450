/* SPDX-License-Identifier: MIT */
/*
 * The shipping protocol.h under a weak memory model, for GenMC (RC11 and IMM): words instead of bytes.
 *
 * Version 1 stands. Writers A and B publish one more each, or more (PUBLICATIONS), serialised by a lock
 * as small as can be, whose hand-over and take-over have the orders of src/lock.c; READERS make one
 * attempt each. Every accepted read must be whole, of the version it claims, and never from a writer
 * that died before publishing.
 *
 * DIE_AT = n kills writer A in step n of its first publication: 1 lock taken, 2 announced, 3 length and
 * tag written, 4 a word written, 5 all written, 6 published and the lock still held. 7: it abandons what
 * it has filled, and unlocks; 0: it publishes, and unlocks. SLOTS: 2, 4 or 8.
 *
 * The catalogue in tests/mutants plants faults into protocol.h; those of the hand-over are -DM_... here.
 *
 * Shows: READ-1, READ-2.
 */
#include <assert.h>
#include <genmc.h>
#include <pthread.h>

#include <seqshare/protocol.h>

#ifndef SLOTS
#define SLOTS 2
#endif
#ifndef READERS
#define READERS 2
#endif
#ifndef PUBLICATIONS
#define PUBLICATIONS 1
#endif
#ifndef DIE_AT
#define DIE_AT 0
#endif

#ifdef M_HANDOVER_RELAXED
#define HANDOVER __ATOMIC_RELAXED
#else
#define HANDOVER __ATOMIC_RELEASE
#endif

enum { MASK = SLOTS - 1, WORDS = 2, FIRST = 1, A = 2, B = 3 };

static struct seqshare_head head;
static seqshare_word bytes[SLOTS][WORDS];
static uint32_t owner;  /* 0, A or B */
static uint32_t a_died; /* what the kernel knows */

/* The wait for the lock is left to the model checker: executions in which it would go on are none. */
static void lock(uint32_t me)
{
    uint32_t found = __atomic_load_n(&owner, __ATOMIC_RELAXED);

    if (found != 0) {
        __VERIFIER_assume(__atomic_load_n(&a_died, __ATOMIC_RELAXED) == found);
#ifndef M_NO_RECOVERY_FENCE
        __atomic_thread_fence(__ATOMIC_SEQ_CST); /* the verdict before the take-over, and all that follows */
#endif
    }
    __VERIFIER_assume(
        __atomic_compare_exchange_n(&owner, &found, me, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
}

static void unlock(void)
{
    __atomic_store_n(&owner, 0, HANDOVER);
}

/* The kernel's work when a thread ends: it orders the thread's stores before its death can be seen. */
static void die(uint32_t me)
{
    __atomic_thread_fence(__ATOMIC_RELEASE);
    __atomic_store_n(&a_died, me, __ATOMIC_RELAXED);
}

/* The writer of each version; also its length and tag, so that one test covers them. */
static uint32_t stamp(uint64_t version, uint32_t writer)
{
    return (uint32_t)version * 16 + writer;
}

/* One publication, or the part of it before step `last`. True if it died. */
static bool set(uint32_t me, int last)
{
    uint64_t version;
    uint32_t mark;
    seqshare_word *slot;

    if (last == 1)
        return true;
    version = seqshare_write_begin(&head);
    if (last == 2)
        return true;
    mark = stamp(version, me);
    slot = bytes[seqshare_slot_of(version, MASK)];
    seqshare_write_slot(&head, MASK, version, mark, mark);
    if (last == 3)
        return true;
    seqshare_store_relaxed(&slot[0], mark);
    if (last == 4)
        return true;
    seqshare_store_relaxed(&slot[1], mark);
    if (last == 5)
        return true;
#ifdef M_BACK_TO_EVEN
    if (last == 7) {
        seqshare_store_release(&head.sequence, 2 * (version - 1));
        return false;
    }
#endif
    if (last == 7)
        return false; /* abandoned: the sequence stays odd */
    seqshare_write_publish(&head, version);
    return last == 6;
}

static void *writer_a(void *unused)
{
    lock(A);
    if (set(A, DIE_AT))
        die(A);
    else
        unlock();
    return unused;
}

static void *writer_b(void *unused)
{
    for (int n = 0; n < PUBLICATIONS; n++) {
        lock(B);
        set(B, 0);
        unlock();
    }
    return unused;
}

static void *reader(void *unused)
{
    uint64_t version = seqshare_read_begin(&head);
    const seqshare_word *slot = bytes[seqshare_slot_of(version, MASK)];
    uint64_t length = seqshare_read_length(&head, MASK, version);
    uint64_t tag = seqshare_read_tag(&head, MASK, version);
    uint64_t first = seqshare_load_relaxed(&slot[0]);
    uint64_t second = seqshare_load_relaxed(&slot[1]);

    if (!seqshare_read_accept(&head, MASK, version)) {
        /* Only because its slot is being filled again, or has been. */
        assert(seqshare_load_relaxed(&head.sequence) >= 2 * (version + MASK) + 1);
        return unused;
    }
    assert(first / 16 == version);
    assert(length == first && tag == first && second == first);
    assert(!(first % 16 == A && DIE_AT >= 1 && DIE_AT != 6));
    return unused;
}

int main(void)
{
    pthread_t thread[2 + READERS];
    uint64_t version, published = 1 + PUBLICATIONS + (DIE_AT == 0 || DIE_AT == 6);

    set(FIRST, 0);
    pthread_create(&thread[0], NULL, writer_a, NULL);
    pthread_create(&thread[1], NULL, writer_b, NULL);
    for (int n = 0; n < READERS; n++)
        pthread_create(&thread[2 + n], NULL, reader, NULL);
    for (int n = 0; n < 2 + READERS; n++)
        pthread_join(thread[n], NULL);

    /* No publication is lost; only a writer that stopped last, in the middle, leaves the sequence odd. */
    version = seqshare_write_current(&head);
    assert(version == published);
    return 0;
}
