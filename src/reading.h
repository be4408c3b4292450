/* SPDX-License-Identifier: MIT */
/* The room for a value that is read (struct seqshare_reading): the caller's, or allocated. */
#ifndef SEQSHARE_READING_H
#define SEQSHARE_READING_H

#include <stdbool.h>

#include <seqshare/seqshare.h>

struct reading_room {
    void *bytes;
    size_t size;
    bool ours; /* from malloc */
};

/* The room that the caller gives; otherwise none yet. */
void reading_begin(struct reading_room *room, const struct seqshare_reading *reading);

/* Make room for that many bytes; the old contents may go. 0, -ENOBUFS (the caller's is smaller), -ENOMEM. */
int reading_make_room(struct reading_room *room, size_t length);

/* Hand the value over, or free its room. Returns `error`. */
int reading_end(struct seqshare_reading *reading, struct reading_room *room,
                const struct seqshare_reading *found, int error);

#endif
