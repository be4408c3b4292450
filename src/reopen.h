/* SPDX-License-Identifier: MIT */
/* Does a handle have to move? seqshare_reopen moves it; see reopen.c. */
#ifndef SEQSHARE_REOPEN_H
#define SEQSHARE_REOPEN_H

#include <stdbool.h>

#include "share.h"

/* Would seqshare_reopen move the handle now? */
bool reopen_would_move(const struct share *share);

#endif
