/* SPDX-License-Identifier: MIT */
/*
 * The one poll loop of the agent: descriptors that are watched, and timers. Code that watches or waits keeps the
 * struct (inside a struct of its own), zeroed before its first use; the loop allocates nothing for a timer.
 * Callbacks may add, change and remove any watch or timer, also their own. Nothing here may block.
 */
#ifndef SEQSHARE_FEED_LOOP_H
#define SEQSHARE_FEED_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#define LOOP_SECOND      INT64_C(1000000000)
#define LOOP_MILLISECOND INT64_C(1000000)

struct loop;

struct loop_watch {
    int fd;
    short events; /* POLLIN, POLLOUT */
    void (*ready)(void *context, short events);
    void *context;
    struct loop_watch *next; /* the loop's own */
    bool watched;            /* the same */
};

struct loop_timer {
    void (*due)(void *context);
    void *context;
    int64_t when;            /* the loop's own: on the clock of loop_now */
    struct loop_timer *next; /* the same */
    bool set;                /* the same; others may look: is it running? */
};

/* NULL: no memory. */
struct loop *loop_new(void);
void loop_free(struct loop *loop);

/* CLOCK_BOOTTIME in nanoseconds: it goes on while the machine sleeps, and nobody can set it. */
int64_t loop_now(void);

/* Watch a descriptor. One that is watched already gets the events that the struct has now. */
void loop_watch(struct loop *loop, struct loop_watch *watch);

/* Watch it no more. Must be called before the descriptor is closed. One that is not watched is fine. The struct may
 * be freed at once, also in a callback while this descriptor is ready. */
void loop_forget(struct loop *loop, struct loop_watch *watch);

/* Call due() once, `ns` from now (0: as soon as the loop runs again). A timer that runs already is set again. */
void loop_after(struct loop *loop, struct loop_timer *timer, int64_t ns);

/* A timer that does not run is fine. The struct may be freed at once. */
void loop_cancel(struct loop *loop, struct loop_timer *timer);

/* Run until loop_end. Errors: what poll(2) says. */
int loop_run(struct loop *loop);
void loop_end(struct loop *loop);

#endif
