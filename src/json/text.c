/* SPDX-License-Identifier: MIT */
/*
 * A value as text. json-c's own writer keeps what it wrote in the value, which threads share, and leaves out what
 * there is no memory for.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document.h"

static void write_value(FILE *to, struct json_object *value);

/* As short as JSON can be: only what must be escaped is. */
static void write_string(FILE *to, const char *text, size_t length)
{
    static const char letters[] = "btnvfr"; /* of 8 to 13; \v is none of JSON's */

    putc('"', to);
    for (const char *at = text; at < text + length; at++) {
        const unsigned char byte = (unsigned char)*at;

        if (byte == '"' || byte == '\\')
            fprintf(to, "\\%c", byte);
        else if (byte >= '\b' && byte <= '\r' && byte != '\v')
            fprintf(to, "\\%c", letters[byte - '\b']);
        else if (byte < ' ')
            fprintf(to, "\\u%04x", byte);
        else
            putc(byte, to);
    }
    putc('"', to);
}

/* An integer beyond int64_t is a uint64_t: what exceeds that is no integer, for json-c. */
static void write_integer(FILE *to, const struct json_object *value)
{
    const int64_t number = json_object_get_int64(value);

    if (number == INT64_MAX)
        fprintf(to, "%" PRIu64, json_object_get_uint64(value));
    else
        fprintf(to, "%" PRId64, number);
}

static void write_object(FILE *to, struct json_object *object)
{
    char before = '{';

    json_object_object_foreach(object, name, value)
    {
        putc(before, to);
        write_string(to, name, strlen(name));
        putc(':', to);
        write_value(to, value);
        before = ',';
    }
    fputs(before == '{' ? "{}" : "}", to);
}

static void write_array(FILE *to, struct json_object *array)
{
    const size_t length = json_object_array_length(array);

    putc('[', to);
    for (size_t i = 0; i < length; i++) {
        if (i > 0)
            putc(',', to);
        write_value(to, json_object_array_get_idx(array, i));
    }
    putc(']', to);
}

static void write_value(FILE *to, struct json_object *value)
{
    switch (json_object_get_type(value)) {
    case json_type_null:
        fputs("null", to);
        break;
    case json_type_boolean:
        fputs(json_object_get_boolean(value) ? "true" : "false", to);
        break;
    case json_type_int:
        write_integer(to, value);
        break;
    case json_type_double: /* build.c leaves the number as it was written with it */
        fputs(json_object_get_userdata(value), to);
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
    struct json_object *object = (struct json_object *)(uintptr_t)value; /* which is only read */
    size_t length = 0;
    bool failed;
    FILE *to;

    if (!text)
        return -EINVAL;
    *text = NULL;
    if (!value)
        return -ENODATA;
    to = open_memstream(text, &length);
    if (!to)
        return -ENOMEM;
    if (json_object_is_type(object, json_type_string))
        fwrite(json_object_get_string(object), 1, (size_t)json_object_get_string_len(object), to);
    else
        write_value(to, object);
    failed = ferror(to);
    failed |= fclose(to) != 0;
    if (!failed && *text)
        return (ssize_t)length;
    free(*text);
    *text = NULL;
    return -ENOMEM;
}
