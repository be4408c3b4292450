/* SPDX-License-Identifier: MIT */
/*
 * A value as text. json-c's own writer keeps its text in the value, which threads share; and without memory it leaves
 * parts out.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document.h"

/*
 * The text so far. Not a stream of memory (open_memstream): if it cannot grow, glibc's loses a byte, and ferror does
 * not say so.
 */
struct text {
    char *at; /* NULL once there was no memory for more */
    size_t length, room;
};

static void write_value(struct text *to, struct json_object *value);

/* ---- bytes ----------------------------------------------------------------------------------------------- */

static void make_room(struct text *to, size_t more)
{
    const size_t needed = to->length + more; /* each is below 2 GiB, or not to be had */
    size_t room = to->room;
    char *at;

    if (needed <= room)
        return;
    while (room < needed && room <= PTRDIFF_MAX / 2)
        room *= 2;
    at = room < needed ? NULL : realloc(to->at, room);
    if (!at)
        free(to->at);
    to->at = at;
    to->room = room;
}

static void put(struct text *to, const char *bytes, size_t length)
{
    if (to->at)
        make_room(to, length);
    if (!to->at)
        return;
    memcpy(to->at + to->length, bytes, length);
    to->length += length;
}

static void put_byte(struct text *to, char byte)
{
    put(to, &byte, 1);
}

static void put_text(struct text *to, const char *text)
{
    put(to, text, strlen(text));
}

/* ---- values ---------------------------------------------------------------------------------------------- */

/* As short as JSON can be: it escapes only what it must. */
static void write_string(struct text *to, const char *text, size_t length)
{
    static const char letters[] = "btnvfr"; /* of 8 to 13; \v is none of JSON's */

    put_byte(to, '"');
    for (const char *at = text; at < text + length; at++) {
        const unsigned char byte = (unsigned char)*at;
        char escape[] = "\\u0000";

        if (byte == '"' || byte == '\\')
            put(to, (char[]){'\\', *at}, 2);
        else if (byte >= '\b' && byte <= '\r' && byte != '\v')
            put(to, (char[]){'\\', letters[byte - '\b']}, 2);
        else if (byte < ' ') {
            snprintf(escape, sizeof escape, "\\u%04x", byte);
            put_text(to, escape);
        } else
            put_byte(to, *at);
    }
    put_byte(to, '"');
}

/* An integer beyond int64_t is a uint64_t: anything beyond that is not an integer, for json-c. */
static void write_integer(struct text *to, const struct json_object *value)
{
    const int64_t number = json_object_get_int64(value);
    char digits[24];

    if (number == INT64_MAX)
        snprintf(digits, sizeof digits, "%" PRIu64, json_object_get_uint64(value));
    else
        snprintf(digits, sizeof digits, "%" PRId64, number);
    put_text(to, digits);
}

static void write_object(struct text *to, struct json_object *object)
{
    char before = '{';

    json_object_object_foreach(object, name, value)
    {
        put_byte(to, before);
        write_string(to, name, strlen(name));
        put_byte(to, ':');
        write_value(to, value);
        before = ',';
    }
    put_text(to, before == '{' ? "{}" : "}");
}

static void write_array(struct text *to, struct json_object *array)
{
    const size_t length = json_object_array_length(array);

    put_byte(to, '[');
    for (size_t i = 0; i < length; i++) {
        if (i > 0)
            put_byte(to, ',');
        write_value(to, json_object_array_get_idx(array, i));
    }
    put_byte(to, ']');
}

static void write_value(struct text *to, struct json_object *value)
{
    switch (json_object_get_type(value)) {
    case json_type_null:
        put_text(to, "null");
        break;
    case json_type_boolean:
        put_text(to, json_object_get_boolean(value) ? "true" : "false");
        break;
    case json_type_int:
        write_integer(to, value);
        break;
    case json_type_double: /* build.c leaves the number as it was written with it */
        put_text(to, json_object_get_userdata(value));
        break;
    case json_type_string:
        write_string(to, json_object_get_string(value), (size_t)json_object_get_string_len(value));
        break;
    case json_type_object:
        write_object(to, value);
        break;
    case json_type_array:
        write_array(to, value);
        break;
    }
}

ssize_t seqshare_json_text(const seqshare_json_value *value, char **text)
{
    struct json_object *object = (struct json_object *)(uintptr_t)value; /* read only */
    struct text to = {.at = NULL, .room = 64};

    if (!text)
        return -EINVAL;
    *text = NULL;
    if (!value)
        return -ENODATA;
    to.at = malloc(to.room);
    if (json_object_is_type(object, json_type_string))
        put(&to, json_object_get_string(object), (size_t)json_object_get_string_len(object));
    else
        write_value(&to, object);
    put(&to, "", 1); /* the zero byte after it */
    if (!to.at)
        return -ENOMEM;
    *text = to.at;
    return (ssize_t)to.length - 1;
}
