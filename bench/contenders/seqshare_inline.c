/* SPDX-License-Identifier: MIT */
/*
 * seqshare's inline reads. Typed: a struct of 8 or of 64 bytes, loaded into registers and then accepted.
 * Peek: the value is looked at where it lies; who wants a copy makes it with memcpy and asks afterwards
 * whether it was valid.
 */
#include "../contender.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <seqshare/seqshare.h>

struct word {
    uint64_t word[1];
};

struct line {
    uint64_t word[8];
};

SEQSHARE_TYPE(word, struct word)
SEQSHARE_TYPE(line, struct line)

struct handle {
    seqshare *share;
    seqshare_view view; /* what is borrowed */
};

static int create(const struct contender_setup *setup, void **store)
{
    return seqshare_new((seqshare **)store, setup->capacity);
}

static int create_typed(const struct contender_setup *setup, void **store)
{
    if (setup->capacity != sizeof(struct word) && setup->capacity != sizeof(struct line))
        return -EOPNOTSUPP;
    return create(setup, store);
}

static int attach(void *store, enum contender_access access, void **handle)
{
    struct handle *made = malloc(sizeof *made);
    int error = 0;

    if (!made)
        return -ENOMEM;
    *made = (struct handle){.share = store};
    if (access == CONTENDER_READER)
        error = seqshare_drop_write(made->share);
    if (error == 0)
        error = seqshare_prefault(made->share);
    if (error != 0) {
        free(made);
        return error;
    }
    *handle = made;
    return 0;
}

static ssize_t read_typed(void *handle, void *buffer, size_t size)
{
    const struct handle *mine = handle;
    int error = size == sizeof(struct line) ? line_get(mine->share, buffer) : word_get(mine->share, buffer);

    return error != 0 ? error : (ssize_t)size;
}

static int write_typed(void *handle, const void *value, size_t length)
{
    const struct handle *mine = handle;

    return length == sizeof(struct line) ? line_set(mine->share, value) : word_set(mine->share, value);
}

/* The copy races with writers, and is thrown away if it lost: so it must not be the compiler's own. */
typedef void *copy(void *to, const void *from, size_t length);

static copy *volatile hidden_copy = memcpy;

static ssize_t read_peeking(void *handle, void *buffer, size_t size)
{
    const struct handle *mine = handle;
    seqshare_view view;

    do {
        int error = seqshare_peek(mine->share, &view);

        if (error != 0)
            return error;
        if (view.length <= size)
            hidden_copy(buffer, view.data, view.length);
    } while (!seqshare_valid(mine->share, &view));
    return view.length <= size ? (ssize_t)view.length : -ENOBUFS;
}

static int write_value(void *handle, const void *value, size_t length)
{
    const struct handle *mine = handle;

    return seqshare_set(mine->share, value, length);
}

static ssize_t borrow(void *handle, const void **value)
{
    struct handle *mine = handle;
    int error = seqshare_peek(mine->share, &mine->view);

    *value = mine->view.data;
    return error != 0 ? error : (ssize_t)mine->view.length;
}

static bool give_back(void *handle)
{
    const struct handle *mine = handle;

    return seqshare_valid(mine->share, &mine->view);
}

static void destroy(void *store)
{
    seqshare_close(store);
}

const struct contender contender_seqshare_typed = {
    .name = "seqshare-typed",
    .summary = "a typed value of 8 or 64 bytes, read inline",
    .largest = sizeof(struct line),
    .create = create_typed,
    .attach = attach,
    .read = read_typed,
    .write = write_typed,
    .detach = free,
    .destroy = destroy,
};

const struct contender contender_seqshare_peek = {
    .name = "seqshare-peek",
    .summary = "seqshare_peek, memcpy or none, seqshare_valid",
    .create = create,
    .attach = attach,
    .read = read_peeking,
    .write = write_value,
    .borrow = borrow,
    .give_back = give_back,
    .detach = free,
    .destroy = destroy,
};
