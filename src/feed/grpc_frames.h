/* SPDX-License-Identifier: MIT */
/*
 * The frames of gRPC: a byte of flags, four bytes of length, a message. Bytes come in pieces of any size; whole
 * messages go out.
 */
#ifndef SEQSHARE_FEED_GRPC_FRAMES_H
#define SEQSHARE_FEED_GRPC_FRAMES_H

#include <stddef.h>
#include <stdint.h>

#include "gather.h"

enum { GRPC_FRAMES_HEADER = 5 };

struct grpc_frames {
    struct gather *gather; /* set by the owner; all else is zero at first */
    uint8_t header[GRPC_FRAMES_HEADER];
    size_t header_have;
    uint8_t *message; /* the one that is being collected */
    size_t length, have;
};

/*
 * Take a piece; `whole` is called for each message that it completes, and may stop by an error of its own.
 * Errors: -EPROTO a compressed message, or flags that nobody knows; -EMSGSIZE longer than may be gathered;
 * -ENOMEM. After an error only grpc_frames_clear is allowed.
 */
int grpc_frames_take(struct grpc_frames *frames, const uint8_t *piece, size_t size,
                     int (*whole)(void *context, const uint8_t *message, size_t length), void *context);

/* Nonzero while a message is incomplete: a stream that ends here was cut. */
int grpc_frames_amid(const struct grpc_frames *frames);

void grpc_frames_clear(struct grpc_frames *frames);

/* The five bytes in front of a message. */
void grpc_frames_header(uint8_t header[GRPC_FRAMES_HEADER], uint32_t length);

#endif
