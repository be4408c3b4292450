/* SPDX-License-Identifier: MIT */
/* An outside program with a cache: it decodes a number once per version. */
#include <seqshare/cache.h>
#include <stdio.h>
#include <stdlib.h>

static void *decode(void *bytes, size_t length, uint64_t version, void *context)
{
    long *number = (long *)malloc(sizeof *number);

    (void)length;
    (void)version;
    if (number)
        *number = strtol((char *)bytes, NULL, 10);
    ++*(int *)context;
    return number;
}

static long one(seqshare_cache *cache)
{
    const void *number = seqshare_cache_get(cache);

    return number ? *(const long *)number : 0;
}

static long of_many(seqshare_cache_mt *cache)
{
    seqshare_snapshot snapshot;
    const void *number = seqshare_cache_mt_enter(cache, &snapshot);
    long result = number ? *(const long *)number : 0;

    seqshare_cache_mt_leave(cache, &snapshot);
    return result;
}

int main(void)
{
    seqshare *share = NULL;
    seqshare_cache *cache = NULL;
    seqshare_cache_mt *cache_mt = NULL;
    struct seqshare_cache_stat stat;
    int decoded = 0, right;

    if (seqshare_new(&share, 100) || seqshare_cache_new(&cache, share, decode, free, &decoded) ||
        seqshare_cache_mt_new(&cache_mt, share, decode, free, &decoded) || seqshare_set(share, "41", 2))
        return 1;
    right = one(cache) == 41 && of_many(cache_mt) == 41 && seqshare_set(share, "42", 2) == 0 &&
            one(cache) == 42 && one(cache) == 42 && of_many(cache_mt) == 42 && of_many(cache_mt) == 42 &&
            decoded == 4 && seqshare_cache_stat(cache, &stat) == 0 && stat.version == 2 &&
            stat.decoded == 2 && stat.failed == 0;
    seqshare_cache_close(cache);
    seqshare_cache_mt_close(cache_mt);
    seqshare_close(share);
    printf("decoded %d values, %s\n", decoded, right ? "rightly" : "WRONG");
    return !right;
}
