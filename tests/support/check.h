/* SPDX-License-Identifier: MIT */
/*
 * The checks of all test programs in C: the program, or its child, ends at the first that fails.
 *
 * How it ends is the program's own matter: support.c says it for Criterion's tests, threads.c for programs with
 * threads, faults/main.c for operations whose calls fail.
 */
#ifndef SEQSHARE_TEST_CHECK_H
#define SEQSHARE_TEST_CHECK_H

#include <stdint.h>

/* The compiler knows that it is so from there on. */
#define check(condition)    ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))
#define equals(got, wanted) equals_at(__FILE__, __LINE__, #got, (intmax_t)(got), (intmax_t)(wanted))

/* Each program has one of its own: it says the message, and does not return. */
_Noreturn void check_failed(const char *file, int line, const char *message);

_Noreturn void check_differs(const char *file, int line, const char *text, intmax_t got, intmax_t wanted);

static inline void equals_at(const char *file, int line, const char *text, intmax_t got, intmax_t wanted)
{
    if (got != wanted)
        check_differs(file, line, text, got, wanted);
}

#endif
