/* SPDX-License-Identifier: MIT */
/* Sleeping until something is published, and waking those who do; see wait.c. */
#ifndef SEQSHARE_WAIT_H
#define SEQSHARE_WAIT_H

#include <stdint.h>

#include "region.h"

/*
 * Sleep until the version differs from `seen`.
 * 0; -ETIMEDOUT, also when the region's marks differ from *marks (NULL: they do not matter); -EINTR; -EIDRM
 * replaced, with no other version than `seen`.
 */
int wait_for_version(struct region *region, uint64_t seen, const uint32_t *marks, int64_t ns);

/* After a publication. A system call only if somebody registered. */
void wake_registered(uint32_t *wake);

/* After marking a region: everybody, registered or not. */
void wake_everybody(uint32_t *wake);

#endif
