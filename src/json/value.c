/* SPDX-License-Identifier: MIT */
/*
 * Typed values. Each function asks for the type before it calls json-c's getter: getters convert, and the string getter
 * writes the text of any other value into the object itself, which threads must not do.
 */
#include "document.h"

bool seqshare_json_bool(const seqshare_json_value *value, bool otherwise)
{
    return json_object_is_type(value, json_type_boolean) ? json_object_get_boolean(value) : otherwise;
}

/* Beyond int64_t, json-c gives the nearest value that it can hold: so the two ends need a second look. */
int64_t seqshare_json_integer(const seqshare_json_value *value, int64_t otherwise)
{
    int64_t number;

    if (!json_object_is_type(value, json_type_int))
        return otherwise;
    number = json_object_get_int64(value);
    if (number == INT64_MAX && json_object_get_uint64(value) != (uint64_t)INT64_MAX)
        return otherwise;
    return number;
}

double seqshare_json_number(const seqshare_json_value *value, double otherwise)
{
    if (json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double))
        return json_object_get_double(value);
    return otherwise;
}

const char *seqshare_json_string(const seqshare_json_value *value, const char *otherwise)
{
    if (!json_object_is_type(value, json_type_string))
        return otherwise;
    return json_object_get_string((struct json_object *)(uintptr_t)value); /* of a string, it only reads */
}

size_t seqshare_json_string_length(const seqshare_json_value *value)
{
    return json_object_is_type(value, json_type_string) ? (size_t)json_object_get_string_len(value) : 0;
}
