/* SPDX-License-Identifier: MIT */
/* gRPC's frames, from bytes that may come from an enemy: the length is counted before anything is allocated. */
#include "grpc_frames.h"

#include <errno.h>
#include <string.h>

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Make room for the message that the header announces. */
static int begin(struct grpc_frames *frames)
{
    const uint8_t *h = frames->header;

    if (h[0] != 0) /* 1: compressed, which we did not offer to read */
        return -EPROTO;
    frames->length = (size_t)h[1] << 24 | (size_t)h[2] << 16 | (size_t)h[3] << 8 | h[4];
    frames->have = 0;
    if (frames->length >= frames->gather->limit) /* before the addition below, which might overflow */
        return -EMSGSIZE;
    frames->message = gather_alloc(frames->gather, frames->length + 1); /* + 1: an empty one is a block too */
    if (!frames->message)
        return frames->gather->over ? -EMSGSIZE : -ENOMEM;
    return 0;
}

/* Take what belongs to the header. */
static size_t take_header(struct grpc_frames *frames, const uint8_t *piece, size_t size)
{
    size_t part = smaller(size, GRPC_FRAMES_HEADER - frames->header_have);

    memcpy(frames->header + frames->header_have, piece, part);
    frames->header_have += part;
    return part;
}

static size_t take_message(struct grpc_frames *frames, const uint8_t *piece, size_t size)
{
    size_t part = smaller(size, frames->length - frames->have);

    memcpy(frames->message + frames->have, piece, part);
    frames->have += part;
    return part;
}

int grpc_frames_take(struct grpc_frames *frames, const uint8_t *piece, size_t size,
                     int (*whole)(void *context, const uint8_t *message, size_t length), void *context)
{
    while (size > 0) {
        size_t part;
        int rc = 0;

        if (!frames->message) {
            part = take_header(frames, piece, size);
            if (frames->header_have == GRPC_FRAMES_HEADER)
                rc = begin(frames);
        } else {
            part = take_message(frames, piece, size);
        }
        if (rc == 0 && frames->message && frames->have == frames->length) {
            rc = whole(context, frames->message, frames->length);
            grpc_frames_clear(frames);
        }
        if (rc != 0)
            return rc;
        piece += part;
        size -= part;
    }
    return 0;
}

int grpc_frames_amid(const struct grpc_frames *frames)
{
    return frames->header_have != 0;
}

void grpc_frames_clear(struct grpc_frames *frames)
{
    gather_free(frames->gather, frames->message);
    frames->message = NULL;
    frames->header_have = frames->length = frames->have = 0;
}

void grpc_frames_header(uint8_t header[GRPC_FRAMES_HEADER], uint32_t length)
{
    header[0] = 0;
    header[1] = (uint8_t)(length >> 24);
    header[2] = (uint8_t)(length >> 16);
    header[3] = (uint8_t)(length >> 8);
    header[4] = (uint8_t)length;
}
