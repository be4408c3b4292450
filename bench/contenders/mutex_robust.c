/* SPDX-License-Identifier: MIT */
/*
 * The same mutex, robust: it answers EOWNERDEAD when its owner died. The lock goes on, but nobody can tell how much
 * of the value the dead owner had written. And it can hang, by chance: if the process that was woken to take it is
 * killed first, the wake-up is lost with it; some go on, others sleep.
 */
#include "locks.h"

#define CONTENDER            contender_mutex_robust
#define NAME                 "mutex-robust"
#define SUMMARY              "the same, robust: survives its owner, its value may not"
#define LOCK                 pthread_mutex_t
#define LOCK_MAKE(lock)      locks_make_mutex(lock, PTHREAD_MUTEX_ROBUST)
#define LOCK_READ(lock)      locks_take_mutex(lock)
#define LOCK_READ_END(lock)  (-pthread_mutex_unlock(lock))
#define LOCK_WRITE(lock)     locks_take_mutex(lock)
#define LOCK_WRITE_END(lock) (-pthread_mutex_unlock(lock))
#include "locked.h"
