/* SPDX-License-Identifier: MIT */
/*
 * The region, byte by byte. docs/format.md is this file in prose. Both change together, and with
 * LAYOUT_VERSION. The same on every libc, 32 and 64 bit; integers in the creator's byte order, which
 * `byte_order` tells.
 */
#ifndef SEQSHARE_LAYOUT_H
#define SEQSHARE_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include <seqshare/protocol.h>

enum {
    LAYOUT_VERSION = 1,
    LAYOUT_READABLE_BY = 1, /* the oldest layout version whose readers may read our regions */
    LAYOUT_HEADER_SIZE = 4096,
    LAYOUT_HEADER_MAX = 1 << 20, /* room for a later layout; more is corrupt */
    LAYOUT_LINE = 128,           /* two cache lines: processors prefetch the neighbour */
    LAYOUT_PAGE = 4096
};

#define LAYOUT_MAGIC      "seqshare"
#define LAYOUT_BYTE_ORDER UINT32_C(0x01020304)

/* Never changes after creation. Attach reads it once, into private memory, and believes it only if it is valid. */
struct header {
    char magic[8];
    uint32_t layout;
    uint32_t readable_by;
    uint32_t byte_order;
    uint32_t header_size; /* slot 0 starts here */
    seqshare_word capacity;
    seqshare_word stride; /* slot k starts k * stride after slot 0 */
    uint32_t slots;
    uint32_t reserved;
    seqshare_word created; /* nanoseconds since 1970 */
    uint64_t reserved2;
    uint8_t region_id[16];
    uint8_t boot_id[16];
    seqshare_word pid_namespace;  /* inode number; 0: not known */
    seqshare_word time_namespace; /* the same */
};

/* The writer lock; src/lock.c. */
struct lock_line {
    seqshare_word owner; /* low half: TID | writing and waiters bits, a futex word; high half: start time */
    seqshare_word state; /* the owner's TID and start time again, with bits of its own: see lock.c */
    seqshare_word image; /* the program image of the last owner: see identity.h */
    seqshare_word abandoned; /* how many writes were abandoned: by it, a fill notices that it was */
};

/* In the low half of `owner`: */
#define OWNER_TID_MASK UINT64_C(0x3fffffff)
#define OWNER_WRITING  UINT64_C(0x40000000) /* it took the lock for one write */
#define OWNER_WAITERS  UINT64_C(0x80000000) /* the kernel's FUTEX_WAITERS bit, in its place */

/* In the low half of `state`, beside the TID: */
#define STATE_BUSY (UINT64_C(1) << 30) /* a write is under way */
#define STATE_HELD (UINT64_C(1) << 31) /* lock has been called, and unlock not yet */

/* Written with the slot, accepted with it: for stat. By the date, wake.c decides whom to wake and how long to sleep. */
struct slot_note {
    seqshare_word published; /* nanoseconds since 1970 */
    uint32_t writer;         /* PID */
    uint32_t reserved;
};

struct layout {
    _Alignas(LAYOUT_LINE) struct header header;
    _Alignas(LAYOUT_LINE) struct seqshare_head head;
    _Alignas(LAYOUT_LINE) struct lock_line lock;
    _Alignas(LAYOUT_LINE) uint32_t wake; /* src/wake.c */
    _Alignas(LAYOUT_LINE) struct slot_note note[SEQSHARE_SLOTS_MAX];
};

_Static_assert(sizeof(struct seqshare_slot) == 16 && offsetof(struct seqshare_slot, tag) == 8, "format");
_Static_assert(offsetof(struct seqshare_head, sequence) == 0, "format");
_Static_assert(offsetof(struct seqshare_head, retired) == 8, "format");
_Static_assert(offsetof(struct seqshare_head, slot) == 16, "format");
_Static_assert(offsetof(struct header, layout) == 8, "format");
_Static_assert(offsetof(struct header, readable_by) == 12, "format");
_Static_assert(offsetof(struct header, byte_order) == 16, "format");
_Static_assert(offsetof(struct header, header_size) == 20, "format");
_Static_assert(offsetof(struct header, capacity) == 24, "format");
_Static_assert(offsetof(struct header, stride) == 32, "format");
_Static_assert(offsetof(struct header, slots) == 40, "format");
_Static_assert(offsetof(struct header, created) == 48, "format");
_Static_assert(offsetof(struct header, region_id) == 64, "format");
_Static_assert(offsetof(struct header, boot_id) == 80, "format");
_Static_assert(offsetof(struct header, pid_namespace) == 96, "format");
_Static_assert(offsetof(struct header, time_namespace) == 104, "format");
_Static_assert(sizeof(struct header) == 112, "format");
_Static_assert(offsetof(struct layout, header) == 0, "format");
_Static_assert(offsetof(struct layout, head) == 128, "format");
_Static_assert(offsetof(struct layout, lock) == 384, "format");
_Static_assert(offsetof(struct layout, lock.state) == 392, "format");
_Static_assert(offsetof(struct layout, lock.image) == 400, "format");
_Static_assert(offsetof(struct layout, lock.abandoned) == 408, "format");
_Static_assert(offsetof(struct layout, wake) == 512, "format");
_Static_assert(offsetof(struct layout, note) == 640, "format");
_Static_assert(offsetof(struct slot_note, writer) == 8 && sizeof(struct slot_note) == 16, "format");
_Static_assert(sizeof(struct layout) == 768 && sizeof(struct layout) <= LAYOUT_HEADER_SIZE, "format");

#endif
