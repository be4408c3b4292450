/* SPDX-License-Identifier: MIT */
/* The final tables. */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#include "board.h"
#include "crash.h"
#include "document.h"

void table_head(const struct options *options, const struct document *document);
void table_rounds(const struct board *board);
void table_crash_head(unsigned workers);
void table_crash(const struct contender *contender, const struct crash *crash);
void table_crash_legend(void);

#endif
