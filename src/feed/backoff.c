/* SPDX-License-Identifier: MIT */
/* The back-off. Its figures keep 12 connects a minute without the limit, in nearly all outages. */
#include "backoff.h"

#include <sys/random.h>

#include "loop.h"

static const int64_t minute = 60 * LOOP_SECOND;

int64_t backoff_limit_wait(const struct backoff_limit *limit, int64_t now)
{
    int64_t oldest = limit->at[limit->next];

    return oldest != 0 && now - oldest < minute ? minute - (now - oldest) : 0;
}

void backoff_limit_count(struct backoff_limit *limit, int64_t now)
{
    limit->at[limit->next] = now;
    limit->next = (limit->next + 1) % limit->most;
}

double backoff_chance(void)
{
    uint32_t number = 0;

    if (getrandom(&number, sizeof number, GRND_NONBLOCK) != sizeof number)
        number = (uint32_t)loop_now() * UINT32_C(2654435761); /* early at boot; it need not be unguessable */
    return (double)number / UINT32_MAX;
}

int64_t backoff_wait(struct backoff *backoff, int64_t now)
{
    static const int steps[] = {1, 2, 2, 4, 8, 15};
    const unsigned last = sizeof steps / sizeof steps[0] - 1;
    double longest, share = backoff_chance();
    unsigned step;

    if (backoff->good_since != 0 && now - backoff->good_since >= 30 * LOOP_SECOND)
        backoff->failures = 0;
    backoff->good_since = 0;
    if (backoff->failures == 0) {
        backoff->failures = 1;
        return (int64_t)(share * 0.5 * (double)LOOP_SECOND);
    }
    step = backoff->failures - 1;
    if (step < last)
        backoff->failures++;
    longest = (double)steps[step < last ? step : last] * (double)LOOP_SECOND;
    return (int64_t)(longest / 2 + share * longest / 2);
}

void backoff_good(struct backoff *backoff, int64_t now)
{
    if (backoff->good_since == 0)
        backoff->good_since = now;
}
