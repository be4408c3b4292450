/* SPDX-License-Identifier: MIT */
/* A handle moves to the region that its name leads to now. */
#include "reopen.h"

#include <errno.h>
#include <string.h>

#include "cancel.h"
#include "follow.h"
#include "hold.h"

/* The region that the name leads to, if this handle may move to it: 0, and *found is open. */
static int open_found(const struct share *share, struct region *found)
{
    struct name name;
    int error = name_open(&name, share->path);

    if (error)
        return error;
    error = share_open_region(found, &name, region_is_writable(&share->region), share->any_owner);
    name_close(&name);
    return error;
}

/* Compare the files too: a copy of a region's file has the same id. */
static bool is_same(const struct region *one, const struct region *other)
{
    return memcmp(one->header.region_id, other->header.region_id, sizeof one->header.region_id) == 0 &&
           file_id_is(one->file.id, other->file.id);
}

static int move_to(struct share *share, struct region *found)
{
    if (is_same(found, &share->region) && !follow_was_copied_up(&share->region)) {
        region_close(found);
        return 0;
    }
    region_close(&share->region);
    share->region = *found;
    share->our_world = share->locked_by = share->writing = share->filling = share->ask_at = 0;
    share->marks_seen = 0;
    share_refresh_handle(share);
    hold_settle(share);
    return 1;
}

/* Acquire: pairs with region_retire. A thread that sees the mark, and then asks the name, finds it moved. */
static bool is_replaced(const struct share *share)
{
    return __atomic_load_n(&share->region.map->head.retired, __ATOMIC_ACQUIRE) & SEQSHARE_REPLACED;
}

static int reopen(struct share *share)
{
    struct region found;
    bool replaced;
    int here, error;

    if (region_is_writable(&share->region) && hold_is_mine(share))
        return -EBUSY;
    replaced = is_replaced(share);
    here = follow_leads_here(share);
    if (here == 1) /* if it was replaced: its file is mounted alone, or has a second name */
        return replaced ? -EIDRM : 0;
    if (here != 0)
        return here;
    error = open_found(share, &found);
    return error ? error : move_to(share, &found);
}

int seqshare_reopen(seqshare *handle)
{
    struct share *share = share_of(handle);
    int cancellation, result;

    if (!handle || !share->path)
        return -EINVAL;
    cancellation = cancel_disable();
    result = reopen(share);
    cancel_restore(cancellation);
    return result;
}

bool reopen_would_move(const struct share *share)
{
    struct region found;

    if (follow_leads_here(share) != 0 || open_found(share, &found) != 0)
        return false;
    region_close(&found);
    return true;
}
