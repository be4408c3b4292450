/* SPDX-License-Identifier: MIT */
/* Before anything is timed: does a contender do what it is timed at? */
#ifndef BENCH_SUITE_PROVE_H
#define BENCH_SUITE_PROVE_H

#include "scene.h"

/*
 * Many values one by one, each of which the reader must find, whole; then values as fast as can be, of which
 * none may be torn unless the contender says that it can tear. 0 or a negative errno value: -EILSEQ it was
 * torn, -ESTALE it was not the newest. In the answer `torn`, of `reads`, in the second part.
 */
int prove(struct scene *scene);

#endif
