/* SPDX-License-Identifier: MIT */
/* Handles that threads use without the interpreter's lock: closed when the last of them is done. */
#include "share.h"

struct mapping *mapping_new(seqshare *share)
{
    struct mapping *mapping = malloc(sizeof *mapping);

    if (mapping)
        *mapping = (struct mapping){share, 1};
    else
        seqshare_close(share);
    return mapping;
}

struct mapping *mapping_use(struct mapping *mapping)
{
    /* Relaxed: whoever calls has a use already, so the mapping cannot go meanwhile. */
    __atomic_fetch_add(&mapping->users, 1, __ATOMIC_RELAXED);
    return mapping;
}

void mapping_drop(struct mapping *mapping)
{
    /* Acquire and release: the last one closes after all others are done with the handle, not before. */
    if (!mapping || __atomic_fetch_sub(&mapping->users, 1, __ATOMIC_ACQ_REL) > 1)
        return;
    seqshare_close(mapping->share);
    free(mapping);
}
