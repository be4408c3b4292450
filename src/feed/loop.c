/* SPDX-License-Identifier: MIT */
/* The poll loop. A feed has a handful of watches and timers, so both are plain lists. */
#include "loop.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

struct loop {
    struct loop_watch *watches;
    struct loop_timer *timers;
    struct pollfd *polled;     /* what poll is asked, in this round */
    struct loop_watch **whose; /* of each of these; NULL: forgotten meanwhile */
    size_t count, room;
    bool ended;
};

struct loop *loop_new(void)
{
    return calloc(1, sizeof(struct loop));
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    free(loop->polled);
    free(loop->whose);
    free(loop);
}

int64_t loop_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec * LOOP_SECOND + now.tv_nsec;
}

/* ---- descriptors ----------------------------------------------------------------------------- */

void loop_watch(struct loop *loop, struct loop_watch *watch)
{
    if (watch->watched)
        return;
    watch->watched = true;
    watch->next = loop->watches;
    loop->watches = watch;
}

void loop_forget(struct loop *loop, struct loop_watch *watch)
{
    struct loop_watch **at = &loop->watches;

    if (!watch->watched)
        return;
    while (*at && *at != watch)
        at = &(*at)->next;
    if (*at)
        *at = watch->next;
    watch->watched = false;
    for (size_t i = 0; i < loop->count; i++)
        if (loop->whose[i] == watch)
            loop->whose[i] = NULL;
}

static int make_room(struct loop *loop, size_t needed)
{
    struct pollfd *polled;
    struct loop_watch **whose;

    if (needed <= loop->room)
        return 0;
    polled = realloc(loop->polled, 2 * needed * sizeof *polled);
    if (!polled)
        return -ENOMEM;
    loop->polled = polled;
    whose = realloc(loop->whose, 2 * needed * sizeof *whose);
    if (!whose)
        return -ENOMEM;
    loop->whose = whose;
    loop->room = 2 * needed;
    return 0;
}

/* Note what is watched now. */
static int gather(struct loop *loop)
{
    size_t count = 0;
    int error;

    for (struct loop_watch *watch = loop->watches; watch; watch = watch->next)
        count++;
    error = make_room(loop, count);
    if (error)
        return error;
    loop->count = 0;
    for (struct loop_watch *watch = loop->watches; watch; watch = watch->next) {
        loop->polled[loop->count] = (struct pollfd){.fd = watch->fd, .events = watch->events};
        loop->whose[loop->count++] = watch;
    }
    return 0;
}

static void call_ready(struct loop *loop)
{
    for (size_t i = 0; i < loop->count && !loop->ended; i++)
        if (loop->whose[i] && loop->polled[i].revents)
            loop->whose[i]->ready(loop->whose[i]->context, loop->polled[i].revents);
    loop->count = 0;
}

/* ---- timers ---------------------------------------------------------------------------------- */

void loop_after(struct loop *loop, struct loop_timer *timer, int64_t ns)
{
    int64_t now = loop_now();

    timer->when = ns <= 0 ? now : ns > INT64_MAX - now ? INT64_MAX : now + ns;
    if (timer->set)
        return;
    timer->set = true;
    timer->next = loop->timers;
    loop->timers = timer;
}

void loop_cancel(struct loop *loop, struct loop_timer *timer)
{
    struct loop_timer **at = &loop->timers;

    if (!timer->set)
        return;
    while (*at && *at != timer)
        at = &(*at)->next;
    if (*at)
        *at = timer->next;
    timer->set = false;
}

static struct loop_timer *earliest(const struct loop *loop)
{
    struct loop_timer *first = loop->timers;

    for (struct loop_timer *timer = first; timer; timer = timer->next)
        if (timer->when < first->when)
            first = timer;
    return first;
}

/* Those that are due by now; one that is set again on the way has its turn in the next round. */
static void call_due(struct loop *loop)
{
    int64_t now = loop_now();
    struct loop_timer *timer;

    while (!loop->ended && (timer = earliest(loop)) && timer->when < now) {
        loop_cancel(loop, timer);
        timer->due(timer->context);
    }
}

/* Milliseconds, rounded up: a timer is never early. */
static int patience(const struct loop *loop)
{
    const struct loop_timer *first = earliest(loop);
    int64_t left;

    if (!first)
        return -1;
    left = first->when - loop_now();
    if (left < 0)
        return 0;
    return left / LOOP_MILLISECOND >= INT_MAX ? INT_MAX : (int)(left / LOOP_MILLISECOND) + 1;
}

/* ---- running --------------------------------------------------------------------------------- */

int loop_run(struct loop *loop)
{
    loop->ended = false;
    while (!loop->ended) {
        int error = gather(loop);

        if (error)
            return error;
        if (poll(loop->polled, (nfds_t)loop->count, patience(loop)) < 0 && errno != EINTR)
            return -errno;
        call_ready(loop);
        call_due(loop);
    }
    return 0;
}

void loop_end(struct loop *loop)
{
    loop->ended = true;
}
