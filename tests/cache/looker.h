/* SPDX-License-Identifier: MIT */
/* A cache, for one thread or for many, on a share that was opened by name. */
#ifndef CACHE_LOOKER_H
#define CACHE_LOOKER_H

#include "objects.h"

/* One of the two, and what it reads through. */
struct looker {
    seqshare *share;
    seqshare_cache *one;
    seqshare_cache_mt *many;
};

struct looker looker_open(const char *name, bool many);
void looker_close(struct looker *looker);

/* The first word of its object; 0: it has none. */
uint64_t looker_word(struct looker *looker);

struct seqshare_cache_stat looker_stat(struct looker *looker);

/* A thread that looks at every moment sees `before` until it sees `after`. */
void looker_await(struct looker *looker, uint64_t before, uint64_t after);

/* Without the tests' waiting for the clock. */
int looker_look(struct looker *looker);

/* A new share with that word as its value; 0: with none. */
seqshare *looker_share(const char *name, uint64_t word);

/* The same test for both caches; the test's function gets `many`. */
#define BOTH(suite, what)                                                                                    \
    Test(suite, one_##what)                                                                                  \
    {                                                                                                        \
        what(false);                                                                                         \
    }                                                                                                        \
    Test(suite, many_##what)                                                                                 \
    {                                                                                                        \
        what(true);                                                                                          \
    }

#endif
