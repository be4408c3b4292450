/* SPDX-License-Identifier: MIT */
/*
 * What a source is: an engine that has keys, or files. Each kind is a table of functions in a file of its own;
 * the agent owns all that they have in common: when to try again, what to publish, what to say.
 *
 * The agent calls open once, then list; after source_listed it calls follow. After source_away it waits
 * (backoff.h), and calls follow again, or list if it never had a set. After source_lost it calls list at once.
 * While it follows it calls prove every source->prove_every. None of these may block: they begin something, and
 * what comes of it is reported later, from a watch or a timer of the loop.
 *
 * Neither side calls the other from inside of the other's call: list, follow, prove and close report nothing
 * before they return (a timer of 0 does it for them), and the agent calls none of them from inside of a report.
 */
#ifndef SEQSHARE_FEED_SOURCE_H
#define SEQSHARE_FEED_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "keys.h"
#include "loop.h"

struct source;

struct source_type {
    const char *const *schemes; /* "etcd", "etcds", NULL */

    /* Make a source; touches no network. -EINVAL, after source_away said why: it cannot be used as configured.
     * *source is zeroed but for its first members, and `size` bytes long. */
    size_t size;
    int (*open)(struct source *source);

    /* Get everything, and its revision (a linearizable read): source_listed, or source_away. What went on
     * before, list or follow, is given up. */
    void (*list)(struct source *source);

    /* Report all changes after source->ours->revision, whole revisions only: source_changed (or source_listed:
     * another whole set), until source_away or source_lost. */
    void (*follow)(struct source *source);

    /* While following: is the stream alive? source_proven, source_contact or source_away, in a time that the
     * source sets itself. (For a file: look. For HTTP: ask.) */
    void (*prove)(struct source *source);

    /* Stop everything, free what open and the others made; not the struct itself. */
    void (*close)(struct source *source);
};

/* What the source counts itself, for the metrics. */
struct source_counts {
    uint64_t connects, logins, received_bytes;
};

struct source_change {
    const char *name; /* without the prefix */
    size_t length;
    const void *value; /* NULL: the key was removed */
    size_t size;
    uint64_t changed; /* mod_revision */
};

/* What the agent does with what is reported: the functions below, from the reports of the same name. */
struct source_sink {
    void (*listed)(void *context, struct keys *keys);
    void (*changed)(void *context, const struct source_change *changes, size_t count, uint64_t revision);
    void (*proven)(void *context, uint64_t revision, uint64_t term);
    void (*contact)(void *context);
    void (*refused)(void *context, uint64_t revision, const char *why);
    void (*away)(void *context, int64_t wait, const char *why);
    void (*lost)(void *context, const char *why);
};

/* A source's own struct has this as its first member. */
struct source {
    /* set before open */
    const struct source_type *type;
    const struct config *config;
    struct loop *loop;
    const struct source_sink *sink;
    void *context;
    const struct keys *ours; /* what the agent has, always up to date; NULL: nothing was listed yet */
    const struct keys *kept; /* until then: names and revisions of what an earlier run had; NULL: not known */
    /* the source's */
    struct source_counts counts;
    int64_t prove_every;   /* nanoseconds, looked at each time; 0: prove is never called */
    unsigned prove_spread; /* plus and minus this many percent, by chance */
};

/* The type for a configuration; NULL: this build has none for its scheme. */
const struct source_type *source_find(const char *scheme);

/* ---- reports: never with a value or a secret in a reason ----------------------------------------------- */

/* The whole set, with revision and term. The agent takes it over. A sign of life, and proof. */
void source_listed(struct source *source, struct keys *keys);

/* Changes up to and with `revision`, of whole revisions, in their order. A sign of life, and proof. */
void source_changed(struct source *source, const struct source_change *changes, size_t count,
                    uint64_t revision);

/*
 * What the agent has is what the source has now. `revision`: it was compared, key by key, with a linearizable
 * read of this revision and raft term (a probe), from which following may go on; 0: the stream says that nothing
 * came (a heartbeat), which moves nothing on.
 */
void source_proven(struct source *source, uint64_t revision, uint64_t term);

/* The source lives; that is all that is known. */
void source_contact(struct source *source);

/* What stands there now (revision, or 0) cannot be a document; following goes on. */
__attribute__((format(printf, 3, 4))) void source_refused(struct source *source, uint64_t revision,
                                                          const char *format, ...);

/* It cannot be reached, or said nonsense. The source has given everything up, until list or follow is called,
 * and takes another member then. `wait`: not before this many nanoseconds (Retry-After); 0: by the back-off. */
__attribute__((format(printf, 3, 4))) void source_away(struct source *source, int64_t wait,
                                                       const char *format, ...);

/* It cannot be followed from ours->revision (compacted, or a probe found a difference): list. */
__attribute__((format(printf, 2, 3))) void source_lost(struct source *source, const char *format, ...);

#endif
