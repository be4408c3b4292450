/* SPDX-License-Identifier: MIT */
/* Handles that threads use without the GVL: closed when the last of them is done. */
#include "binding.h"

#include <stdlib.h>

struct handle *handle_new(seqshare *share)
{
    struct handle *handle = malloc(sizeof *handle);

    if (handle)
        *handle = (struct handle){share, 1, false};
    else
        seqshare_close(share);
    return handle;
}

struct handle *handle_use(struct handle *handle)
{
    handle->users++;
    return handle;
}

void handle_drop(struct handle *handle)
{
    if (!handle || --handle->users > 0)
        return;
    cut_begin(); /* closing gives back what this thread locked */
    seqshare_close(handle->share);
    cut_end();
    free(handle);
}
