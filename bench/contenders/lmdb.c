/* SPDX-License-Identifier: MIT */
/*
 * LMDB with one key. A reader renews its transaction for every read and resets it afterwards, as the manual
 * says for who reads often; MDB_NOTLS ties the reader's slot to the transaction, so that renewing takes no
 * lock. MDB_WRITEMAP, because the manual calls it faster for what fits in memory; MDB_NOSYNC, because the
 * file is on tmpfs and there is no disk to wait for. A process opens the environment once, itself, never
 * over fork.
 *
 * Pages that a reader may be looking at are not used again. One that is suspended in a transaction, or was
 * killed there, so makes the file grow until the map is full. The manual's remedies: a large map, and to
 * look for the dead again and again: whoever attaches does, and a writer that finds the map full, which then
 * waits for the living.
 */
#include "../contender.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lmdb.h>

#include "../clock.h"

enum {
    COPIES = 64,            /* of the value that the map has room for, old ones that are still read; */
    OVERHEAD = 1024 * 1024, /* each with LMDB's own pages. What is not used costs addresses only */
    PATIENCE = 10000        /* ms: how long a writer waits for readers to leave the oldest */
};

struct store {
    char directory[PATH_MAX];
    size_t capacity;
    unsigned readers;
    MDB_env *environment;
    MDB_dbi database;
    pid_t opened_by; /* another one over fork: not ours */
    unsigned users;
};

struct handle {
    struct store *store;
    MDB_txn *reading;
};

/*
 * A multiple of 8 bytes, for LMDB puts the value right behind them: whoever borrows it may want it aligned.
 * No less than 24, for the only record ends with its page: glibc's memcmp with AVX-512 loads 32 bytes from
 * the key on, and where these go beyond the page it takes 75 ns more (seen with values of 8 bytes).
 */
static char the_key[] = "settings of every worker";

static MDB_val key(void)
{
    return (MDB_val){.mv_data = the_key, .mv_size = sizeof the_key - 1};
}

/* LMDB's own codes are negative, and none of errno's. */
static int error_of(int code)
{
    switch (code) {
    case MDB_NOTFOUND:
        return -ENODATA;
    case MDB_MAP_FULL:
        return -ENOSPC;
    default:
        return code < 0 ? -EIO : -code;
    }
}

static int create(const struct contender_setup *setup, void **store)
{
    struct store *made = calloc(1, sizeof *made);

    if (!made)
        return -ENOMEM;
    if (snprintf(made->directory, sizeof made->directory, "%s", setup->directory) >=
        (int)sizeof made->directory) {
        free(made);
        return -ENAMETOOLONG;
    }
    made->capacity = setup->capacity;
    made->readers = setup->readers;
    *store = made;
    return 0;
}

/* As the manual says: by the first transaction of the process, and committed to be kept. */
static int open_database(struct store *store)
{
    MDB_txn *first;
    int code = mdb_txn_begin(store->environment, NULL, MDB_RDONLY, &first);

    if (code != 0)
        return code;
    code = mdb_dbi_open(first, NULL, 0, &store->database);
    if (code == 0)
        return mdb_txn_commit(first);
    mdb_txn_abort(first);
    return code;
}

static int open_environment(struct store *store)
{
    int code = mdb_env_create(&store->environment);
    MDB_env *environment = store->environment;

    if (code == 0)
        code = mdb_env_set_mapsize(environment, (store->capacity + OVERHEAD) * COPIES);
    if (code == 0) /* the dead have slots until they are removed */
        code = mdb_env_set_maxreaders(environment, 2 * store->readers + 64);
    if (code == 0)
        code = mdb_env_open(environment, store->directory, MDB_NOTLS | MDB_WRITEMAP | MDB_NOSYNC, 0600);
    if (code == 0)
        code = mdb_reader_check(environment, NULL);
    if (code == 0)
        code = open_database(store);
    store->opened_by = getpid();
    store->users = 0;
    return code;
}

static void close_environment(struct store *store)
{
    if (store->environment)
        mdb_env_close(store->environment);
    store->environment = NULL;
}

static int begin(struct handle *handle)
{
    int code = mdb_txn_begin(handle->store->environment, NULL, MDB_RDONLY, &handle->reading);

    if (code == 0)
        mdb_txn_reset(handle->reading);
    return code;
}

static int attach(void *store, enum contender_access access, void **handle)
{
    struct store *mine = store;
    struct handle *made = calloc(1, sizeof *made);
    int code = 0;

    (void)access; /* with MDB_WRITEMAP, readers are to open it as writers do */
    if (!made)
        return -ENOMEM;
    made->store = mine;
    if (!mine->environment || mine->opened_by != getpid())
        code = open_environment(mine);
    if (code == 0)
        code = begin(made);
    if (code == 0) {
        mine->users++;
        *handle = made;
        return 0;
    }
    if (mine->users == 0)
        close_environment(mine);
    free(made);
    return error_of(code);
}

static void detach(void *handle)
{
    struct handle *mine = handle;

    mdb_txn_abort(mine->reading);
    if (--mine->store->users == 0)
        close_environment(mine->store);
    free(mine);
}

static ssize_t borrow(void *handle, const void **value)
{
    struct handle *mine = handle;
    MDB_val wanted = key(), found;
    int code = mdb_txn_renew(mine->reading);

    if (code != 0)
        return error_of(code);
    code = mdb_get(mine->reading, mine->store->database, &wanted, &found);
    if (code != 0) {
        mdb_txn_reset(mine->reading);
        return error_of(code);
    }
    *value = found.mv_data;
    return (ssize_t)found.mv_size;
}

/* Nobody writes to pages that a transaction may read. */
static bool give_back(void *handle)
{
    mdb_txn_reset(((struct handle *)handle)->reading);
    return true;
}

static ssize_t read_value(void *handle, void *buffer, size_t size)
{
    const void *value;
    ssize_t length = borrow(handle, &value);

    if (length < 0)
        return length;
    if ((size_t)length > size)
        length = -ENOBUFS;
    else
        memcpy(buffer, value, (size_t)length);
    give_back(handle);
    return length;
}

static int put(const struct handle *handle, MDB_val value)
{
    MDB_txn *writing;
    MDB_val wanted = key();
    int code = mdb_txn_begin(handle->store->environment, NULL, 0, &writing);

    if (code != 0)
        return code;
    code = mdb_put(writing, handle->store->database, &wanted, &value, 0);
    if (code != 0) {
        mdb_txn_abort(writing);
        return code;
    }
    return mdb_txn_commit(writing);
}

static int write_value(void *handle, const void *value, size_t length)
{
    const struct handle *mine = handle;
    const MDB_val new = {.mv_data = (void *)(uintptr_t)value, .mv_size = length};
    int code = put(mine, new);

    for (int waited = 0; code == MDB_MAP_FULL && waited < PATIENCE; waited++) {
        clock_sleep(MILLISECOND);
        mdb_reader_check(mine->store->environment, NULL);
        code = put(mine, new);
    }
    return error_of(code);
}

static void destroy(void *store)
{
    const struct store *mine = store;
    char path[PATH_MAX + 16];

    snprintf(path, sizeof path, "%s/data.mdb", mine->directory);
    unlink(path);
    snprintf(path, sizeof path, "%s/lock.mdb", mine->directory);
    unlink(path);
    free(store);
}

const struct contender contender_lmdb = {
    .name = "lmdb",
    .summary = "LMDB on tmpfs, a renewed read transaction and a copy",
    .cannot_help = CONTENDER_READ_STORES,
    .create = create,
    .attach = attach,
    .read = read_value,
    .write = write_value,
    .borrow = borrow,
    .give_back = give_back,
    .detach = detach,
    .destroy = destroy,
};
