/* SPDX-License-Identifier: MIT */
/* Makes the locks of POSIX and of System V in shared memory. */
#include "locks.h"

#include <sys/ipc.h>

int locks_make_mutex(pthread_mutex_t *mutex, int robustness)
{
    pthread_mutexattr_t attributes;
    int error = pthread_mutexattr_init(&attributes);

    if (error == 0)
        error = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    if (error == 0)
        error = pthread_mutexattr_setrobust(&attributes, robustness);
    if (error == 0)
        error = pthread_mutex_init(mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
    return -error;
}

/* Of glibc's kinds the one that its manual recommends where readers never stop: the default starves the writer. */
int locks_make_rwlock(pthread_rwlock_t *rwlock)
{
    pthread_rwlockattr_t attributes;
    int error = pthread_rwlockattr_init(&attributes);

    if (error == 0)
        error = pthread_rwlockattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
#ifdef __GLIBC__
    if (error == 0)
        error = pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
    if (error == 0)
        error = pthread_rwlock_init(rwlock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
    return -error;
}

int locks_make_semaphore(int *id)
{
    *id = semget(IPC_PRIVATE, 1, 0600);
    return *id < 0 ? -errno : locks_change_semaphore(*id, 1); /* it is born at 0 */
}
