/* SPDX-License-Identifier: MIT */
/* A reader on one processor, and on another: a second reader, or a writer. */
#include "costs.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "numbers.h"
#include "process.h"

enum task { IDLE, COPY, GET, LEAVE };

struct pairing {                      /* shared by both readers */
    _Alignas(128) _Atomic int wanted; /* an enum task */
    _Alignas(128) _Atomic int doing;
    seqshare *share;
    unsigned char *source, *own, *others;
    size_t size;
};

static void copy_once(const struct pairing *pairing, unsigned char *buffer, costs_memcpy *copy)
{
    copy(buffer, pairing->source, pairing->size);
    costs_use(buffer);
}

static void get_once(const struct pairing *pairing, unsigned char *buffer)
{
    seqshare_get(pairing->share, buffer, pairing->size, NULL);
    costs_use(buffer);
}

/* The second reader does, flat out, what the first is being measured at. */
static void accompany(struct pairing *pairing)
{
    costs_memcpy *copy = costs_opaque_memcpy();
    int task;

    while ((task = atomic_load(&pairing->wanted)) != LEAVE) {
        if (atomic_load(&pairing->doing) != task)
            atomic_store(&pairing->doing, task);
        for (int i = 0; i < 32 && task == COPY; i++)
            copy_once(pairing, pairing->others, copy);
        for (int i = 0; i < 32 && task == GET; i++)
            get_once(pairing, pairing->others);
        if (task == IDLE)
            sched_yield();
    }
}

static void ask_for(struct pairing *pairing, enum task task)
{
    atomic_store(&pairing->wanted, task);
    while (atomic_load(&pairing->doing) != (int)task)
        sched_yield();
}

static void loop_copy(void *context, size_t times)
{
    struct pairing *pairing = context;
    costs_memcpy *copy = costs_opaque_memcpy();

    for (size_t i = 0; i < times; i++)
        copy_once(pairing, pairing->own, copy);
}

static void loop_get(void *context, size_t times)
{
    struct pairing *pairing = context;

    for (size_t i = 0; i < times; i++)
        get_once(pairing, pairing->own);
}

static pid_t start(void (*child)(void *), void *context)
{
    pid_t pid = fork();

    costs_must(pid >= 0, "fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        processor_use(1);
        child(context);
        _exit(0);
    }
    return pid;
}

static void child_reader(void *context)
{
    accompany(context);
}

static void *shared_struct(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    costs_must(memory != MAP_FAILED, "mmap");
    return memory;
}

static void rows_of_second_reader(void)
{
    static const size_t sizes[] = {64, 1 << 10, 4 << 10, 64 << 10};
    struct pairing *pairing = shared_struct(sizeof *pairing);
    pid_t other;

    pairing->source = costs_buffer();
    pairing->own = costs_buffer();
    pairing->others = costs_buffer();
    costs_must(seqshare_new(&pairing->share, COSTS_LONGEST) == 0, "seqshare_new");
    other = start(child_reader, pairing);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        double copying, getting;

        ask_for(pairing, IDLE);
        pairing->size = sizes[i];
        costs_must(seqshare_set(pairing->share, pairing->source, pairing->size) == 0, "seqshare_set");
        ask_for(pairing, COPY);
        copying = costs_measure(loop_copy, pairing);
        ask_for(pairing, GET);
        getting = costs_measure(loop_get, pairing);
        ask_for(pairing, COPY);
        copying = (copying + costs_measure(loop_copy, pairing)) / 2;
        costs_row("get beside another reader", pairing->size,
                  (struct costs_pair){.yardstick = copying, .own = getting, .more = getting - copying},
                  (struct costs_wanted){pairing->size < 4096 ? WANTED_MORE : WANTED_TIMES,
                                        pairing->size < 4096 ? 2.5 : 1.07});
    }
    ask_for(pairing, IDLE);
    atomic_store(&pairing->wanted, LEAVE);
    waitpid(other, NULL, 0);
    seqshare_close(pairing->share);
}

struct writing {
    _Atomic uint64_t written; /* the writer's; the rest on another line, which the reader looks at as well */
    _Alignas(128) _Atomic int stop;
    seqshare *share;
    const unsigned char *source;
    size_t size;
    int rate; /* a second; 0: without a pause */
};

/* Paced by looking at the clock, not by sleeping: 100,000 a second are 10 us apart. */
static void child_writer(void *context)
{
    struct writing *writing = context;
    int64_t next = clock_now();

    while (!atomic_load(&writing->stop)) {
        costs_must(seqshare_set(writing->share, writing->source, writing->size) == 0, "seqshare_set");
        atomic_fetch_add(&writing->written, 1);
        next += writing->rate ? SECOND / writing->rate : 0;
        while (writing->rate && clock_now() < next && !atomic_load(&writing->stop))
            ;
    }
}

static double own_retries(const seqshare *share)
{
    struct seqshare_stat stat;

    costs_must(seqshare_stat(share, &stat) == 0, "seqshare_stat");
    return (double)stat.retries;
}

/* What the scheduler gave to others while a batch ran is not the reader's. */
static double mean_of_fastest(double *batch, size_t count)
{
    size_t kept = count - count / 100;
    double sum = 0;

    median(batch, count); /* sorts */
    for (size_t i = 0; i < kept; i++)
        sum += batch[i];
    return sum / (double)kept;
}

static void row_of_retries(struct writing *writing, unsigned slots, unsigned char *buffer)
{
    enum { BATCH = 64, BATCHES = 1 << 14 };
    static double batch[BATCHES];
    double reads = 0, failed = 0, seconds, before;
    int64_t from, last, now;
    size_t batches = 0;
    pid_t writer;

    costs_must(seqshare_new_slots(&writing->share, COSTS_LONGEST, slots) == 0, "seqshare_new_slots");
    costs_must(seqshare_set(writing->share, writing->source, writing->size) == 0, "seqshare_set");
    atomic_store(&writing->stop, 0);
    atomic_store(&writing->written, 0);
    writer = start(child_writer, writing);
    while (atomic_load(&writing->written) == 0)
        sched_yield();
    before = own_retries(writing->share);
    atomic_store(&writing->written, 0);
    for (now = last = from = clock_now(); now - from < 200 * (int64_t)MILLISECOND; last = now) {
        for (int i = 0; i < BATCH; i++, reads++)
            failed += seqshare_get(writing->share, buffer, writing->size, NULL) < 0;
        now = clock_now();
        batch[batches++ % BATCHES] = (double)(now - last) / (double)BATCH;
    }
    seconds = (double)(now - from) / (double)SECOND;
    printf("  %9.5f %8s", (own_retries(writing->share) - before) / reads,
           ns_text(mean_of_fastest(batch, batches < BATCHES ? batches : BATCHES)));
    if (slots == 8)
        printf("  %8s/s", count_text((double)atomic_load(&writing->written) / seconds));
    fflush(stdout);
    atomic_store(&writing->stop, 1);
    waitpid(writer, NULL, 0);
    seqshare_close(writing->share);
    costs_must(failed == 0, "seqshare_get beside a writer");
}

static void rows_of_retries(void)
{
    static const size_t sizes[] = {64, 4 << 10, 64 << 10};
    static const int rates[] = {1000, 100 * 1000, 0};
    struct writing *writing = shared_struct(sizeof *writing);
    unsigned char *buffer = costs_buffer();

    writing->source = costs_buffer();
    costs_heading(
        "Beside a writer: retries per read and time (mean, less the slowest 1 % of the batches), with\n"
        "                            2 slots             4 slots             8 slots  reached");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (size_t j = 0; j < sizeof rates / sizeof rates[0]; j++) {
            char rate[32] = "never pauses";

            writing->size = sizes[i];
            writing->rate = rates[j];
            if (rates[j])
                snprintf(rate, sizeof rate, "%s/s", count_text(rates[j]));
            printf("%-7s %-12s", bytes_text(sizes[i]), rate);
            for (unsigned slots = 2; slots <= 8; slots *= 2)
                row_of_retries(writing, slots, buffer);
            printf("\n");
        }
    }
    printf("(wanted: at most 0.01 retries up to 4 KiB with a writer at 1 k/s and 100 k/s)\n");
}

void costs_together(void)
{
    costs_heading("A second reader on another processor; memcpy beside another memcpy");
    if (processor_count() < 2) {
        printf("There is only one processor: left out.\n");
        return;
    }
    processor_use(0);
    rows_of_second_reader();
    rows_of_retries();
}
