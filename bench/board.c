/* SPDX-License-Identifier: MIT */
/* The table of results so far, drawn again and again on a terminal. */
#include "board.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "numbers.h"

static void wipe(struct board *board)
{
    if (board->drawn > 0)
        printf("\033[%uA\033[J", board->drawn);
    board->drawn = 0;
}

static void draw_line(struct board *board, unsigned i, const struct round *so_far)
{
    const struct round all = round_summary(board->rounds[i], board->done[i]);
    const char *name = board->options->chosen[i]->name;

    if (board->now == i && so_far)
        printf("> %-17s %10s  round %u of %d  torn %.0f\n", name, count_text(so_far->reads),
               board->done[i] + 1, ROUNDS, all.torn + so_far->torn);
    else if (board->done[i] > 0)
        printf("  %-17s %10s  p50 %s, p99 %s, max %s, torn %.0f\n", name, count_text(all.reads),
               read_text(all.p50), read_text(all.p99), read_text(all.max), all.torn);
    else
        printf("  %-17s\n", name);
    board->drawn++;
}

static void draw(struct board *board, const struct round *so_far)
{
    if (!board->terminal)
        return;
    wipe(board);
    printf("  %-17s %10s\n", "", "reads/s");
    board->drawn = 1;
    for (unsigned i = 0; i < board->options->count; i++)
        draw_line(board, i, so_far);
    fflush(stdout);
}

void board_begin(struct board *board, const struct options *options)
{
    *board =
        (struct board){.options = options, .now = options->count, .terminal = isatty(STDOUT_FILENO) == 1};
    draw(board, NULL);
}

void board_progress(void *board, const struct round *so_far)
{
    draw(board, so_far);
}

void board_round_done(struct board *board)
{
    const struct round *last = &board->rounds[board->now][board->done[board->now]++];

    board->changes += last->changes;
    if (!board->terminal) {
        printf("round %u of %d  %-17s %10s reads/s  p50 %s, p99 %s, max %s, torn %.0f\n",
               board->done[board->now], ROUNDS, board->options->chosen[board->now]->name,
               count_text(last->reads), ns_text(last->p50), ns_text(last->p99), ns_text(last->max),
               last->torn);
        fflush(stdout);
    }
    draw(board, NULL);
}

/* The final tables take its place. */
void board_end(struct board *board)
{
    wipe(board);
}

void board_say(struct board *board, const char *format, ...)
{
    va_list arguments;

    wipe(board);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}
