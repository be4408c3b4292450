/* SPDX-License-Identifier: MIT */
/* Finding shares: by name, in a folder, among the descriptors of a process. Nothing here takes a lock or writes. */
#ifndef SEQSHARE_CLI_LIST_H
#define SEQSHARE_CLI_LIST_H

#include <stddef.h>

#include "facts.h"

struct list {
    struct facts *facts;
    size_t count, room;
};

/* Add to the list, sorted by name; 0 or a negative errno value. */
int list_named(struct list *list);                            /* the shares in /dev/shm */
int list_directory(struct list *list, const char *directory); /* the shares among its files */
int list_process(struct list *list, const char *pid);         /* those that it has open */
void list_add(struct list *list, const char *name);           /* this one, whatever it is */
void list_free(struct list *list);

#endif
