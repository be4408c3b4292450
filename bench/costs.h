/* SPDX-License-Identifier: MIT */
/*
 * What the calls cost. Every row is measured in turns with its yardstick, memcpy of the same size where there
 * is one: some microseconds of the one, some of the other, some hundred times, and the medians are compared.
 * So both see the same machine, and what interrupts one turn does not show.
 *
 * memcpy is libc's, called through a pointer that the compiler knows nothing about. For a get it copies from
 * the very slot that the get reads to the very same buffer, because addresses matter: two that collide in
 * the first-level cache cost several ns, and libc's memcpy becomes 2 to 60 times slower from 2 KiB on (seen
 * on Zen 4 with glibc 2.36) where the target is 1 to 31 bytes after the source, modulo 4096. So that no row
 * shows one lucky or unlucky address, each is measured with the buffer in several places, all at the start of
 * a cache line.
 */
#ifndef BENCH_COSTS_H
#define BENCH_COSTS_H

#include <stddef.h>
#include <stdint.h>

#include <seqshare/seqshare.h>

/* Calls what is measured, so many times. */
typedef void costs_loop(void *context, size_t times);

struct costs_pair {
    double yardstick, own; /* ns a call, medians */
    double more;           /* the median of the turns' differences */
};

/* Of pairs, the median of each member. */
struct costs_pair costs_middle(const struct costs_pair *pairs, size_t count);

struct costs_pair costs_compare(costs_loop *yardstick, costs_loop *own, void *context);
double costs_measure(costs_loop *own, void *context);

/* The longest value that is measured; where in its buffer it may begin (i times that far). */
enum { COSTS_LONGEST = 1 << 20, COSTS_PLACES = 5, COSTS_PLACES_APART = 1088 };
/* Shared memory, as slots are; mapped already. */
unsigned char *costs_buffer(void);

/* Ends the program when a call did not return what it must: `what` was called. */
void costs_must(int good, const char *what);

/* Make the compiler believe that the memory is read and written. */
static inline void costs_use(const void *memory)
{
    __asm__ volatile("" : : "r"(memory) : "memory");
}

typedef void *costs_memcpy(void *to, const void *from, size_t length);

/* libc's memcpy; where it comes from is hidden. */
costs_memcpy *costs_opaque_memcpy(void);

/* What is wanted of a row. */
struct costs_wanted {
    enum { WANTED_NOTHING, WANTED_AT_MOST, WANTED_MORE, WANTED_TIMES } kind;
    double limit; /* ns, ns more than the yardstick, times the yardstick */
};

void costs_row(const char *call, size_t size, struct costs_pair pair, struct costs_wanted wanted);
void costs_row_alone(const char *call, double ns, struct costs_wanted wanted);
void costs_heading(const char *text);

void costs_alone(void);    /* one process */
void costs_together(void); /* a second reader, a writer */
void costs_moments(void);  /* recovery, waiting, memory */

#endif
