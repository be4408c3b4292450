/* SPDX-License-Identifier: MIT */
/* A typed read as a program that includes the headers compiles it, for barriers.py to look at. */
#include <seqshare/typed.h>

struct pair {
    uint64_t first, second;
};
SEQSHARE_TYPE(pair, struct pair)

int typed_read(const seqshare *share, struct pair *pair);
int typed_read(const seqshare *share, struct pair *pair)
{
    return pair_get(share, pair);
}
