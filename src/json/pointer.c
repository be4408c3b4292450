/* SPDX-License-Identifier: MIT */
/*
 * JSON Pointer (RFC 6901). json-c has one as well, which takes a pointer apart again each time. Then most of the cost
 * of finding a member is to hash its name, which a prepared pointer has done. It also remembers where it led in the
 * newest document that it was used on: in a server, all requests use one document for a long time.
 */
#include <stdlib.h>
#include <string.h>

#include "document.h"

struct token {
    const char *text;
    unsigned long hash;
};

/*
 * Where a pointer led. Threads share the pointer, and so this.
 *
 * `state` is 2n: `value` is where it led in document n. Or it is odd: a thread is storing another value. It only ever
 * grows, because only a newer document replaces another. So threads that use different documents do not take turns
 * here.
 *
 *   remember:  [M1] state from even to odd, by compare-and-swap: one thread at a time stores
 *              [M2] value, release         [M3] state = 2n, release
 *   recall:    [M4] state, acquire         [M5] value, acquire         [M6] state again, relaxed
 *
 * M4 pairs with M3: a thread that sees 2n sees the value that was stored before it, or a later one. M5 pairs with
 * M2: a thread that sees a later one sees in M6 that M1 came before it, and rejects it. Without M2's release, or M5's
 * acquire, a reader could take document n+1's value for n's, and another thread could free it while the reader uses
 * it.
 * Nothing of this orders the contents of a value: a thread that uses a pointer has the document already.
 *
 * A child that is forked while another thread stores finds the state odd for ever, and remembers nothing there.
 */
struct memo {
    seqshare_word state;
    const seqshare_json_value *value;
};

struct seqshare_json_pointer {
    struct memo memo;
    lh_hash_fn *hashed_by; /* NULL: they are not hashed */
    size_t count;
    struct token tokens[]; /* their texts follow, each ended by a zero byte */
};

static size_t count_slashes(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += *text == '/';
    return count;
}

/* Unescape: ~1 is a slash, ~0 a tilde. `to` has room for all of the pointer. */
static bool take_apart(seqshare_json_pointer *prepared, const char *pointer, char *to)
{
    for (const char *at = pointer; *at; at++) {
        if (*at == '/') {
            *to++ = 0; /* ends the one before */
            prepared->tokens[prepared->count++].text = to;
        } else if (*at != '~') {
            *to++ = *at;
        } else {
            at++;
            if (*at != '0' && *at != '1')
                return false;
            *to++ = *at == '1' ? '/' : '~';
        }
    }
    *to = 0;
    return true;
}

static int prepare(seqshare_json_pointer **result, const char *pointer)
{
    seqshare_json_pointer *prepared;
    size_t tokens;

    if (!result || !pointer || (*pointer && *pointer != '/'))
        return -EINVAL;
    tokens = count_slashes(pointer) * sizeof *prepared->tokens;
    prepared = malloc(sizeof *prepared + tokens + strlen(pointer) + 1);
    if (!prepared)
        return -ENOMEM;
    prepared->memo = (struct memo){0};
    prepared->hashed_by = NULL;
    prepared->count = 0;
    if (!take_apart(prepared, pointer, (char *)prepared->tokens + tokens)) {
        free(prepared);
        return -EINVAL;
    }
    *result = prepared;
    return 0;
}

/* The hash that json-c's objects use for their members' names: one of them computes it. */
static void hash_tokens(seqshare_json_pointer *prepared, struct json_object *object)
{
    const struct lh_table *table = json_object_get_object(object);

    for (size_t i = 0; i < prepared->count; i++)
        prepared->tokens[i].hash = lh_get_hash(table, prepared->tokens[i].text);
    prepared->hashed_by = table->hash_fn;
}

int seqshare_json_prepare(seqshare_json_pointer **result, const char *pointer)
{
    struct json_object *object;
    int error = prepare(result, pointer);

    if (error)
        return error;
    object = json_object_new_object();
    if (object) /* if not, it is only slower */
        hash_tokens(*result, object);
    json_object_put(object);
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

static struct json_object *member(const struct json_object *object, const seqshare_json_pointer *pointer,
                                  const struct token *token)
{
    struct lh_table *table = json_object_get_object(object);
    const bool hashed = table->hash_fn == pointer->hashed_by;
    struct lh_entry *entry = lh_table_lookup_entry_w_hash(
        table, token->text, hashed ? token->hash : lh_get_hash(table, token->text));

    return entry ? (struct json_object *)(uintptr_t)lh_entry_v(entry) : NULL;
}

static bool recall(const struct memo *memo, uint64_t number, const seqshare_json_value **value)
{
    if (seqshare_load_acquire(&memo->state) != 2 * number) /* M4 */
        return false;
    *value = __atomic_load_n(&memo->value, __ATOMIC_ACQUIRE); /* M5 */
    return seqshare_load_relaxed(&memo->state) == 2 * number; /* M6 */
}

static void remember(struct memo *memo, uint64_t number, const seqshare_json_value *value)
{
    uint64_t state = seqshare_load_relaxed(&memo->state);

    /* M1, relaxed: M2 orders it before the value. */
    if ((state & 1) || state >= 2 * number ||
        !__atomic_compare_exchange_n(&memo->state, &state, state + 1, false, __ATOMIC_RELAXED,
                                     __ATOMIC_RELAXED))
        return;
    __atomic_store_n(&memo->value, value, __ATOMIC_RELEASE); /* M2 */
    seqshare_store_release(&memo->state, 2 * number);        /* M3 */
}

static const seqshare_json_value *walk_to(const seqshare_json *document, const seqshare_json_pointer *pointer)
{
    const struct json_object *value = document->root;

    for (size_t i = 0; value && i < pointer->count; i++) {
        const struct token *token = &pointer->tokens[i];

        if (json_object_is_type(value, json_type_object))
            value = member(value, pointer, token);
        else if (json_object_is_type(value, json_type_array))
            value = element(value, token->text);
        else
            value = NULL;
    }
    return value;
}

/* The memory is not a part of the pointer: to callers the pointer is const. */
static struct memo *memo_of(const seqshare_json_pointer *pointer)
{
    return (struct memo *)(uintptr_t)&pointer->memo;
}

const seqshare_json_value *seqshare_json_at(const seqshare_json *document,
                                            const seqshare_json_pointer *pointer)
{
    const seqshare_json_value *value;

    if (!document || !pointer)
        return NULL;
    if (recall(&pointer->memo, document->number, &value))
        return value;
    value = walk_to(document, pointer);
    remember(memo_of(pointer), document->number, value);
    return value;
}

const seqshare_json_value *seqshare_json_find(const seqshare_json *document, const char *pointer)
{
    const seqshare_json_value *value;
    seqshare_json_pointer *prepared;

    if (!document || prepare(&prepared, pointer))
        return NULL;
    value = walk_to(document, prepared);
    seqshare_json_release(prepared);
    return value;
}
