/* SPDX-License-Identifier: MIT */
/* The whole of a handle. Users see its first member. */
#ifndef SEQSHARE_SHARE_H
#define SEQSHARE_SHARE_H

#include <seqshare/seqshare.h>

#include "create.h"
#include "name.h"
#include "region.h"

struct share {
    seqshare handle; /* for inline functions */
    struct region region;
    char *path;              /* absolute; NULL: a share without a name */
    bool any_owner;          /* as it was opened */
    seqshare_word our_world; /* the generation in which the region's namespaces proved to be ours */
    seqshare_word locked_by; /* the thread that took the lock through this handle; 0: none */
    seqshare_word writing;   /* the thread that is in a write through this handle; 0: none */
    seqshare_word abandoned; /* lock_abandoned when that write began */
    seqshare_word filling;   /* the version that its fill makes; 0: it is in none */
    size_t room;
    seqshare_word retries;
    seqshare_word ask_at; /* when a thread that waits asks the name again; see wait.c */
    uint32_t marks_seen;  /* the region's marks when a thread last asked */
};

static inline struct share *share_of(const seqshare *share)
{
    return (struct share *)(uintptr_t)share; /* we may change a handle, even a const one */
}

/*
 * The file holds this many bytes of a slot, of the capacity at most. They stay, so the bound only grows, until
 * reopen. Relaxed: see seqshare_may_touch.
 */
static inline void share_raise_held(struct share *share, unsigned slot, size_t held)
{
    size_t *bound = &share->handle.place[slot].held, now = __atomic_load_n(bound, __ATOMIC_RELAXED);

    if (held > share->handle.capacity)
        held = share->handle.capacity;
    while (now < held &&
           !__atomic_compare_exchange_n(bound, &now, held, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}

/* The region that `name` has, as seqshare_open. */
int share_open_at(seqshare **result, const struct name *name, int access);

/* The arguments of create and replace. */
struct share_request {
    size_t capacity;
    mode_t mode;
    int flags;                            /* SEQSHARE_KEEP_MODE, SEQSHARE_LOSE_OWNER */
    const struct seqshare_reading *first; /* the value to appear with; NULL: none, or the old region's */
};

/* *first as a version, published here and now. */
struct first_value share_first_value(const struct seqshare_reading *first, uint64_t version);

/* The region that `name` has, with the descriptors that seqshare_open would give it. */
int share_open_region(struct region *region, const struct name *name, bool writable, bool any_owner);

/*
 * A region complete with mode and value, but not under its name yet. Its file has a temporary name if it will
 * replace the region `old`; otherwise (NULL) perhaps none.
 */
int share_make_file(struct share *share, const struct name *name, const struct share_request *request,
                    const struct first_value *value, const struct region *old,
                    char temporary[NAME_TEMPORARY_SIZE]);

/* The handle takes the path from `name`, which keeps its directory. */
void share_take_path(struct share *share, struct name *name);

/* Let the inline functions look at the handle's region. */
void share_refresh_handle(struct share *share);

/* The same under its name, if that is free (-EEXIST), as the request says. */
int share_make_first(struct share *share, struct name *name, const struct share_request *request);

/* The common part of create and replace: all but how `make` gives the name a region. */
typedef int share_make(struct share *share, struct name *name, const struct share_request *request);
int share_new_named(seqshare **result, const char *text, const struct share_request *request,
                    share_make *make);

#endif
