/* SPDX-License-Identifier: MIT */
/*
 * One SysV semaphore, exclusive for get and for set, without SEM_UNDO: what Perl's IPC::Mmap::Share does. (With
 * SEM_UNDO the kernel would give the lock back for a dead owner, at a higher price for every read; the value might
 * still be half-written.)
 */
#include "locks.h"

#define CONTENDER            contender_semaphore
#define NAME                 "semaphore"
#define SUMMARY              "one SysV semaphore for get and set, as IPC::Mmap::Share did"
#define LOCK                 int
#define LOCK_MAKE(lock)      locks_make_semaphore(lock)
#define LOCK_READ(lock)      locks_change_semaphore(*(lock), -1)
#define LOCK_READ_END(lock)  locks_change_semaphore(*(lock), 1)
#define LOCK_WRITE(lock)     locks_change_semaphore(*(lock), -1)
#define LOCK_WRITE_END(lock) locks_change_semaphore(*(lock), 1)
#define LOCK_REMOVE(lock)    semctl(*(lock), 0, IPC_RMID)
#define LOCK_CANNOT_HELP     CONTENDER_READ_CALLS
#include "locked.h"
