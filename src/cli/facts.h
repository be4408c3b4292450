/* SPDX-License-Identifier: MIT */
/* What ls, stat and top know of a share, and how shares are found. Nothing here takes a lock or writes. */
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
    char *file; /* what is behind it, as far as that is known: a path, or what /proc says */
    int error; /* of opening or looking; `share` is then not to be used, and `status` only if it has a mode */
    struct seqshare_stat share;
    struct stat status; /* of the file */
};

/* Open, look, close. Whoever owns it: to look trusts nobody. `name` becomes the facts' own. */
void facts_find(struct facts *facts, char *name);
void facts_free(struct facts *facts);

struct facts_list {
    struct facts *facts;
    size_t count, room;
};

/* Add to the list, sorted by name; 0 or a negative errno value. */
int list_named(struct facts_list *list);                            /* the shares in /dev/shm */
int list_directory(struct facts_list *list, const char *directory); /* those among its files */
int list_process(struct facts_list *list, const char *pid);         /* those that it has open */
void list_add(struct facts_list *list, const char *name);           /* this one, whatever it is */
void list_free(struct facts_list *list);

/* Words for it. */
const char *mode_of(const struct facts *facts, char word[WORD_SIZE]);
const char *user_of(const struct facts *facts, char word[WORD_SIZE]);
char *lock_of(const struct facts *facts); /* "", or the owner of the lock; the caller frees it */
char *note_of(const struct facts *facts); /* "", or what is unusual; the caller frees it */
enum colour lock_colour(const struct facts *facts);

/* The name of thread `tid`'s program, or "?". */
const char *program_of(int tid, char word[WORD_SIZE]);

#endif
