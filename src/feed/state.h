/* SPDX-License-Identifier: MIT */
/*
 * The state folder: what survives a restart and a reboot. Documents lie there with a header in text, with their length
 * and SHA-256, so that a torn or foreign file is noticed and not used.
 *
 *     current, next, history/REVISION   documents
 *     keys                              which revision changed each key of `current` last
 *     pin, accept, held                 what an operator, or the agent, has decided
 *     status                            for the command of this name
 *     lock                              held by the agent that runs
 *     check.log                         the last check's output
 */
#ifndef SEQSHARE_FEED_STATE_H
#define SEQSHARE_FEED_STATE_H

#include <stdbool.h>
#include <stdio.h>

#include "config.h"
#include "document.h"
#include "keys.h"

enum { STATE_HISTORY = 5, STATE_NAME = 32, STATE_WHY = 200 };

struct state {
    const struct config *config;
    int folder; /* descriptor; -1: there is none */
    int lock;   /* the same */
};

/* Open the folder, or make it (with `make`). -ENOENT; -EPERM it is not ours alone: said on `errors`; others are said, too. */
int state_open(struct state *state, const struct config *config, bool make, FILE *errors);
void state_close(struct state *state);

/* Be the agent. -EBUSY there is one. -ELOOP the lock is a link. Where the folder cannot be written there is no lock: 0. */
int state_lock(struct state *state);

/* Does an agent run? 1, 0, or a negative errno value. */
int state_is_locked(const struct state *state);

/* ---- documents ------------------------------------------------------------------------------- */

/* Take a header and bytes apart. 0, or -EBADMSG and why it cannot be used. */
int state_parse(const struct config *config, const char *text, size_t length, struct document *document,
                char why[STATE_WHY]);

/* Read a document: current, next, history/REVISION. -ENOENT; -EBADMSG and why. */
int state_read(const struct state *state, const char *name, struct document *document, char why[STATE_WHY]);

/* Write `next`, not yet to the disk itself. */
int state_write_next(const struct state *state, const struct document *document);

/* Make `next` the current one, for good; the one that was current stays in the history. */
int state_keep_next(const struct state *state, const struct document *document);

/* The history, newest first; how many. */
struct state_entry {
    char name[STATE_NAME]; /* history/REVISION */
    uint64_t revision;
    int64_t time;
    size_t length;
    unsigned char digest[DOCUMENT_DIGEST];
};
size_t state_history(const struct state *state, struct state_entry entries[STATE_HISTORY + 1]);

/* ---- the rest -------------------------------------------------------------------------------- */

/* Which revision changed each key last, in the store: of `next`, or `current`. `sync`: to the disk itself. NULL: not known. */
int state_write_keys(const struct state *state, const struct keys *keys, bool sync);
struct keys *state_read_keys(const struct state *state);

/* Small files. `sync`: to the disk itself. state_get: the length, at most room - 1, a zero byte behind it; -ENOENT. */
int state_put(const struct state *state, const char *name, const char *text, size_t length, bool sync);
ssize_t state_get(const struct state *state, const char *name, char *text, size_t room);

/*
 * A new file in place of whatever has the name: no link is followed, nothing is waited for, and nobody else has it open.
 * A descriptor to write to, or a negative errno value.
 */
int state_create(const struct state *state, const char *name);
int state_remove(const struct state *state, const char *name); /* one that is not there is fine */

#endif
