/* SPDX-License-Identifier: MIT */
/* Builds json-c's values from the words of a text. */
#include "build.h"

#include <errno.h>
#include <json-c/json.h>
#include <locale.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "unquote.h"

/* A buffer that is used again and again, and only ever grows. */
struct scratch {
    char *at;
    size_t length, room;
};

struct builder {
    struct json_object *root;
    struct json_object *open[JSON_DEEPEST]; /* the outermost first; each is its parent's */
    size_t depth;
    struct scratch name; /* of the value that comes next, in an object */
    bool has_name;
    struct scratch text;
    locale_t plain; /* a decimal point is a point */
};

/* ---- texts ----------------------------------------------------------------------------------------------- */

static int make_room(struct scratch *scratch, size_t room)
{
    char *more;

    scratch->length = 0;
    if (room <= scratch->room)
        return 0;
    more = realloc(scratch->at, room);
    if (!more)
        return -ENOMEM;
    scratch->at = more;
    scratch->room = room;
    return 0;
}

/* The meaning of a string, with a zero byte after it. */
static int unquote(struct scratch *scratch, const char *word, size_t length)
{
    int error = make_room(scratch, length);

    if (error)
        return error;
    scratch->length = unquote_string(scratch->at, word, length);
    scratch->at[scratch->length] = 0;
    return 0;
}

/* ---- values ---------------------------------------------------------------------------------------------- */

/* `value`, which may be null, goes to where the walk is. */
static int add(struct builder *builder, struct json_object *value)
{
    struct json_object *parent = builder->depth > 0 ? builder->open[builder->depth - 1] : NULL;
    int failed = 0;

    if (!parent)
        builder->root = value;
    else if (json_object_is_type(parent, json_type_object))
        failed = json_object_object_add(parent, builder->name.at,
                                        value); /* of two members with one name, the last stays */
    else
        failed = json_object_array_add(parent, value);
    builder->has_name = false;
    if (!failed)
        return 0;
    json_object_put(value);
    return -ENOMEM;
}

static int add_new(struct builder *builder, struct json_object *value)
{
    return value ? add(builder, value) : -ENOMEM;
}

static int add_string(struct builder *builder, const char *word, size_t length)
{
    int error = unquote(&builder->text, word, length);

    if (error)
        return error;
    return add_new(builder, json_object_new_string_len(builder->text.at, (int)builder->text.length));
}

static struct json_object *new_number(const char *text, locale_t plain)
{
    if (!strpbrk(text, ".eE")) {
        long long number;
        unsigned long long natural;

        errno = 0;
        number = strtoll(text, NULL, 10);
        if (errno == 0)
            return json_object_new_int64(number);
        errno = 0;
        natural = strtoull(text, NULL, 10);
        if (errno == 0 && *text != '-')
            return json_object_new_uint64(natural);
    }
    return json_object_new_double_s(strtod_l(text, NULL, plain), text); /* its text loses nothing */
}

static int add_number(struct builder *builder, const char *word, size_t length)
{
    int error = make_room(&builder->text, length + 1);

    if (error)
        return error;
    memcpy(builder->text.at, word, length);
    builder->text.at[length] = 0;
    return add_new(builder, new_number(builder->text.at, builder->plain));
}

static int open_container(struct builder *builder, struct json_object *container)
{
    int error = add_new(builder, container);

    if (!error)
        builder->open[builder->depth++] = container;
    return error;
}

static bool wants_name(const struct builder *builder)
{
    return !builder->has_name && builder->depth > 0 &&
           json_object_is_type(builder->open[builder->depth - 1], json_type_object);
}

static int take(void *context, const char *word, size_t length)
{
    struct builder *builder = context;

    switch (*word) {
    case '"':
        if (!wants_name(builder))
            return add_string(builder, word, length);
        builder->has_name = true;
        return unquote(&builder->name, word, length);
    case '{':
        return open_container(builder, json_object_new_object());
    case '[':
        return open_container(builder, json_object_new_array());
    case '}':
    case ']':
        builder->depth--;
        return 0;
    case ',':
    case ':':
        return 0;
    case 't':
    case 'f':
        return add_new(builder, json_object_new_boolean(*word == 't'));
    case 'n':
        return add(builder, NULL);
    default:
        return add_number(builder, word, length);
    }
}

int build_document(struct json_object **root, const char *text, size_t length, char why[JSON_WHY_SIZE])
{
    struct builder builder = {.plain = newlocale(LC_ALL_MASK, "C", (locale_t)0)};
    int error = builder.plain ? grammar_walk(text, length, take, &builder, why) : -ENOMEM;

    if (builder.plain)
        freelocale(builder.plain);
    free(builder.name.at);
    free(builder.text.at);
    if (error) {
        json_object_put(builder.root);
        builder.root = NULL;
    }
    *root = builder.root;
    return error;
}
