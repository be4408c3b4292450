/* SPDX-License-Identifier: MIT */
/* Measures what each call costs, compared with memcpy of the same size. */
#include "costs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "numbers.h"
#include "process.h"

enum { TURNS = 301, TURN_NS = 8000, TURNS_OF_LONG_CALLS = 101 };

static int over;

void costs_must(int good, const char *what)
{
    if (good)
        return;
    fflush(stdout);
    fprintf(stderr, "costs: %s did not do what it must\n", what);
    exit(1);
}

unsigned char *costs_buffer(void)
{
    void *memory = mmap(NULL, COSTS_LONGEST + COSTS_PLACES * COSTS_PLACES_APART, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    costs_must(memory != MAP_FAILED, "mmap");
    return memset(memory, 'x', COSTS_LONGEST + COSTS_PLACES * COSTS_PLACES_APART);
}

costs_memcpy *costs_opaque_memcpy(void)
{
    costs_memcpy *volatile hidden = memcpy;

    return hidden;
}

static double turn(costs_loop *loop, void *context, size_t times)
{
    int64_t before = clock_now();

    loop(context, times);
    return (double)(clock_now() - before) / (double)times;
}

/* So many calls that a turn is some microseconds; warms up as well. */
static size_t fitting_times(costs_loop *loop, void *context)
{
    size_t times = 1;

    loop(context, 1);
    while (times < (1 << 20) && turn(loop, context, times) * (double)times < (double)TURN_NS)
        times *= 2;
    return times;
}

struct costs_pair costs_compare(costs_loop *yardstick, costs_loop *own, void *context)
{
    static double base[TURNS], mine[TURNS], more[TURNS];
    size_t times = fitting_times(own, context);
    int turns = times == 1 ? TURNS_OF_LONG_CALLS : TURNS;

    fitting_times(yardstick, context);
    for (int i = 0; i < turns; i++) {
        base[i] = turn(yardstick, context, times);
        mine[i] = turn(own, context, times);
        more[i] = mine[i] - base[i];
    }
    return (struct costs_pair){median(base, (size_t)turns), median(mine, (size_t)turns),
                               median(more, (size_t)turns)};
}

struct costs_pair costs_middle(const struct costs_pair *pairs, size_t count)
{
    double base[COSTS_PLACES], mine[COSTS_PLACES], more[COSTS_PLACES];

    for (size_t i = 0; i < count; i++) {
        base[i] = pairs[i].yardstick;
        mine[i] = pairs[i].own;
        more[i] = pairs[i].more;
    }
    return (struct costs_pair){median(base, count), median(mine, count), median(more, count)};
}

double costs_measure(costs_loop *own, void *context)
{
    return costs_compare(own, own, context).own;
}

void costs_heading(const char *text)
{
    printf("\n%s\n", text);
}

/* The end of a line: what was wanted of it, and whether it was kept. */
static void finish_row(struct costs_pair pair, struct costs_wanted wanted)
{
    double reached = wanted.kind == WANTED_AT_MOST ? pair.own
                     : wanted.kind == WANTED_MORE  ? pair.more
                                                   : pair.own / pair.yardstick;
    char text[32] = "";
    int missed = wanted.kind != WANTED_NOTHING && reached > wanted.limit;

    if (wanted.kind == WANTED_AT_MOST)
        snprintf(text, sizeof text, "at most %.1f ns", wanted.limit);
    else if (wanted.kind == WANTED_MORE)
        snprintf(text, sizeof text, "memcpy + %.1f ns", wanted.limit);
    else if (wanted.kind == WANTED_TIMES)
        snprintf(text, sizeof text, "%.2f x memcpy", wanted.limit);
    over += missed;
    printf("  %-17s%s\n", text, missed ? " over" : "");
    fflush(stdout);
}

void costs_row(const char *call, size_t size, struct costs_pair pair, struct costs_wanted wanted)
{
    printf("%-26s %8s %10s %10s %+8.1f ns %7.2f", call, bytes_text(size), ns_text(pair.own),
           ns_text(pair.yardstick), pair.more, pair.own / pair.yardstick);
    finish_row(pair, wanted);
}

void costs_row_alone(const char *call, double ns, struct costs_wanted wanted)
{
    printf("%-35s %10s %30s", call, ns_text(ns), "");
    finish_row((struct costs_pair){.own = ns, .yardstick = 1}, wanted);
}

int main(int count, char **words)
{
    int64_t began = clock_now();

    if (count > 1) {
        fprintf(stderr, "%s takes no options.\n", words[0]);
        return 2;
    }
    processor_use(0);
    printf(
        "What the calls of seqshare %d.%d.%d cost, in turns with libc's memcpy of the same size; medians.\n",
        SEQSHARE_VERSION_MAJOR, SEQSHARE_VERSION_MINOR, SEQSHARE_VERSION_PATCH);
    costs_alone();
    costs_together();
    costs_moments();
    printf("\n%d row%s over what is wanted. %.0f seconds in all.\n", over, over == 1 ? "" : "s",
           (double)(clock_now() - began) / (double)SECOND);
    return 0;
}
