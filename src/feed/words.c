/* SPDX-License-Identifier: MIT */
/* Numbers from words. */
#include "words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loop.h"

/* The number that `text` begins with, and what is behind it. */
static bool leading(const char *text, int base, uint64_t *number, const char **rest)
{
    char *end;
    unsigned long long read;

    if (text[0] < '0' || text[0] > '9') /* strtoull would take blanks and signs */
        return false;
    errno = 0;
    read = strtoull(text, &end, base);
    *number = read;
    *rest = end;
    return errno == 0;
}

bool words_number(const char *text, uint64_t *number)
{
    const char *rest;

    return leading(text, 10, number, &rest) && *rest == 0;
}

bool words_size(const char *text, size_t *size)
{
    static const struct {
        const char *unit;
        unsigned bits;
    } units[] = {{"", 0}, {"k", 10}, {"K", 10}, {"M", 20}, {"G", 30}};
    const char *rest;
    uint64_t number;

    if (!leading(text, 10, &number, &rest) || number == 0)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(rest, units[i].unit) == 0 && number <= SIZE_MAX >> units[i].bits) {
            *size = (size_t)number << units[i].bits;
            return true;
        }
    return false;
}

bool words_time(const char *text, int64_t *ns)
{
    static const struct {
        const char *unit;
        int64_t ns;
    } units[] = {
        {"ms", LOOP_MILLISECOND}, {"s", LOOP_SECOND}, {"m", 60 * LOOP_SECOND}, {"h", 3600 * LOOP_SECOND}};
    const int64_t year = 366 * 24 * 3600 * LOOP_SECOND;
    const char *rest;
    uint64_t number;

    if (!leading(text, 10, &number, &rest))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(rest, units[i].unit) == 0 && number <= (uint64_t)(year / units[i].ns)) {
            *ns = (int64_t)number * units[i].ns;
            return true;
        }
    return false;
}

bool words_percent(const char *text, unsigned *share)
{
    const char *rest;
    uint64_t number;

    if (!leading(text, 10, &number, &rest) || strcmp(rest, "%") != 0 || number > 100)
        return false;
    *share = (unsigned)number;
    return true;
}

bool words_mode(const char *text, mode_t *mode)
{
    const char *rest;
    uint64_t number;

    if (!leading(text, 8, &number, &rest) || *rest != 0 || number == 0 || number > 0777)
        return false;
    *mode = (mode_t)number;
    return true;
}
