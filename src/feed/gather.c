/* SPDX-License-Identifier: MIT */
/* The counted memory of gather.h: each block has its size in front of it. */
#include "gather.h"

#include <stdalign.h>
#include <stdlib.h>

/* What malloc itself needs for a block is counted too, or many small blocks would cost more than the limit. */
enum { FRONT = alignof(max_align_t), OVERHEAD = 2 * sizeof(size_t) };

void *gather_alloc(struct gather *gather, size_t size)
{
    size_t room = gather->limit - gather->used;
    char *memory;

    gather->over = room < FRONT + OVERHEAD || size > room - FRONT - OVERHEAD;
    if (gather->over)
        return NULL;
    memory = malloc(size + FRONT);
    if (!memory)
        return NULL;
    *(size_t *)(void *)memory = size + FRONT + OVERHEAD;
    gather->used += size + FRONT + OVERHEAD;
    return memory + FRONT;
}

void gather_free(struct gather *gather, void *memory)
{
    char *block = memory;

    if (!block)
        return;
    block -= FRONT;
    gather->used -= *(size_t *)(void *)block;
    free(block);
}

static void *allocate(void *gather, size_t size)
{
    return gather_alloc(gather, size);
}

static void release(void *gather, void *memory)
{
    gather_free(gather, memory);
}

ProtobufCAllocator gather_allocator(struct gather *gather)
{
    return (ProtobufCAllocator){.alloc = allocate, .free = release, .allocator_data = gather};
}
