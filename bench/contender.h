/* SPDX-License-Identifier: MIT */
/*
 * A contender: one way to share a value between processes. Each is one small file in contenders/, used as its
 * own documentation says is best, and registered in contenders.c; every program here drives all of them
 * through this interface alone.
 *
 *      create      in the first process, before any fork
 *      attach      once in every process (or thread: _IN_THREADS) that reads or writes, usually after fork
 *      read, write through what attach gave; a process uses one handle, from one thread
 *      detach      at the end of an orderly process; one that is killed, at any moment, never gets here
 *      destroy     in the first process, when nobody is left
 *
 * All but read return 0 or a negative errno value. A contender that cannot run on this machine says so from
 * create (-EOPNOTSUPP or -ENOSYS) and is left out; one whose library is not installed is not built at all.
 */
#ifndef BENCH_CONTENDER_H
#define BENCH_CONTENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What a contender cannot help. CAN_TEAR, _SPOIL and _HANG are excused when they happen, and nothing else. */
enum {
    CONTENDER_CAN_WAIT = 1,     /* a read may wait: for a lock, another reader, a writer, a server */
    CONTENDER_CAN_TEAR = 2,     /* a read may mix two values although nobody died */
    CONTENDER_CAN_SPOIL = 4,    /* a writer killed in the middle leaves a mixed value behind */
    CONTENDER_CAN_HANG = 8,     /* somebody killed at the wrong moment stops the others for good */
    CONTENDER_READ_STORES = 16, /* a read writes to shared memory: readers pull a cache line to and fro */
    CONTENDER_READ_CALLS = 32,  /* a read makes system calls, even when nobody is in its way */
    CONTENDER_READ_SKIPS = 64,  /* a read copies only when the value is new */
    CONTENDER_IN_THREADS = 128  /* readers and writer are threads of one process; each of them attaches */
};

/* Which questions of the suite it is asked. */
enum contender_part {
    CONTENDER_ALL,   /* every one */
    CONTENDER_LOOPS, /* those that time a batch of calls: its read and write are another contender's */
    CONTENDER_WAKES  /* how soon a sleeping reader has the news: its read and write are nothing new */
};

enum contender_access { CONTENDER_READER, CONTENDER_WRITER };

struct contender_setup {
    size_t capacity;       /* bytes: no value will be longer */
    unsigned readers;      /* no more will be attached at a time */
    const char *directory; /* the contender's own, empty, in memory where there is a tmpfs: files, sockets */
};

struct contender {
    const char *name;    /* as --contender knows it */
    const char *summary; /* what it is and how it is used; one line */
    unsigned cannot_help;
    enum contender_part part;
    size_t largest; /* bytes: no value can be longer; 0: it sets no limit of its own */

    int (*create)(const struct contender_setup *setup, void **store);
    int (*attach)(void *store, enum contender_access access, void **handle);

    /*
     * Make the newest value stand whole in `buffer` (`size` bytes, at least the capacity; always the same
     * buffer, so that a contender which knows it to be up to date may leave it): its length, or a negative
     * errno value.
     */
    ssize_t (*read)(void *handle, void *buffer, size_t size);
    int (*write)(void *handle, const void *value, size_t length);

    /*
     * For a library of another language, NULL for others: so many reads or writes in a loop of that language,
     * where its compiler sees the library as it does in a program of its own. 0 or a negative errno value.
     */
    int (*read_times)(void *handle, void *buffer, size_t size, size_t times);
    int (*write_times)(void *handle, const void *value, size_t length, size_t times);

    /*
     * For who can lend the value where it lies, both NULL for others. borrow: its length, or a negative errno
     * value. give_back, asked after the last look at it: was it whole all the while?
     */
    ssize_t (*borrow)(void *handle, const void **value);
    bool (*give_back)(void *handle);

    /*
     * Sleep until there is another value than the one that this handle saw in its last await (at first: than
     * the one at attach), `ns` at the most: 0, -ETIMEDOUT or another negative errno value. NULL: no such
     * thing.
     */
    int (*await)(void *handle, int64_t ns);

    uint64_t (*retries)(void *handle);  /* attempts at reading that failed, so far; NULL: has no such thing */
    bool (*held_by_dead)(void *handle); /* is the writer lock held by somebody dead? NULL: cannot be told */
    void (*detach)(void *handle);
    void (*destroy)(void *store);
};

/* All of them, NULL at the end; seqshare first, which the others are compared with. */
extern const struct contender *const contenders[];

/* NULL: there is none of that name. */
const struct contender *contender_find(const char *name);

#endif
