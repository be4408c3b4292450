/* SPDX-License-Identifier: MIT */
/*
 * The agent of one share: what it has, and its parts. agent.c opens and closes it and keeps its state told; change.c
 * has the order of a change; stream.c talks to the source; operator.c does what operators ask for.
 */
#ifndef SEQSHARE_FEED_AGENT_H
#define SEQSHARE_FEED_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "backoff.h"
#include "check.h"
#include "config.h"
#include "document.h"
#include "form.h"
#include "keys.h"
#include "loop.h"
#include "report.h"
#include "share.h"
#include "source.h"
#include "state.h"

/* Of documents on their way into the share. */
struct candidate {
    struct document document;
    uint64_t serial; /* of the set of keys that it is of */
    int64_t moment;  /* not published before */
    bool saved;      /* it lies in the state folder already */
    bool written;    /* as `next` */
};

struct agent {
    const struct config *config;
    struct loop *loop;
    struct state state;
    struct share share;
    struct report report;

    /* the source */
    struct source *source;
    struct keys *keys;       /* what it has; NULL: not known yet */
    bool keys_kept;          /* the state folder has them, as of the standing document or later */
    struct keys *keys_saved; /* what it had when `current` was published; until it was listed */
    uint64_t serial;         /* grows with each change of keys */
    bool following, must_list;
    struct backoff backoff;
    struct backoff_limit connects;
    struct loop_timer connect, prove;
    int64_t proof; /* when the keys were last known to be the source's */

    /* documents */
    struct document standing; /* the last that we published: `current` on disk */
    uint64_t standing_serial; /* the keys that it is of; 0: none of this run */
    struct candidate checked; /* while the check runs */
    struct candidate ready;   /* it passed, and waits for its moment, or the lock */
    struct check check;
    bool again;   /* the keys changed while the check ran */
    bool at_once; /* no splay: an operator has asked for it */
    struct loop_timer publish;
    int64_t blocked_since; /* it waits for the share's lock; 0: it does not */
    uint64_t counted;      /* the last revision that we counted ourselves, for sources without ... */
    unsigned char counted_digest[DOCUMENT_DIGEST]; /* ... and of which document */
    unsigned char failed_digest[DOCUMENT_DIGEST];  /* the check refused these bytes ... */
    uint64_t failed_revision;                      /* ... of this revision */

    /* the share */
    uint64_t version; /* the last that was ours */
    uint64_t looked;  /* the version that drift was last looked for in */
    int64_t reverted; /* when we last published over somebody else's value */

    /* operators */
    bool pinned, back, accept_any;
    uint64_t pin, accept; /* revisions; 0: none */
    int operator_notify;  /* inotify; -1 */
    struct loop_watch operator_watch;

    /* telling */
    struct loop_timer tick, status;
    struct seqshare_feed_1 told; /* as NAME.feed has it */
    int64_t told_at, status_at, metrics_at, logged_at, published_logged_at, kept_tried_at;
    char logged[2 * REPORT_WHY]; /* the last line about the state */
    bool status_dirty;
    uint64_t publications_logged;
};

/* ---- agent.c --------------------------------------------------------------------------------- */

/* Everything but the source: folder, lock, shares, last good. 0, or an exit status after saying why. */
int agent_open(struct agent *agent, const struct config *config, struct loop *loop);
void agent_close(struct agent *agent);

/* Something has changed: say it, in the status share at once if it is a matter of state. */
void agent_tell(struct agent *agent);

/* A line on standard error, which systemd takes into its journal. */
__attribute__((format(printf, 2, 3))) void agent_log(const struct agent *agent, const char *format, ...);

/* ---- change.c -------------------------------------------------------------------------------- */

void change_begin(struct agent *agent); /* set up */
void change_end(struct agent *agent);

/* The keys have changed, or what is asked of them: form, judge, check, splay, publish. */
void change_consider(struct agent *agent);

/* Publish a document as soon as the lock allows. Takes its bytes over. `saved`: it is the current one on disk. */
void change_publish(struct agent *agent, struct document *document, bool saved);

/* What has passed, and waits for its moment or the lock, is not published. */
void change_forget(struct agent *agent);

/* Is there nothing on its way? */
bool change_is_idle(const struct agent *agent);

/* Once a second: has somebody else set the share, or moved its name? Can the disk be written again? */
void change_look_for_drift(struct agent *agent);
void change_keep_again(struct agent *agent);

/* ---- stream.c -------------------------------------------------------------------------------- */

/* Make the source, and begin. -EINVAL, said: it cannot be used. */
int stream_open(struct agent *agent);
void stream_close(struct agent *agent);

/* ---- operator.c ------------------------------------------------------------------------------ */

void operator_begin(struct agent *agent);
void operator_end(struct agent *agent);

/* Was this revision accepted? Asked once: the wish is fulfilled then. */
bool operator_accepts(struct agent *agent, uint64_t revision);

/* All that was there has been judged: a wish to accept that is left over is forgotten. */
void operator_settle(struct agent *agent);

/* A store that went back holds all that comes, over restarts. */
void operator_hold_back(struct agent *agent, bool hold);

#endif
