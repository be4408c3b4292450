/* SPDX-License-Identifier: MIT */
/* Where a document is from, as a share says it. */
#include "mod_seqshare.h"

int origin_read(const seqshare *source, struct origin *origin)
{
    struct seqshare_stat stat;
    int error = seqshare_pstat(source, &stat);

    if (error)
        return error;
    memcpy(origin->region_id, stat.region_id, sizeof origin->region_id);
    origin->version = stat.version;
    origin->published = stat.published;
    return 0;
}

bool origin_is_same(const struct origin *one, const struct origin *other)
{
    return memcmp(one, other, sizeof *one) == 0;
}

bool origin_is_of_same_region(const struct origin *one, const struct origin *other)
{
    return memcmp(one->region_id, other->region_id, sizeof one->region_id) == 0;
}
