/* SPDX-License-Identifier: MIT */
/* What the feed says of the value that it keeps in this share. */
#include <errno.h>

#include "check.h"
#include "cli.h"
#include "fresh.h"

/* What an operator can do about each word of the state. */
static const struct {
    unsigned bit;
    const char *advice;
} advices[] = {
    {SEQSHARE_FEED_NONE, "nothing was ever published: seqshare feed status CONF says why"},
    {SEQSHARE_FEED_STALE,
     "nobody looks at the source, or it is away: is the agent running? seqshare feed status CONF says more"},
    {SEQSHARE_FEED_REFUSED, "the newest document did not pass the checks: correct it at the source"},
    {SEQSHARE_FEED_HELD, "look at the newest document; if it is right: seqshare feed accept CONF"},
    {SEQSHARE_FEED_PINNED, "an operator has pinned the value; to go on: seqshare feed unpin CONF"},
    {SEQSHARE_FEED_DRIFTED, "somebody else has set the share; the next change at the source goes over it"},
    {SEQSHARE_FEED_UNKEPT,
     "the value is not on disk for the next boot: look at the state folder and its disk"},
};

static void report_state(struct check *check, const struct seqshare_feed_1 *feed)
{
    unsigned state = (unsigned)seqshare_feed_state(feed);
    int64_t age = seqshare_feed_age(feed);
    char words[FRESH_WORDS];

    fresh_words(feed, words);
    if (age < 0)
        report_add(&check->report, state ? NOTE : FINE, "feed",
                   "%s; nobody has known since boot whether the source has this value", words);
    else
        report_add(&check->report, state ? NOTE : FINE, "feed", "%s; the source had this value %lld s ago",
                   words, (long long)(age / 1000000000));
    for (size_t i = 0; i < sizeof advices / sizeof advices[0]; i++)
        if (state & advices[i].bit)
            report_advise("%s", advices[i].advice);
}

void check_feed(struct check *check)
{
    struct seqshare_feed_1 feed;
    int error = fresh_read(check->name, &feed);

    if (error == -ENOENT)
        return;
    if (!error) {
        report_state(check, &feed);
    } else if (error == -EPERM) {
        report_add(&check->report, NOTE, "feed",
                   "another user's share has the name of its state: not believed");
        report_advise("remove NAME.feed, or ask that user");
    } else {
        report_add(&check->report, NOTE, "feed", "its state cannot be read: %s", cli_error_in_words(error));
    }
}
