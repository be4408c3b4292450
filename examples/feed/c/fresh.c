/* SPDX-License-Identifier: MIT */
/* Shows the value of a share that a feed keeps, and how fresh it is: fresh NAME */
#include <seqshare/feed.h>
#include <stdio.h>
#include <stdlib.h>

/* The feed's own share, beside the one with the value. It may be another user's, as the value may. */
static int open_both(const char *name, seqshare **share, seqshare **state)
{
    char beside[4096];
    int error = seqshare_open(share, name, SEQSHARE_READ | SEQSHARE_ANY_OWNER);

    if (error)
        return error;
    snprintf(beside, sizeof beside, "%s.feed", name);
    return seqshare_open(state, beside, SEQSHARE_READ | SEQSHARE_ANY_OWNER);
}

static void show_freshness(const seqshare *state)
{
    struct seqshare_feed_1 feed;
    int error = seqshare_feed_1_get(state, &feed);

    if (error)
        printf("its feed says nothing: %s\n", seqshare_strerror(error));
    else if (seqshare_feed_state(&feed) & SEQSHARE_FEED_STALE)
        printf("stale: for %lld s nobody has known whether the source still has it\n",
               (long long)(seqshare_feed_age(&feed) / 1000000000));
    else
        printf("fresh\n");
}

int main(int argc, char **argv)
{
    seqshare *share, *state;
    void *value;
    ssize_t length = argc == 2 ? open_both(argv[1], &share, &state) : -EINVAL;

    if (length == 0)
        length = seqshare_get_alloc(share, &value, NULL);
    if (length < 0) {
        fprintf(stderr, "usage: fresh NAME: %s\n", seqshare_strerror((int)length));
        return 1;
    }
    printf("%.*s\n", (int)length, (char *)value);
    show_freshness(state);
    free(value);
    return 0;
}
