/* SPDX-License-Identifier: MIT */
/* The common parts of operations: shares with a value, and the facts that must be true of them. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "faults.h"
#include "pattern.h"

const unsigned char *pattern(uint64_t version)
{
    static unsigned char bytes[LONG + 256];
    static bool made;

    if (!made)
        make_pattern(bytes, sizeof bytes, 1);
    made = true;
    return bytes + version % 251; /* so that each version is another part of it */
}

void publish(struct stage *stage, seqshare *share, size_t length)
{
    equals(seqshare_set(share, pattern(stage->version + 1), length), 0);
    stage->version++;
    stage->length = length;
}

void stands(const struct stage *stage, const seqshare *share)
{
    struct seqshare_stat stat;
    uint64_t version = 0;
    void *bytes;

    equals(seqshare_version(share), stage->version);
    equals(seqshare_stat(share, &stat), 0);
    equals(stat.version, stage->version);
    equals(stat.length, stage->length);
    equals(stat.owner, stage->owner);
    if (stage->version == 0) {
        equals(seqshare_length(share, NULL), -ENODATA);
        return;
    }
    equals(seqshare_get_alloc(share, &bytes, &version), stage->length);
    equals(version, stage->version);
    check(memcmp(bytes, pattern(version), stage->length) == 0);
    free(bytes);
    forget_block();
}

bool proc_says_nothing(const struct stage *stage)
{
    const struct call *call = stage->fault.call;
    int error = stage->fault.refusal.error;

    if (lacking & NO_PROC)
        return true;
    if (call == &read_call)
        return error == NOTHING || error == ESRCH || error == EACCES;
    return (call == &stat_call || call == &open_proc_call) && (error == ENOENT || error == EACCES);
}

void usable(struct stage *stage, seqshare *share)
{
    if (proc_says_nothing(stage) && seqshare_set(share, NULL, 0) == -EOPNOTSUPP) {
        stands(stage, share);
        return;
    }
    stage->version = seqshare_version(share);
    equals(seqshare_trylock(share), 0); /* (-EDEADLK if the operation had kept it) */
    equals(seqshare_unlock(share), 0);
    publish(stage, share, SMALL);
    stands(stage, share);
    publish(stage, share, 2 * 4096);
    stands(stage, share);
}

void close_all(struct stage *stage)
{
    seqshare_close(stage->made);
    seqshare_close(stage->share);
    seqshare_close(stage->other);
    if (stage->fd >= 0)
        close(stage->fd);
    unlink(stage->path); /* if there is one */
}

void make_anonymous(struct stage *stage)
{
    equals(seqshare_new(&stage->share, CAPACITY), 0);
    publish(stage, stage->share, SMALL);
}

void make_named(struct stage *stage)
{
    equals(seqshare_create(&stage->share, stage->path, CAPACITY, 0600), 0);
    publish(stage, stage->share, SMALL);
}

bool was_refused(const struct stage *stage, const struct call *call, int error)
{
    return stage->fault.call == call && stage->fault.refusal.error == error;
}
