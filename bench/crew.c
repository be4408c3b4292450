/* SPDX-License-Identifier: MIT */
/* Starts, directs and ends the processes of one round. */
#include "crew.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "process.h"

static volatile sig_atomic_t signalled;

static void on_signal(int number)
{
    signalled = number;
}

bool interrupted(void)
{
    return signalled != 0;
}

void catch_interrupts(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static bool has_value(const struct crew *crew)
{
    return atomic_load(&crew->stage.control->publisher.completed) != 0;
}

static bool are_ready(const struct crew *crew)
{
    for (unsigned i = 0; i < crew->stage.control->workers; i++)
        if (!atomic_load(&crew->stage.control->worker[i].ready))
            return false;
    return true;
}

static int wait_until(const struct crew *crew, bool (*reached)(const struct crew *))
{
    int64_t deadline = clock_now() + CREW_PATIENCE;
    int error = 0;

    while (!reached(crew) && error == 0) {
        error = crew_error(crew);
        if (interrupted())
            error = -EINTR;
        else if (clock_now() > deadline)
            error = -ETIMEDOUT;
        clock_sleep(MILLISECOND / 10);
    }
    return error;
}

static int start(struct crew *crew)
{
    struct control *control = crew->stage.control;
    int error;

    crew->publisher = publisher_start(&crew->stage);
    if (crew->publisher < 0)
        return crew->publisher;
    error = wait_until(crew, has_value);
    for (unsigned i = 0; i < control->workers && error == 0; i++) {
        crew->worker[i] = worker_start(&crew->stage, i);
        if (crew->worker[i] < 0)
            error = crew->worker[i];
    }
    return error ? error : wait_until(crew, are_ready);
}

int crew_begin(struct crew *crew, unsigned workers)
{
    struct contender_setup setup = {
        .capacity = DOCUMENT_LONGEST, .readers = workers, .directory = crew->directory};
    int error = directory_make(crew->directory, sizeof crew->directory);

    crew->publisher = 0;
    crew->stage.store = NULL;
    crew->stage.control = control_create(workers);
    crew->worker = calloc(workers, sizeof *crew->worker);
    if (!crew->stage.control || !crew->worker)
        return -ENOMEM;
    crew->stage.control->clock_cost = clock_cost();
    crew->stage.control->check_whole_every = 50;
    if (error == 0)
        error = crew->stage.contender->create(&setup, &crew->stage.store);
    return error ? error : start(crew);
}

void crew_go(struct crew *crew)
{
    atomic_store(&crew->stage.control->go, true);
}

static bool has_ended(pid_t *member)
{
    if (*member > 0 && waitpid(*member, NULL, WNOHANG) == *member)
        *member = 0;
    return *member <= 0;
}

bool crew_stop(struct crew *crew)
{
    int64_t deadline = clock_now() + CREW_PATIENCE;
    bool ended = false;

    atomic_store(&crew->stage.control->stop, true);
    crew_go(crew); /* who waits for it may leave */
    while (!ended && clock_now() < deadline && !interrupted()) {
        ended = has_ended(&crew->publisher);
        for (unsigned i = 0; i < crew->stage.control->workers; i++)
            ended = has_ended(&crew->worker[i]) && ended;
        if (!ended)
            clock_sleep(MILLISECOND);
    }
    return ended;
}

void crew_end(struct crew *crew)
{
    process_kill(&crew->publisher);
    for (unsigned i = 0; crew->worker && crew->stage.control && i < crew->stage.control->workers; i++)
        process_kill(&crew->worker[i]);
    if (crew->stage.store)
        crew->stage.contender->destroy(crew->stage.store);
    if (crew->stage.control)
        control_destroy(crew->stage.control);
    directory_remove(crew->directory);
    free(crew->worker);
}

int crew_error(const struct crew *crew)
{
    int error = atomic_load(&crew->stage.control->publisher.error);

    for (unsigned i = 0; i < crew->stage.control->workers && error == 0; i++)
        error = atomic_load(&crew->stage.control->worker[i].error);
    return error;
}

uint64_t crew_reads(const struct crew *crew)
{
    uint64_t reads = 0;

    for (unsigned i = 0; i < crew->stage.control->workers; i++)
        reads += atomic_load(&crew->stage.control->worker[i].reads);
    return reads;
}

uint64_t crew_torn(const struct crew *crew)
{
    uint64_t torn = 0;

    for (unsigned i = 0; i < crew->stage.control->workers; i++)
        torn += atomic_load(&crew->stage.control->worker[i].torn);
    return torn;
}

uint64_t crew_backwards(const struct crew *crew)
{
    uint64_t backwards = 0;

    for (unsigned i = 0; i < crew->stage.control->workers; i++)
        backwards += atomic_load(&crew->stage.control->worker[i].backwards);
    return backwards;
}
