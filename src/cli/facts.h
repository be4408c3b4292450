/* SPDX-License-Identifier: MIT */
/* The facts that ls, stat and top show of a share. Nothing here takes a lock or writes. */
#ifndef SEQSHARE_CLI_FACTS_H
#define SEQSHARE_CLI_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include <seqshare/seqshare.h>

#include "terminal.h"
#include "words.h"

struct facts {
    char *name; /* as the commands take it */
    char *file; /* the file behind it, if known: a path, or the text that /proc has */
    int error;  /* of opening or inspecting; then do not use `share`, and `status` only if it has a mode */
    struct seqshare_stat share;
    struct stat status; /* of the file */
};

/* Open, inspect, close, whoever owns it: inspecting trusts nobody. `name` becomes the facts' own. */
void facts_find(struct facts *facts, char *name);
void facts_free(struct facts *facts);

/* Words for it. */
const char *facts_mode(const struct facts *facts, char word[WORD_SIZE]);
const char *facts_user(const struct facts *facts, char word[WORD_SIZE]);
char *facts_lock(const struct facts *facts); /* "", or the owner of the lock; the caller frees it */
char *facts_note(const struct facts *facts); /* "", or an unusual state; the caller frees it */
enum colour facts_lock_colour(const struct facts *facts);

/* The name of thread `tid`'s program, or "?". */
const char *facts_program(int tid, char word[WORD_SIZE]);

#endif
