/* SPDX-License-Identifier: MIT */
/* What the agent says of itself: to operators as text and JSON, to Prometheus, to scripts by an exit status. */
#ifndef SEQSHARE_FEED_REPORT_H
#define SEQSHARE_FEED_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <seqshare/feed.h>

enum { REPORT_WHY = 400 };

/* Why documents were refused, or held. */
enum report_refusal {
    REPORT_KEYS,
    REPORT_SIZE,
    REPORT_DEPTH,
    REPORT_JSON,
    REPORT_CHECK,
    REPORT_SOURCE,
    REPORT_REFUSALS
};
enum report_hold { REPORT_EMPTY, REPORT_SHRINK, REPORT_BACK, REPORT_HOLDS };

struct report {
    struct seqshare_feed_1 feed;
    char name[128], share[512], source[512];
    uint64_t bytes; /* of the document */
    uint64_t publications, connects, lists, logins, received;
    uint64_t refusals[REPORT_REFUSALS], holds[REPORT_HOLDS];
    /* each "" where there is nothing to say */
    char refused[REPORT_WHY], held[REPORT_WHY], away[REPORT_WHY], pinned[REPORT_WHY], drifted[REPORT_WHY],
        unkept[REPORT_WHY], waiting[REPORT_WHY];
};

/* Exit statuses of `status`: the first that holds. */
enum {
    REPORT_LIVE = 0,
    REPORT_UNKNOWN = 1,
    REPORT_MISUSE = 2,
    REPORT_NOTHING = 3,
    REPORT_NO_AGENT = 4,
    REPORT_HELD = 5,
    REPORT_REFUSED = 6,
    REPORT_STALE = 7,
    REPORT_PINNED = 8,
    REPORT_DRIFTED = 9
};

/* `alive`: an agent runs. */
int report_exit_status(const struct report *report, bool alive);

/* The words that hold, with commas between them: "stale, refused"; "live". Into `words`, which is returned. */
const char *report_words(char *words, size_t room, unsigned state);

void report_print(const struct report *report, bool alive, FILE *out);
void report_prometheus(const struct report *report, FILE *out);

/* JSON on one line, from malloc; NULL: no memory. */
char *report_json(const struct report *report, bool alive, size_t *length);

/* False: it is none. */
bool report_parse(struct report *report, const char *text, size_t length);

#endif
