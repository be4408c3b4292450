/* SPDX-License-Identifier: MIT */
/*
 * Builds documents from keys. A tree's members stand in the byte order of whole keys, and a value of JSON is its own
 * text: so the same keys make the same bytes on every machine, and no printer changes a number.
 */
#include "form.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seqshare/json.h>

/* ---- text that grows ------------------------------------------------------------------------- */

struct text {
    char *bytes;
    size_t length, room;
    bool failed; /* no memory */
};

static void append(struct text *text, const char *bytes, size_t length)
{
    if (text->failed)
        return;
    if (text->room - text->length < length + 1) {
        size_t room = 2 * (text->length + length) + 64;
        char *more = realloc(text->bytes, room);

        if (!more) {
            text->failed = true;
            return;
        }
        text->bytes = more;
        text->room = room;
    }
    if (length)
        memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
}

static void append_word(struct text *text, const char *word)
{
    append(text, word, strlen(word));
}

/* As a JSON string, quotes included. */
static void append_string(struct text *text, const char *bytes, size_t length)
{
    char escape[8];

    append_word(text, "\"");
    for (size_t i = 0, from = 0; i <= length; i++) {
        unsigned char byte = i < length ? (unsigned char)bytes[i] : '"';

        if (byte >= ' ' && byte != '"' && byte != '\\')
            continue;
        append(text, bytes + from, i - from);
        from = i + 1;
        if (i == length)
            break;
        snprintf(escape, sizeof escape, byte < ' ' ? "\\u%04x" : "\\%c", byte);
        append_word(text, escape);
    }
    append_word(text, "\"");
}

/* ---- messages -------------------------------------------------------------------------------- */

void form_printable(char *into, size_t room, const char *name, size_t length)
{
    size_t used = 0;

    for (size_t i = 0; i < length && used + 8 < room; i++) {
        unsigned char byte = (unsigned char)name[i];

        if (byte > ' ' && byte < 0x7f && byte != '\\')
            into[used++] = (char)byte;
        else
            used += (size_t)snprintf(into + used, 5, "\\x%02x", byte);
        if (used + 8 >= room && i + 1 < length)
            used += (size_t)snprintf(into + used, 4, "...");
    }
    into[used] = 0;
}

/* What is wrong with a key; its name is not a secret. -EBADMSG. */
__attribute__((format(printf, 4, 5))) static int refuse(const struct config *config, const struct key *key,
                                                        char why[FORM_WHY], const char *format, ...)
{
    char prefix[128], name[128], sentence[FORM_WHY];
    va_list rest;

    form_printable(prefix, sizeof prefix, config->key ? config->key : "", config->key_length);
    form_printable(name, sizeof name, key->name, key->length);
    va_start(rest, format);
    vsnprintf(sentence, sizeof sentence, format, rest);
    va_end(rest);
    snprintf(why, FORM_WHY, "key %s%s: %.120s", prefix, name, sentence);
    return -EBADMSG;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

struct extent {
    size_t depth, names;
};

/* How deep, and with how many names? Of text that has passed the check: so quotes and brackets are what they seem. */
static struct extent measure(const char *text, size_t length)
{
    struct extent extent = {0};
    size_t depth = 0;
    bool quoted = false;

    for (size_t i = 0; i < length; i++) {
        if (quoted) {
            if (text[i] == '\\')
                i++; /* and whatever is escaped */
            else
                quoted = text[i] != '"';
            continue;
        }
        quoted = text[i] == '"';
        extent.names += text[i] == ':';
        if (text[i] == '{' || text[i] == '[')
            depth++;
        else if (text[i] == '}' || text[i] == ']')
            depth--;
        if (depth > extent.depth)
            extent.depth = depth;
    }
    return extent;
}

/* How many names has a tree in which of two members with one name the last is left? The depth is bounded by the check. */
static size_t count_names(json_object *value)
{
    size_t count = 0;

    if (json_object_is_type(value, json_type_object)) {
        json_object_object_foreach(value, name, member)
        {
            (void)name;
            count += 1 + count_names(member);
        }
    } else if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++)
            count += count_names(json_object_array_get_idx(value, i));
    }
    return count;
}

/* Strict JSON, without a name that stands twice in an object: the last would count, or the first, as readers like. */
static int check_json(const char *text, size_t length, char why[SEQSHARE_JSON_WHY_SIZE])
{
    int error = seqshare_json_check(text, length, why);
    seqshare_json *decoded;
    size_t names, left;
    char *copy;

    if (error)
        return error;
    names = measure(text, length).names;
    if (names < 2)
        return 0;
    copy = strndup(text, length);
    decoded = copy ? seqshare_json_decode(copy, length, 1, NULL) : NULL;
    left = decoded ? count_names((json_object *)(uintptr_t)seqshare_json_find(decoded, "")) : names;
    if (decoded)
        seqshare_json_destroy(decoded);
    if (!decoded)
        snprintf(why, SEQSHARE_JSON_WHY_SIZE, "there is no memory left to check it");
    else if (left != names)
        snprintf(why, SEQSHARE_JSON_WHY_SIZE, "a name stands twice in one object");
    free(copy);
    return !decoded ? -ENOMEM : left != names ? -EBADMSG : 0;
}

/* ---- trees ----------------------------------------------------------------------------------- */

struct tree {
    const struct config *config;
    const struct keys *keys;
    struct text text;
    const struct key *before; /* the last key that was laid */
    size_t count;
    char *why;
};

/* The segment that begins at `from`; its length. */
static size_t segment(const struct key *key, size_t from)
{
    const char *slash = memchr(key->name + from, '/', key->length - from);

    return slash ? (size_t)(slash - key->name) - from : key->length - from;
}

/* Parts of other trees, which are laid over this one by others, or not at all. */
static bool is_overlay(const struct key *key)
{
    for (size_t from = 0; from < key->length; from += segment(key, from) + 1)
        if (key->name[from] == '@')
            return true;
    return false;
}

static int judge_segments(struct tree *tree, const struct key *key)
{
    char why[SEQSHARE_JSON_WHY_SIZE];
    size_t from = 0;

    for (;;) {
        size_t length = segment(key, from);
        struct text name = {0};
        int error;

        if (length == 0)
            return refuse(tree->config, key, tree->why, "it has an empty segment");
        append_string(&name, key->name + from, length);
        error = name.failed || memchr(key->name + from, 0, length)
                    ? -EBADMSG
                    : seqshare_json_check(name.bytes, name.length, why);
        free(name.bytes);
        if (error)
            return refuse(tree->config, key, tree->why, "its name is not UTF-8, or has a zero byte");
        from += length;
        if (from == key->length)
            return 0;
        if (keys_find(tree->keys, key->name, from))
            return refuse(tree->config, key, tree->why, "a part of its name is a key, too");
        from++;
        if (from == key->length)
            return refuse(tree->config, key, tree->why, "it has an empty segment");
    }
}

/* How many bytes of the way, whole segments and the slash behind them, have two keys in common? */
static size_t common_way(const struct key *one, const struct key *other)
{
    size_t way = 0;

    for (size_t i = 0; i < one->length && i < other->length && one->name[i] == other->name[i]; i++)
        if (one->name[i] == '/')
            way = i + 1;
    return way;
}

static size_t slashes(const struct key *key, size_t from)
{
    size_t count = 0;

    for (size_t i = from; i < key->length; i++)
        count += key->name[i] == '/';
    return count;
}

/* Close the objects that the last key was in and this one is not, open those that this one is in; its name. */
static void lay_name(struct tree *tree, const struct key *key)
{
    size_t from = tree->before ? common_way(tree->before, key) : 0;

    if (tree->before) {
        for (size_t open = slashes(tree->before, from); open > 0; open--)
            append_word(&tree->text, "}");
        append_word(&tree->text, ",");
    }
    while (from < key->length) {
        size_t length = segment(key, from);

        append_string(&tree->text, key->name + from, length);
        append_word(&tree->text, from + length < key->length ? ":{" : ":");
        from += length + 1;
    }
    tree->before = key;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static int lay_json(struct tree *tree, const struct key *key)
{
    char why[SEQSHARE_JSON_WHY_SIZE];
    size_t first = 0, end = key->size;
    int error = check_json(key->value, key->size, why);

    if (error)
        return refuse(tree->config, key, tree->why, "%s", why);
    while (first < end && is_blank(key->value[first]))
        first++;
    while (end > first && is_blank(key->value[end - 1]))
        end--;
    append(&tree->text, key->value + first, end - first);
    return 0;
}

static int lay_text(struct tree *tree, const struct key *key)
{
    size_t from = tree->text.length;
    char why[SEQSHARE_JSON_WHY_SIZE];

    append_string(&tree->text, key->value, key->size);
    if (!tree->text.failed &&
        seqshare_json_check(tree->text.bytes + from, tree->text.length - from, why) != 0)
        return refuse(tree->config, key, tree->why, "its value is not text in UTF-8");
    return 0;
}

static int lay(struct tree *tree, const struct key *key)
{
    int error;

    if (is_overlay(key))
        return 0;
    error = judge_segments(tree, key);
    if (error)
        return error;
    tree->count++;
    lay_name(tree, key);
    return tree->config->form == CONFIG_JSON_TREE ? lay_json(tree, key) : lay_text(tree, key);
}

static int build_tree(struct tree *tree, struct document *document)
{
    int error = 0;

    append_word(&tree->text, "{");
    for (size_t i = 0; !error && i < tree->keys->count; i++)
        error = lay(tree, &tree->keys->list[i]);
    for (size_t open = tree->before ? slashes(tree->before, 0) : 0; open > 0; open--)
        append_word(&tree->text, "}");
    append_word(&tree->text, "}");
    if (!error && tree->text.failed) {
        snprintf(tree->why, FORM_WHY, "there is no memory left for the document");
        error = -ENOMEM;
    }
    if (error) {
        free(tree->text.bytes);
        return error;
    }
    document_adopt(document, tree->text.bytes, tree->text.length);
    document->empty = tree->count == 0;
    return 0;
}

/* ---- all forms ------------------------------------------------------------------------------- */

static int build_single(const struct keys *keys, struct document *document, char why[FORM_WHY])
{
    const struct key *key = keys->count == 1 ? &keys->list[0] : NULL;
    int error = document_make(document, key ? key->value : "", key ? key->size : 0);

    document->empty = !error && document->length == 0;
    if (error)
        snprintf(why, FORM_WHY, "there is no memory left for the document");
    return error;
}

int form_build(const struct config *config, const struct keys *keys, struct document *document,
               char why[FORM_WHY])
{
    struct tree tree = {.config = config, .keys = keys, .why = why};
    int error;

    *document = (struct document){0};
    if (keys->count > FORM_KEYS_MOST) {
        snprintf(why, FORM_WHY, "there are more than %d keys", FORM_KEYS_MOST);
        return -EBADMSG;
    }
    if (config->form == CONFIG_JSON || config->form == CONFIG_BYTES)
        error = build_single(keys, document, why);
    else
        error = build_tree(&tree, document);
    document->revision = keys->revision;
    document->term = keys->term;
    return error;
}

enum form_fault form_judge(const struct config *config, const struct document *document, char why[FORM_WHY])
{
    char reason[SEQSHARE_JSON_WHY_SIZE];
    size_t depth;

    if (document->length > config->max_size) {
        snprintf(why, FORM_WHY, "the document has %zu bytes, and max-size is %zu", document->length,
                 config->max_size);
        return FORM_TOO_LONG;
    }
    if (config->form == CONFIG_BYTES)
        return FORM_FINE;
    if (check_json(document->bytes, document->length, reason) != 0) {
        snprintf(why, FORM_WHY, "the document is refused: %s", reason);
        return FORM_NOT_JSON;
    }
    depth = measure(document->bytes, document->length).depth;
    if (depth > config->max_depth) {
        snprintf(why, FORM_WHY, "the document has %zu brackets within each other, and max-depth is %u", depth,
                 config->max_depth);
        return FORM_TOO_DEEP;
    }
    return FORM_FINE;
}

bool form_shrinks(const struct config *config, const struct document *before, const struct document *now)
{
    const size_t small = 1024; /* which may shrink */

    return before->bytes && before->length >= small && now->length < before->length &&
           (double)(before->length - now->length) * 100 > (double)before->length * config->max_shrink;
}
