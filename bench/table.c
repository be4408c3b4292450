/* SPDX-License-Identifier: MIT */
/* Prints the final tables. */
#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include <seqshare/seqshare.h>

#include "numbers.h"
#include "process.h"

void table_head(const struct options *options, const struct document *document)
{
    char processor[128];
    struct utsname system;
    double load = 0;

    processor_name(processor, sizeof processor);
    uname(&system);
    printf("seqshare %d.%d.%d on %u x %s, %s %s\n", SEQSHARE_VERSION_MAJOR, SEQSHARE_VERSION_MINOR,
           SEQSHARE_VERSION_PATCH, processor_count(), processor, system.sysname, system.release);
    if (getloadavg(&load, 1) == 1 && load > 0.5)
        printf("The machine has other work (load %.1f): more noise, and locks look better: fewer meet.\n",
               load);
    printf("%u worker%s, reading %s (%s as published) without a pause; it is published\n"
           "%u times a second, and whenever it changes: edit it while this runs. %d rounds each, in turn; "
           "medians.\n\n",
           options->workers, options->workers == 1 ? "" : "s", document->path, bytes_text(document->length),
           options->rate, ROUNDS);
    fflush(stdout);
}

static double seqshare_speed(const struct board *board)
{
    for (unsigned i = 0; i < board->options->count; i++)
        if (board->options->chosen[i] == contenders[0] && board->done[i] > 0)
            return round_summary(board->rounds[i], board->done[i]).reads;
    return 0;
}

static bool has_figures(const char *name, const struct round *all, unsigned done)
{
    if (done == 0)
        return false;
    if (all->error != 0)
        printf("%-17s %s: %s\n", name, all->left_out ? "cannot run here" : "FAILED",
               seqshare_strerror(all->error));
    return all->error == 0;
}

static void reading_line(const struct contender *contender, const struct round *all, unsigned workers,
                         double speed)
{
    char slower[16] = "-", retries[16] = "-";

    if (speed > 0 && all->reads > 0)
        snprintf(slower, sizeof slower, "%.*f x", speed < 10 * all->reads ? 2 : 0, speed / all->reads);
    if (contender->retries)
        snprintf(retries, sizeof retries, "%.5f", all->retries);
    printf("%-17s %8s %8s %10s  %8s  %8s %8s %8s %8s  %8s %6.0f\n", contender->name, count_text(all->reads),
           slower, count_text(all->reads / workers), ns_text(all->batch), read_text(all->p50),
           read_text(all->p99), read_text(all->p999), read_text(all->max), retries, all->torn);
}

static const char *ns_or_none(double ns)
{
    return ns > 0 ? ns_text(ns) : "-";
}

/* The other facts about a read. */
static void print_nature(unsigned cannot_help)
{
    static const struct {
        unsigned flag;
        const char *words;
    } known[] = {
        {CONTENDER_CAN_WAIT, "waits"},
        {CONTENDER_READ_STORES, "writes shared memory"},
        {CONTENDER_READ_CALLS, "calls the kernel"},
        {CONTENDER_READ_SKIPS, "copies only what is new"},
        {CONTENDER_CAN_TEAR, "tears"},
    };
    const char *between = "  ";

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (cannot_help & known[i].flag) {
            printf("%s%s", between, known[i].words);
            between = ", ";
        }
}

static void publishing_line(const struct contender *contender, const struct round *all)
{
    printf("%-17s %15.0f  %8s %8s  %8s %8s", contender->name, all->publications, ns_or_none(all->write_p50),
           ns_or_none(all->write_max), ns_or_none(all->seen_p50), ns_or_none(all->seen_max));
    print_nature(contender->cannot_help);
    printf("%s\n", all->stuck ? "  STUCK: somebody never came to an end" : "");
}

void table_rounds(const struct board *board)
{
    const struct options *options = board->options;
    double speed = seqshare_speed(board);

    printf("Reading           %8s %8s %10s  %8s  %8s %8s %8s %8s  %8s %6s\n", "reads/s", "slower",
           "per worker", "batch", "p50", "p99", "p99.9", "max", "retries", "torn");
    for (unsigned i = 0; i < options->count; i++) {
        struct round all = round_summary(board->rounds[i], board->done[i]);

        if (has_figures(options->chosen[i]->name, &all, board->done[i]))
            reading_line(options->chosen[i], &all, options->workers, speed);
    }
    printf("\nPublishing        publications/s  %8s %8s  %8s %8s  %s\n", "write", "max", "seen", "max",
           "a read");
    for (unsigned i = 0; i < options->count; i++) {
        struct round all = round_summary(board->rounds[i], board->done[i]);

        if (board->done[i] > 0 && all.error == 0)
            publishing_line(options->chosen[i], &all);
    }
    printf(
        "\nslower: how many times seqshare's reads/s are. batch: a read in the median batch of %d. p50 to\n"
        "max: one read, less the clock's own cost (<: less than the clock can tell). What the scheduler\n"
        "takes from a worker that must let another one run shows in p99.9 and max. retries: per read.\n"
        "seen: from the beginning of a publication until the last worker had it, or a newer one. The file\n"
        "changed %.0f time%s.\n",
        READS_PER_SAMPLE, board->changes, board->changes == 1 ? "" : "s");
}

void table_crash_head(unsigned workers)
{
    printf("\nSIGKILL at random moments, %d workers and %d publishers in turn, beside %u worker%s reading "
           "and a\n"
           "publisher writing without a pause. Each is replaced at once.\n\n"
           "Killed            workers publishers in-write lock-held  %10s  %9s %9s  newest-seen  torn\n",
           CRASH_KILLS, CRASH_KILLS, workers, workers == 1 ? "" : "s", "pause max", "takeover", "max");
}

static void who_hangs(const struct crash *crash)
{
    printf("                  HANGS for ever after kill %u of %d:",
           crash->workers_killed + crash->publishers_killed, 2 * CRASH_KILLS);
    if (crash->readers_hanging > 0)
        printf(" %u worker%s", crash->readers_hanging, crash->readers_hanging == 1 ? "" : "s");
    if (crash->publisher_hangs)
        printf("%s the publisher", crash->readers_hanging > 0 ? " and" : "");
    printf("; in %u of %u runs\n", crash->runs_hung, crash->runs);
}

static void crash_outcome(const struct contender *contender, const struct crash *crash)
{
    if (crash->error != 0)
        printf("                  ERROR: %s\n", seqshare_strerror(crash->error));
    else if (crash_hangs(crash))
        who_hangs(crash);
    else if (crash->torn > 0)
        printf(
            "                  nobody hung this time (in %u of %u runs somebody did), but a killed publisher "
            "left half a value behind\n",
            crash->runs_hung, crash->runs);
    else if (crash->saw_newest == crash->respawned && !(contender->cannot_help & CONTENDER_CAN_HANG))
        printf("                  nobody stopped\n");
    else if (crash->saw_newest == crash->respawned)
        printf("                  nobody hung this time; in %u of %u runs somebody did\n", crash->runs_hung,
               crash->runs);
    else
        printf("                  a respawned worker saw an old value\n");
}

void table_crash(const struct contender *contender, const struct crash *crash)
{
    char held[16] = "-";

    if (contender->held_by_dead)
        snprintf(held, sizeof held, "%u", crash->lock_left_held);
    printf("%-17s %7u %10u %8u %9s  %10s  %9s %9s  %5u of %2u  %4.0f\n", contender->name,
           crash->workers_killed, crash->publishers_killed, crash->inside_write, held,
           ns_or_none(crash->pause_max), ns_or_none(crash->takeover_p50), ns_or_none(crash->takeover_max),
           crash->saw_newest, crash->respawned, crash->torn);
    crash_outcome(contender, crash);
    fflush(stdout);
}

void table_crash_legend(void)
{
    printf("\nin-write: publishers killed inside the contender's write. lock-held: the dead one still held "
           "the lock.\n"
           "pause: from a kill until each of the others had read again, which the scheduler has a part in.\n"
           "takeover: a new publisher's first write. newest-seen: respawned workers whose first read was "
           "current.\n");
}
