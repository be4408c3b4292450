/* SPDX-License-Identifier: MIT */
/*
 * Sections by liburcu. Stripes count them, so that threads on many processors do not wait for each other's cache
 * lines. A node has two counters in each stripe: sections entered, and left. A thread counts in a stripe of its own,
 * without a locked instruction, as long as there are any left; then it shares one with others.
 *
 * A thread must not read which node is current and *then* count itself in: that is a race with the node's last user.
 * So both happen in a read-side section of liburcu. Once the node has been replaced, and those sections are over,
 * no thread counts itself in any more, and the sum of the stripes goes to the node's own count. From then on threads
 * count themselves out there, and zero is the end. Until then a large number is in place of the stripes' sum, so that
 * the count cannot be zero.
 *
 * The read-side sections last for a few instructions, and not as long as a user's. So nobody waits for them
 * noticeably: neither the thread that replaces a node, nor a fork, of which liburcu must learn.
 *
 * The flavour is "bulletproof" (liburcu-bp). The others want every thread to register, and to unregister
 * before it ends: a library cannot ask that of a server's threads.
 */
#include "sections.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
/* Inline, as its header grants for these: a call of each would more than double what a section costs. */
#define _LGPL_SOURCE
#include <urcu-bp.h>

enum { OWN = 48, SHARED = 16, STRIPES = OWN + SHARED, LINE = 64 };

#define NOT_ADDED_YET (UINT64_C(1) << 62)

struct stripe {
    _Alignas(LINE) seqshare_word entered;
    seqshare_word left;
};

struct sections {
    struct node *current;
    struct node *replaced; /* and not yet added up: a stack */
};

const char sections_name[] = "liburcu";

/* ---- whose stripe is which ---- */

#define ALL_OWN ((UINT64_C(1) << OWN) - 1)

static seqshare_word free_own = ALL_OWN; /* a bit each */
static _Thread_local unsigned mine;      /* its number, from 1; 0: none yet */
static pthread_key_t key;
static bool has_key;

/* Its value is not NULL in a thread that has one of its own. Release: pairs with the acquire in take_own. */
static void thread_ends(void *unused)
{
    (void)unused;
    __atomic_fetch_or(&free_own, UINT64_C(1) << (mine - 1), __ATOMIC_RELEASE);
    mine = 0;
}

/* Acquire: the new thread goes on from the counts of the thread that had it before. */
static unsigned take_own(void)
{
    seqshare_word all = seqshare_load_relaxed(&free_own);

    while (all && !__atomic_compare_exchange_n(&free_own, &all, all & (all - 1), true, __ATOMIC_ACQUIRE,
                                               __ATOMIC_RELAXED))
        ;
    return all ? (unsigned)__builtin_ctzll(all) + 1 : 0;
}

static void take_stripe(void)
{
    static unsigned threads;

    if (has_key && pthread_setspecific(key, &key) == 0)
        mine = take_own();
    if (mine > 0)
        return;
    if (has_key)
        pthread_setspecific(key, NULL);
    mine = OWN + 1 + __atomic_fetch_add(&threads, 1, __ATOMIC_RELAXED) % SHARED;
}

/* One more. Release: pairs with the acquire in in_use. */
static uint64_t count_in_stripe(seqshare_word *counter)
{
    uint64_t before;

    if (mine > OWN)
        return __atomic_fetch_add(counter, 1, __ATOMIC_RELEASE);
    before = seqshare_load_relaxed(counter);
    seqshare_store_release(counter, before + 1);
    return before;
}

static struct stripe *my_stripe(const struct node *node)
{
    if (mine == 0)
        take_stripe();
    return &node->stripes[mine - 1];
}

/* ---- fork: liburcu must know, or a thread of the child might wait for ever to be registered ---- */

/* If a program forks in a read-side section of its own, liburcu does not learn of it: it would wait for itself. */
static _Thread_local bool untold;

static void before_fork(void)
{
    untold = urcu_bp_read_ongoing();
    if (!untold)
        urcu_bp_before_fork();
}

static void in_parent(void)
{
    if (!untold)
        urcu_bp_after_fork_parent();
}

static void in_child(void)
{
    if (!untold)
        urcu_bp_after_fork_child();
    free_own = ALL_OWN; /* the child has this thread only */
    if (mine > 0 && mine <= OWN)
        free_own &= ~(UINT64_C(1) << (mine - 1));
}

static void prepare(void)
{
    has_key = pthread_key_create(&key, thread_ends) == 0;
    pthread_atfork(before_fork, in_parent, in_child);
}

/* ---- nodes ---- */

/* Acquire: pairs with the release in count_in_stripe. All uses of the node by those sections are over. */
static uint64_t in_use(const struct node *node)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < STRIPES; i++)
        sum += __atomic_load_n(&node->stripes[i].entered, __ATOMIC_RELAXED) -
               __atomic_load_n(&node->stripes[i].left, __ATOMIC_ACQUIRE);
    return sum;
}

static void free_node(struct node *node)
{
    free(node->stripes);
    node->free(node);
}

/* ---- sections ---- */

bool sections_take_in(struct sections *sections, struct node *node)
{
    (void)sections;
    node->stripes = aligned_alloc(LINE, STRIPES * sizeof *node->stripes);
    if (!node->stripes)
        return false;
    memset(node->stripes, 0, STRIPES * sizeof *node->stripes);
    node->count = NOT_ADDED_YET;
    return true;
}

void sections_drop(struct sections *sections, struct node *node)
{
    (void)sections;
    free(node->stripes);
}

struct sections *sections_new(struct node *first)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct sections *sections = calloc(1, sizeof *sections);

    pthread_once(&once, prepare);
    if (sections && !sections_take_in(sections, first)) {
        free(sections);
        return NULL;
    }
    if (sections)
        sections->current = first;
    return sections;
}

struct node *sections_current(struct sections *sections)
{
    /* Acquire: the node was complete when it became current (release in sections_replace). */
    return __atomic_load_n(&sections->current, __ATOMIC_ACQUIRE);
}

struct node *sections_enter(struct sections *sections, uint64_t *entry)
{
    struct node *node;

    urcu_bp_read_lock();
    node = sections_current(sections);
    *entry = count_in_stripe(&my_stripe(node)->entered);
    urcu_bp_read_unlock();
    return node;
}

/*
 * Release: what this section did with the node is over. Acquire: so it is for all others, when the last one
 * frees it.
 */
static bool count(struct node *node, uint64_t more)
{
    return __atomic_add_fetch(&node->count, more, __ATOMIC_ACQ_REL) == 0;
}

void sections_leave(struct sections *sections, struct node *node)
{
    bool last = false;

    (void)sections;
    urcu_bp_read_lock();
    /* Relaxed: a thread that adds up without seeing this waits for this read-side section, and sees `left`. */
    if (__atomic_load_n(&node->replaced, __ATOMIC_RELAXED))
        last = count(node, UINT64_MAX); /* minus one */
    else
        count_in_stripe(&my_stripe(node)->left);
    urcu_bp_read_unlock();
    if (last)
        free_node(node);
}

void sections_replace(struct sections *sections, struct node *next)
{
    struct node *old = __atomic_exchange_n(&sections->current, next, __ATOMIC_ACQ_REL);

    __atomic_store_n(&old->replaced, true, __ATOMIC_RELAXED);
    old->next = __atomic_load_n(&sections->replaced, __ATOMIC_RELAXED);
    /* Release: pairs with the acquire of the thread that takes the stack, and reads `next`. */
    while (!__atomic_compare_exchange_n(&sections->replaced, &old->next, old, false, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
        ;
}

void sections_add_up(struct sections *sections)
{
    struct node *node = __atomic_exchange_n(&sections->replaced, NULL, __ATOMIC_ACQUIRE), *next;

    if (node)
        urcu_bp_synchronize_rcu();
    for (; node; node = next) {
        next = node->next;
        if (count(node, in_use(node) - NOT_ADDED_YET))
            free_node(node);
    }
}

/* All but the current one are free then; or they stay in use for good, by threads that a fork left behind. */
void sections_close(struct sections *sections)
{
    sections_add_up(sections);
    free_node(sections->current);
    free(sections);
}
