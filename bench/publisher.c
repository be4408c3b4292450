/* SPDX-License-Identifier: MIT */
/*
 * The publisher, the master of a prefork server: publishes the configuration when it starts, whenever the
 * file changes on disk, and some hundred times a second besides; each publication with a version of its own.
 */
#include <errno.h>
#include <unistd.h>

#include "clock.h"
#include "process.h"
#include "roles.h"

enum {
    LOOKS_AT_THE_FILE = 100, /* a second, where the rate is lower */
    CATCHES_UP = SECOND / 10 /* a publisher that was held up for longer does not make up for it */
};

static int publish(const struct stage *stage, void *handle)
{
    struct publisher_log *log = &stage->control->publisher;
    uint64_t version = atomic_fetch_add(&log->issued, 1) + 1;
    int64_t began, taken;
    int error;

    document_stamp(stage->document, version);
    atomic_store_explicit(&log->writing, true, memory_order_relaxed);
    began = clock_now();
    error = stage->contender->write(handle, stage->document->value, stage->document->length);
    taken = clock_now() - began;
    atomic_store_explicit(&log->writing, false, memory_order_relaxed);
    if (error != 0)
        return error;
    atomic_store(&log->completed, version);
    if (atomic_load_explicit(&log->first_write_ns, memory_order_relaxed) == 0)
        atomic_store(&log->first_write_ns, taken > 0 ? (uint64_t)taken : 1);
    if (log->writes < PUBLICATIONS) {
        log->write_ns[log->writes] = taken < UINT32_MAX ? (uint32_t)taken : UINT32_MAX;
        log->began[log->writes] = (struct sighting){.version = version, .at = began};
        log->writes++;
    }
    return 0;
}

/* A file that cannot be published, half-written perhaps, is tried again at the next look. */
static bool file_has_news(const struct stage *stage)
{
    char reason[256];

    if (!document_changed(stage->document) || !document_load(stage->document, reason, sizeof reason))
        return false;
    atomic_fetch_add(&stage->control->publisher.file_changes, 1);
    return true;
}

static int keep_publishing(const struct stage *stage, void *handle)
{
    unsigned ticks = stage->rate > LOOKS_AT_THE_FILE ? stage->rate : LOOKS_AT_THE_FILE; /* a second */
    int64_t next = clock_now();
    unsigned owed = 0; /* publications, in units of 1/ticks */
    int error = publish(stage, handle);

    while (error == 0 && !atomic_load_explicit(&stage->control->stop, memory_order_relaxed)) {
        if (!stage->pausing) {
            error = publish(stage, handle);
            continue;
        }
        next += SECOND / ticks;
        clock_sleep_until(next);
        if (clock_now() - next > CATCHES_UP)
            next = clock_now();
        owed += stage->rate;
        if (file_has_news(stage) || owed >= ticks)
            error = publish(stage, handle);
        owed %= ticks;
    }
    return error;
}

pid_t publisher_start(const struct stage *stage)
{
    struct publisher_log *log = &stage->control->publisher;
    void *handle;
    pid_t child;
    int error;

    atomic_store(&log->first_write_ns, 0);
    atomic_store(&log->writing, false);
    child = process_fork();
    if (child != 0)
        return child;
    error = stage->contender->attach(stage->store, CONTENDER_WRITER, &handle);
    if (error == 0) {
        error = keep_publishing(stage, handle);
        stage->contender->detach(handle);
    }
    atomic_store(&log->error, error);
    _exit(0);
}
