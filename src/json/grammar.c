/* SPDX-License-Identifier: MIT */
#include "grammar.h"

#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { DEEPEST = 1000 };

static const char blanks[] = " \t\r\n";

/* ---- words: strings, numbers, names ---------------------------------------------------------------------- */

/* Each returns the length of the word that the text begins with, or 0: none. */

static size_t string_word(const char *text, const char *end)
{
    for (const char *at = text + 1; at < end; at++) {
        if (*at == '"')
            return (size_t)(at + 1 - text);
        if ((unsigned char)*at < 0x20 ||
            (*at == '\\' && (++at == end || !strchr("\"\\/bfnrtu", *at) || !*at)))
            return 0;
    }
    return 0;
}

static const char *digits(const char *at, const char *end)
{
    while (at < end && isdigit((unsigned char)*at))
        at++;
    return at;
}

static size_t number_word(const char *text, const char *end)
{
    const char *at = text + (*text == '-'), *from = at;

    at = digits(at, end);
    if (at == from || (*from == '0' && at > from + 1))
        return 0;
    if (at < end && *at == '.') {
        from = ++at;
        at = digits(at, end);
        if (at == from)
            return 0;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        at += at < end && (*at == '+' || *at == '-');
        from = at;
        at = digits(at, end);
        if (at == from)
            return 0;
    }
    return (size_t)(at - text);
}

static size_t name_word(const char *text, const char *end)
{
    static const char *const names[] = {"true", "false", "null"};

    for (size_t i = 0; i < 3; i++)
        if ((size_t)(end - text) >= strlen(names[i]) && memcmp(text, names[i], strlen(names[i])) == 0)
            return strlen(names[i]);
    return 0;
}

size_t json_word(const char *text, const char *end)
{
    if (*text == '"')
        return string_word(text, end);
    if (*text == '-' || isdigit((unsigned char)*text))
        return number_word(text, end);
    if (*text && strchr("[]{},:", *text))
        return 1;
    return name_word(text, end);
}

/* ---- documents ------------------------------------------------------------------------------------------- */

const char *json_skip_blanks(const char *at, const char *end)
{
    while (at < end && *at && strchr(blanks, *at))
        at++;
    return at;
}

/* Is the word an integer beyond 64 bits? json-c would change it for the nearest that it can hold. */
static bool is_large(const char *word, size_t length)
{
    const char *most = *word == '-' ? "9223372036854775808" : "18446744073709551615";
    const char *number = word + (*word == '-'), *end = word + length;
    size_t count = (size_t)(end - number);

    if (count < strlen(most) || digits(number, end) != end)
        return false;
    return count > strlen(most) || memcmp(number, most, count) > 0;
}

/* The first place that is no word of JSON: json-c takes NaN, 'text', 1. and control characters in strings. */
static const char *first_fault(const char *text, const char *end)
{
    const char *at = json_skip_blanks(text, end);

    while (at < end) {
        size_t length = json_word(at, end);

        if (length == 0)
            return at;
        at = json_skip_blanks(at + length, end);
    }
    return NULL;
}

/* Where the first large integer ends, in a text without a fault; NULL: there is none. */
static const char *end_of_large(const char *text, const char *end)
{
    const char *at = json_skip_blanks(text, end);

    while (at < end) {
        size_t length = json_word(at, end);

        if (is_large(at, length))
            return at + length;
        at = json_skip_blanks(at + length, end);
    }
    return NULL;
}

static int refuse(char why[JSON_WHY_SIZE], const char *text, size_t at, const char *what)
{
    size_t line = 1;

    for (size_t i = 0; i < at; i++)
        line += text[i] == '\n';
    snprintf(why, JSON_WHY_SIZE, "not JSON: %s in line %zu, at byte %zu", what, line, at + 1);
    return -EBADMSG;
}

static enum json_tokener_error feed(struct json_tokener *tokener, struct json_object **document,
                                    const char *from, const char *to)
{
    *document = json_tokener_parse_ex(tokener, from < to ? from : "", (int)(to - from));
    return json_tokener_get_error(tokener);
}

/*
 * What json-c makes of a text that ends in no blank, and how far it got. Large integers are fed to it as numbers
 * with a fraction, which it does not change.
 */
static enum json_tokener_error tokenise(struct json_tokener *tokener, struct json_object **document,
                                        const char *text, size_t length, size_t *used)
{
    static const char fraction[] = ".0";
    const char *end = text + length, *at = text, *to;
    enum json_tokener_error error;

    for (;; at = to) {
        to = end_of_large(at, end);
        error = feed(tokener, document, at, to ? to : end);
        if (error != json_tokener_continue || !to)
            break;
        feed(tokener, document, fraction, fraction + 2);
    }
    *used = (size_t)(at - text) + json_tokener_get_parse_end(tokener);
    if (error != json_tokener_continue)
        return error;
    *used = length; /* the end ends a number; anything else is unfinished */
    *document = json_tokener_parse_ex(tokener, "", 1);
    return json_tokener_get_error(tokener);
}

static int parse_words(struct json_object **document, const char *text, size_t length,
                       char why[JSON_WHY_SIZE])
{
    struct json_tokener *tokener = json_tokener_new_ex(DEEPEST);
    enum json_tokener_error error;
    size_t used;

    if (!tokener)
        return -ENOMEM;
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    error = tokenise(tokener, document, text, length, &used);
    json_tokener_free(tokener);
    if (error == json_tokener_success && used == length)
        return 0;
    json_object_put(*document);
    *document = NULL;
    return refuse(why, text, used,
                  error == json_tokener_success ? "more than one document" : json_tokener_error_desc(error));
}

int json_parse(struct json_object **document, const char *text, size_t length, char why[JSON_WHY_SIZE])
{
    const char *fault = length > 0 ? first_fault(text, text + length) : NULL;

    *document = NULL;
    *why = 0;
    if (fault)
        return refuse(why, text, (size_t)(fault - text), "unexpected text");
    while (length > 0 && strchr(blanks, text[length - 1]))
        length--;
    if (length >= INT_MAX)
        return refuse(why, text, 0, "more than can be checked");
    return parse_words(document, text, length, why);
}
