/* SPDX-License-Identifier: MIT */
#include "words.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NS_PER_SECOND = 1000000000 };

/* ---- from words ---------------------------------------------------------------------------------------- */

static bool parse_digits(const char *text, int base, uint64_t *number, const char **end)
{
    char *stop;

    if (!isxdigit((unsigned char)text[0]) ||
        strpbrk(text, "xX")) /* strtoull takes blanks, signs and 0x, too */
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
    *ns = (int64_t)(seconds * (double)NS_PER_SECOND);
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

/* ---- into words ---------------------------------------------------------------------------------------- */

int64_t now_since_1970(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

int64_t now_steady(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

const char *size_in_words(char word[WORD_SIZE], uint64_t bytes)
{
    static const char units[] = " KMGTPE";
    double size = (double)bytes;
    int unit = 0;

    for (; size >= 1024 && units[unit + 1]; unit++)
        size /= 1024;
    if (unit == 0)
        snprintf(word, WORD_SIZE, "%llu", (unsigned long long)bytes);
    else
        snprintf(word, WORD_SIZE, "%.*f%c", size < 10 && size != (double)(uint64_t)size ? 1 : 0, size,
                 units[unit]);
    return word;
}

const char *age_in_words(char word[WORD_SIZE], int64_t since)
{
    int64_t seconds = (now_since_1970() - since) / NS_PER_SECOND;

    if (seconds < 0) /* the clock was set back */
        seconds = 0;
    if (seconds < 60)
        snprintf(word, WORD_SIZE, "%ds", (int)seconds);
    else if (seconds < 60 * 60)
        snprintf(word, WORD_SIZE, "%dm", (int)(seconds / 60));
    else if (seconds < 48 * 60 * 60)
        snprintf(word, WORD_SIZE, "%dh", (int)(seconds / 3600));
    else
        snprintf(word, WORD_SIZE, "%lldd", (long long)(seconds / 86400));
    return word;
}

const char *time_in_words(char word[WORD_SIZE], int64_t when)
{
    time_t seconds = (time_t)(when / NS_PER_SECOND);
    struct tm local;

    if (!localtime_r(&seconds, &local) || strftime(word, WORD_SIZE, "%Y-%m-%d %H:%M:%S", &local) == 0)
        snprintf(word, WORD_SIZE, "%lld", (long long)seconds);
    return word;
}

/* ---- characters ---------------------------------------------------------------------------------------- */

/* The length of the UTF-8 character that `text` begins with, or 0: none. */
static size_t character(const unsigned char *text, size_t left)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = text[0] < 0x80       ? 1
                    : text[0] >> 5 == 6  ? 2
                    : text[0] >> 4 == 14 ? 3
                    : text[0] >> 3 == 30 ? 4
                                         : 0;
    uint32_t code;

    if (length == 0 || length > left)
        return 0;
    code = length == 1 ? text[0] : text[0] & (0x7fU >> length);
    for (size_t i = 1; i < length; i++) {
        if (text[i] >> 6 != 2)
            return 0;
        code = code << 6 | (text[i] & 0x3f);
    }
    return code >= least[length] && code <= 0x10ffff && code >> 11 != 0x1b ? length : 0;
}

/* Control characters: C0, DEL, and C1, which some terminals obey. */
static bool is_control(const unsigned char *text)
{
    return text[0] < 0x20 || text[0] == 0x7f || (text[0] == 0xc2 && text[1] < 0xa0);
}

/* They make what follows, up to the end of the line, look like something else: U+202A to E, U+2066 to 9. */
static bool turns_direction(const unsigned char *text)
{
    return text[0] == 0xe2 && ((text[1] == 0x80 && text[2] >= 0xaa && text[2] <= 0xae) ||
                               (text[1] == 0x81 && text[2] >= 0xa6 && text[2] <= 0xa9));
}

/* The length of the character that `text` begins with, if a terminal can be given it as it is; else 0. */
static size_t harmless_character(const unsigned char *text, size_t left)
{
    size_t length = character(text, left);

    return length > 0 && !is_control(text) && !turns_direction(text) ? length : 0;
}

static char *escape(const char *text, bool backslashes)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t left = strlen(text);
    char *result = malloc(4 * left + 1), *to = result;

    if (!result)
        abort();
    while (left > 0) {
        size_t length = harmless_character(at, left);

        if (length > 0 && !(backslashes && *at == '\\')) {
            memcpy(to, at, length);
            to += length;
        } else {
            length = 1;
            if (*at == '\\' || *at == '\n' || *at == '\t')
                to += sprintf(to, "\\%c", *at == '\\' ? '\\' : *at == '\n' ? 'n' : 't');
            else
                to += sprintf(to, "\\x%02x", *at);
        }
        at += length;
        left -= length;
    }
    *to = 0;
    return result;
}

char *printable(const char *text)
{
    return escape(text, true);
}

char *format_text(const char *format, ...)
{
    va_list rest;
    char *text;

    va_start(rest, format);
    if (vasprintf(&text, format, rest) < 0)
        abort();
    va_end(rest);
    return text;
}

char *harmless_text(const char *format, va_list rest)
{
    char *text, *shown;

    if (vasprintf(&text, format, rest) < 0)
        abort();
    shown = escape(text, false);
    free(text);
    return shown;
}

void print_harmless(FILE *file, const char *format, va_list rest)
{
    char *text = harmless_text(format, rest);

    fputs(text, file);
    free(text);
}

/* Between $' and ', where octal numbers always have three digits: they end where they should. */
static char *quote_all(const char *text)
{
    char *result = malloc(4 * strlen(text) + 4), *to = result;

    if (!result)
        abort();
    to += sprintf(to, "$'");
    for (; *text; text++)
        if (isalnum((unsigned char)*text) || strchr(" ./_-", *text))
            *to++ = *text;
        else
            to += sprintf(to, "\\%03o", (unsigned char)*text);
    sprintf(to, "'");
    return result;
}

char *shell_word(const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./_-+,:@%=";
    char *shown = escape(text, true), *quoted, *word;
    bool needs_quotes = !text[0] || text[strspn(text, plain)];

    if (strcmp(shown, text) != 0 || strchr(text, '\''))
        quoted = quote_all(text);
    else
        quoted = format_text(needs_quotes ? "'%s'" : "%s", text);
    word = format_text(text[0] == '-' ? "-- %s" : "%s", quoted);
    free(shown);
    free(quoted);
    return word;
}

size_t width_of(const char *text)
{
    size_t width = 0;

    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80; /* all but the later bytes of a character */
    return width;
}

bool is_text(const void *bytes, size_t length)
{
    const unsigned char *at = bytes;
    const unsigned char *end = at + length;

    while (at < end) {
        size_t one = character(at, (size_t)(end - at));

        if (one == 0 || (is_control(at) && !strchr("\t\n\r", *at)) || *at == 0)
            return false;
        at += one;
    }
    return true;
}
