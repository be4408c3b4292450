/* SPDX-License-Identifier: MIT */
/*
 * The rights that threads have at this moment are in one list. They leave it when their threads give
 * them back, when these end, and in a child of fork, which has one thread only.
 *
 * Threads hold both locks for moments. A thread that holds one cannot be cancelled, and no signal handler runs in
 * it: a handler that forks would wait for its own thread.
 */
#include "right.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>

#include "../cancel.h"

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t moving_lock = PTHREAD_MUTEX_INITIALIZER;
static struct right *taken; /* the list */

/* Its address identifies the thread. A child of fork has the thread that forked at the same address. */
static _Thread_local char me;

static void lock_undisturbed(pthread_mutex_t *lock, struct undisturbed *before)
{
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before->signals);
    before->cancellation = cancel_disable();
    pthread_mutex_lock(lock);
}

static void unlock_undisturbed(pthread_mutex_t *lock, const struct undisturbed *before)
{
    pthread_mutex_unlock(lock);
    cancel_restore(before->cancellation);
    pthread_sigmask(SIG_SETMASK, &before->signals, NULL);
}

void right_begin_undisturbed(struct undisturbed *before)
{
    lock_undisturbed(&moving_lock, before);
}

void right_end_undisturbed(const struct undisturbed *before)
{
    unlock_undisturbed(&moving_lock, before);
}

/* ---- the list ---- */

/* Relaxed: others only ask whether to try, and right_take asks again under the lock. */
static void set_holder(struct right *right, const void *holder)
{
    __atomic_store_n(&right->holder, holder, __ATOMIC_RELAXED);
}

static void add(struct right *right)
{
    set_holder(right, &me);
    right->next = taken;
    taken = right;
}

static void remove_where(bool (*matches)(const struct right *right, const void *what), const void *what)
{
    struct right **link = &taken;

    while (*link) {
        struct right *right = *link;

        if (!matches(right, what)) {
            link = &right->next;
            continue;
        }
        *link = right->next;
        set_holder(right, NULL);
    }
}

static bool is_right(const struct right *right, const void *what)
{
    return right == what;
}

static bool is_held_by(const struct right *right, const void *what)
{
    return right->holder == what;
}

static bool is_held_by_others(const struct right *right, const void *what)
{
    return right->holder != what;
}

/* ---- threads that end, and forks ---- */

static pthread_key_t key;

static void thread_ends(void *thread)
{
    struct undisturbed before;

    lock_undisturbed(&list_lock, &before);
    remove_where(is_held_by, thread);
    unlock_undisturbed(&list_lock, &before);
}

static struct undisturbed forking; /* guarded by both locks */

static void before_fork(void)
{
    struct undisturbed before;

    lock_undisturbed(&moving_lock, &before);
    pthread_mutex_lock(&list_lock);
    forking = before;
}

static void in_parent(void)
{
    const struct undisturbed before = forking;

    pthread_mutex_unlock(&list_lock);
    unlock_undisturbed(&moving_lock, &before);
}

static void in_child(void)
{
    for (struct right *right = taken; right; right = right->next)
        right->inherited |= is_held_by_others(right, &me);
    remove_where(is_held_by_others, &me);
    in_parent();
}

static bool has_key;
static int problem;

static void prepare(void)
{
    problem = pthread_key_create(&key, thread_ends);
    has_key = !problem;
    if (!problem)
        problem = pthread_atfork(before_fork, in_parent, in_child);
}

int right_prepare(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, prepare);
    return -problem;
}

/* In a plugin with the static library: threads that end later must not call code that is gone. */
__attribute__((destructor)) static void forget_threads(void)
{
    if (has_key)
        pthread_key_delete(key);
}

/* ---- the right ---- */

bool right_take(struct right *right)
{
    struct undisturbed before;
    bool mine;

    pthread_setspecific(key, &me); /* so that its end is noticed */
    lock_undisturbed(&list_lock, &before);
    if (!right->holder)
        add(right);
    mine = right->holder == &me;
    unlock_undisturbed(&list_lock, &before);
    return mine;
}

void right_give(struct right *right)
{
    struct undisturbed before;

    lock_undisturbed(&list_lock, &before);
    remove_where(is_right, right);
    unlock_undisturbed(&list_lock, &before);
}

bool right_is_taken(const struct right *right)
{
    const void *holder = __atomic_load_n(&right->holder, __ATOMIC_RELAXED);

    return holder && holder != &me;
}
