/* SPDX-License-Identifier: MIT */
/* The facts of seqshare_stat, from a copy of the header. */
#ifndef SEQSHARE_STAT_H
#define SEQSHARE_STAT_H

#include "share.h"

/* The whole answer of seqshare_stat, from a private copy of the region's first bytes, all of one version. -EBADMSG. */
int stat_from(struct share *share, const struct layout *seen, struct seqshare_stat *result);

#endif
