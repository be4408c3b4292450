/* SPDX-License-Identifier: MIT */
/* Reads the state that a feed publishes beside its share. */
#include "fresh.h"

#include <stdio.h>
#include <stdlib.h>

#include <seqshare/feed.h>

#include "target.h"
#include "text.h"

static bool read_state(const char *name, struct seqshare_feed_1 *feed)
{
    char *beside = text_format("%s.feed", name);
    seqshare *share;
    bool known;

    if (target_is_descriptor(name) ||
        seqshare_open(&share, beside, SEQSHARE_READ | SEQSHARE_ANY_OWNER) != 0) {
        free(beside);
        return false;
    }
    free(beside);
    known = seqshare_feed_1_get(share, feed) == 0;
    seqshare_close(share);
    return known;
}

bool fresh_find(const char *name, char words[FRESH_WORDS], int64_t *age)
{
    struct seqshare_feed_1 feed;
    size_t used = 0;
    unsigned state;

    if (!read_state(name, &feed))
        return false;
    state = (unsigned)seqshare_feed_state(&feed);
    snprintf(words, FRESH_WORDS, "live");
    for (unsigned bit = 1; bit <= SEQSHARE_FEED_UNCONFIRMED; bit <<= 1)
        if (state & bit && used < FRESH_WORDS)
            used += (size_t)snprintf(words + used, FRESH_WORDS - used, "%s%s", used ? " " : "",
                                     seqshare_feed_word(bit));
    *age = seqshare_feed_age(&feed);
    if (*age < 0)
        *age = -1;
    return true;
}
