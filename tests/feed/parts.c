/* SPDX-License-Identifier: MIT */
/* Parts of the feed that are arithmetic: the back-off, the limits, the loop's timers. Shows: FEED-7. */
#include <stdio.h>
#include <stdlib.h>

#include "backoff.h"
#include "loop.h"
#include "words.h"

static void demand(int condition, const char *what)
{
    if (condition)
        return;
    printf("FAILED: %s\n", what);
    exit(1);
}

/* The waits of one outage lie between half and all of their steps, and the first within half a second. */
static void try_steps(void)
{
    static const int64_t longest[] = {1, 2, 2, 4, 8, 15, 15, 15};
    struct backoff backoff = {0};
    int64_t now = 1000 * LOOP_SECOND, wait = backoff_wait(&backoff, now);

    demand(wait >= 0 && wait <= LOOP_SECOND / 2, "the first wait is at most half a second");
    for (size_t i = 0; i < sizeof longest / sizeof longest[0]; i++) {
        now += wait;
        wait = backoff_wait(&backoff, now);
        demand(wait >= longest[i] * LOOP_SECOND / 2 && wait <= longest[i] * LOOP_SECOND,
               "a wait is of its step");
    }
    backoff_good(&backoff, now);
    demand(backoff_wait(&backoff, now + 29 * LOOP_SECOND) > 5 * LOOP_SECOND,
           "29 good seconds do not reset it");
    backoff_good(&backoff, now);
    demand(backoff_wait(&backoff, now + 31 * LOOP_SECOND) <= LOOP_SECOND / 2, "30 good seconds do");
}

/* Ten minutes of a source that fails at once, with the agent's limit: in no minute more than twelve. */
static void try_limit(void)
{
    struct backoff_limit limit = {.most = BACKOFF_MOST};
    struct backoff backoff = {0};
    int64_t begun = 1000 * LOOP_SECOND, now = begun, at[1000];
    int count = 0;

    while (now < begun + 600 * LOOP_SECOND && count < 1000) {
        int64_t wait = count % 3 ? 0 : backoff_wait(&backoff, now), more = backoff_limit_wait(&limit, now);

        now += wait > more ? wait : more;
        backoff_limit_count(&limit, now);
        at[count++] = now;
    }
    demand(count > 40 && count <= 132, "it goes on trying, and not too often");
    for (int i = BACKOFF_MOST; i < count; i++)
        demand(at[i] - at[i - BACKOFF_MOST] >= 60 * LOOP_SECOND, "twelve a minute at most");
}

static void count_down(void *context)
{
    int *left = context;

    --*left;
}

static void end_loop(void *context)
{
    loop_end(context);
}

/* Timers come in their order, a cancelled one never, and a loop ends when loop_end says so. */
static void try_timers(void)
{
    struct loop *loop = loop_new();
    int left = 2;
    struct loop_timer one = {.due = count_down, .context = &left}, other = one, cancelled = one,
                      last = {.due = end_loop, .context = loop};

    demand(loop != NULL, "a loop");
    loop_after(loop, &one, 0);
    loop_after(loop, &other, 2 * LOOP_MILLISECOND);
    loop_after(loop, &cancelled, LOOP_MILLISECOND);
    loop_after(loop, &last, 20 * LOOP_MILLISECOND);
    loop_cancel(loop, &cancelled);
    demand(loop_run(loop) == 0 && left == 0 && !cancelled.set, "two timers of three came");
    loop_free(loop);
}

static void try_words(void)
{
    size_t size;
    int64_t ns;
    unsigned share;
    mode_t mode;

    demand(words_size("256k", &size) && size == 262144 && words_size("1G", &size), "sizes");
    demand(!words_size("99999999999999999999", &size) && !words_size("1kk", &size) &&
               !words_size(" 1", &size),
           "sizes that are none");
    demand(words_time("500ms", &ns) && ns == 500 * LOOP_MILLISECOND && words_time("2h", &ns) &&
               ns == 7200 * LOOP_SECOND && !words_time("1", &ns) && !words_time("100000h", &ns),
           "times");
    demand(words_percent("0%", &share) && words_percent("100%", &share) && !words_percent("1", &share),
           "parts");
    demand(words_mode("0640", &mode) && mode == 0640 && !words_mode("8", &mode) && !words_mode("1777", &mode),
           "permissions");
}

int main(void)
{
    for (int i = 0; i < 200; i++) {
        try_steps();
        try_limit();
    }
    try_timers();
    try_words();
    puts("ok");
    return 0;
}
