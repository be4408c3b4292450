/* SPDX-License-Identifier: MIT */
/* One instruction at a time: with the processor's trap flag set, each brings a SIGTRAP. */
#ifndef SEQSHARE_TEST_TRAP_H
#define SEQSHARE_TEST_TRAP_H

#include <stdbool.h>
#include <ucontext.h>

#if defined __x86_64__ || defined __i386__
enum { TRAP_FLAG = 0x100 };

static inline void trap_each_instruction(bool on)
{
    unsigned long flags;

    __asm__ volatile("pushf\n\tpop %0" : "=r"(flags)::"memory");
    flags = on ? flags | TRAP_FLAG : flags & ~(unsigned long)TRAP_FLAG;
    __asm__ volatile("push %0\n\tpopf" ::"r"(flags) : "memory", "cc");
}

static inline void trap_no_more(ucontext_t *interrupted)
{
    interrupted->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
}

enum { CAN_TRAP = true };
#else
enum { CAN_TRAP = false };

static inline void trap_each_instruction(bool on)
{
    (void)on;
}

static inline void trap_no_more(ucontext_t *interrupted)
{
    (void)interrupted;
}
#endif

#endif
