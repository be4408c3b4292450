/* SPDX-License-Identifier: MIT */
/*
 * The suite's list of contenders. A new one is a file in ../contenders/, a line here and one in
 * CMakeLists.txt. Of those that need a library, CMake says which were found.
 */
#include "question.h"

#include <stddef.h>

extern const struct contender contender_seqshare, contender_seqshare_typed, contender_seqshare_peek,
    contender_memcpy, contender_mutex, contender_mutex_robust, contender_rwlock, contender_semaphore,
    contender_flock, contender_file, contender_futex, contender_eventfd;

#ifdef BENCH_HAVE_CK
extern const struct contender contender_ck_sequence, contender_ck_rwlock;
#endif
#ifdef BENCH_HAVE_URCU
extern const struct contender contender_liburcu;
#endif
#ifdef BENCH_HAVE_LMDB
extern const struct contender contender_lmdb;
#endif
#ifdef BENCH_HAVE_BOOST
extern const struct contender contender_boost;
#endif
#ifdef BENCH_HAVE_MEMCACHED
extern const struct contender contender_memcached;
#endif
#ifdef BENCH_HAVE_REDIS
extern const struct contender contender_redis, contender_redis_pubsub;
#endif
#ifdef BENCH_HAVE_RUST
extern const struct contender contender_mmap_sync, contender_mmap_sync_rust, contender_iceoryx2,
    contender_iceoryx2_rust, contender_iceoryx2_event;
#endif

const struct contender *const suite_contenders[] = {
    &contender_seqshare,
    &contender_seqshare_typed,
    &contender_seqshare_peek,
    &contender_memcpy,
    &contender_mutex,
    &contender_mutex_robust,
    &contender_rwlock,
    &contender_semaphore,
    &contender_flock,
    &contender_file,
    &contender_futex,
    &contender_eventfd,
#ifdef BENCH_HAVE_CK
    &contender_ck_sequence,
    &contender_ck_rwlock,
#endif
#ifdef BENCH_HAVE_URCU
    &contender_liburcu,
#endif
#ifdef BENCH_HAVE_LMDB
    &contender_lmdb,
#endif
#ifdef BENCH_HAVE_BOOST
    &contender_boost,
#endif
#ifdef BENCH_HAVE_MEMCACHED
    &contender_memcached,
#endif
#ifdef BENCH_HAVE_REDIS
    &contender_redis,
    &contender_redis_pubsub,
#endif
#ifdef BENCH_HAVE_RUST
    &contender_mmap_sync,
    &contender_mmap_sync_rust,
    &contender_iceoryx2,
    &contender_iceoryx2_rust,
    &contender_iceoryx2_event,
#endif
    NULL,
};

const struct absent suite_absent[] = {
#ifndef BENCH_HAVE_CK
    {"ck-sequence, ck-rwlock", "Concurrency Kit is not installed (libck-dev)"},
#endif
#ifndef BENCH_HAVE_URCU
    {"liburcu", "it is not installed (liburcu-dev)"},
#endif
#ifndef BENCH_HAVE_LMDB
    {"lmdb", "it is not installed (liblmdb-dev)"},
#endif
#ifndef BENCH_HAVE_BOOST
    {"boost", "Boost.Interprocess is not installed (libboost-dev)"},
#endif
#ifndef BENCH_HAVE_MEMCACHED
    {"memcached", "it or its client is not installed (memcached, libmemcached-dev)"},
#endif
#ifndef BENCH_HAVE_REDIS
    {"redis", "it or its client is not installed (redis-server, libhiredis-dev)"},
#endif
#ifndef BENCH_HAVE_RUST
    {"mmap-sync, iceoryx2", BENCH_RUST_MISSING},
#endif
    {NULL, NULL},
};
