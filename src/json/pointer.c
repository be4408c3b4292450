/* SPDX-License-Identifier: MIT */
/* JSON Pointer (RFC 6901). json-c has one as well, which takes a pointer apart anew each time. */
#include <stdlib.h>
#include <string.h>

#include "document.h"

/* The tokens of a pointer one after the other, each ended by a zero byte. */
struct seqshare_json_pointer {
    size_t length; /* of them all */
    char tokens[];
};

/* Unescape: ~1 is a slash, ~0 a tilde. */
static bool take_apart(seqshare_json_pointer *prepared, const char *pointer)
{
    char *to = prepared->tokens;

    for (const char *at = pointer + 1; *at; at++) {
        if (*at == '/') {
            *to++ = 0;
        } else if (*at != '~') {
            *to++ = *at;
        } else {
            at++;
            if (*at != '0' && *at != '1')
                return false;
            *to++ = *at == '1' ? '/' : '~';
        }
    }
    *to++ = 0;
    prepared->length = (size_t)(to - prepared->tokens);
    return true;
}

int seqshare_json_prepare(seqshare_json_pointer **result, const char *pointer)
{
    seqshare_json_pointer *prepared;

    if (!result || !pointer || (*pointer && *pointer != '/'))
        return -EINVAL;
    prepared = malloc(sizeof *prepared + strlen(pointer) + 1);
    if (!prepared)
        return -ENOMEM;
    prepared->length = 0;
    if (*pointer && !take_apart(prepared, pointer)) {
        free(prepared);
        return -EINVAL;
    }
    *result = prepared;
    return 0;
}

void seqshare_json_release(seqshare_json_pointer *prepared)
{
    free(prepared);
}

/* Digits without a leading zero, and nothing else. */
static struct json_object *element(const struct json_object *array, const char *token)
{
    size_t index = 0, length = json_object_array_length(array);

    if (!*token || (*token == '0' && token[1]))
        return NULL;
    for (; *token; token++) {
        if (*token < '0' || *token > '9' || index > length)
            return NULL;
        index = 10 * index + (size_t)(*token - '0');
    }
    return json_object_array_get_idx(array, index); /* NULL past the end */
}

static struct json_object *member(const struct json_object *value, const char *token)
{
    struct json_object *found = NULL;

    if (json_object_is_type(value, json_type_object))
        json_object_object_get_ex(value, token, &found);
    else if (json_object_is_type(value, json_type_array))
        found = element(value, token);
    return found;
}

const seqshare_json_value *seqshare_json_at(const seqshare_json *document,
                                            const seqshare_json_pointer *pointer)
{
    const struct json_object *value;
    const char *token, *end;

    if (!document || !pointer)
        return NULL;
    value = document->root;
    end = pointer->tokens + pointer->length;
    for (token = pointer->tokens; value && token < end; token += strlen(token) + 1)
        value = member(value, token);
    return value;
}

const seqshare_json_value *seqshare_json_find(const seqshare_json *document, const char *pointer)
{
    const seqshare_json_value *value;
    seqshare_json_pointer *prepared;

    if (seqshare_json_prepare(&prepared, pointer))
        return NULL;
    value = seqshare_json_at(document, prepared);
    seqshare_json_release(prepared);
    return value;
}
