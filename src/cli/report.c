/* SPDX-License-Identifier: MIT */
/* Prints the findings of `check`. */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>

#include "terminal.h"
#include "text.h"

void report_add(struct report *report, enum level level, const char *subject, const char *format, ...)
{
    static const char *const words[] = {[FINE] = "ok", [NOTE] = "note", [WRONG] = "WRONG"};
    static const enum colour colours[] = {[FINE] = GOOD, [NOTE] = NOTABLE, [WRONG] = BAD};
    va_list rest;

    printf("%s%-5s%s %-14s ", terminal_colour_on(colours[level]), words[level],
           terminal_colour_off(colours[level]), subject);
    va_start(rest, format);
    text_print_harmless(stdout, format, rest);
    va_end(rest);
    putchar('\n');
    report->wrong += level == WRONG;
    report->notes += level == NOTE;
}

void report_advise(const char *format, ...)
{
    va_list rest;

    printf("%-20s -> ", "");
    va_start(rest, format);
    text_print_harmless(stdout, format, rest);
    va_end(rest);
    putchar('\n');
}

void report_conclude(const struct report *report)
{
    if (report->wrong > 0)
        printf("%d thing%s wrong.\n", report->wrong, report->wrong == 1 ? " is" : "s are");
    else if (report->notes > 0)
        printf("Nothing is damaged; %d note%s above.\n", report->notes, report->notes == 1 ? "" : "s");
    else
        printf("Nothing is wrong.\n");
}
