/* SPDX-License-Identifier: MIT */
/* How old a value is that `seqshare feed` keeps up to date: the share NAME.feed says it, and is read once a second. */
#include "ngx_http_seqshare.h"

static seqshare *open_feed(const struct web_share *share)
{
    char path[NGX_MAX_PATH];
    seqshare *feed;
    const u_char *end = ngx_snprintf((u_char *)path, sizeof path, "%s.feed%Z", share->path);

    if (end == (u_char *)path + sizeof path)
        return NULL; /* too long for a file */
    /* NULL also for a stranger's, whose word counts for nothing. */
    return seqshare_open(&feed, path, SEQSHARE_READ) == 0 ? feed : NULL;
}

/* By pread, as the share itself; opened each time, for a feed that starts may make its state again. */
void feed_look(struct web_share *share)
{
    static const char name[] = "seqshare_feed_1";
    seqshare_reading reading = {.bytes = &share->feed, .size = sizeof share->feed};
    seqshare *feed = open_feed(share);
    const int error = feed ? seqshare_pread(feed, &reading) : -ENOENT;

    seqshare_close(feed);
    share->has_feed = error == 0 && reading.length == sizeof share->feed &&
                      reading.tag == seqshare_tag(name, sizeof name - 1, sizeof share->feed);
}
