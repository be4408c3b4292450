/* SPDX-License-Identifier: MIT */
#ifndef BENCH_JSON_H
#define BENCH_JSON_H

#include <stddef.h>

/* 0 if the text is one JSON value and nothing else; the line (from 1) where it stops being one, otherwise. */
size_t json_wrong_line(const char *text, size_t length);

#endif
