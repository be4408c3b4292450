/* SPDX-License-Identifier: MIT */
/* Map a region that is there already, after everything that safety rests on has been checked. */
#ifndef SEQSHARE_ATTACH_H
#define SEQSHARE_ATTACH_H

#include <stdbool.h>

#include "region.h"

/*
 * Map the region behind `fd`, which is the region's from here on, also on failure. -EBADMSG,
 * -EPROTONOSUPPORT, -EOPNOTSUPP (file system), -EACCES, -ENOMEM.
 */
int attach_region(struct region *region, int fd, bool writable);

#endif
