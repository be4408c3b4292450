/* SPDX-License-Identifier: MIT */
/* A short pause in a loop that waits for another thread. */
#ifndef SEQSHARE_PAUSE_H
#define SEQSHARE_PAUSE_H

/* Tell the processor that this loop waits for another one. */
static inline void pause_briefly(void)
{
#if defined __x86_64__ || defined __i386__
    __builtin_ia32_pause();
#elif defined __aarch64__
    __asm__ volatile(
        "isb" ::
            : "memory"); /* `yield` does nothing on most cores; this takes about as long as pause */
#endif
}

#endif
