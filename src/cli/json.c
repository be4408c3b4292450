/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <ctype.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
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

static size_t word(const char *text, const char *end)
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

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && *at && strchr(blanks, *at))
        at++;
    return at;
}

/* The first place that is no word of JSON: json-c takes NaN, 'text', 1. and control characters in strings. */
static const char *first_fault(const char *text, const char *end)
{
    const char *at = skip_blanks(text, end);

    while (at < end) {
        size_t length = word(at, end);

        if (length == 0)
            return at;
        at = skip_blanks(at + length, end);
    }
    return NULL;
}

static bool refuse(char why[JSON_WHY_SIZE], const char *text, size_t at, const char *what)
{
    size_t line = 1;

    for (size_t i = 0; i < at; i++)
        line += text[i] == '\n';
    snprintf(why, JSON_WHY_SIZE, "not JSON: %s in line %zu, at byte %zu", what, line, at + 1);
    return false;
}

bool json_check(const char *text, size_t length, char why[JSON_WHY_SIZE])
{
    const char *fault = length > 0 ? first_fault(text, text + length) : NULL;
    struct json_tokener *tokener;
    enum json_tokener_error error;
    size_t used;

    if (fault)
        return refuse(why, text, (size_t)(fault - text), "unexpected text");
    while (length > 0 && strchr(blanks, text[length - 1]))
        length--;
    if (length >= INT_MAX)
        return refuse(why, text, 0, "more than can be checked");
    tokener = json_tokener_new_ex(DEEPEST);
    if (!tokener)
        abort();
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    json_object_put(json_tokener_parse_ex(tokener, length ? text : "", (int)length));
    error = json_tokener_get_error(tokener);
    if (error == json_tokener_continue) { /* the end ends a number; anything else is unfinished */
        json_object_put(json_tokener_parse_ex(tokener, "", 1));
        error = json_tokener_get_error(tokener);
        used = length;
    } else {
        used = json_tokener_get_parse_end(tokener);
    }
    json_tokener_free(tokener);
    if (error != json_tokener_success)
        return refuse(why, text, used, json_tokener_error_desc(error));
    return used == length || refuse(why, text, used, "more than one document");
}

static void new_line(int depth)
{
    printf("\n%*s", 2 * depth, "");
}

void json_print_pretty(const char *text, size_t length)
{
    const char *end = text + length;
    const char *at = skip_blanks(text, end);
    int depth = 0;

    while (at < end) {
        size_t one = word(at, end);
        const char *next = skip_blanks(at + one, end);
        bool opens = *at == '[' || *at == '{';

        if (opens && next < end && (*next == ']' || *next == '}')) {
            printf("%c%c", *at, *next);
            next = skip_blanks(next + 1, end);
            opens = false;
        } else {
            if (*at == ']' || *at == '}')
                new_line(--depth);
            fwrite(at, 1, one, stdout);
        }
        if (opens)
            new_line(++depth);
        else if (*at == ',')
            new_line(depth);
        else if (*at == ':')
            putchar(' ');
        at = next;
    }
    putchar('\n');
}

/* ---- shares ---------------------------------------------------------------------------------------------- */

static void add_text(struct json_object *object, const char *key, const char *text)
{
    json_object_object_add(object, key, json_object_new_string(text));
}

static void add_number(struct json_object *object, const char *key, uint64_t number)
{
    json_object_object_add(object, key, json_object_new_uint64(number));
}

static void add_flag(struct json_object *object, const char *key, bool flag)
{
    json_object_object_add(object, key, json_object_new_boolean(flag));
}

/* Seconds since 1970 with nine digits, or null for never. */
static void add_time(struct json_object *object, const char *key, int64_t ns)
{
    char word[WORD_SIZE];

    snprintf(word, sizeof word, "%lld.%09lld", (long long)(ns / 1000000000), (long long)(ns % 1000000000));
    json_object_object_add(object, key, ns > 0 ? json_object_new_double_s((double)ns / 1e9, word) : NULL);
}

static void add_share(struct json_object *object, const struct facts *facts)
{
    const struct seqshare_stat *share = &facts->share;
    char word[WORD_SIZE];

    add_number(object, "version", share->version);
    add_number(object, "length", share->length);
    add_number(object, "capacity", share->capacity);
    add_number(object, "allocated", share->allocated);
    add_number(object, "slots", share->slots);
    snprintf(word, sizeof word, "%08x", share->tag);
    add_text(object, "tag", word);
    add_time(object, "created", share->created);
    add_time(object, "published", share->published);
    add_number(object, "writer", (uint64_t)share->writer);
    add_number(object, "owner", (uint64_t)share->owner);
    add_flag(object, "owner_alive", share->owner_alive);
    add_flag(object, "foreign", facts->foreign);
    add_flag(object, "replaced", share->replaced);
    add_flag(object, "unlinked", share->unlinked);
}

static struct json_object *object_of(const struct facts *facts)
{
    struct json_object *object = json_object_new_object();
    char word[WORD_SIZE], *name = printable(facts->name), *file = printable(facts->file);

    add_text(object, "name", name);
    add_text(object, "file", file);
    add_text(object, "mode", mode_of(facts, word));
    add_text(object, "user", user_of(facts, word));
    if (facts->error)
        add_text(object, "error", seqshare_strerror(facts->error));
    else
        add_share(object, facts);
    free(name);
    free(file);
    return object;
}

static void print_and_free(struct json_object *object)
{
    puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
                                                    JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(object);
}

void json_print_facts(const struct facts *facts)
{
    print_and_free(object_of(facts));
}

void json_print_list(const struct facts_list *list)
{
    struct json_object *array = json_object_new_array();

    for (size_t i = 0; i < list->count; i++)
        json_object_array_add(array, object_of(&list->facts[i]));
    print_and_free(array);
}
