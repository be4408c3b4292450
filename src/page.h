/* SPDX-License-Identifier: MIT */
/* How large a page of memory is here. */
#ifndef SEQSHARE_PAGE_H
#define SEQSHARE_PAGE_H

#include <stddef.h>
#include <unistd.h>

static inline size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

#endif
