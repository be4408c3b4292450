/* SPDX-License-Identifier: MIT */
/*
 * A worker: looks at the configuration for one simulated request after the other, with nothing in between.
 *
 * What is timed. Throughput: all of the loop, that is the contender's read (through one function pointer),
 * the check of the value's ends (2 to 3 ns) and, once in 65 reads, three looks at the clock. Batch: 64 of
 * these reads, checks and all, for what is finer than the clock. Percentiles: one read alone, less what the
 * clock costs. The check of every byte stands outside both times, and is made seldom enough (one read in some
 * thousands) to cost the throughput nothing that shows.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "process.h"
#include "roles.h"

struct worker {
    const struct stage *stage;
    struct worker_log *log;
    void *handle;
    unsigned char *value;
    size_t size;
    ssize_t length;
    uint64_t version; /* the newest that was seen */
};

static void add(_Atomic uint64_t *counter, uint64_t more)
{
    /* Only this process writes it: no atomic addition needed. */
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

/* Another version than at the last read: seldom. */
static void note_version(struct worker *worker, uint64_t version)
{
    struct worker_log *log = worker->log;

    if (version == 0) {
        add(&log->torn, 1);
        return;
    }
    if (version < worker->version) {
        add(&log->backwards, 1);
        return;
    }
    if (log->sightings < SIGHTINGS)
        log->sighting[log->sightings++] = (struct sighting){.version = version, .at = clock_now()};
    worker->version = version;
    if (atomic_load_explicit(&log->first_version, memory_order_relaxed) == 0)
        atomic_store(&log->first_version, version);
}

static inline bool check(struct worker *worker)
{
    uint64_t version;

    if (worker->length < 0)
        return false;
    version = document_check_ends(worker->value, (size_t)worker->length);
    if (version != worker->version || version == 0)
        note_version(worker, version);
    return true;
}

static inline void look(struct worker *worker)
{
    worker->length = worker->stage->contender->read(worker->handle, worker->value, worker->size);
}

static uint32_t bounded(int64_t ns)
{
    return ns < 0 ? 0 : ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
}

/* One more read, timed; so is the batch that began at `batch`, which ends here. */
static void sample(struct worker *worker, int64_t batch)
{
    struct worker_log *log = worker->log;
    int64_t cost = worker->stage->control->clock_cost, before = clock_now(), after;

    look(worker);
    after = clock_now();
    log->ring[SINGLE][log->sampled % SAMPLES] = bounded(after - before - cost);
    log->ring[BATCH][log->sampled % SAMPLES] = bounded(before - batch - cost);
    if (bounded(after - before - cost) > log->worst_ns)
        log->worst_ns = bounded(after - before - cost);
    log->sampled++;
}

static void check_whole(const struct worker *worker)
{
    size_t length = (size_t)worker->length;

    if (document_check_ends(worker->value, length) != 0 && !document_check_whole(worker->value, length))
        add(&worker->log->torn, 1);
}

static void serve(struct worker *worker)
{
    struct control *control = worker->stage->control;
    int until_check = control->check_whole_every;

    while (!atomic_load_explicit(&control->stop, memory_order_relaxed)) {
        int64_t batch = clock_now();

        for (int i = 0; i < READS_PER_SAMPLE; i++) {
            look(worker);
            if (!check(worker))
                return;
        }
        sample(worker, batch);
        if (!check(worker))
            return;
        if (--until_check == 0) {
            check_whole(worker);
            until_check = control->check_whole_every;
        }
        add(&worker->log->reads, READS_PER_SAMPLE + 1);
    }
}

static void work(const struct stage *stage, unsigned number)
{
    struct worker worker = {.stage = stage, .log = &stage->control->worker[number], .size = DOCUMENT_LONGEST};
    const struct contender *contender = stage->contender;
    int error = contender->attach(stage->store, CONTENDER_READER, &worker.handle);

    if (error == 0) {
        worker.value = aligned_alloc(64, worker.size);
        if (!worker.value)
            error = -ENOMEM;
    }
    if (error == 0) {
        look(&worker); /* the first read of its life, page faults and all */
        if (check(&worker)) {
            atomic_store(&worker.log->ready, true);
            while (!atomic_load(&stage->control->go))
                clock_sleep(MILLISECOND / 10);
            serve(&worker);
        }
        if (worker.length < 0)
            error = (int)worker.length;
        if (contender->retries)
            add(&worker.log->retries, contender->retries(worker.handle));
        contender->detach(worker.handle);
        free(worker.value);
    }
    atomic_store(&worker.log->error, error);
}

pid_t worker_start(const struct stage *stage, unsigned number)
{
    struct worker_log *log = &stage->control->worker[number];
    pid_t child;

    atomic_store(&log->first_version, 0);
    atomic_store(&log->ready, false);
    child = process_fork();
    if (child == 0) {
        work(stage, number);
        _exit(0);
    }
    return child;
}
