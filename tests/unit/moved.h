/* SPDX-License-Identifier: MIT */
/*
 * A name and two regions, for marks.c and follow.c: A has the name until B takes it, and the marks of A can be set by
 * hand, as a process that was killed on the way leaves them.
 */
#ifndef SEQSHARE_TEST_MOVED_H
#define SEQSHARE_TEST_MOVED_H

#include "layout.h"
#include "support.h"

struct scene {
    const char *folder, *name;
    seqshare *share;    /* of the region A, value "A", which has the name at first */
    struct layout *map; /* of A */
    const char *second; /* the name of the region B, value "B" */
    seqshare *other;    /* of B */
};

struct scene moved_new(void);
struct scene moved_in(const char *below); /* in a new folder there */
void moved_end(const struct scene *scene);

void moved_mark(const struct scene *scene, uint32_t marks);
uint32_t moved_marks(const struct scene *scene);

/* B takes the name, as a replacer that was killed before it could say so would leave it. */
void moved_over(const struct scene *scene);

#endif
