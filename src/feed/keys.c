/* SPDX-License-Identifier: MIT */
/* The set of keys, sorted by name, found by halving. */
#include "keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct keys *keys_new(size_t limit)
{
    struct keys *keys = calloc(1, sizeof *keys);

    if (keys)
        keys->limit = limit;
    return keys;
}

static void release(struct key *key)
{
    free(key->name);
    free(key->value);
}

void keys_free(struct keys *keys)
{
    if (!keys)
        return;
    for (size_t i = 0; i < keys->count; i++)
        release(&keys->list[i]);
    free(keys->list);
    free(keys);
}

/* By bytes; a name that begins another one comes first. */
static int compare(const struct key *key, const char *name, size_t length)
{
    size_t common = key->length < length ? key->length : length;
    int order = common ? memcmp(key->name, name, common) : 0;

    return order ? order : (key->length > length) - (key->length < length);
}

/* Where it is, or where it belongs. */
static size_t position(const struct keys *keys, const char *name, size_t length, bool *found)
{
    size_t low = 0, high = keys->count;

    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(&keys->list[middle], name, length);

        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct key *keys_find(const struct keys *keys, const char *name, size_t length)
{
    bool found;
    size_t at = position(keys, name, length, &found);

    return found ? &keys->list[at] : NULL;
}

static char *copy(const void *bytes, size_t length)
{
    char *text = malloc(length + 1);

    if (!text)
        return NULL;
    if (length)
        memcpy(text, bytes, length);
    text[length] = 0;
    return text;
}

static size_t weight(size_t length, size_t size)
{
    return length + size + 2 + sizeof(struct key);
}

static int make_room(struct keys *keys)
{
    size_t room = keys->room ? 2 * keys->room : 16;
    struct key *list;

    if (keys->count < keys->room)
        return 0;
    list = realloc(keys->list, room * sizeof *list);
    if (!list)
        return -ENOMEM;
    keys->list = list;
    keys->room = room;
    return 0;
}

static void drop(struct keys *keys, size_t at)
{
    keys->bytes -= weight(keys->list[at].length, keys->list[at].size);
    release(&keys->list[at]);
}

int keys_put(struct keys *keys, const char *name, size_t length, const void *value, size_t size,
             uint64_t changed)
{
    bool found;
    size_t at = position(keys, name, length, &found);
    size_t before = found ? weight(keys->list[at].length, keys->list[at].size) : 0;
    struct key key = {.length = length, .size = size, .changed = changed};

    if (length > keys->limit || size > keys->limit ||
        keys->bytes - before + weight(length, size) > keys->limit)
        return -EFBIG;
    key.name = copy(name, length);
    key.value = copy(value, size);
    if (!key.name || !key.value || (!found && make_room(keys) != 0)) {
        release(&key);
        return -ENOMEM;
    }
    if (found)
        drop(keys, at);
    else
        memmove(&keys->list[at + 1], &keys->list[at], (keys->count++ - at) * sizeof key);
    keys->list[at] = key;
    keys->bytes += weight(length, size);
    return 0;
}

void keys_remove(struct keys *keys, const char *name, size_t length)
{
    bool found;
    size_t at = position(keys, name, length, &found);

    if (!found)
        return;
    drop(keys, at);
    keys->count--;
    memmove(&keys->list[at], &keys->list[at + 1], (keys->count - at) * sizeof *keys->list);
}

bool keys_went_back(const struct keys *ours, const struct keys *now, const struct key **key)
{
    *key = NULL;
    if (now->back || now->revision < ours->revision || now->term < ours->term)
        return true;
    for (size_t i = 0; i < now->count; i++) {
        const struct key *theirs = &now->list[i], *mine;

        if (theirs->changed == 0 || theirs->changed > ours->revision)
            continue;
        mine = keys_find(ours, theirs->name, theirs->length);
        if (!mine || mine->changed != theirs->changed) {
            *key = theirs;
            return true;
        }
    }
    return false;
}
