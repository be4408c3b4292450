/* SPDX-License-Identifier: MIT */
/* The two futex calls. Never with the PRIVATE flag: the words are shared between processes. */
#ifndef SEQSHARE_FUTEX_H
#define SEQSHARE_FUTEX_H

#include <stdint.h>

#define FUTEX_WAKE_ALL INT32_MAX

/*
 * Sleep while *word is `value`, for `ns` at most. 0, or a negative errno: -EAGAIN it was another, -ETIMEDOUT,
 * -EINTR. The word may be mapped read-only. A wake-up may be spurious: look again.
 */
int futex_wait(const uint32_t *word, uint32_t value, int64_t ns);

void futex_wake(const uint32_t *word, int32_t sleepers);

#endif
