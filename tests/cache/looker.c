/* SPDX-License-Identifier: MIT */
/* Opens and asks either cache. */
#include "looker.h"

#include <unistd.h>

#include "support.h"

struct looker looker_open(const char *name, bool many)
{
    struct looker looker = {0};

    equals(seqshare_open(&looker.share, name, SEQSHARE_READ), 0);
    if (many)
        equals(seqshare_cache_mt_new(&looker.many, looker.share, object_decode, object_destroy, NULL), 0);
    else
        equals(seqshare_cache_new(&looker.one, looker.share, object_decode, object_destroy, NULL), 0);
    return looker;
}

void looker_close(struct looker *looker)
{
    seqshare_cache_close(looker->one);
    seqshare_cache_mt_close(looker->many);
    equals(counts.made, counts.destroyed);
    seqshare_close(looker->share);
}

uint64_t looker_word(struct looker *looker)
{
    const struct object *object;
    seqshare_snapshot snapshot;
    uint64_t word = 0;

    object =
        looker->many ? seqshare_cache_mt_enter(looker->many, &snapshot) : seqshare_cache_get(looker->one);
    if (object) {
        equals(object->alive, ALIVE);
        word = object->words[0];
    }
    if (looker->many)
        seqshare_cache_mt_leave(looker->many, &snapshot);
    return word;
}

struct seqshare_cache_stat looker_stat(struct looker *looker)
{
    struct seqshare_cache_stat stat = {0};

    if (looker->many)
        equals(seqshare_cache_mt_stat(looker->many, &stat), 0);
    else
        equals(seqshare_cache_stat(looker->one, &stat), 0);
    return stat;
}

void looker_await(struct looker *looker, uint64_t before, uint64_t after)
{
    int64_t end = now() + SECONDS_TO_HANG * SECONDS;
    uint64_t word;

    while ((word = looker_word(looker)) != after) {
        equals(word, before);
        check(now() < end);
        usleep(1000);
    }
}

seqshare *looker_share(const char *name, uint64_t word)
{
    seqshare *share = NULL;

    equals(seqshare_create(&share, name, 4096, 0600), 0);
    if (word)
        equals(publish_words(share, word), 0);
    return share;
}

int looker_look(struct looker *looker)
{
    return looker->many ? seqshare_cache_mt_look(looker->many) : seqshare_cache_look(looker->one);
}
