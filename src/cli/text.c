/* SPDX-License-Identifier: MIT */
/* Makes names and texts harmless for a terminal, and quotes them for the shell. */
#include "text.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The length of the UTF-8 character that `text` begins with; 0: there is none. */
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

/* They make the rest of the line look like something else: U+202A to E, U+2066 to 9. */
static bool turns_direction(const unsigned char *text)
{
    return text[0] == 0xe2 && ((text[1] == 0x80 && text[2] >= 0xaa && text[2] <= 0xae) ||
                               (text[1] == 0x81 && text[2] >= 0xa6 && text[2] <= 0xa9));
}

/* The length of the character that `text` begins with, if a terminal may get it as it is; otherwise 0. */
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

char *text_printable(const char *text)
{
    return escape(text, true);
}

char *text_format(const char *format, ...)
{
    va_list rest;
    char *text;

    va_start(rest, format);
    if (vasprintf(&text, format, rest) < 0)
        abort();
    va_end(rest);
    return text;
}

char *text_harmless(const char *format, va_list rest)
{
    char *text, *shown;

    if (vasprintf(&text, format, rest) < 0)
        abort();
    shown = escape(text, false);
    free(text);
    return shown;
}

void text_print_harmless(FILE *file, const char *format, va_list rest)
{
    char *text = text_harmless(format, rest);

    fputs(text, file);
    free(text);
}

/* Between $' and '. Octal numbers always have three digits, so that they end where they should. */
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

char *text_shell_word(const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./_-+,:@%=";
    char *shown = escape(text, true), *quoted, *word;
    bool needs_quotes = !text[0] || text[strspn(text, plain)];

    if (strcmp(shown, text) != 0 || strchr(text, '\''))
        quoted = quote_all(text);
    else
        quoted = text_format(needs_quotes ? "'%s'" : "%s", text);
    word = text_format(text[0] == '-' ? "-- %s" : "%s", quoted);
    free(shown);
    free(quoted);
    return word;
}

size_t text_width(const char *text)
{
    size_t width = 0;

    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80; /* all but the later bytes of a character */
    return width;
}

bool text_is_plain(const void *bytes, size_t length)
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
