/* SPDX-License-Identifier: MIT */
/* A process-shared pthread rwlock. */
#include "locks.h"

#define CONTENDER            contender_rwlock
#define NAME                 "rwlock"
#define SUMMARY              "process-shared pthread rwlock (writers preferred) around a copy"
#define LOCK                 pthread_rwlock_t
#define LOCK_MAKE(lock)      locks_make_rwlock(lock)
#define LOCK_READ(lock)      (-pthread_rwlock_rdlock(lock))
#define LOCK_READ_END(lock)  (-pthread_rwlock_unlock(lock))
#define LOCK_WRITE(lock)     (-pthread_rwlock_wrlock(lock))
#define LOCK_WRITE_END(lock) (-pthread_rwlock_unlock(lock))
#include "locked.h"
