/* SPDX-License-Identifier: MIT */
/*
 * Concurrency Kit's ck_rwlock around one copy: waiters spin. Of its locks for readers and writers this is the one for
 * all processors in common and any number of processes: ck_brlock wants every reader in a list, at the writer's cost,
 * and ck_elide hardware that few have.
 */
#include <ck_rwlock.h>

#define CONTENDER            contender_ck_rwlock
#define NAME                 "ck-rwlock"
#define SUMMARY              "Concurrency Kit's spinning ck_rwlock around a copy"
#define LOCK                 ck_rwlock_t
#define LOCK_MAKE(lock)      (ck_rwlock_init(lock), 0)
#define LOCK_READ(lock)      (ck_rwlock_read_lock(lock), 0)
#define LOCK_READ_END(lock)  (ck_rwlock_read_unlock(lock), 0)
#define LOCK_WRITE(lock)     (ck_rwlock_write_lock(lock), 0)
#define LOCK_WRITE_END(lock) (ck_rwlock_write_unlock(lock), 0)
#include "locked.h"
