/* SPDX-License-Identifier: MIT */
/* An outside program that reads a JSON document. */
#include <seqshare/json.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    static const char text[] = "{\"limits\":{\"rate\":42}}";
    char why[SEQSHARE_JSON_WHY_SIZE];
    seqshare *share = NULL;
    seqshare_cache *cache = NULL;
    const seqshare_json *document;
    int64_t rate;

    if (seqshare_new(&share, 100) || seqshare_json_publish(share, text, strlen(text), why) ||
        seqshare_cache_new(&cache, share, seqshare_json_decode, seqshare_json_destroy, NULL))
        return 1;
    document = (const seqshare_json *)seqshare_cache_get(cache);
    rate = seqshare_json_integer(seqshare_json_find(document, "/limits/rate"), -1);
    seqshare_cache_close(cache);
    seqshare_close(share);
    printf("rate %d\n", (int)rate);
    return rate != 42;
}
