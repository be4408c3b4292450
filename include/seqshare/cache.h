/* SPDX-License-Identifier: MIT */
/*
 * A cache over a share: its value decoded once per version, in every process for itself, and then found at
 * the price of looking whether something has moved. In libseqshare-cache.
 *
 *     seqshare_cache_new(&cache, config, parse, release, NULL);       before fork, or after
 *     const struct routes *routes = seqshare_cache_get(cache);        on every request
 *
 * When the version has moved, the bytes are copied to private memory and decoded from there. A value that
 * cannot be decoded is counted and left alone until the version moves again, and the last good object stays:
 * a bad configuration takes no worker down. A value for which there was no memory is tried again after a
 * second, or as soon as there is a newer one. While writers outrun the copy, it is tried once a second.
 *
 * Moved names: the cache notices whatever brings the share's name and its region apart (replace, rm and create,
 * mv, a restored backup, a mount), and follows the name to the region that it has now, with versions that start
 * over or go on. A region that is marked (seqshare_retired) is noticed at the next call; anything else after
 * one second or 64 calls, whichever is later. If the name cannot be followed, the last good object stays, the
 * stat's follow_error says why, and the cache tries again after a second. (Programs that were compiled with a
 * header before seqshare_cache_look notice marks only, unless they call that or seqshare_cache_refresh.)
 *
 * The share stays the caller's, to be closed after the cache. But the cache moves a share that has a name
 * (seqshare_reopen), inside of its calls: such a share is best left to the cache alone.
 *
 * After fork, a cache works in parent and child without further ado. A fork waits for no decoding and no
 * section, at most for the opening of a file.
 *
 * seqshare_cache is for one thread at a time; seqshare_cache_mt for many threads. Nothing here is for signal
 * handlers. Where a function lists no errors, what it is given must not be NULL.
 *
 * A plugin that has the static library in it must not be unloaded if that was built with liburcu (link it with
 * -z nodelete, as the shared library is): threads that used a cache call liburcu when they end.
 */
#ifndef SEQSHARE_CACHE_H
#define SEQSHARE_CACHE_H

#include <seqshare/seqshare.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Make an object of a value. `bytes` are private, may be written to, are gone afterwards, and are followed by
 * a zero byte; length 0 is a valid value. NULL: it cannot be done, and errno says why (0: -EBADMSG; after
 * ENOMEM it is tried again). Runs in the thread that found the new version, and must not use the cache that
 * it decodes for.
 *
 * It may be left without returning: its thread is cancelled, or ends, or an exception or a longjmp passes
 * through the cache. That counts as a failure (-ECANCELED), and is tried again as after ENOMEM. In a
 * seqshare_cache_mt, other threads can go on at once; but after a longjmp not before the thread that jumped
 * has called in again, or has ended.
 */
typedef void *seqshare_decode(void *bytes, size_t length, uint64_t version, void *context);

/* Let go of an object that nobody uses any more. */
typedef void seqshare_destroy(void *object);

/* How a cache fares. */
struct seqshare_cache_stat {
    uint64_t version;        /* the one that the object was decoded from; 0: there is no object */
    uint64_t decoded;        /* values decoded */
    uint64_t failed;         /* values that could not be copied or decoded */
    uint64_t failed_version; /* the last of these (0: not even that is known), */
    int32_t failed_error;    /* and why: a negative errno value */
    int32_t follow_error;    /* why the name could not be followed, the last time that was tried; 0: it could.
                             A server that logs should say it, once a minute say: what it serves grows old */
    uint64_t moved;          /* how often the share's name was followed to another region */
    uint64_t reserved[4];
};

/* ---- one thread at a time -------------------------------------------------------------------- */

/* Its members are private; the inline function uses them. More follow. */
typedef struct seqshare_cache {
    const seqshare *share;
    uint64_t seen; /* the version that has been dealt with */
    void *object;
    uint32_t marks; /* those of the region for which its name has been looked at */
    uint32_t calls; /* that ask for no clock, from here on */
} seqshare_cache;

/*
 * Make a cache, the caller's to close; nothing is decoded yet. destroy NULL: objects need none. `context` is
 * handed to decode. Errors: -EINVAL cache, share or decode NULL; -ENOMEM; -EAGAIN the process has used up its
 * keys of thread-specific data.
 */
SEQSHARE_API int seqshare_cache_new(seqshare_cache **cache, seqshare *share, seqshare_decode *decode,
                                    seqshare_destroy *destroy, void *context);

/*
 * The object of the newest version, or of the last good one; NULL: there has been none. It stays until the
 * next get or close of this cache, which owns it. When nothing has moved: one line of shared memory is read,
 * and each 64th call (all of them, where they are rare) asks the clock.
 */
SEQSHARE_INLINE const void *seqshare_cache_get(seqshare_cache *cache);

/* What get calls when something moved. It may be called instead of get where nothing can be inlined. */
SEQSHARE_API const void *seqshare_cache_refresh(seqshare_cache *cache);

/*
 * Look at the share's name now, whatever the clock says: 1 if the share moved, else 0, or why the name could
 * not be followed (as follow_error). The next get reads. For a server with a clock of its own, and for one that
 * wants to know at once. A share without a name: 0. Errors: as seqshare_reopen; -EINVAL cache NULL.
 */
SEQSHARE_API int seqshare_cache_look(seqshare_cache *cache);

/*
 * How long ago the version was published that the object was decoded from: nanoseconds. The system's clock
 * tells, which may have been set meanwhile. Errors: -ENODATA there is no object; -EINVAL.
 */
SEQSHARE_API int64_t seqshare_cache_age(const seqshare_cache *cache);

/* How the cache fares. Errors: -EINVAL. */
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
 * The same for threads: whoever uses an object is in a section, between enter and leave, and an object is
 * destroyed when the last section that has it is over. One thread decodes; others meanwhile get the last good
 * object, and wait only when there is none yet. A thread may be in several sections, of several caches; but
 * decode and destroy must not wait for another thread that is in one. seqshare_cache_mt_reclamation() says
 * how the library keeps track of who uses what; nobody waits for a section, either way.
 *
 * A child of fork has the sections of the thread that forked, to be left there too. What other threads had in
 * use at that moment stays in the child's memory for good. What another thread was decoding, the child decodes
 * itself.
 */
typedef struct seqshare_cache_mt seqshare_cache_mt;

/* A section: what it got. */
typedef struct seqshare_snapshot {
    const void *object; /* NULL: there is none yet */
    uint64_t version;   /* that it was decoded from; 0: none */
    void *hold;         /* private */
} seqshare_snapshot;

/*
 * As seqshare_cache_new. The share is read through mappings of the cache's own, if it has a name.
 * Errors: as seqshare_cache_new; and for a share with a name as seqshare_fd and seqshare_attach.
 */
SEQSHARE_API int seqshare_cache_mt_new(seqshare_cache_mt **cache, seqshare *share, seqshare_decode *decode,
                                       seqshare_destroy *destroy, void *context);

/*
 * Enter a section: snapshot->object, which is also returned, stays until leave, whatever is published. One
 * snapshot for a whole request gives it values that belong together. A section may last, and may end in
 * another thread than it began in: that one uses the snapshot then. It keeps its object in memory, and with
 * counted references its place: see docs/hot-configuration.md.
 */
SEQSHARE_API const void *seqshare_cache_mt_enter(seqshare_cache_mt *cache, seqshare_snapshot *snapshot);

/* Leave it: once for each enter, with what that filled in. */
SEQSHARE_API void seqshare_cache_mt_leave(seqshare_cache_mt *cache, seqshare_snapshot *snapshot);

/*
 * As seqshare_cache_look and seqshare_cache_age; look is for any thread, also in a section. Errors: and -EBUSY
 * another thread decodes, or looks at the name, just now; -ENOMEM.
 */
SEQSHARE_API int seqshare_cache_mt_look(seqshare_cache_mt *cache);
SEQSHARE_API int64_t seqshare_cache_mt_age(seqshare_cache_mt *cache);

/* How the cache fares. Errors: -EINVAL. */
SEQSHARE_API int seqshare_cache_mt_stat(seqshare_cache_mt *cache, struct seqshare_cache_stat *stat);

/* Destroys what there is. No thread may be in a section, or enter one.
 * NULL is fine. Leaves the share open. */
SEQSHARE_API void seqshare_cache_mt_close(seqshare_cache_mt *cache);

/* "liburcu" or "counted": how the library was built. */
SEQSHARE_API const char *seqshare_cache_mt_reclamation(void);

/* ---- inline ---------------------------------------------------------------------------------- */

SEQSHARE_INLINE const void *seqshare_cache_get(seqshare_cache *cache)
{
    const struct seqshare_head *head = cache->share->head;

    /* The marks are as good relaxed: what they lead to is a look at the name. */
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
