/* SPDX-License-Identifier: MIT */
/* The whole of a handle. Users see its first member. */
#ifndef SEQSHARE_SHARE_H
#define SEQSHARE_SHARE_H

#include <seqshare/seqshare.h>

#include "name.h"
#include "region.h"

struct share {
    seqshare hot; /* what inline functions use */
    struct region region;
    char *path;         /* absolute; NULL: a share without a name */
    bool any_owner;     /* as it was opened */
    uint64_t our_world; /* the generation in which the region's namespaces were found to be ours */
    uint64_t locked_by; /* the thread that took the lock through this handle; 0: none */
    uint64_t filled_by; /* the thread that is between fill and publish; 0: none */
    uint64_t filling;   /* the version that it makes */
    size_t room;
    uint64_t retries;
};

static inline struct share *share_of(const seqshare *share)
{
    return (struct share *)(uintptr_t)share; /* a handle is ours to change, whatever its user promised */
}

/* A zeroed one, or NULL. */
struct share *share_allocate(void);

/* Free `share` and return `error` if it is one; else the handle is the caller's, in *result. */
int share_hand_over(seqshare **result, struct share *share, int error);

/* The region that `name` has, as seqshare_open; the handle then knows no path. */
int share_open_at(seqshare **result, const struct name *name, int access);

/*
 * A region complete with mode and value, under `name`, where it either takes the place of what is there or
 * must be the first
 * (-EEXIST).
 */
int share_make_named(struct share *share, struct name *name, size_t capacity, mode_t mode,
                     const struct first_value *value, bool replace);

/*
 * Do the region's TIDs mean in this process what they meant to its creator? 0; -EOPNOTSUPP: no; or an error that says
 * nothing (no descriptors to look into /proc with).
 */
int share_check_world(const struct region *region);

/* Give back what this thread holds through this handle. */
void share_let_go(struct share *share);

/* This thread owns the region's lock. */
bool share_is_locked_by_me(const struct share *share);

#endif
