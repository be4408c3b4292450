/* SPDX-License-Identifier: MIT */
/* The inline functions once more, as symbols of the library: for other languages, and for dlsym. */
#define SEQSHARE_INLINE __attribute__((visibility("default")))

#include <seqshare/seqshare.h>
