/* SPDX-License-Identifier: MIT */
/* Finds and changes one place of a JSON document in its text. */
#include "place.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "cli.h"
#include "json.h"
#include "text.h"
#include "words.h"
#include "json/build.h"
#include "json/grammar.h"

/* A container on the way to the place: the pointer's earlier tokens have led there. */
struct level {
    char *token; /* the pointer's token that chooses one of its members or elements; unescaped */
    bool array;
    bool chosen;     /* the next value here is the one */
    size_t elements; /* of an array, so far */
};

/* The state of a search, as the words of the document come one after the other. */
struct search {
    const char *text;
    struct level *levels;
    size_t tokens; /* of the pointer, and so the levels there are */
    size_t on;     /* the containers on the way that are open now */
    size_t open;   /* all that are open now */
    char before;   /* the first byte of the word before */
    bool inside;   /* the value at the place */
    bool found;
    size_t from, to; /* its first byte, and the byte after its last */
    bool parent;     /* the container that should have the place was there: */
    bool array, empty;
    size_t end; /* after its last value, or its opening bracket */
};

bool place_is_pointer(const char *text)
{
    return text[0] == 0 || text[0] == '/';
}

/* ---- pointers ------------------------------------------------------------------------------------------ */

/* ~1 is a slash, ~0 a tilde. False: there is another letter after a tilde. */
static bool unescape(char *token)
{
    char *to = token;

    for (; *token; token++) {
        if (*token == '~' && token[1] != '0' && token[1] != '1')
            return false;
        *to++ = (char)(*token != '~' ? *token : *++token == '1' ? '/' : '~');
    }
    *to = 0;
    return true;
}

static void free_levels(struct search *search)
{
    for (size_t i = 0; i < search->tokens; i++)
        free(search->levels[i].token);
    free(search->levels);
}

/* False, and nothing is left to free: the pointer's syntax is wrong. */
static bool take_apart(struct search *search, const char *pointer)
{
    bool right = true;

    search->levels = calloc(strlen(pointer) + 1, sizeof *search->levels);
    if (!search->levels)
        abort();
    while (*pointer) {
        size_t length = strcspn(++pointer, "/");

        search->levels[search->tokens].token = text_format("%.*s", (int)length, pointer);
        right &= unescape(search->levels[search->tokens++].token);
        pointer += length;
    }
    if (!right)
        free_levels(search);
    return right;
}

/* ---- finding ------------------------------------------------------------------------------------------- */

int place_unquote(const struct bytes *quoted, struct bytes *text)
{
    struct json_object *string;
    char why[JSON_WHY_SIZE];
    int error = build_document(&string, quoted->at, quoted->length, why);

    if (error)
        return error;
    text->length = (size_t)json_object_get_string_len(string);
    text->at = malloc(text->length + 1);
    if (text->at)
        memcpy(text->at, json_object_get_string(string), text->length);
    json_object_put(string);
    return text->at ? 0 : -ENOMEM;
}

static int compare_name(const char *word, size_t length, const char *token, bool *same)
{
    const struct bytes quoted = {(char *)(uintptr_t)word, length};
    struct bytes name;
    int error = place_unquote(&quoted, &name);

    if (error)
        return error;
    *same = name.length == strlen(token) && memcmp(name.at, token, name.length) == 0;
    free(name.at);
    return 0;
}

/* Does the token name this element? Digits without a zero before them. */
static bool is_index(const char *token, size_t index)
{
    char digits[WORD_SIZE];

    snprintf(digits, sizeof digits, "%zu", index);
    return strcmp(token, digits) == 0;
}

static bool is_last(const struct search *search)
{
    return search->on == search->tokens;
}

static bool opens(char byte)
{
    return byte == '{' || byte == '[';
}

static bool closes(char byte)
{
    return byte == '}' || byte == ']';
}

/* A value begins in the innermost container on the way, or it is the whole document. */
static void begin_value(struct search *search, const char *word)
{
    struct level *level = search->on ? &search->levels[search->on - 1] : NULL;

    if (level && level->array)
        level->chosen = is_index(level->token, level->elements++);
    if (level && !level->chosen)
        return;
    search->found = search->parent = false; /* if a name occurs twice, the last one counts */
    if (is_last(search)) {
        search->inside = true;
        search->from = (size_t)(word - search->text);
    } else if (opens(*word)) {
        struct level *next = &search->levels[search->on++];

        *next = (struct level){.token = next->token, .array = *word == '['};
    }
    if (level)
        level->chosen = false;
}

/* A value ends; the next byte is `end`. */
static void end_value(struct search *search, size_t end)
{
    if (search->open == search->on && search->inside) {
        search->inside = false;
        search->found = true;
        search->to = end;
    }
    if (search->open == search->on && is_last(search) && search->parent) {
        search->empty = false;
        search->end = end;
    }
}

/* The container that should have the place opens. */
static void note_parent(struct search *search, const char *word)
{
    search->parent = true;
    search->array = *word == '[';
    search->empty = true;
    search->end = (size_t)(word + 1 - search->text);
}

static int take_word(void *context, const char *word, size_t length)
{
    struct search *search = context;
    const bool here = search->open == search->on; /* not inside a value beside the way, or inside the place */
    const bool between = *word == ',' || *word == ':';
    const size_t on = search->on;
    struct level *level = on ? &search->levels[on - 1] : NULL;
    const char before = search->before;

    search->before = *word;
    if (between)
        return 0;
    if (here && level && !level->array && *word == '"' && before != ':')
        return compare_name(word, length, level->token, &level->chosen);
    if (here && !closes(*word))
        begin_value(search, word);
    if (opens(*word)) {
        search->open++;
        if (search->on > on && is_last(search))
            note_parent(search, word);
        return 0;
    }
    if (closes(*word)) {
        search->open--;
        search->on -= here; /* it was the innermost on the way */
    }
    end_value(search, (size_t)(word + length - search->text));
    return 0;
}

/* DONE, or SAID_NO: not JSON, or no pointer. The caller frees the levels after DONE. */
static int look(const char *name, const struct bytes *document, const char *pointer, struct search *search)
{
    char why[JSON_WHY_SIZE];
    int error;

    *search = (struct search){.text = document->at};
    if (!take_apart(search, pointer))
        return cli_complain_that(name, "'%s' is not a JSON Pointer: write a ~ as ~0", pointer);
    error = grammar_walk(document->at, document->length, take_word, search, why);
    if (!error)
        return DONE;
    free_levels(search);
    return error == -EBADMSG ? cli_complain_that(name, "%s", why) : cli_complain(name, error);
}

int place_get(const char *name, const struct bytes *document, const char *pointer, struct bytes *value)
{
    struct search search;

    if (look(name, document, pointer, &search) != DONE)
        return SAID_NO;
    free_levels(&search);
    if (!search.found)
        return cli_complain_that(name, "the document has nothing at %s", pointer);
    *value = (struct bytes){(char *)document->at + search.from, search.to - search.from};
    return DONE;
}

/* ---- changing ------------------------------------------------------------------------------------------ */

/* The text to put before a new value, or NULL: it cannot be added there. */
static char *introduction(const struct search *search)
{
    const char *comma = search->empty ? "" : ", ", *token;
    struct json_object *name;
    char *text = NULL;

    if (search->tokens == 0 || !search->parent)
        return NULL;
    token = search->levels[search->tokens - 1].token;
    if (search->array)
        return strcmp(token, "-") == 0 ? text_format("%s", comma) : NULL;
    name = json_object_new_string(token);
    if (name)
        text = text_format("%s%s: ", comma,
                           json_object_to_json_string_ext(name, JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(name);
    return text;
}

static struct bytes without_blanks(const struct bytes *value)
{
    static const char blanks[] = " \t\r\n";
    struct bytes bare = *value;

    while (bare.length > 0 && strchr(blanks, *(char *)bare.at)) {
        bare.at = (char *)bare.at + 1;
        bare.length--;
    }
    while (bare.length > 0 && strchr(blanks, ((char *)bare.at)[bare.length - 1]))
        bare.length--;
    return bare;
}

/* The document with `before` and `value` instead of its bytes from `from` to `to`. */
static int splice(const struct bytes *document, size_t from, size_t to, const char *before,
                  const struct bytes *value, struct bytes *result)
{
    const struct bytes bare = without_blanks(value);
    char *at;

    result->length = from + strlen(before) + bare.length + (document->length - to);
    result->at = at = malloc(result->length + 1);
    if (!at)
        return -ENOMEM;
    at = mempcpy(at, document->at, from);
    at = mempcpy(at, before, strlen(before));
    at = mempcpy(at, bare.at, bare.length);
    memcpy(at, (const char *)document->at + to, document->length - to);
    return 0;
}

static int place_in(const char *name, const struct bytes *document, const struct search *search,
                    const struct bytes *value, struct bytes *result)
{
    char *before = search->found ? text_format("%s", "") : introduction(search), why[JSON_WHY_SIZE];
    int error;

    if (!before)
        return cli_complain_that(name,
                                 "the document has no such place: the object or array around it must be "
                                 "there, and /- adds to an array");
    error = splice(document, search->found ? search->from : search->end,
                   search->found ? search->to : search->end, before, value, result);
    free(before);
    if (error)
        return cli_complain(name, error);
    if (grammar_walk(result->at, result->length, NULL, NULL, why) == 0)
        return DONE;
    free(result->at);
    return cli_complain_that(name, "%s; nothing was changed", why); /* nested too deep, now */
}

int place_set(const char *name, const struct bytes *document, const char *pointer, const struct bytes *value,
              struct bytes *result)
{
    struct search search;
    int status = look(name, document, pointer, &search);

    if (status != DONE)
        return status;
    status = place_in(name, document, &search, value, result);
    free_levels(&search);
    return status;
}
