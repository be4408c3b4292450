/* SPDX-License-Identifier: MIT */
/* What is shown while the rounds run: a table that is redrawn on a terminal, a line per round elsewhere. */
#ifndef BENCH_BOARD_H
#define BENCH_BOARD_H

#include "options.h"
#include "round.h"

struct board {
    const struct options *options;
    struct round rounds[CONTENDERS_MAX][ROUNDS];
    unsigned done[CONTENDERS_MAX]; /* rounds of each contender */
    unsigned now;                  /* whose turn it is; options->count: nobody's */
    double changes;                /* of the file */
    bool terminal;
    unsigned drawn; /* lines */
};

void board_begin(struct board *board, const struct options *options);

/* A round_progress; the context is the board. */
void board_progress(void *board, const struct round *so_far);

void board_round_done(struct board *board);
void board_end(struct board *board);

/* A sentence above the table. */
__attribute__((format(printf, 2, 3))) void board_say(struct board *board, const char *format, ...);

#endif
