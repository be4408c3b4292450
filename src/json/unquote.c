/* SPDX-License-Identifier: MIT */
/* The meaning of JSON strings: escapes and surrogate pairs become UTF-8. The grammar has checked them. */
#include "unquote.h"

#include <string.h>

#include "grammar.h"

static char *put(char *to, long byte)
{
    *to = (char)byte;
    return to + 1;
}

static char *put_utf8(char *to, long character)
{
    if (character < 0x80)
        return put(to, character);
    if (character < 0x800) {
        to = put(to, 0xc0 | character >> 6);
    } else {
        if (character < 0x10000) {
            to = put(to, 0xe0 | character >> 12);
        } else {
            to = put(to, 0xf0 | character >> 18);
            to = put(to, 0x80 | (character >> 12 & 0x3f));
        }
        to = put(to, 0x80 | (character >> 6 & 0x3f));
    }
    return put(to, 0x80 | (character & 0x3f));
}

/* Writes the meaning of the escape at *at, and moves *at to its end. */
static char *put_escape(char *to, const char **at, const char *end)
{
    static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    const char kind = (*at)[1], *letter = strchr(letters, kind);
    long unit;

    if (kind != 'u') {
        *at += 2;
        return put(to, letter ? meanings[letter - letters] : kind);
    }
    unit = grammar_code_unit(*at + 2, end);
    *at += 6;
    if (unit >= 0xd800 && unit < 0xe000) { /* the first half of a pair: the second follows */
        unit = 0x10000 + ((unit - 0xd800) << 10) + (grammar_code_unit(*at + 2, end) - 0xdc00);
        *at += 6;
    }
    return put_utf8(to, unit);
}

size_t unquote_string(char *meaning, const char *word, size_t length)
{
    const char *at = word + 1, *end = word + length - 1;
    char *to = meaning;

    while (at < end) {
        const char *escape = memchr(at, '\\', (size_t)(end - at)), *stop = escape ? escape : end;

        memcpy(to, at, (size_t)(stop - at));
        to += stop - at;
        at = stop;
        if (escape)
            to = put_escape(to, &at, end);
    }
    return (size_t)(to - meaning);
}
