/* SPDX-License-Identifier: MIT */
/* The identity of this thread, the world in which its number means something, and whether another thread lives. */
#ifndef SEQSHARE_IDENTITY_H
#define SEQSHARE_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <seqshare/protocol.h>

#include "likely.h"

/*
 * musl cannot load a library with initial-exec thread-local storage by dlopen; glibc can, and it is both
 * faster there and safe in a signal handler, where the general model may have to allocate.
 */
#ifdef __GLIBC__
#define IDENTITY_TLS __attribute__((visibility("hidden"), tls_model("initial-exec")))
#else
#define IDENTITY_TLS __attribute__((visibility("hidden")))
#endif

struct identity {
    uint64_t owner; /* as in the owner word: TID | start time << 32 */
    uint64_t generation;
    /*
     * A number of the program that this process executes: exec brings another, fork keeps it, and two
     * copies of the library in one process have the same. 0: not known.
     */
    uint64_t image;
    /* Above 0 in the instants in which this thread takes a lock or gives one back. Only lock.c uses it. */
    unsigned changing;
    pid_t process;
    int error; /* not 0: the start time is not known now (no descriptors, say); do not lock with this identity */
};

/* For identity_get alone: this thread's identity, and the page that says whether it holds for this process. */
extern _Thread_local struct identity identity_self IDENTITY_TLS;
extern __attribute__((visibility("hidden"))) seqshare_word *identity_page;
COLD struct identity *identity_find(void);

/*
 * This thread's identity; never NULL. Cached per thread; it notices a fork, by which it is stale (also a raw
 * clone). Async-signal-safe. The first call of a thread reads /proc.
 */
HOT_INLINE struct identity *identity_get(void)
{
    uint64_t now = __atomic_load_n(identity_page, __ATOMIC_RELAXED); /* 0 after fork: see identity.c */

    return likely(identity_self.generation == now && now != 0) ? &identity_self : identity_find();
}

/*
 * Unique to this process among its ancestors: ask again what was found out in another generation.
 */
uint64_t identity_generation(void);

/* Up to size - 1 bytes of a small file, below /proc say, with a 0 after them; their number, or a negative errno. */
ssize_t identity_read_file(const char *path, char *text, size_t size);

/* The world in which TIDs and start times can be compared. 0: not known. */
struct world {
    uint8_t boot_id[16];
    uint64_t pid_namespace;
    uint64_t time_namespace;
};

/* 0; or an error that does not concern the world (no descriptors, no memory): ask again. */
int identity_get_world(struct world *world);

/*
 * Is the thread in this owner word surely dead? False whenever nobody can tell. `owner` may be anything
 * at all.
 */
bool identity_is_dead(uint64_t owner);

#endif
