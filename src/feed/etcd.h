/* SPDX-License-Identifier: MIT */
/*
 * The source etcd: what its files share. source_etcd.c has the order of the steps: connect, log in, list or compare,
 * watch. etcd_login.c, etcd_read.c and etcd_watch.c each have one kind of call; etcd_answers.c judges what comes.
 */
#ifndef SEQSHARE_FEED_ETCD_H
#define SEQSHARE_FEED_ETCD_H

#include <stdbool.h>
#include <stdint.h>

#include "backoff.h"
#include "etcd_answers.h"
#include "grpc.h"
#include "resolve.h"
#include "source.h"

/* What the agent asked for. */
enum etcd_aim { ETCD_NOTHING, ETCD_LIST, ETCD_FOLLOW };

enum etcd_reading {
    ETCD_READ_LIST,   /* all keys with their values */
    ETCD_READ_PROBE,  /* all keys, to compare with ours */
    ETCD_READ_HISTORY /* all keys as they stood at our revision */
};

enum { ETCD_WHY_SIZE = 500 };

struct etcd {
    struct source source; /* must be first */
    struct etcd_place place;
    char *range_end; /* behind all keys of the prefix */
    struct resolve *members;
    size_t member; /* the one that we use */
    struct grpc_link link;
    enum etcd_aim aim;
    bool compared; /* our set and the store of this link have been compared */
    struct loop_timer step;

    struct {
        struct grpc_call call;
        struct loop_timer limit;
        struct backoff_limit often;
        char *line;   /* "token: ..."; NULL: none */
        bool no_need; /* this store knows no users */
        bool tried;   /* since the agent asked for something */
    } login;

    struct {
        struct grpc_call call;
        struct loop_timer limit;
        enum etcd_reading kind;
        struct keys *listed; /* a list that the history is asked about before it is reported */
        Etcd__RangeResponse *answer;
        struct etcd_asked asked;
        int64_t since;
        uint64_t received; /* when the limit was looked at */
    } read;

    struct {
        struct loop_timer timer;      /* the next one */
        struct loop_timer second;     /* until the stream must have brought what a probe found */
        Etcd__RangeResponse *pending; /* that probe */
        struct etcd_asked asked;      /* when it was sent */
        bool back;                    /* it showed that the store went back */
    } probe;

    struct {
        struct grpc_call call;
        struct loop_timer limit;
        struct etcd_events events;
        bool created;
        bool asked;        /* for a sign of life */
        bool answered;     /* one that was asked for, on this link */
        bool silent;       /* the peer answers none: probes instead */
        bool again;        /* it was asked again after that */
        uint64_t start;    /* the first revision that it is to bring */
        int64_t compacted; /* it begins after this revision; 0: it does not say so */
        bool canceled;
        char reason[GRPC_DETAIL_SIZE];
    } watch;
};

/* ---- source_etcd.c ---- */

/* Go on with what the agent asked for. */
void etcd_go_on(struct etcd *etcd);

/* Give up what is on its way, and report. `why` is printed behind the member's name. */
void etcd_away(struct etcd *etcd, int64_t wait, const char *why);
void etcd_lost(struct etcd *etcd, const char *why);

/* The words of a call that failed: etcd's own, or else ours, since another peer's might quote anything. */
const char *etcd_words(const char *theirs, const char *ours);

/* etcd refused us because we lack a right. Log in once more and go on, or report it. */
void etcd_refused(struct etcd *etcd, const char *why);

/* Is that why the call failed? */
bool etcd_is_refusal(const struct grpc_call *call);

/* Lines to send with a call: the token, and another one or NULL. */
void etcd_metadata(const struct etcd *etcd, const char *other, const char *lines[3]);

/* ---- etcd_login.c ---- */
void etcd_login_open(struct etcd *etcd);
bool etcd_login_needed(const struct etcd *etcd);
void etcd_login_start(struct etcd *etcd);
void etcd_login_stop(struct etcd *etcd);
/* How long until one more is allowed. */
int64_t etcd_login_wait(const struct etcd *etcd);
void etcd_login_forget(struct etcd *etcd);

/* ---- etcd_read.c ---- */
void etcd_read_open(struct etcd *etcd);
void etcd_read_start(struct etcd *etcd, enum etcd_reading kind, int64_t limit);
void etcd_read_stop(struct etcd *etcd);
/* The watch has begun, so probes begin too. */
void etcd_read_probes(struct etcd *etcd);

/* ---- etcd_watch.c ---- */
void etcd_watch_open(struct etcd *etcd);
void etcd_watch_start(struct etcd *etcd);
void etcd_watch_stop(struct etcd *etcd);
/* Ask for a sign of life. */
void etcd_watch_ask(struct etcd *etcd);
/* A new connection: it may answer. */
void etcd_watch_reset(struct etcd *etcd);
/* The store is at this revision. etcd from 3.5.8 on answers none before it has reached the first of the watch. */
void etcd_watch_reached(struct etcd *etcd, uint64_t revision);

#endif
