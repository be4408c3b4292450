/* SPDX-License-Identifier: MIT */
/* Writing, for the commands that do: under the lock, and with something to tell whoever must wait for it. */
#ifndef SEQSHARE_CLI_PUBLISH_H
#define SEQSHARE_CLI_PUBLISH_H

#include <stdbool.h>

#include <seqshare/seqshare.h>

#include "bytes.h"
#include "type.h"

struct publication {
    struct bytes value;
    const char *pointer; /* of its place in the current document; NULL: it is all of the value */
    struct type_wish type;
    bool conditional; /* only over `expected` */
    uint64_t expected;
    int64_t timeout; /* for the lock; -1: none */
};

/* DONE, or SAID_NO after having said why. A share that was replaced meanwhile is reopened. */
int publish_value(const char *name, seqshare *share, const struct publication *publication);

/*
 * Take the lock. DONE, or SAID_NO after having said why. *ours: it was this process's already, kept over
 * exec.
 */
int publish_lock(const char *name, seqshare *share, int64_t timeout, bool *ours);

/* "seqshare: NAME: sentence" for what a write answered, with the one reason where it is of another world. SAID_NO. */
int publish_complain(const char *name, const seqshare *share, int error);

#endif
