/* SPDX-License-Identifier: MIT */
/* Reads the state that a feed publishes beside its share. */
#include "fresh.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "target.h"
#include "text.h"

static int owner_of(const seqshare *share, uid_t *owner)
{
    struct stat status;
    int fd = seqshare_fd(share, SEQSHARE_READ), error;

    if (fd < 0)
        return fd;
    error = fstat(fd, &status) == 0 ? 0 : -errno;
    *owner = status.st_uid;
    close(fd);
    return error;
}

/* A stranger can put a share of that name beside one in /dev/shm. So it must have the same owner, or a trusted one. */
static int open_state(seqshare **state, const char *name, const char *beside)
{
    int error = seqshare_open(state, beside, SEQSHARE_READ);
    seqshare *share = NULL;
    uid_t owner, other;

    if (error != -EPERM)
        return error;
    if (seqshare_open(state, beside, SEQSHARE_READ | SEQSHARE_ANY_OWNER) != 0)
        return error;
    if (seqshare_open(&share, name, SEQSHARE_READ | SEQSHARE_ANY_OWNER) == 0 &&
        owner_of(share, &owner) == 0 && owner_of(*state, &other) == 0 && owner == other)
        error = 0;
    seqshare_close(share);
    if (error)
        seqshare_close(*state);
    return error;
}

/* By pread: the file's owner may cut it at any moment. */
static int read_state(const seqshare *state, struct seqshare_feed_1 *feed)
{
    static const char type[] = "seqshare_feed_1";
    seqshare_reading reading = {.bytes = feed, .size = sizeof *feed};
    int error = seqshare_pread(state, &reading);

    if (!error &&
        (reading.length != sizeof *feed || reading.tag != seqshare_tag(type, sizeof type - 1, sizeof *feed)))
        error = -EBADMSG;
    return error;
}

int fresh_read(const char *name, struct seqshare_feed_1 *feed)
{
    char *beside = text_format("%s.feed", name);
    seqshare *state;
    int error = target_is_descriptor(name) ? -ENOENT : open_state(&state, name, beside);

    free(beside);
    if (error)
        return error;
    error = read_state(state, feed);
    seqshare_close(state);
    return error;
}

void fresh_words(const struct seqshare_feed_1 *feed, char words[FRESH_WORDS])
{
    unsigned state = (unsigned)seqshare_feed_state(feed);
    size_t used = 0;

    snprintf(words, FRESH_WORDS, "live");
    for (unsigned bit = 1; bit <= SEQSHARE_FEED_UNCONFIRMED; bit <<= 1)
        if (state & bit && used < FRESH_WORDS)
            used += (size_t)snprintf(words + used, FRESH_WORDS - used, "%s%s", used ? " " : "",
                                     seqshare_feed_word(bit));
}

bool fresh_find(const char *name, char words[FRESH_WORDS], int64_t *age)
{
    struct seqshare_feed_1 feed;

    if (fresh_read(name, &feed) != 0)
        return false;
    fresh_words(&feed, words);
    *age = seqshare_feed_age(&feed);
    if (*age < 0)
        *age = -1;
    return true;
}
