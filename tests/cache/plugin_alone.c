/* SPDX-License-Identifier: MIT */
/* A plugin that has a share, and no cache. */
#include "plugin.h"

#include <seqshare/seqshare.h>

static seqshare *share;

int plugin_begin(void)
{
    int error = seqshare_new(&share, 64);

    return error ? error : seqshare_set(share, "value", 5);
}

void plugin_request(void)
{
    seqshare_set(share, "other", 5);
}

void plugin_end(void)
{
    seqshare_close(share);
}
