/* SPDX-License-Identifier: MIT */
/* A process-shared pthread mutex. */
#include "locks.h"

#define CONTENDER            contender_mutex
#define NAME                 "mutex"
#define SUMMARY              "process-shared pthread mutex around a copy"
#define LOCK                 pthread_mutex_t
#define LOCK_MAKE(lock)      locks_make_mutex(lock, PTHREAD_MUTEX_STALLED)
#define LOCK_READ(lock)      locks_take_mutex(lock)
#define LOCK_READ_END(lock)  (-pthread_mutex_unlock(lock))
#define LOCK_WRITE(lock)     locks_take_mutex(lock)
#define LOCK_WRITE_END(lock) (-pthread_mutex_unlock(lock))
#include "locked.h"
