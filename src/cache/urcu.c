/* SPDX-License-Identifier: MIT */
/*
 * Sections by liburcu: entering and leaving write to the thread's own memory only.
 *
 * The flavour is "bulletproof" (liburcu-bp). The others want every thread to register, and to unregister
 * before it ends, or to report when it uses nothing: a library cannot ask that of a server's threads. This
 * one does it by itself at a thread's first section, and where the kernel has membarrier(2) its sections need
 * no barriers.
 *
 * Replaced nodes wait in one list for the whole process. Who leaves its outermost section takes them all,
 * waits for the sections that were there, and frees them: never inside of a section, where it would wait for
 * itself.
 */
#include "sections.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
/* Inline, as its header grants for these: a call of each would more than double what a section costs. */
#define _LGPL_SOURCE
#include <urcu-bp.h>

struct sections {
    struct node *current;
};

const char sections_name[] = "liburcu";

static struct node *waiting;           /* replaced, and not yet freed: a stack */
static unsigned busy;                  /* threads that free some, */
static _Thread_local unsigned freeing; /* and whether this is one */

/* ---- fork: liburcu must know, and cannot be told inside of a section without waiting for itself ---- */

static _Thread_local bool untold;
static bool forgotten; /* in a child: sections of threads that it has not may count as going on, for ever */

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
    if (untold)
        forgotten = true;
    else
        urcu_bp_after_fork_child();
    busy = freeing;
}

static void tell_of_forks(void)
{
    pthread_atfork(before_fork, in_parent, in_child);
}

/* ---- the thread sanitizer cannot see that what liburcu waits for is over: it is told ---- */

#if defined __SANITIZE_THREAD__
#define THREAD_SANITIZER 1
#elif defined __has_feature
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZER 1
#endif
#endif

#ifdef THREAD_SANITIZER
#include <sanitizer/tsan_interface.h>

static char grace_period;

static void section_ends(void)
{
    __tsan_release(&grace_period);
}

static void sections_have_ended(void)
{
    __tsan_acquire(&grace_period);
}
#else
static void section_ends(void)
{
}

static void sections_have_ended(void)
{
}
#endif

/* ---- sections ---- */

struct sections *sections_new(struct node *first)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct sections *sections = calloc(1, sizeof *sections);

    pthread_once(&once, tell_of_forks);
    if (sections)
        sections->current = first;
    return sections;
}

struct node *sections_current(struct sections *sections)
{
    /* Acquire: the node was complete when it became current (release in sections_replace). */
    return __atomic_load_n(&sections->current, __ATOMIC_ACQUIRE);
}

struct node *section_enter(struct sections *sections)
{
    urcu_bp_read_lock();
    return sections_current(sections);
}

static void free_waiting(void)
{
    struct node *node, *next;

    freeing++; /* more than once when an object is destroyed that has used a cache */
    __atomic_add_fetch(&busy, 1, __ATOMIC_RELAXED);
    node = __atomic_exchange_n(&waiting, NULL, __ATOMIC_ACQ_REL);
    if (node) {
        urcu_bp_synchronize_rcu();
        sections_have_ended();
    }
    for (; node; node = next) {
        next = node->next;
        node->free(node);
    }
    __atomic_sub_fetch(&busy, 1, __ATOMIC_RELEASE);
    freeing--;
}

void section_leave(struct sections *sections, struct node *node)
{
    (void)sections, (void)node;
    section_ends();
    urcu_bp_read_unlock();
    if (__atomic_load_n(&waiting, __ATOMIC_RELAXED) && !forgotten && !urcu_bp_read_ongoing())
        free_waiting();
}

bool sections_have_room(const struct sections *sections)
{
    (void)sections;
    return true;
}

void sections_replace(struct sections *sections, struct node *next)
{
    struct node *old = __atomic_exchange_n(&sections->current, next, __ATOMIC_ACQ_REL);

    old->next = __atomic_load_n(&waiting, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&waiting, &old->next, old, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        ;
}

/*
 * Also what others are about to free: it may be this cache's, and is gone when this returns. But not where an
 * object is being destroyed that had this cache: two threads that do so would wait for each other.
 */
void sections_close(struct sections *sections)
{
    if (!forgotten && !urcu_bp_read_ongoing()) /* (in a section of another cache, its leave frees them) */
        free_waiting();
    while (freeing == 0 && __atomic_load_n(&busy, __ATOMIC_ACQUIRE) > 0)
        nanosleep(&(struct timespec){0, 50000}, NULL);
    sections->current->free(sections->current);
    free(sections);
}
