/* SPDX-License-Identifier: MIT */
/*
 * Names of hosts, looked up beside the loop: a name server that says nothing stops nobody. When there is no answer
 * in time, the addresses of the last answer are used.
 */
#ifndef SEQSHARE_FEED_RESOLVE_H
#define SEQSHARE_FEED_RESOLVE_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "loop.h"

struct resolve_question;

/* One host. `host` must outlive it. */
struct resolve {
    struct loop *loop;
    struct loop_timer timer;
    void (*done)(void *context); /* once for each resolve_ask, from the loop */
    void *context;
    const char *host;
    char *addresses;                   /* of the last answer, with commas between; NULL: never any */
    bool literal;                      /* the host is an address */
    bool asked;                        /* somebody waits for done() */
    int error;                         /* of the last question: 0, or one for gai_strerror */
    int64_t since;                     /* when it was asked */
    struct resolve_question *question; /* on its way */
};

/* Errors: -ENOMEM. `done` and `context` are the caller's to set before it asks. */
int resolve_open(struct resolve *resolve, struct loop *loop, const char *host);
void resolve_close(struct resolve *resolve);

/* Look the host up; done() follows when there is an answer, and after two seconds in any case. */
void resolve_ask(struct resolve *resolve);

/* Nobody waits any more. */
void resolve_stop(struct resolve *resolve);

/*
 * Append what CURLOPT_RESOLVE needs for this host and port to *list. false: no address is known, or there is no
 * memory.
 */
bool resolve_list(const struct resolve *resolve, unsigned port, struct curl_slist **list);

/* Why there is no address. */
const char *resolve_why(const struct resolve *resolve);

#endif
