/* SPDX-License-Identifier: MIT */
/* The two futex calls, on every system and word size. */
#include "futex.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's form of a time: two 64-bit numbers for SYS_futex_time64, and on 64-bit systems for SYS_futex as
 * well. */
struct kernel_time {
    int64_t seconds;
    int64_t nanoseconds;
};

static long wait_call(const uint32_t *word, uint32_t value, int64_t ns)
{
    struct kernel_time time = {ns / 1000000000, ns % 1000000000};
#ifdef SYS_futex_time64
    long result = syscall(SYS_futex_time64, word, FUTEX_WAIT, value, &time, NULL, 0);
#ifdef SYS_futex
    if (result != 0 && (errno == ENOSYS || errno == EPERM)) { /* before Linux 5.1, or an old sandbox */
        long old[2] = {(long)time.seconds, (long)time.nanoseconds};

        result = syscall(SYS_futex, word, FUTEX_WAIT, value, old, NULL, 0);
    }
#endif
    return result;
#else
    return syscall(SYS_futex, word, FUTEX_WAIT, value, &time, NULL, 0);
#endif
}

int futex_wait(const uint32_t *word, uint32_t value, int64_t ns)
{
    int saved = errno;
    int result = wait_call(word, value, ns) == 0 ? 0 : -errno;

    errno = saved;
    return result;
}

void futex_wake(const uint32_t *word, int32_t sleepers)
{
    int saved = errno;

#ifdef SYS_futex
    syscall(SYS_futex, word, FUTEX_WAKE, sleepers, NULL, NULL, 0);
#else
    syscall(SYS_futex_time64, word, FUTEX_WAKE, sleepers, NULL, NULL, 0);
#endif
    errno = saved;
}
