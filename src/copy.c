/* SPDX-License-Identifier: MIT */
/* Chooses how long values are copied, for this processor. */
#include "copy.h"

#if !defined COPY_PORTABLE && defined __x86_64__
size_t copy_wide_most;

/* Once, before main: no reader's branch ever goes the other way afterwards. */
__attribute__((constructor)) static void choose_width(void)
{
    __builtin_cpu_init();
    copy_wide_most = __builtin_cpu_supports("avx") ? COPY_WIDE_MOST : 0;
}
#else
typedef int copy_needs_nothing; /* a file of ISO C is not empty */
#endif
