/* SPDX-License-Identifier: MIT */
/* Makes room for a value that is read. */
#include "reading.h"

#include <errno.h>
#include <stdlib.h>

void reading_begin(struct reading_room *room, const struct seqshare_reading *reading)
{
    room->ours = !reading->bytes;
    room->bytes = reading->bytes;
    room->size = room->ours ? 0 : reading->size;
}

int reading_make_room(struct reading_room *room, size_t length)
{
    if (!room->ours)
        return length <= room->size ? 0 : -ENOBUFS;
    if (room->bytes && length <= room->size)
        return 0;
    free(room->bytes); /* and not realloc, which would copy bytes that nobody wants */
    room->size = length > 0 ? length : 1;
    room->bytes = malloc(room->size);
    return room->bytes ? 0 : -ENOMEM;
}

int reading_end(struct seqshare_reading *reading, struct reading_room *room,
                const struct seqshare_reading *found, int error)
{
    if (error && room->ours)
        free(room->bytes);
    if (error == -ENOBUFS)
        reading->length = found->length;
    if (error)
        return error;
    reading->bytes = room->bytes;
    reading->length = found->length;
    reading->version = found->version;
    reading->published = found->published;
    reading->writer = found->writer;
    reading->tag = found->tag;
    return 0;
}
