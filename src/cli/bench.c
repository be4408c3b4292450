/* SPDX-License-Identifier: MIT */
/* bench: an idea of this machine, in one line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seqshare/seqshare.h>

#include "cli.h"
#include "now.h"
#include "options.h"

enum { ROUNDS = 15, ROUND_NS = 4000000, DEFAULT_SIZE = 256 };

struct bench {
    seqshare *share;
    void *value, *copy;
    size_t size;
};

static void copy_once(struct bench *bench)
{
    memcpy(bench->copy, bench->value, bench->size);
}

static void get_once(struct bench *bench)
{
    seqshare_get(bench->share, bench->copy, bench->size, NULL);
}

static void version_once(struct bench *bench)
{
    uint64_t version = seqshare_version(bench->share);

    __asm__ volatile("" : : "r"(version));
}

static void peek_once(struct bench *bench)
{
    seqshare_view view;

    if (seqshare_peek(bench->share, &view) == 0) {
        bool valid = seqshare_valid(bench->share, &view);

        __asm__ volatile("" : : "r"(valid));
    }
}

static void set_once(struct bench *bench)
{
    seqshare_set(bench->share, bench->value, bench->size);
}

static void lock_once(struct bench *bench)
{
    seqshare_lock(bench->share);
    seqshare_unlock(bench->share);
}

/* Inlined, so that it does not measure a call through a pointer. */
static inline __attribute__((always_inline)) int64_t time_of(struct bench *bench,
                                                             void (*once)(struct bench *), long times)
{
    int64_t began = now_steady();

    for (long i = 0; i < times; i++) {
        once(bench);
        __asm__ volatile("" : : : "memory"); /* done is done */
    }
    return now_steady() - began;
}

static int by_size(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;

    return (a > b) - (a < b);
}

/* Nanoseconds for one: the median of some rounds. */
static inline __attribute__((always_inline)) double measure(struct bench *bench, void (*once)(struct bench *))
{
    double rounds[ROUNDS];
    long times = 16;

    while (time_of(bench, once, times) < ROUND_NS)
        times *= 2;
    for (int i = 0; i < ROUNDS; i++)
        rounds[i] = (double)time_of(bench, once, times) / (double)times;
    qsort(rounds, ROUNDS, sizeof rounds[0], by_size);
    return rounds[ROUNDS / 2];
}

static int run(struct bench *bench)
{
    int error = seqshare_new(&bench->share, bench->size);

    if (!error)
        error = seqshare_set(bench->share, bench->value, bench->size);
    if (error) {
        seqshare_close(bench->share);
        return cli_complain("bench", error);
    }
    printf("%zu bytes: get %.1f ns (memcpy %.1f), peek and valid %.1f, version %.1f, set %.1f, lock and "
           "unlock %.1f\n",
           bench->size, measure(bench, get_once), measure(bench, copy_once), measure(bench, peek_once),
           measure(bench, version_once), measure(bench, set_once), measure(bench, lock_once));
    seqshare_close(bench->share);
    return DONE;
}

static int run_bench(int argc, char **argv)
{
    struct bench bench = {.size = DEFAULT_SIZE};
    const struct option_rule rules[] = {{'s', "size", OPTION_SIZE, &bench.size, NULL}, {0}};
    int status;

    if (!options_parse(&bench_command, argc, argv, rules, &status))
        return status;
    if (optind != argc)
        return cli_misused(&bench_command, "give no NAME: bench measures a share of its own");
    bench.value = calloc(1, bench.size);
    bench.copy = calloc(1, bench.size);
    status = bench.value && bench.copy ? run(&bench) : cli_complain("bench", -ENOMEM);
    free(bench.value);
    free(bench.copy);
    return status;
}

const struct command bench_command = {
    "bench", "measure this machine, in one line", "bench [--size SIZE]",
    "Measure in nanoseconds what reading and writing cost on this machine: one process alone, with\n"
    "everything in the cache. This gives a rough idea; it is not a benchmark.\n\n"
    "  -s, --size SIZE  of the value (default 256)\n"
    "  -h, --help       this text\n",
    run_bench};
