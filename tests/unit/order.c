/* SPDX-License-Identifier: MIT */
/*
 * Order that x86 does not give by itself: non-temporal stores, with which memcpy copies what is long, may be seen
 * before those made earlier. No test can rely on seeing that happen. So the instructions are looked at, one by
 * one, from the announcement of a write to the first byte of its value: a fence must be among them.
 *
 * Shows: READ-1.
 */
#include "support.h"
#include "trap.h"

#include <signal.h>
#include <stdlib.h>

TestSuite(order, .timeout = 120);

enum { LONG = 512 << 10 }; /* the library leaves such a copy to memcpy */

static struct {
    seqshare *share;
    const unsigned char *slot; /* the one that is filled, all zeros before */
    bool announced, fenced, over;
} look;

#if defined __x86_64__ || defined __i386__
static const unsigned char *next_instruction(const ucontext_t *interrupted)
{
#ifdef __x86_64__
    return (const unsigned char *)(uintptr_t)interrupted->uc_mcontext.gregs[REG_RIP];
#else
    return (const unsigned char *)(uintptr_t)interrupted->uc_mcontext.gregs[REG_EIP];
#endif
}

/* A lock prefix, mfence or sfence. */
static bool is_fence(const unsigned char *code)
{
    return code[0] == 0xf0 || (code[0] == 0x0f && code[1] == 0xae && (code[2] == 0xf0 || code[2] == 0xf8));
}
#else
static const unsigned char *next_instruction(const ucontext_t *interrupted)
{
    (void)interrupted;
    return NULL;
}

static bool is_fence(const unsigned char *code)
{
    return code != NULL;
}
#endif

static void on_trap(int signal, siginfo_t *info, void *interrupted)
{
    (void)signal, (void)info;
    look.announced = __atomic_load_n(&look.share->head->sequence, __ATOMIC_RELAXED) & 1;
    look.over |= __atomic_load_n(look.slot, __ATOMIC_RELAXED) != 0;
    if (look.over)
        trap_no_more(interrupted);
    else if (look.announced)
        look.fenced |= is_fence(next_instruction(interrupted));
}

/* Version 2 is the one to be looked at: slot 0, which has its memory and nothing in it. */
static void prepare(void)
{
    struct sigaction on_sigtrap = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
    void *zeros = calloc(1, LONG);

    if (!CAN_TRAP)
        cr_skip_test("this processor has no trap flag");
    skip_under_valgrind(); /* it has no trap flag either */
    equals(seqshare_new(&look.share, LONG), 0);
    look.slot = look.share->bytes;
    for (int i = 0; i < 3; i++)
        equals(seqshare_set(look.share, zeros, LONG), 0);
    free(zeros);
    check(sigaction(SIGTRAP, &on_sigtrap, NULL) == 0);
}

Test(order, an_announcement_comes_before_a_long_copy)
{
    unsigned char *value = malloc(LONG);

    prepare();
#ifndef __x86_64__
    cr_skip_test("the library copies in words on this processor");
#endif
    memset(value, 1, LONG);
    trap_each_instruction(true);
    seqshare_set(look.share, value, LONG);
    trap_each_instruction(false);
    check(look.over && look.fenced);
    seqshare_close(look.share);
    free(value);
}

Test(order, an_announcement_comes_before_what_a_program_fills)
{
    void *slot;

    prepare();
    trap_each_instruction(true);
    seqshare_fill(look.share, LONG, &slot);
    memset(slot, 1, 1);
    trap_each_instruction(false);
    check(look.over && look.fenced);
    equals(seqshare_publish(look.share, LONG), 0);
    seqshare_close(look.share);
}
