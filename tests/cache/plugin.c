/* SPDX-License-Identifier: MIT */
/* A server's plugin that has a cache: loaded by unloading.c. */
#include "plugin.h"

#include <seqshare/cache.h>

static seqshare *share;
static seqshare_cache_mt *cache;

static void *decode(void *bytes, size_t length, uint64_t version, void *context)
{
    (void)bytes, (void)length, (void)version;
    return context;
}

int plugin_begin(void)
{
    int error = seqshare_new(&share, 64);

    if (!error)
        error = seqshare_set(share, "value", 5);
    return error ? error : seqshare_cache_mt_new(&cache, share, decode, NULL, &share);
}

void plugin_request(void)
{
    seqshare_snapshot snapshot;

    seqshare_cache_mt_enter(cache, &snapshot);
    seqshare_cache_mt_leave(cache, &snapshot);
}

void plugin_end(void)
{
    seqshare_cache_mt_close(cache);
    seqshare_close(share);
}
