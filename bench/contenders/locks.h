/* SPDX-License-Identifier: MIT */
/* Locks that processes share: how each is made, and those of their calls that need more than one line. */
#ifndef BENCH_LOCKS_H
#define BENCH_LOCKS_H

#include <errno.h>
#include <pthread.h>
#include <sys/sem.h>

/* All return 0 or a negative errno value. */
int locks_make_mutex(pthread_mutex_t *mutex, int robustness);
int locks_make_rwlock(pthread_rwlock_t *rwlock);
int locks_make_semaphore(int *id); /* at 1: free */

static inline int locks_take_mutex(pthread_mutex_t *mutex)
{
    int error = pthread_mutex_lock(mutex);

    if (error == EOWNERDEAD)
        error = pthread_mutex_consistent(mutex);
    return -error;
}

static inline int locks_change_semaphore(int id, short by)
{
    struct sembuf operation = {.sem_op = by};

    while (semop(id, &operation, 1) != 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

#endif
