/* SPDX-License-Identifier: MIT */
/* The common parts of the tests of the world, beside the unit tests' support.h. */
#ifndef SEQSHARE_TEST_WORLD_H
#define SEQSHARE_TEST_WORLD_H

#include "support.h"

/* A share of `capacity` under `name` with this text as its value. */
seqshare *share_with(const char *name, size_t capacity, const char *text);
/* It is this text, however it is read; and what does not read does not crash. */
void reads_everything(const seqshare *share, const char *text);
/* Everything that writes answers this error, and nothing changes. */
void writes_nothing(seqshare *share, int error);
/* Everything that writes works; then the value is `text`. */
void writes_everything(seqshare *share, const char *text);

/* Set so many bytes that tell how many they are; the value is these, and of that version. */
enum { BYTES_MOST = 4 << 20 };
void sets_bytes(seqshare *share, size_t length);
void has_bytes(const seqshare *share, size_t length, uint64_t version);

/*
 * Execute this program again, to do `job` with `argument`; see world.c for the jobs. Does not return.
 */
_Noreturn void execute(const char *job, const char *argument);

#endif
