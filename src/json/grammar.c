/* SPDX-License-Identifier: MIT */
/* Walks through a JSON text, word by word. */
#include "grammar.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The kinds of word that may come next. */
enum expected { VALUE, VALUE_OR_END, NAME, NAME_OR_END, COLON, MORE_OR_END, NOTHING };

struct walk {
    const char *at, *end;
    const char *fault; /* what is wrong at `at`; NULL: nothing so far */
    enum expected expected;
    size_t depth;
    bool is_object[JSON_DEEPEST]; /* for each open bracket, the outermost first */
};

/* Returns NULL in place of the end of a word. */
static const char *fault(struct walk *walk, const char *at, const char *what)
{
    walk->at = at;
    walk->fault = what;
    return NULL;
}

/* ---- strings --------------------------------------------------------------------------------------------- */

/*
 * The length of the character that begins there; 0: no character of UTF-8 does. RFC 3629: none in a longer form
 * than it needs, no surrogates, nothing above U+10FFFF. The second byte alone tells these apart.
 */
static size_t character(const char *text, const char *end)
{
    const unsigned char *at = (const unsigned char *)text, first = *at;
    const size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    unsigned least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;

    if (first > 0xf4 || length > (size_t)(end - text))
        return 0;
    for (size_t i = 1; i < length; i++) {
        if (at[i] < least || at[i] > most)
            return 0;
        least = 0x80, most = 0xbf;
    }
    return length;
}

/* Where the digits end, at most `end`. */
static const char *hexadecimal(const char *at, const char *end)
{
    while (at < end && *at && strchr("0123456789abcdefABCDEF", *at))
        at++;
    return at;
}

long grammar_code_unit(const char *digits, const char *end)
{
    long unit = 0;

    if (end - digits < 4 || hexadecimal(digits, digits + 4) != digits + 4)
        return -1;
    for (const char *at = digits; at < digits + 4; at++)
        unit = 16 * unit + (*at <= '9' ? *at - '0' : (*at | 0x20) - 'a' + 10);
    return unit;
}

/* The end of an escape with a code unit; of two, if the first is the first half of a surrogate pair. */
static const char *code_end(struct walk *walk, const char *at, bool is_name)
{
    const long unit = grammar_code_unit(at + 2, walk->end);
    const char *after = at + 6;
    long second;

    if (unit < 0)
        return fault(walk, hexadecimal(at + 2, walk->end), "a hexadecimal digit of \\u is missing");
    if (unit == 0 && is_name)
        return fault(walk, at, "a zero character in a name");
    if (unit < 0xd800 || unit > 0xdfff)
        return after;
    second =
        walk->end - after > 2 && memcmp(after, "\\u", 2) == 0 ? grammar_code_unit(after + 2, walk->end) : -1;
    if (unit > 0xdbff || second < 0xdc00 || second > 0xdfff)
        return fault(walk, at, "half of a surrogate pair");
    return after + 6;
}

static const char *escape_end(struct walk *walk, const char *at, bool is_name)
{
    if (at + 1 == walk->end)
        return fault(walk, walk->end, "the end of the text inside a string");
    if (at[1] == 'u')
        return code_end(walk, at, is_name);
    if (!at[1] || !strchr("\"\\/bfnrt", at[1]))
        return fault(walk, at, "an escape that JSON does not have");
    return at + 2;
}

static const char *character_end(struct walk *walk, const char *at, bool is_name)
{
    size_t length;

    if (*at == '\\')
        return escape_end(walk, at, is_name);
    if ((unsigned char)*at < ' ')
        return fault(walk, at, "a control character in a string");
    length = character(at, walk->end);
    return length ? at + length : fault(walk, at, "a byte that is not UTF-8");
}

static const char *string_end(struct walk *walk, bool is_name)
{
    const char *at = walk->at + 1;

    while (at && at < walk->end && *at != '"')
        at = character_end(walk, at, is_name);
    if (at == walk->end)
        return fault(walk, at, "the end of the text inside a string");
    return at ? at + 1 : NULL;
}

/* ---- numbers and names ----------------------------------------------------------------------------------- */

static const char *digits(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

/* Some readers compute the exponent alone, and make of 0e999 something that is not a number. */
enum { MOST_EXPONENT = 308 };

/* The exponent at `at`, bounded by more than a text has digits; 0: there is none. */
static int64_t exponent(const char *at, const char *end)
{
    const int64_t most = INT64_C(1000000000000);
    bool negative = false;
    int64_t value = 0;

    for (; at < end; at++)
        if (*at == '-')
            negative = true;
        else if (*at >= '0' && *at <= '9' && value < most)
            value = 10 * value + (*at - '0');
    return negative ? -value : value;
}

/*
 * Some readers make an infinity of a number beyond a double, some an error, some a string. So none gets in. A number
 * below 1.7976931348623158e308 is a finite double by every way of rounding. (No exponent is above 308, so a number
 * that begins with a zero is below.)
 */
static bool is_beyond_a_double(const char *number, const char *end)
{
    static const char limit[] = "17976931348623158";
    char leading[] = "00000000000000000"; /* the first digits that count */
    int64_t magnitude = -1;               /* the power of ten of the first of them, at most */
    size_t count = 0;
    bool whole = true;

    for (; number < end && *number != 'e' && *number != 'E'; number++) {
        if (*number == '.')
            whole = false;
        if (*number < '0' || *number > '9' || (*number == '0' && count == 0))
            continue;
        magnitude += whole;
        if (count < sizeof limit - 1)
            leading[count++] = *number;
    }
    magnitude += exponent(number, end);
    return magnitude > MOST_EXPONENT ||
           (magnitude == MOST_EXPONENT && memcmp(leading, limit, sizeof limit - 1) >= 0);
}

/* Other languages write these for numbers that JSON does not have. */
static bool is_infinity_or_nan(const char *at, const char *end)
{
    at += *at == '-';
    return end - at >= 3 && (strncasecmp(at, "inf", 3) == 0 || strncasecmp(at, "nan", 3) == 0);
}

static const char *fault_of_number(struct walk *walk, const char *at)
{
    return fault(walk, at, "a digit of a number is missing");
}

static const char *number_end(struct walk *walk)
{
    const char *const end = walk->end;
    const char *at = walk->at + (*walk->at == '-'), *from = at;

    at = digits(at, end);
    if (at == from)
        return fault_of_number(walk, at);
    if (*from == '0' && at > from + 1)
        return fault(walk, from, "a number with a leading zero");
    if (at < end && *at == '.') {
        from = ++at;
        at = digits(at, end);
        if (at == from)
            return fault_of_number(walk, at);
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        at += at < end && (*at == '+' || *at == '-');
        from = at;
        at = digits(at, end);
        if (at == from)
            return fault_of_number(walk, at);
        if (exponent(from[-1] == '-' ? from - 1 : from, at) > MOST_EXPONENT)
            return fault(walk, from, "an exponent above 308");
    }
    return is_beyond_a_double(walk->at, at) ? fault(walk, walk->at, "a number too large for a double") : at;
}

static const char *name_end(const struct walk *walk)
{
    static const char *const names[] = {"true", "false", "null"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t length = strlen(names[i]);

        if ((size_t)(walk->end - walk->at) >= length && memcmp(walk->at, names[i], length) == 0)
            return walk->at + length;
    }
    return NULL;
}

/* ---- documents ------------------------------------------------------------------------------------------- */

static bool in_object(const struct walk *walk)
{
    return walk->depth > 0 && walk->is_object[walk->depth - 1];
}

static void expect_what_follows(struct walk *walk)
{
    walk->expected = walk->depth > 0 ? MORE_OR_END : NOTHING;
}

static const char *open_bracket(struct walk *walk)
{
    const bool is_object = *walk->at == '{';

    if (walk->depth == JSON_DEEPEST)
        return fault(walk, walk->at, "more than 512 open brackets");
    walk->is_object[walk->depth++] = is_object;
    walk->expected = is_object ? NAME_OR_END : VALUE_OR_END;
    return walk->at + 1;
}

static const char *close_bracket(struct walk *walk)
{
    walk->depth--;
    expect_what_follows(walk);
    return walk->at + 1;
}

static const char *missing(const struct walk *walk)
{
    switch (walk->expected) {
    case NAME:
        return "a name in quotes is missing";
    case NAME_OR_END:
        return "a name in quotes or } is missing";
    case COLON:
        return "a colon is missing";
    case MORE_OR_END:
        return in_object(walk) ? "a comma or } is missing" : "a comma or ] is missing";
    case VALUE_OR_END:
        return "a value or ] is missing";
    case VALUE:
        return "a value is missing";
    case NOTHING:
        break;
    }
    return "more than one document";
}

static const char *scalar_end(struct walk *walk)
{
    const char *end;

    if (*walk->at == '"')
        return string_end(walk, false);
    if (is_infinity_or_nan(walk->at, walk->end))
        return fault(walk, walk->at, "infinity or NaN, which JSON does not have,");
    if (*walk->at == '-' || (*walk->at >= '0' && *walk->at <= '9'))
        return number_end(walk);
    end = name_end(walk);
    return end ? end : fault(walk, walk->at, missing(walk));
}

static const char *value_end(struct walk *walk)
{
    const char *end;

    if (*walk->at == '[' || *walk->at == '{')
        return open_bracket(walk);
    end = scalar_end(walk);
    expect_what_follows(walk);
    return end;
}

/* Checks the next word, and sets what may come after it. Returns its end, or NULL: a fault. */
static const char *word_end(struct walk *walk)
{
    const char word = *walk->at;
    const bool may_end =
        walk->expected == NAME_OR_END || walk->expected == VALUE_OR_END || walk->expected == MORE_OR_END;

    if (may_end && word == (in_object(walk) ? '}' : ']'))
        return close_bracket(walk);
    if (walk->expected == VALUE || walk->expected == VALUE_OR_END)
        return value_end(walk);
    if ((walk->expected == NAME || walk->expected == NAME_OR_END) && word == '"') {
        walk->expected = COLON;
        return string_end(walk, true);
    }
    if (walk->expected == COLON && word == ':')
        walk->expected = VALUE;
    else if (walk->expected == MORE_OR_END && word == ',')
        walk->expected = in_object(walk) ? NAME : VALUE;
    else
        return fault(walk, walk->at, missing(walk));
    return walk->at + 1;
}

static void skip_blanks(struct walk *walk)
{
    while (walk->at < walk->end && *walk->at && strchr(" \t\r\n", *walk->at))
        walk->at++;
}

/* Editors of other systems put one there, and nobody sees it. */
static void look_for_mark(struct walk *walk)
{
    const size_t length = (size_t)(walk->end - walk->at);

    if (length >= 3 && memcmp(walk->at, "\xef\xbb\xbf", 3) == 0)
        fault(walk, walk->at, "a byte order mark, which JSON forbids,");
    else if (length >= 2 && (memcmp(walk->at, "\xff\xfe", 2) == 0 || memcmp(walk->at, "\xfe\xff", 2) == 0))
        fault(walk, walk->at, "a byte order mark of UTF-16, but JSON must be UTF-8,");
}

static int refuse(char why[JSON_WHY_SIZE], const char *text, const struct walk *walk)
{
    size_t line = 1;

    for (const char *at = text; at < walk->at; at++)
        line += *at == '\n';
    snprintf(why, JSON_WHY_SIZE, "not JSON: %s in line %zu, at byte %zu", walk->fault, line,
             (size_t)(walk->at - text) + 1);
    return -EBADMSG;
}

int grammar_walk(const char *text, size_t length, grammar_take *take, void *context, char why[JSON_WHY_SIZE])
{
    struct walk walk = {.at = text, .end = text + length, .expected = VALUE};
    int error = 0;

    *why = 0;
    if (length >= INT_MAX) /* json-c has no longer strings */
        fault(&walk, text, "2 GiB of text or more");
    else
        look_for_mark(&walk);
    while (!walk.fault && !error) {
        const char *end;

        skip_blanks(&walk);
        if (walk.at == walk.end)
            break;
        end = word_end(&walk);
        if (end && take)
            error = take(context, walk.at, (size_t)(end - walk.at));
        if (end)
            walk.at = end;
    }
    if (error)
        return error;
    if (!walk.fault && walk.expected != NOTHING)
        fault(&walk, walk.end, missing(&walk));
    return walk.fault ? refuse(why, text, &walk) : 0;
}
