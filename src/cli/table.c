/* SPDX-License-Identifier: MIT */
/* Prints rows of words, aligned for people or with tabs for scripts. */
#include "table.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "terminal.h"
#include "text.h"

enum { COLUMNS_MAX = 16, GAP = 2 };

void table_begin(struct table *table, size_t columns, const char *const *headings, const bool *right)
{
    *table = (struct table){.columns = columns, .headings = headings, .right = right};
}

void table_add(struct table *table, enum colour colour, const char *format, ...)
{
    struct table_cell *cell;
    va_list rest;

    if (table->used == table->room) {
        table->room = table->room ? 2 * table->room : 64;
        table->cells = realloc(table->cells, table->room * sizeof *table->cells);
        if (!table->cells)
            abort();
    }
    cell = &table->cells[table->used++];
    cell->colour = colour;
    va_start(rest, format);
    cell->text = text_harmless(format, rest);
    va_end(rest);
}

static void find_widths(const struct table *table, size_t widths[COLUMNS_MAX])
{
    for (size_t column = 0; column < table->columns; column++)
        widths[column] = text_width(table->headings[column]);
    for (size_t i = 0; i < table->used; i++) {
        size_t width = text_width(table->cells[i].text);

        if (width > widths[i % table->columns])
            widths[i % table->columns] = width;
    }
}

/* The bytes of `text` that take no more than `width` columns. */
static int cut(const char *text, size_t width)
{
    size_t length = 0;

    for (; text[length]; length++)
        if (((unsigned char)text[length] & 0xc0) != 0x80 && width-- == 0)
            break;
    return (int)length;
}

static void print_row(const struct table *table, const struct table_cell *row,
                      const size_t widths[COLUMNS_MAX], size_t width)
{
    size_t left = width ? width : SIZE_MAX;

    for (size_t column = 0; column < table->columns && left > 0; column++) {
        const struct table_cell *cell = &row[column];
        size_t own = text_width(cell->text);
        size_t pad = widths[column] - own;
        bool last = column + 1 == table->columns;
        size_t shown = own < left ? own : left;

        if (table->right[column] && pad < left) {
            printf("%*s", (int)pad, "");
            shown = own < left - pad ? own : left - pad;
        }
        printf("%s%.*s%s", terminal_colour_on(cell->colour), cut(cell->text, shown), cell->text,
               terminal_colour_off(cell->colour));
        if (!last && widths[column] + GAP < left)
            printf("%*s", (int)((table->right[column] ? 0 : pad) + GAP), "");
        left = widths[column] + GAP < left ? left - widths[column] - GAP : 0;
    }
    putchar('\n');
}

static void print_for_people(const struct table *table, size_t width, size_t lines)
{
    size_t widths[COLUMNS_MAX], rows = table->used / table->columns, shown = rows;
    struct table_cell headings[COLUMNS_MAX];

    if (lines > 0 && rows + 1 > lines)
        shown = lines > 2 ? lines - 2 : 0;
    find_widths(table, widths);
    for (size_t column = 0; column < table->columns; column++)
        headings[column] = (struct table_cell){(char *)(uintptr_t)table->headings[column], BOLD};
    print_row(table, headings, widths, width);
    for (size_t row = 0; row < shown; row++)
        print_row(table, &table->cells[row * table->columns], widths, width);
    if (shown < rows)
        printf("%s(and %zu more)%s\n", terminal_colour_on(FAINT), rows - shown, terminal_colour_off(FAINT));
}

void table_print(const struct table *table, bool people, size_t width, size_t lines)
{
    if (people) {
        print_for_people(table, width, lines);
        return;
    }
    for (size_t i = 0; i < table->used; i++)
        printf("%s%c", table->cells[i].text, (i + 1) % table->columns ? '\t' : '\n');
}

void table_end(struct table *table)
{
    for (size_t i = 0; i < table->used; i++)
        free(table->cells[i].text);
    free(table->cells);
    *table = (struct table){0};
}
