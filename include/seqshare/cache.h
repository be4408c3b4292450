/* SPDX-License-Identifier: MIT */
/*
 * A cache over a share, so that each process decodes a value once per version. After that, a process pays only for a
 * look whether anything has moved. In libseqshare-cache.
 *
 *     seqshare_cache_new(&cache, config, parse, release, NULL);       before fork, or after
 *     const struct routes *routes = seqshare_cache_get(cache);        on every request
 *
 * When the version has moved, the cache copies the bytes to private memory and decodes them there. If it cannot decode
 * a value, it counts that, ignores the value until the version moves again, and keeps the last good object: a bad
 * configuration takes no worker down. If there was no memory for a value, the cache tries again after a second, or as
 * soon as there is a newer one. While writers outrun the copy, it tries once a second.
 *
 * Moved names: the cache notices anything that brings the share's name and its region apart (replace, rm and create,
 * mv, a restored backup, a mount). It follows the name to the region that it has now, with versions that start over or
 * go on. It notices a region that is marked (seqshare_retired) at the next call, and anything else after one second or
 * 64 calls, whichever is later. If it cannot follow the name, the last good object stays, the stat's follow_error says
 * why, and the cache tries again after a second. (Programs that were compiled with a header before seqshare_cache_look
 * notice marks only, unless they call that or seqshare_cache_refresh.)
 *
 * The share stays the caller's, who closes it after the cache. But the cache moves a share that has a name
 * (seqshare_reopen), inside its calls: leave such a share to the cache alone.
 *
 * After fork, a cache works in parent and child without any call. A fork waits for no decoding and no section, at most
 * for the opening of a file.
 *
 * seqshare_cache is for one thread at a time; seqshare_cache_mt for many threads. Nothing here is for signal handlers.
 * If a function lists no errors, its arguments must not be NULL.
 *
 * Do not unload a plugin that contains the static library, if that was built with liburcu (link the plugin with
 * -z nodelete, as the shared library is): threads that used a cache call liburcu when they end.
 */
#ifndef SEQSHARE_CACHE_H
#define SEQSHARE_CACHE_H

#include <seqshare/seqshare.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Make an object of a value. `bytes` are private, with a zero byte after them; decode may write to them, and they are
 * gone afterwards. Length 0 is a valid value. NULL: it cannot be done, and errno says why (0: -EBADMSG; after ENOMEM
 * the cache tries again). It runs in the thread that found the new version, and must not use the cache that it decodes
 * for.
 *
 * It may end without returning: its thread is cancelled, or ends, or an exception or a longjmp passes through the
 * cache. That counts as a failure (-ECANCELED), and the cache tries again as after ENOMEM. In a seqshare_cache_mt,
 * other threads can go on at once; but after a longjmp not before the thread that jumped has called in again, or has
 * ended.
 */
typedef void *seqshare_decode(void *bytes, size_t length, uint64_t version, void *context);

/* Let go of an object that nobody uses any more. */
typedef void seqshare_destroy(void *object);

/* What seqshare_cache_stat says of a cache. */
struct seqshare_cache_stat {
    uint64_t version;        /* that the object was decoded from; 0: there is no object */
    uint64_t decoded;        /* values decoded */
    uint64_t failed;         /* values that could not be copied or decoded */
    uint64_t failed_version; /* the last of these (0: not even that is known), */
    int32_t failed_error;    /* and why: a negative errno value */
    int32_t follow_error;    /* why the last attempt to follow the name failed; 0: it did not.
                             A server should log it, once a minute say: its value grows old */
    uint64_t moved;          /* how often the cache followed the name to another region */
    uint64_t reserved[4];
};

/* ---- one thread at a time -------------------------------------------------------------------- */

/* Its members are private; the inline function uses them. More follow. */
typedef struct seqshare_cache {
    const seqshare *share;
    uint64_t seen; /* the version that the cache has decoded, or given up */
    void *object;
    uint32_t marks; /* of the region, when the cache last looked at its name */
    uint32_t calls; /* from here on that need no clock */
} seqshare_cache;

/*
 * Make a cache, the caller's to close; it decodes nothing yet. destroy NULL: objects need none. The cache hands
 * `context` to decode. Errors:
 *   -EINVAL    cache, share or decode is NULL
 *   -ENOMEM    not enough memory
 *   -EAGAIN    the process has used up its keys of thread-specific data
 */
SEQSHARE_API int seqshare_cache_new(seqshare_cache **cache, seqshare *share, seqshare_decode *decode,
                                    seqshare_destroy *destroy, void *context);

/*
 * The object of the newest version, or of the last good one; NULL: there has been none. It stays until the next get or
 * close of this cache, which owns it. When nothing has moved, the call reads one line of shared memory, and each 64th
 * call (or every call, if calls are rare) asks the clock.
 */
SEQSHARE_INLINE const void *seqshare_cache_get(seqshare_cache *cache);

/* The slow half of seqshare_cache_get. A program that cannot inline calls it instead of get. */
SEQSHARE_API const void *seqshare_cache_refresh(seqshare_cache *cache);

/*
 * Look at the share's name now, whatever the clock says. Returns 1 if the share moved, 0 if not, or why it could not
 * follow the name (as follow_error). The next get reads. For a server with a clock of its own, and for one that wants
 * to know at once. A share without a name: 0. Errors: those of seqshare_reopen, and:
 *   -EINVAL    cache is NULL
 */
SEQSHARE_API int seqshare_cache_look(seqshare_cache *cache);

/*
 * The age of the object's version: nanoseconds since it was published, by the system's clock, which somebody may have
 * set meanwhile. Errors:
 *   -ENODATA   there is no object
 *   -EINVAL    cache is NULL
 */
SEQSHARE_API int64_t seqshare_cache_age(const seqshare_cache *cache);

/*
 * How the cache fares. Errors:
 *   -EINVAL    an argument is NULL
 */
#ifdef __cplusplus /* as in seqshare.h: a struct and a function of one name */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif
SEQSHARE_API int seqshare_cache_stat(const seqshare_cache *cache, struct seqshare_cache_stat *stat);
#ifdef __cplusplus
#pragma GCC diagnostic pop
#endif

/* Destroys the object. NULL is fine. Leaves the share open. */
SEQSHARE_API void seqshare_cache_close(seqshare_cache *cache);

/* ---- many threads ---------------------------------------------------------------------------- */

/*
 * The same for threads. A thread that uses an object is in a section, between enter and leave, and the cache destroys
 * an object when the last section that has it is over. One thread decodes; others meanwhile get the last good object,
 * and wait only if there is none yet. A thread may be in several sections, of several caches; but decode and destroy
 * must not wait for another thread that is in one. seqshare_cache_mt_reclamation() says how the library keeps track of
 * objects in use. Nobody waits for a section, either way.
 *
 * A child of fork has the sections of the thread that forked, and must leave them too. Objects that other threads used
 * at that moment stay in the child's memory for good. If another thread was decoding a value, the child decodes it
 * itself.
 */
typedef struct seqshare_cache_mt seqshare_cache_mt;

/* A section, with the object that it got. */
typedef struct seqshare_snapshot {
    const void *object; /* NULL: there is none yet */
    uint64_t version;   /* that it was decoded from; 0: none */
    void *hold;         /* private */
} seqshare_snapshot;

/*
 * As seqshare_cache_new, for many threads. If the share has a name, the cache reads it through mappings of its own.
 * Errors: those of seqshare_cache_new; and for a share with a name those of seqshare_fd and seqshare_attach.
 */
SEQSHARE_API int seqshare_cache_mt_new(seqshare_cache_mt **cache, seqshare *share, seqshare_decode *decode,
                                       seqshare_destroy *destroy, void *context);

/*
 * Enter a section. snapshot->object, which is also returned, stays until leave, whatever anybody publishes. One
 * snapshot for a whole request gives it values that belong together. A section may last, and may end in another thread
 * than it began in, which uses the snapshot then. It keeps its object in memory, and with counted references its
 * place: see docs/hot-configuration.md.
 */
SEQSHARE_API const void *seqshare_cache_mt_enter(seqshare_cache_mt *cache, seqshare_snapshot *snapshot);

/* Leave a section: once for each enter, with the snapshot that enter filled in. */
SEQSHARE_API void seqshare_cache_mt_leave(seqshare_cache_mt *cache, seqshare_snapshot *snapshot);

/*
 * As seqshare_cache_look and seqshare_cache_age; look is for any thread, also in a section. Errors: those of
 * seqshare_cache_look and seqshare_cache_age, and:
 *   -EBUSY     another thread decodes, or looks at the name, just now
 *   -ENOMEM    not enough memory
 */
SEQSHARE_API int seqshare_cache_mt_look(seqshare_cache_mt *cache);
SEQSHARE_API int64_t seqshare_cache_mt_age(seqshare_cache_mt *cache);

/*
 * How the cache fares. Errors:
 *   -EINVAL    an argument is NULL
 */
SEQSHARE_API int seqshare_cache_mt_stat(seqshare_cache_mt *cache, struct seqshare_cache_stat *stat);

/* Destroys all objects. No thread may be in a section, or enter one. NULL is fine. Leaves the share open. */
SEQSHARE_API void seqshare_cache_mt_close(seqshare_cache_mt *cache);

/* How the library keeps track of objects in use: "liburcu" or "counted", as it was built. */
SEQSHARE_API const char *seqshare_cache_mt_reclamation(void);

/* ---- inline ---------------------------------------------------------------------------------- */

SEQSHARE_INLINE const void *seqshare_cache_get(seqshare_cache *cache)
{
    const struct seqshare_head *head = cache->share->head;

    /* Relaxed is enough for the marks: they lead to no more than a look at the name. */
    if (seqshare_read_begin(head) == cache->seen &&
        __atomic_load_n(&head->retired, __ATOMIC_RELAXED) == cache->marks && cache->calls > 1) {
        cache->calls--;
        return cache->object;
    }
    return seqshare_cache_refresh(cache);
}

#ifdef __cplusplus
}
#endif

#endif
