/* SPDX-License-Identifier: MIT */
/* Publishing, for the commands that write: under the lock, with a message if that takes long. */
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

/* DONE, or SAID_NO after saying why. Reopens a share that was replaced meanwhile. */
int publish_value(const char *name, seqshare *share, const struct publication *publication);

/*
 * Take the lock. DONE, or SAID_NO after saying why. *ours: this process had it already, kept over
 * exec.
 */
int publish_lock(const char *name, seqshare *share, int64_t timeout, bool *ours);

/* "seqshare: NAME: sentence" for the error of a write, with the reason if the region is from elsewhere. SAID_NO. */
int publish_complain(const char *name, const seqshare *share, int error);

#endif
