/* SPDX-License-Identifier: MIT */
/* Checks and prints JSON. */
#include "json.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "facts.h"
#include "fresh.h"
#include "list.h"
#include "terminal.h"
#include "text.h"
#include "words.h"

/* ---- documents ------------------------------------------------------------------------------------------- */

bool json_check(const char *text, size_t length, char why[JSON_WHY_SIZE])
{
    return grammar_walk(text, length, NULL, NULL, why) == 0;
}

struct printer {
    int depth;
    char before; /* the first byte of the word before */
};

static void new_line(int depth)
{
    printf("\n%*s", 2 * depth, "");
}

/* A string may have DEL and the control characters above it, which a terminal obeys: escape them. */
static void print_bare_word(const char *word, size_t length)
{
    const char *end = word + length;

    while (terminal_for_people() && word < end) {
        const unsigned char *at = (const unsigned char *)word;

        if (at[0] == 0x7f || (at[0] == 0xc2 && at[1] < 0xa0)) {
            printf("\\u00%02x", at[0] == 0x7f ? at[0] : at[1]);
            word += at[0] == 0x7f ? 1 : 2;
        } else {
            putchar(*word++);
        }
    }
    fwrite(word, 1, (size_t)(end - word), stdout);
}

static int print_word(void *context, const char *word, size_t length)
{
    struct printer *printer = context;
    const bool after_open = printer->before == '[' || printer->before == '{';
    const bool closes = *word == ']' || *word == '}';

    printer->depth -= closes;
    if (printer->before == ',' || after_open != closes) /* [] and {} stay on their line */
        new_line(printer->depth);
    if (printer->before == ':')
        putchar(' ');
    print_bare_word(word, length);
    printer->depth += *word == '[' || *word == '{';
    printer->before = *word;
    return 0;
}

void json_print_pretty(const char *text, size_t length)
{
    struct printer printer = {0, 0};
    char why[JSON_WHY_SIZE];

    grammar_walk(text, length, print_word, &printer, why);
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
    add_flag(object, "foreign", facts->share.foreign);
    add_flag(object, "replaced", share->replaced);
    add_flag(object, "unlinked", share->unlinked);
}

/* Only of a share that a feed keeps. */
static void add_feed(struct json_object *object, const char *name)
{
    char words[FRESH_WORDS];
    int64_t age;

    if (!fresh_find(name, words, &age))
        return;
    add_text(object, "feed", words);
    json_object_object_add(object, "age", age < 0 ? NULL : json_object_new_double((double)age / 1e9));
}

static struct json_object *object_of(const struct facts *facts)
{
    struct json_object *object = json_object_new_object();
    char word[WORD_SIZE], *name = text_printable(facts->name), *file = text_printable(facts->file);

    add_text(object, "name", name);
    add_text(object, "file", file);
    add_text(object, "mode", facts_mode(facts, word));
    add_text(object, "user", facts_user(facts, word));
    if (facts->error)
        add_text(object, "error", cli_error_in_words(facts->error));
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
    struct json_object *object = object_of(facts);

    add_feed(object, facts->name);
    print_and_free(object);
}

void json_print_list(const struct list *list)
{
    struct json_object *array = json_object_new_array();

    for (size_t i = 0; i < list->count; i++)
        json_object_array_add(array, object_of(&list->facts[i]));
    print_and_free(array);
}
