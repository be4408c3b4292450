/* SPDX-License-Identifier: MIT */
/* An application that asks how fresh its configuration is, by seqshare/feed.h alone. */
#include <stdio.h>

#include <seqshare/feed.h>

int main(int argc, char **argv)
{
    struct seqshare_feed_1 feed;
    seqshare *share;

    if (argc != 2 || seqshare_open(&share, argv[1], SEQSHARE_READ | SEQSHARE_ANY_OWNER) != 0 ||
        seqshare_feed_1_get(share, &feed) != 0) {
        puts("no state");
        return 0;
    }
    printf("state %d age %lld\n", seqshare_feed_state(&feed), (long long)seqshare_feed_age(&feed));
    seqshare_close(share);
    return 0;
}
