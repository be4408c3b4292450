/* SPDX-License-Identifier: MIT */
/* The structs that programs make room for and a library writes: a name for each, and its size. */
#include <seqshare/json.h>

struct seqshare_stat seqshare_stat_room;
struct seqshare_cache_stat seqshare_cache_stat_room;
char why[SEQSHARE_JSON_WHY_SIZE];
