/* SPDX-License-Identifier: MIT */
/*
 * Sections by counting references, without a lock.
 *
 * A thread must not read which node is current and *then* count itself in: that is a race with the node's last user.
 * So both are in one word, and one addition does both. The upper byte of `current` is the node's place; the rest
 * counts the threads that have entered since it became current. A thread that leaves counts in the node itself. When a
 * node is replaced, the count in `current` is added to the node's count. From then on that is the number of its
 * sections, and zero is the end. Until then a large number is in place of the entries that are not added yet, so that
 * the count cannot be zero.
 *
 * A killed or forked process leaves nothing behind but counts in its own memory.
 */
#include "sections.h"

#include <stdlib.h>

enum { PLACES = 256, PLACE_SHIFT = 56 };

#define NOT_ADDED_YET (UINT64_C(1) << 62)
#define ENTRIES       ((UINT64_C(1) << PLACE_SHIFT) - 1)

struct sections {
    seqshare_word current;
    struct node *nodes[PLACES];
};

const char sections_name[] = "counted";

static struct node *at(const struct sections *sections, uint64_t place)
{
    return __atomic_load_n(&sections->nodes[place], __ATOMIC_ACQUIRE);
}

static void put(struct sections *sections, unsigned place, struct node *node)
{
    node->place = place;
    node->count = NOT_ADDED_YET;
    __atomic_store_n(&sections->nodes[place], node, __ATOMIC_RELEASE);
}

struct sections *sections_new(struct node *first)
{
    struct sections *sections = calloc(1, sizeof *sections);

    if (sections)
        put(sections, 0, first);
    return sections;
}

struct node *sections_enter(struct sections *sections, uint64_t *entry)
{
    /* Acquire: the node was complete when it became current (release in sections_replace). */
    uint64_t current = __atomic_fetch_add(&sections->current, 1, __ATOMIC_ACQUIRE);

    *entry = current & ENTRIES;
    return at(sections, current >> PLACE_SHIFT);
}

/*
 * Release: what this section did with the node is over. Acquire: so it is for all others, when the last one
 * frees it.
 */
static void count(struct sections *sections, struct node *node, uint64_t more)
{
    if (__atomic_add_fetch(&node->count, more, __ATOMIC_ACQ_REL) != 0)
        return;
    __atomic_store_n(&sections->nodes[node->place], NULL, __ATOMIC_RELEASE);
    node->free(node);
}

void sections_leave(struct sections *sections, struct node *node)
{
    count(sections, node, UINT64_MAX); /* minus one */
}

bool sections_take_in(struct sections *sections, struct node *node)
{
    unsigned place = 0;

    while (place < PLACES && at(sections, place))
        place++;
    if (place == PLACES)
        return false;
    put(sections, place, node);
    return true;
}

void sections_drop(struct sections *sections, struct node *node)
{
    __atomic_store_n(&sections->nodes[node->place], NULL, __ATOMIC_RELEASE);
}

struct node *sections_current(struct sections *sections)
{
    return at(sections, __atomic_load_n(&sections->current, __ATOMIC_ACQUIRE) >> PLACE_SHIFT);
}

void sections_replace(struct sections *sections, struct node *next)
{
    struct node *old = sections_current(sections);
    uint64_t entered =
        __atomic_exchange_n(&sections->current, (uint64_t)next->place << PLACE_SHIFT, __ATOMIC_ACQ_REL);

    count(sections, old, (entered & ENTRIES) - NOT_ADDED_YET);
}

void sections_add_up(struct sections *sections)
{
    (void)sections; /* done in sections_replace */
}

/* All but the current one are free already; or they stay in use for good, by threads that a fork left behind. */
void sections_close(struct sections *sections)
{
    struct node *node = sections_current(sections);

    node->free(node);
    free(sections);
}
