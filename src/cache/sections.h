/* SPDX-License-Identifier: MIT */
/*
 * Sections of threads, and nodes that are freed when the last section that could have got them is over. Two
 * ways to do it, one of which is built in: counted.c by counting references, urcu.c by liburcu.
 *
 * One node at a time is current. Any thread enters and leaves; only who has the right to refresh (mt.c) looks
 * at, and replaces, the current node outside of a section.
 */
#ifndef SEQSHARE_CACHE_SECTIONS_H
#define SEQSHARE_CACHE_SECTIONS_H

#include <seqshare/protocol.h>
#include <stdbool.h>

struct node {
    struct node *next;   /* among those that wait for sections to end */
    seqshare_word count; /* of references */
    unsigned place;
    void (*free)(struct node *node);
};

struct sections;

/* NULL: no memory. `first` is theirs then, as is each that replaces it. */
struct sections *sections_new(struct node *first);

/* The current node, which stays until it is left. */
struct node *section_enter(struct sections *sections);
void section_leave(struct sections *sections, struct node *node);

/* Is there room for another node beside all that are still in use? */
bool sections_have_room(const struct sections *sections);
struct node *sections_current(struct sections *sections);
void sections_replace(struct sections *sections, struct node *next);

/* Free all nodes. No thread is in a section. */
void sections_close(struct sections *sections);

extern const char sections_name[];

#endif
