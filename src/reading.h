/* SPDX-License-Identifier: MIT */
/* The room that a value is read into (struct seqshare_reading), the caller's or allocated. */
#ifndef SEQSHARE_READING_H
#define SEQSHARE_READING_H

#include <stdbool.h>

#include <seqshare/seqshare.h>

struct reading_room {
    void *bytes;
    size_t size;
    bool ours; /* from malloc */
};

/* The room that the caller gives; else none yet. */
void reading_begin(struct reading_room *room, const struct seqshare_reading *reading);

/* Have room for that many bytes, whatever was there. 0, -ENOBUFS (the caller's is smaller), -ENOMEM. */
int reading_make_room(struct reading_room *room, size_t length);

/* Hand over what was found, or clear away. Returns `error`. */
int reading_end(struct seqshare_reading *reading, struct reading_room *room,
                const struct seqshare_reading *found, int error);

#endif
