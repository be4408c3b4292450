/* SPDX-License-Identifier: MIT */
/* How a document gets into a share and out of it. Shows: JSON-1. */
#include "support.h"

#include <seqshare/json.h>
#include <string.h>

static uint32_t tag_of(const seqshare *share)
{
    struct seqshare_stat stat;

    equals(seqshare_stat(share, &stat), 0);
    return stat.tag;
}

Test(documents, malformed_never_gets_in)
{
    char why[SEQSHARE_JSON_WHY_SIZE];
    seqshare *share = NULL;
    uint64_t version = 0;

    equals(seqshare_new(&share, 100), 0);
    equals(seqshare_json_publish(share, "{\"a\":1}", 7, why), 0);
    equals(seqshare_json_publish(share, "{\"a\":1", 6, why), -EBADMSG);
    check(why[0] != 0);
    equals(seqshare_version(share), 1);
    equals(tag_of(share), SEQSHARE_TAG_JSON);
    equals(seqshare_json_publish_if(share, &version, "[]", 2, why), -ESTALE);
    equals(why[0], 0);
    equals(version, 1);
    equals(seqshare_json_publish_if(share, &version, "[", 1, NULL), -EBADMSG);
    equals(version, 1);
    equals(seqshare_json_publish_if(share, &version, "[]", 2, NULL), 0);
    equals(version, 2);
    equals(tag_of(share), SEQSHARE_TAG_JSON);
    equals(seqshare_json_publish(share, NULL, 0, NULL), -EINVAL);
    equals(seqshare_json_publish(NULL, "[]", 2, NULL), -EINVAL);
    equals(seqshare_json_publish(share,
                                 "\"" /* and a hundred more */
                                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
                                 102, why),
           -EMSGSIZE);
    equals(why[0], 0);
    seqshare_close(share);
}

Test(documents, cached)
{
    struct seqshare_cache_stat stat;
    seqshare_cache *cache = NULL;
    seqshare *share = NULL;

    equals(seqshare_new(&share, 100), 0);
    equals(seqshare_cache_new(&cache, share, seqshare_json_decode, seqshare_json_destroy, NULL), 0);
    equals(seqshare_json_integer(seqshare_json_find(seqshare_cache_get(cache), "/a"), 7), 7);
    equals(seqshare_json_publish(share, "{\"a\":1}", 7, NULL), 0);
    equals(seqshare_json_integer(seqshare_json_find(seqshare_cache_get(cache), "/a"), 7), 1);
    equals(seqshare_set(share, "{\"a\":2", 6), 0); /* past the check */
    equals(seqshare_json_integer(seqshare_json_find(seqshare_cache_get(cache), "/a"), 7), 1);
    equals(seqshare_cache_stat(cache, &stat), 0);
    equals(stat.failed, 1);
    equals(stat.failed_version, 2);
    equals(stat.failed_error, -EBADMSG);
    equals(seqshare_set(share, NULL, 0), 0);
    equals(seqshare_json_integer(seqshare_json_find(seqshare_cache_get(cache), "/a"), 7), 1);
    equals(seqshare_json_publish(share, "null", 4, NULL), 0); /* a document like any other */
    equals(seqshare_json_integer(seqshare_json_find(seqshare_cache_get(cache), "/a"), 7), 7);
    check(seqshare_cache_get(cache) != NULL);
    equals(seqshare_cache_stat(cache, &stat), 0);
    equals(stat.failed, 2);
    equals(stat.version, 4);
    seqshare_cache_close(cache);
    seqshare_close(share);
}
