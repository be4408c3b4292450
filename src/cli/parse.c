/* SPDX-License-Identifier: MIT */
/* Reads numbers, sizes and times from the command line. */
#include "parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool parse_digits(const char *text, int base, uint64_t *number, const char **end)
{
    char *stop;

    if (!isxdigit((unsigned char)text[0]) ||
        strpbrk(text, "xX")) /* strtoull takes blanks, signs and 0x as well */
        return false;
    errno = 0;
    *number = strtoull(text, &stop, base);
    *end = stop;
    return errno == 0 && stop != text;
}

bool parse_number(const char *text, uint64_t *number)
{
    const char *end;

    return parse_digits(text, 10, number, &end) && *end == 0;
}

bool parse_size(const char *text, size_t *size)
{
    static const char units[] = "KMGT";
    const char *end, *unit;
    uint64_t number;

    if (!parse_digits(text, 10, &number, &end))
        return false;
    if (*end) {
        unit = strchr(units, toupper((unsigned char)*end));
        if (!unit || end[1] || number > UINT64_MAX >> 10 * (unit - units + 1))
            return false;
        number <<= 10 * (unit - units + 1);
    }
    *size = (size_t)number;
    return number > 0 && *size == number;
}

bool parse_seconds(const char *text, int64_t *ns)
{
    char *end;
    double seconds;

    if (!text[0] || text[strspn(text, "0123456789.")]) /* strtod takes more: 0x10, nan, 1e9 */
        return false;
    seconds = strtod(text, &end);
    if (end == text || *end || seconds > 1e9)
        return false;
    *ns = (int64_t)(seconds * 1e9);
    return true;
}

bool parse_mode(const char *text, mode_t *mode)
{
    uint64_t number;
    const char *end;

    if (!parse_digits(text, 8, &number, &end) || *end || number > 0777)
        return false;
    *mode = (mode_t)number;
    return true;
}

bool parse_tag(const char *text, uint32_t *tag)
{
    uint64_t number;
    const char *end;

    if (!parse_digits(text, 16, &number, &end) || *end || number > UINT32_MAX)
        return false;
    *tag = (uint32_t)number;
    return true;
}
