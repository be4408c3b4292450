/* SPDX-License-Identifier: MIT */
/* The memory of contenders that guard one copy of the value with a lock: inherited over fork. */
#ifndef BENCH_AREA_H
#define BENCH_AREA_H

#include <stddef.h>
#include <sys/types.h>

#include "../contender.h"

struct area {
    size_t mapped;                /* bytes, with this struct */
    _Alignas(128) char lock[256]; /* whatever the contender locks with, on cache lines of its own */
    _Alignas(128) size_t length;  /* 0: nothing written yet */
    _Alignas(128) unsigned char bytes[];
};

/* 0 or a negative errno value. */
int area_create(size_t capacity, void **area);
void area_destroy(void *area);

/* For attach: every process uses the area as it is. */
int area_attach(void *area, enum contender_access access, void **handle);
void area_detach(void *handle);

/* Both: only while holding whatever guards the area. */
ssize_t area_read(const struct area *area, void *buffer, size_t size);
int area_write(struct area *area, const void *value, size_t length);

#endif
