/* SPDX-License-Identifier: MIT */
/*
 * Between the library and the fuzzer: the bytes that the fuzzer chose, the mappings of the library with a
 * fence around each, and the enemy who writes into the region behind the library's back.
 */
#ifndef FUZZ_ENEMY_H
#define FUZZ_ENEMY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* ---- the fuzzer's bytes; zeros after the last ---- */

struct input {
    const uint8_t *at, *end;
};

uint64_t take(struct input *input, unsigned bytes);

/* ---- mappings ---- */

/* Does this lie in one mapping that the library has now? */
bool mapped(const void *at, size_t size);
/* How many mappings it has now. */
unsigned mappings(void);

/* ---- the enemy ---- */

struct patch {
    off_t at;
    size_t size;
    uint8_t bytes[16];
};

/* A field of the layout and what to write there. `fd`: what stands there now counts. */
struct patch patch_choose(struct input *input, int fd);
void patch_apply(const struct patch *patch, int fd);

/* Write `count` patches again and again from another thread, until told to stop. */
void scribble_start(const struct patch *patches, unsigned count, int fd);
void scribble_stop(void);

#endif
