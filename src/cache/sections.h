/* SPDX-License-Identifier: MIT */
/*
 * Sections of threads, and nodes that are freed when the last section that has them is over. Two ways to do
 * it, one of which is built in: counted.c with one word that all threads change, urcu.c with liburcu and
 * several of them.
 *
 * One node at a time is current. Any thread enters and leaves; only the thread that has the right to refresh
 * (mt.c) looks at, and replaces, the current node outside of a section. A section may end in another thread
 * than it began in. Nobody waits for a section, nor does fork.
 */
#ifndef SEQSHARE_CACHE_SECTIONS_H
#define SEQSHARE_CACHE_SECTIONS_H

#include <seqshare/protocol.h>
#include <stdbool.h>

struct stripe;

struct node {
    seqshare_word count; /* of its sections, once it has been replaced */
    unsigned place;      /* of counted.c */
    struct node *next;   /* of urcu.c, */
    struct stripe *stripes;
    bool replaced;
    void (*free)(struct node *node);
};

struct sections;

/* NULL: no memory. Otherwise `first` is theirs then. */
struct sections *sections_new(struct node *first);

/* The current node, which stays until it is left; `entry` counts the sections of a node from 0, or nearly. */
struct node *sections_enter(struct sections *sections, uint64_t *entry);
void sections_leave(struct sections *sections, struct node *node);

struct node *sections_current(struct sections *sections);

/*
 * A node, all zeros, to become current later. False: there is no memory, or too many nodes are in use.
 * sections_drop if nothing comes of it; else the node is theirs with sections_replace.
 */
bool sections_take_in(struct sections *sections, struct node *node);
void sections_drop(struct sections *sections, struct node *node);
void sections_replace(struct sections *sections, struct node *next);

/* After sections_replace, and without the right: it may take a moment until no thread enters the old node. */
void sections_add_up(struct sections *sections);

/* Free all nodes. No thread is in a section. */
void sections_close(struct sections *sections);

extern const char sections_name[];

#endif
