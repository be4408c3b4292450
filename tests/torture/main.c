/* SPDX-License-Identifier: MIT */
/*
 * Runs the scenarios, kills and stops their workers, and judges what was counted.
 *
 * Shows: READ-1, READ-2, WRITE-1, WRITE-3, WRITE-5.
 */
#include "torture.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "clock.h"
#include "herd.h"
#include "pattern.h"

static const struct scenario scenarios[] = {
    {"64 B, inherited", INHERITED, 64, 2, false},
    {"4 KiB, inherited", INHERITED, 4096, 2, false},
    {"200 kB, inherited", INHERITED, 200000, 2, false},
    {"64 B, inherited, typed", INHERITED, 64, 2, true},
    {"64 B, named", NAMED, 64, 2, false},
    {"4 KiB, named, typed", NAMED, 4096, 2, true},
    {"200 kB, named", NAMED, 200000, 2, false},
    {"64 B, descriptor, 4 slots", DESCRIPTOR, 64, 4, false},
    {"4 KiB, descriptor", DESCRIPTOR, 4096, 2, false},
    {"4 KiB, descriptor, 8 slots", DESCRIPTOR, 4096, 8, false},
    {"200 kB, descriptor, 4 slots", DESCRIPTOR, 200000, 4, false},
    {"200 kB, descriptor, 8 slots", DESCRIPTOR, 200000, 8, false},
};
enum { SCENARIOS = sizeof scenarios / sizeof *scenarios };

/* The parent's own book of its workers. */
struct storm {
    struct herd herd;
    struct arena *arena;
    unsigned writers_killed, owners_killed;
};

static const struct arena *hanging; /* what to say when the alarm rings */

/* The workers die with this process (herd_start). */
static void on_alarm(int signal)
{
    static const char text[] = "FAILED  a call of the parent hangs\n0 passed, 1 failed\n";

    (void)signal;
    if (hanging && hanging->name[0])
        seqshare_unlink(hanging->name); /* not made for handlers; but then this process is lost anyway */
    if (write(STDOUT_FILENO, text, sizeof text - 1) < 0)
        _exit(3);
    _exit(1);
}

/* ---- the herd ---- */

static void live(void *context, unsigned index, uint64_t seed)
{
    worker_run(context, index, seed);
}

static struct complaint *complaint_of(void *context, unsigned index)
{
    return &((struct arena *)context)->tally[index].complaint;
}

/* A stopped owner keeps all writers waiting, and is right to. */
static void disturb(struct storm *storm, unsigned index)
{
    pid_t killed = herd_disturb(&storm->herd, index);
    struct seqshare_stat stat = {0};

    if (killed == 0)
        return;
    if (index >= READERS) {
        storm->writers_killed++;
        if (seqshare_stat(storm->arena->share, &stat) == 0 && stat.owner == killed)
            storm->owners_killed++;
    }
    herd_start(&storm->herd, index);
}

static uint64_t total(const struct arena *arena, size_t counter)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < WORKERS; i++)
        sum += counted((const uint64_t *)((const char *)&arena->tally[i] + counter));
    return sum;
}
#define TOTAL(arena, counter) total(arena, offsetof(struct tally, counter))

/* Has this run shown anything? Readers met writers, and writers died as owners of the lock. */
static bool eventful(const struct storm *storm)
{
    return TOTAL(storm->arena, seen) >= 100 && storm->owners_killed > 0 &&
           TOTAL(storm->arena, overtaken) + TOTAL(storm->arena, retries) > 0;
}

/* Until the time is up; and longer where nothing has happened yet, on a slow machine. */
static void rage(struct storm *storm, double seconds)
{
    uint64_t *random = &storm->herd.random;
    int64_t end = now() + (int64_t)(seconds * 1e9), last = end + SECONDS_TO_HANG * SECONDS;

    while (now() < end || (!eventful(storm) && now() < last)) {
        unsigned index = (unsigned)(random_next(random) % WORKERS);

        rest((int64_t)(random_next(random) % (8 * MILLISECONDS)));
        disturb(storm, index);
    }
}

/* Every worker that is left must get on: readers read, writers publish. */
static bool gets_on(struct storm *storm)
{
    int64_t last = now() + SECONDS_TO_HANG * SECONDS;
    uint64_t before[WORKERS];

    for (unsigned i = 0; i < WORKERS; i++) {
        before[i] = counted(&storm->arena->tally[i].done);
        if (storm->herd.stopped[i])
            herd_stop_or_go(&storm->herd, i);
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        while (counted(&storm->arena->tally[i].done) == before[i]) {
            if (now() > last)
                return false;
            rest(MILLISECONDS);
        }
    }
    return true;
}

static bool all_end(struct storm *storm)
{
    int64_t last = now() + SECONDS_TO_HANG * SECONDS;
    bool in_time = true;

    __atomic_store_n(&storm->arena->stop, 1, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < WORKERS; i++)
        in_time &= herd_end(&storm->herd, i, last);
    return in_time;
}

/* ---- one scenario ---- */

static struct arena *arena_make(const struct scenario *scenario, uint64_t *random)
{
    struct arena *arena = share_memory(sizeof *arena, -1);
    uint64_t seed = random_next(random);
    unsigned char *value = malloc(scenario->size);
    int error;

    if (!value)
        give_up("memory", ENOMEM);
    arena->scenario = *scenario;
    arena->fd = -1;
    if (scenario->reach == NAMED) {
        snprintf(arena->name, sizeof arena->name, "torture-%d-%" PRIx64, (int)getpid(), seed);
        error = seqshare_create(&arena->share, arena->name, scenario->size, 0600);
    } else {
        error = seqshare_new_slots(&arena->share, scenario->size, scenario->slots);
    }
    if (error)
        give_up("make a share", error);
    if (scenario->reach == DESCRIPTOR && (arena->fd = seqshare_fd(arena->share, SEQSHARE_READ)) < 0)
        give_up("a descriptor", arena->fd);
    value_make(value, value_length(scenario, seed), seed, 1);
    error = value_set(scenario, arena->share, value, value_length(scenario, seed));
    if (error)
        give_up("the first value", error);
    free(value);
    return arena;
}

static void arena_free(struct arena *arena)
{
    if (arena->name[0])
        seqshare_unlink(arena->name);
    if (arena->fd >= 0)
        close(arena->fd);
    seqshare_close(arena->share);
    munmap(arena, sizeof *arena);
}

/* The parent, that neither locked nor wrote meanwhile, can write, and finds every publication counted. */
static void check_end(const struct storm *storm)
{
    struct arena *arena = storm->arena;
    const char *name = arena->scenario.name;
    uint64_t version = seqshare_version(arena->share), acknowledged = 1, got = 0;
    unsigned char *value = malloc(arena->scenario.size), *back = malloc(arena->scenario.size);
    size_t length = value_length(&arena->scenario, 42);

    if (!value || !back)
        give_up("memory", ENOMEM);
    for (unsigned i = READERS; i < WORKERS; i++)
        acknowledged += counted(&arena->tally[i].done);
    verdict(name, "every acknowledged publication is a version, and no other but those of the killed",
            version >= acknowledged && version <= acknowledged + storm->writers_killed);
    value_make(value, length, 42, version + 1);
    verdict(name, "the last value can be set", seqshare_set(arena->share, value, length) == 0);
    verdict(name, "the last value is read",
            seqshare_get(arena->share, back, arena->scenario.size, &got) == (ssize_t)length &&
                got == version + 1 && memcmp(value, back, length) == 0);
    free(value);
    free(back);
}

static void report(const struct storm *storm)
{
    const struct arena *arena = storm->arena;
    uint64_t reads = 0;

    for (unsigned i = 0; i < READERS; i++)
        reads += counted(&arena->tally[i].done);
    printf("%-28s %9" PRIu64 " reads: %8" PRIu64 " versions seen, %7" PRIu64 " overtaken, %7" PRIu64
           " retries, %" PRIu64 " outrun; %8" PRIu64 " publications; %u killed (%u as owners), %u stopped\n",
           arena->scenario.name, reads, TOTAL(arena, seen), TOTAL(arena, overtaken), TOTAL(arena, retries),
           TOTAL(arena, outrun), seqshare_version(arena->share), storm->herd.killed, storm->owners_killed,
           storm->herd.paused);
    for (unsigned i = 0; i < WORKERS; i++) {
        if (arena->tally[i].complaint.first[0])
            printf("        worker %u: %s\n", i, arena->tally[i].complaint.first);
    }
}

static void run(const struct scenario *scenario, double seconds, uint64_t *random)
{
    struct arena *arena = arena_make(scenario, random);
    struct storm storm = {
        .herd = {.context = arena, .live = live, .complaint_of = complaint_of, .random = random_next(random)},
        .arena = arena};

    hanging = arena;
    alarm((unsigned)seconds + 4 * SECONDS_TO_HANG);
    for (unsigned i = 0; i < WORKERS; i++)
        herd_start(&storm.herd, i);
    rage(&storm, seconds);
    verdict(scenario->name, "every living worker gets on", gets_on(&storm));
    verdict(scenario->name, "every worker ends when told to", all_end(&storm));
    report(&storm);
    verdict(scenario->name, "no value is torn", TOTAL(arena, torn) == 0);
    verdict(scenario->name, "no version goes backwards", TOTAL(arena, backwards) == 0);
    verdict(scenario->name, "no version is older than one known to be published", TOTAL(arena, stale) == 0);
    verdict(scenario->name, "nobody gets an unexpected answer or end", TOTAL(arena, complaint.errors) == 0);
    verdict(scenario->name, "readers met writers, and owners of the lock died", eventful(&storm));
    check_end(&storm);
    alarm(0);
    hanging = NULL;
    arena_free(arena);
}

/* A checker that sees nothing would pass everything. */
static void check_checker(uint64_t *random)
{
    for (unsigned i = 0; i < SCENARIOS; i++) {
        const struct scenario *scenario = &scenarios[i];
        uint64_t seed, other = random_next(random);
        unsigned char *value = malloc(scenario->size), *second = malloc(scenario->size);
        size_t length, cut;

        if (!value || !second)
            give_up("memory", ENOMEM);
        do /* long enough to be cut behind the head, and a word before the end */
            seed = random_next(random);
        while ((length = value_length(scenario, seed)) < VALUE_MIN + 8);
        cut = VALUE_MIN + random_next(random) % (length - VALUE_MIN - 7);
        value_make(value, length, seed, 7);
        value_make(second, length, other, 7);
        verdict(scenario->name, "a whole value counts as whole", value_whole(scenario, value, length, 7));
        verdict(scenario->name, "another version does not", !value_whole(scenario, value, length, 8));
        verdict(scenario->name, "another length does not", !value_whole(scenario, value, length - 1, 7));
        memcpy(value + cut, second + cut, length - cut);
        verdict(scenario->name, "one that goes on as another does not",
                !value_whole(scenario, value, length, 7));
        free(value);
        free(second);
    }
}

static void usage(FILE *to)
{
    fputs("Usage: torture [--seconds SECONDS] [--seed NUMBER]\n"
          "Kill and stop readers and writers of a share at random, and check every value that is read.\n\n"
          "  -s, --seconds SECONDS  how long in all (default 20)\n"
          "  -r, --seed NUMBER      repeat a run's random choices (printed by every run)\n"
          "  -h, --help             say this\n",
          to);
}

static double positive(const char *text)
{
    char *end;
    double number = strtod(text, &end);

    if (*end || end == text || !(number > 0 && number < 1e6)) {
        fprintf(stderr, "torture: --seconds wants a number above 0, not '%s'\n", text);
        exit(2);
    }
    return number;
}

static uint64_t whole_number(const char *text)
{
    char *end;
    unsigned long long number;

    errno = 0;
    number = strtoull(text, &end, 0);
    if (*end || end == text || errno) {
        fprintf(stderr, "torture: --seed wants a whole number, not '%s'\n", text);
        exit(2);
    }
    return number;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"seconds", required_argument, NULL, 's'},
                                            {"seed", required_argument, NULL, 'r'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    double seconds = 20;
    uint64_t seed, random;
    int option;

    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        give_up("getrandom", errno);
    while ((option = getopt_long(argc, argv, "s:r:h", options, NULL)) != -1) {
        if (option == 's') {
            seconds = positive(optarg);
        } else if (option == 'r') {
            seed = whole_number(optarg);
        } else {
            usage(option == 'h' ? stdout : stderr);
            return option == 'h' ? 0 : 2;
        }
    }
    if (optind < argc) {
        usage(stderr);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("seed %" PRIu64 ", %.1f seconds\n", seed, seconds);
    signal(SIGALRM, on_alarm);
    random = seed;
    check_checker(&random);
    for (unsigned i = 0; i < SCENARIOS; i++)
        run(&scenarios[i], seconds / (double)SCENARIOS, &random);
    return verdict_close();
}
