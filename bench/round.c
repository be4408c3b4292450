/* SPDX-License-Identifier: MIT */
/* Runs rounds of one contender, and takes the median of several. */
#include "round.h"

#include <errno.h>
#include <stdlib.h>

#include "clock.h"
#include "numbers.h"

/* One of the rings of all workers together, sorted; malloc'ed. NULL if there is nothing in it. */
static uint32_t *gather(const struct control *control, enum sample_ring ring, size_t *count)
{
    uint32_t *all;

    *count = 0;
    for (unsigned i = 0; i < control->workers; i++)
        *count += control->worker[i].sampled < SAMPLES ? control->worker[i].sampled : SAMPLES;
    all = *count ? malloc(*count * sizeof *all) : NULL;
    if (!all)
        return NULL;
    *count = 0;
    for (unsigned i = 0; i < control->workers; i++)
        for (size_t j = 0; j < control->worker[i].sampled && j < SAMPLES; j++)
            all[(*count)++] = control->worker[i].ring[ring][j];
    sort_samples(all, *count);
    return all;
}

static void judge_reads(const struct control *control, struct round *round)
{
    size_t count;
    uint32_t *single = gather(control, SINGLE, &count), *batch = gather(control, BATCH, &count);

    if (single && batch) {
        round->batch = percentile(batch, count, 0.5) / (double)READS_PER_SAMPLE;
        round->p50 = percentile(single, count, 0.5);
        round->p99 = percentile(single, count, 0.99);
        round->p999 = percentile(single, count, 0.999);
    }
    free(single);
    free(batch);
    for (unsigned i = 0; i < control->workers; i++)
        if (control->worker[i].worst_ns > round->max)
            round->max = control->worker[i].worst_ns;
}

/* When the last of the workers had seen the version or a newer one; 0: not all did before the end. */
static int64_t last_sight(const struct control *control, size_t *next, uint64_t version)
{
    int64_t last = 0;

    for (unsigned i = 0; i < control->workers; i++) {
        const struct worker_log *log = &control->worker[i];

        while (next[i] < log->sightings && log->sighting[next[i]].version < version)
            next[i]++;
        if (next[i] == log->sightings)
            return 0;
        if (log->sighting[next[i]].at > last)
            last = log->sighting[next[i]].at;
    }
    return last;
}

static uint32_t bounded(int64_t ns)
{
    return ns < 0 ? 0 : ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
}

static void judge_publications(const struct control *control, int64_t from, double seconds,
                               struct round *round)
{
    const struct publisher_log *log = &control->publisher;
    uint32_t *taken = malloc((log->writes + 1) * sizeof *taken);
    uint32_t *until_seen = malloc((log->writes + 1) * sizeof *until_seen);
    size_t *next = calloc(control->workers, sizeof *next);
    size_t writes = 0, seen = 0;

    for (size_t i = 0; taken && until_seen && next && i < log->writes; i++) {
        int64_t last = last_sight(control, next, log->began[i].version);

        if (log->began[i].at < from) /* the workers were not at work yet */
            continue;
        taken[writes++] = log->write_ns[i];
        if (last != 0)
            until_seen[seen++] = bounded(last - log->began[i].at);
    }
    if (writes > 0) {
        sort_samples(taken, writes);
        sort_samples(until_seen, seen);
        round->write_p50 = percentile(taken, writes, 0.5);
        round->write_max = taken[writes - 1];
        round->seen_p50 = percentile(until_seen, seen, 0.5);
        round->seen_max = seen ? until_seen[seen - 1] : 0;
    }
    round->publications = (double)writes / seconds;
    free(taken);
    free(until_seen);
    free(next);
}

static void judge_counts(const struct crew *crew, struct round *round)
{
    const struct control *control = crew->stage.control;
    double retries = 0;

    for (unsigned i = 0; i < control->workers; i++)
        retries += (double)atomic_load(&control->worker[i].retries);
    if (crew_reads(crew) > 0)
        round->retries = retries / (double)crew_reads(crew);
    round->torn = (double)crew_torn(crew);
    round->backwards = (double)crew_backwards(crew);
    round->changes = atomic_load(&control->publisher.file_changes);
    if (round->error == 0)
        round->error = crew_error(crew);
}

static void watch(const struct crew *crew, int64_t from, int64_t until, round_progress *progress,
                  void *context)
{
    while (clock_now() < until && !interrupted() && crew_error(crew) == 0) {
        int64_t next = clock_now() + 100 * MILLISECOND;
        struct round so_far = {.torn = (double)crew_torn(crew)};

        clock_sleep_until(next < until ? next : until);
        so_far.reads = (double)crew_reads(crew) * (double)SECOND / (double)(clock_now() - from);
        progress(context, &so_far);
    }
}

void round_run(const struct stage *plan, unsigned workers, int64_t ns, struct round *round,
               round_progress *progress, void *context)
{
    struct crew crew = {.stage = *plan};
    int64_t from;
    double seconds;

    *round = (struct round){.error = crew_begin(&crew, workers)};
    round->left_out = !crew.stage.store && (round->error == -EOPNOTSUPP || round->error == -ENOSYS);
    if (round->error == 0) {
        from = clock_now();
        crew_go(&crew);
        watch(&crew, from, from + ns, progress, context);
        seconds = (double)(clock_now() - from) / (double)SECOND;
        round->reads = (double)crew_reads(&crew) / seconds; /* before they stop: who is stuck has no end */
        round->stuck = !crew_stop(&crew) && !interrupted();
        judge_counts(&crew, round);
        judge_reads(crew.stage.control, round);
        judge_publications(crew.stage.control, from, seconds, round);
    }
    crew_end(&crew);
}

static double median_of(const struct round *rounds, unsigned count, size_t member)
{
    double value[ROUNDS];

    for (unsigned i = 0; i < count; i++)
        value[i] = *(const double *)(const void *)((const char *)&rounds[i] + member);
    return median(value, count);
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

struct round round_summary(const struct round *rounds, unsigned count)
{
    static const size_t medians[] = {
        offsetof(struct round, reads),     offsetof(struct round, batch),
        offsetof(struct round, p50),       offsetof(struct round, p99),
        offsetof(struct round, p999),      offsetof(struct round, publications),
        offsetof(struct round, write_p50), offsetof(struct round, seen_p50),
        offsetof(struct round, retries),
    };
    struct round all = {.error = 0};

    for (size_t i = 0; i < sizeof medians / sizeof medians[0]; i++)
        *(double *)(void *)((char *)&all + medians[i]) = median_of(rounds, count, medians[i]);
    for (unsigned i = 0; i < count; i++) {
        all.error = all.error ? all.error : rounds[i].error;
        all.left_out = all.left_out || rounds[i].left_out;
        all.stuck = all.stuck || rounds[i].stuck;
        all.max = larger(all.max, rounds[i].max);
        all.write_max = larger(all.write_max, rounds[i].write_max);
        all.seen_max = larger(all.seen_max, rounds[i].seen_max);
        all.torn += rounds[i].torn;
        all.backwards += rounds[i].backwards;
        all.changes += rounds[i].changes;
    }
    return all;
}
