/* SPDX-License-Identifier: MIT */
/*
 * Memory for what a source sends, counted before it is allocated: a peer that sends without end, or claims to, is
 * refused at a limit that the configuration sets.
 */
#ifndef SEQSHARE_FEED_GATHER_H
#define SEQSHARE_FEED_GATHER_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

struct gather {
    size_t limit, used;
    bool over; /* the last allocation was refused because of the limit */
};

/* NULL: it would go beyond the limit, or there is no memory. */
void *gather_alloc(struct gather *gather, size_t size);

/* NULL is fine. */
void gather_free(struct gather *gather, void *memory);

/* For the unpack and free functions of protobuf-c. Valid as long as *gather. */
ProtobufCAllocator gather_allocator(struct gather *gather);

#endif
