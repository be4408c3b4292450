/* SPDX-License-Identifier: MIT */
/* Rows of words: aligned under headings for people, separated by tabs and without headings for scripts. */
#ifndef SEQSHARE_CLI_TABLE_H
#define SEQSHARE_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "terminal.h"

struct table_cell {
    char *text;
    enum colour colour;
};

struct table {
    size_t columns;
    const char *const *headings;
    const bool *right; /* aligned there */
    struct table_cell *cells;
    size_t used, room;
};

void table_begin(struct table *table, size_t columns, const char *const *headings, const bool *right);

/* The next cell of the row, or the first of the next row. */
__attribute__((format(printf, 3, 4))) void table_add(struct table *table, enum colour colour,
                                                     const char *format, ...);

/*
 * For people: no wider than `width`, and no more than `lines` lines, of which the last then says how many rows
 * are left; 0: no limit.
 */
void table_print(const struct table *table, bool people, size_t width, size_t lines);

void table_end(struct table *table);

#endif
