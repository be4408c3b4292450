/* SPDX-License-Identifier: MIT */
/* Publishes a value under the lock, and tells the user if that takes long. */
#include "publish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <seqshare/typed.h>

#include "bytes.h"
#include "cli.h"
#include "facts.h"
#include "namespace.h"
#include "now.h"
#include "place.h"
#include "target.h"
#include "text.h"
#include "type.h"
#include "words.h"

enum { PATIENCE = 1000000000 }; /* wait that long without a message */

static int owner_of(const seqshare *share)
{
    struct seqshare_stat stat;

    return seqshare_stat(share, &stat) == 0 ? stat.owner : 0;
}

static pid_t parent_of(pid_t process)
{
    char path[64], text[1024];
    const char *after;
    size_t length;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)process);
    file = fopen(path, "re");
    if (!file)
        return 0;
    length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = 0;
    after = strrchr(text, ')'); /* the name before it may be anything */
    return after && strlen(after) > 4 ? (pid_t)strtol(after + 4, NULL, 10) : 0;
}

/* Does the lock's owner probably wait for us? `seqshare lock NAME -- sh -c 'seqshare set NAME ...'` */
static bool is_ancestor(pid_t owner)
{
    pid_t process = getppid();

    for (int steps = 0; process > 1 && steps < 1000; steps++, process = parent_of(process))
        if (process == owner)
            return true;
    return false;
}

static int64_t left_of(int64_t timeout, int64_t since)
{
    int64_t left = timeout - (now_steady() - since);

    return timeout < 0 ? -1 : left > 0 ? left : 0;
}

/* As seqshare_lock_for, but follows a name that has moved. */
static int lock_for(seqshare *share, int64_t ns)
{
    int result = seqshare_lock_for(share, ns);

    while (result == -EIDRM) {
        int moved = seqshare_reopen(share);

        if (moved < 1) /* not there any more, or a share without a name */
            return -EIDRM;
        result = seqshare_lock_for(share, ns);
    }
    return result;
}

int publish_complain(const char *name, const seqshare *share, int error)
{
    struct seqshare_stat stat;
    char *word;

    if (error != -EOPNOTSUPP || seqshare_stat(share, &stat) != 0 || !stat.foreign)
        return cli_complain(name, error);
    if (target_is_descriptor(name))
        return cli_complain_that(name, "%s: from here it can be read, but not written",
                                 namespace_foreign_in_words(stat.foreign));
    word = text_shell_word(name);
    cli_complain_that(name,
                      "%s: from here it can be read, but not written. To give the name a new region with the "
                      "same value: seqshare replace %s",
                      namespace_foreign_in_words(stat.foreign), word);
    free(word);
    return SAID_NO;
}

static int explain_wait(const char *name, int owner, const char *how)
{
    char word[WORD_SIZE], *program;

    if (owner == 0) /* it had an owner, and has none now */
        return cli_complain_that(name, "%s owned by one writer after the other", how);
    program = text_printable(facts_program(owner, word));
    cli_complain_that(name, "%s owned by thread %d (%s), which is alive", how, owner, program);
    free(program);
    return SAID_NO;
}

int publish_lock(const char *name, seqshare *share, int64_t timeout, bool *ours)
{
    int64_t began = now_steady();
    int result = lock_for(share, timeout < 0 || timeout > PATIENCE ? PATIENCE : timeout);
    int owner;

    *ours = result == -EDEADLK;
    if (result == -ETIMEDOUT) {
        owner = owner_of(share);
        if (owner > 0 && is_ancestor(owner))
            return cli_complain_that(
                name,
                "process %d owns the lock and has started this command, so each would wait for the other "
                "for ever: exec this command, or use --if-version instead of the lock",
                owner);
        if (left_of(timeout, began) != 0) {
            if (owner > 0)
                explain_wait(name, owner, "waiting for the lock,");
            result = lock_for(share, left_of(timeout, began));
        }
    }
    if (result == -ETIMEDOUT)
        return explain_wait(name, owner_of(share), "the lock is");
    if (result == 1)
        cli_complain_that(name, "the lock's owner had died: this command has taken the lock over");
    return result >= 0 || *ours ? DONE : publish_complain(name, share, result);
}

static int complain_of_length(const char *name, const seqshare *share, size_t length)
{
    return cli_complain_that(name,
                             "the value has %zu bytes and is longer than the capacity of %zu "
                             "(seqshare replace --size raises it)",
                             length, seqshare_capacity(share));
}

static int set_value(const char *name, seqshare *share, const struct publication *publication,
                     const seqshare_reading *old, const struct bytes *value)
{
    uint32_t tag;
    int error;

    if (type_choose(name, old, value, publication->type, &tag) != DONE)
        return SAID_NO;
    error = seqshare_set_typed(share, value->at, value->length, tag);
    if (error == -EMSGSIZE)
        return complain_of_length(name, share, value->length);
    return error ? publish_complain(name, share, error) : DONE;
}

static int set_over(const char *name, seqshare *share, const struct publication *publication,
                    const seqshare_reading *old)
{
    const struct bytes before = {old->bytes, old->length};
    struct bytes document;
    int status;

    if (publication->conditional && old->version != publication->expected)
        return cli_complain_that(name, "%s: %llu, not %llu", seqshare_strerror(-ESTALE),
                                 (unsigned long long)old->version, (unsigned long long)publication->expected);
    if (!publication->pointer)
        return set_value(name, share, publication, old, &publication->value);
    if (old->version == 0)
        return cli_complain(name, -ENODATA);
    if (place_set(name, &before, publication->pointer, &publication->value, &document) != DONE)
        return SAID_NO;
    status = set_value(name, share, publication, old, &document);
    free(document.at);
    return status;
}

/* Any value may replace one that cannot be read, unless the new one is made from it or depends on it. */
static bool may_go_over(const struct publication *publication, int error)
{
    return publication->type.force ||
           (error == -EBADMSG && !publication->pointer && !publication->conditional);
}

/* With the lock taken. */
static int set(const char *name, seqshare *share, const struct publication *publication)
{
    seqshare_reading old = {0};
    int error = seqshare_read(share, &old), status;

    if (error && error != -ENODATA && !may_go_over(publication, error))
        return cli_complain(name, error);
    status = set_over(name, share, publication, &old);
    free(old.bytes);
    return status;
}

int publish_value(const char *name, seqshare *share, const struct publication *publication)
{
    bool ours;
    int status = publish_lock(name, share, publication->timeout, &ours);

    if (status != DONE)
        return status;
    status = set(name, share, publication);
    if (!ours)
        seqshare_unlock(share);
    return status;
}
