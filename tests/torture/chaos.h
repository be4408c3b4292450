/* SPDX-License-Identifier: MIT */
/*
 * A name that moves while processes of every role use it, and are killed, stopped and executed again.
 *
 * chaos.c starts, kills and judges; roles.c is what the killed processes do. The account of what was
 * acknowledged lies in memory of its own, outside the library, so that it survives the death of a role.
 */
#ifndef CHAOS_H
#define CHAOS_H

#include <seqshare/seqshare.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kit.h"

enum { WRITERS = 3, FOLLOWERS = 4, ROLES_MOST = 16 };

/* How the name moves. */
enum weather {
    REPLACED, /* only by replacers that may lock: no acknowledged set may be lost */
    REMOVED,  /* also removed, made, and moved by hand: what was set into a removed region is lost */
    FOREIGN   /* also by a publisher in another PID namespace */
};

/* A value that tells whether it is whole, and how often each writer has set it. */
struct value {
    uint64_t stamp; /* LAST_STAMP: the one that everybody must show in the end */
    uint64_t done[WRITERS];
    uint64_t filler[58]; /* all of one number */
    uint64_t check;
};
#define LAST_STAMP UINT64_C(0x6c617374)

void value_seal(struct value *value);
bool value_is_whole(const struct value *value);

/* The counts of one role, over all its lives. */
struct account {
    uint64_t done;
    struct complaint complaint;
};

struct book {
    enum weather weather;
    uint64_t seed;
    char path[256];
    int stop;     /* all but the followers end */
    int finished; /* the followers end */
    uint64_t acknowledged[WRITERS];
    uint64_t shown[FOLLOWERS]; /* the stamp that a follower has shown last */
    struct account account[ROLES_MOST];
};

/* One life of one role. */
struct life {
    struct book *book;
    unsigned index;  /* of its account */
    unsigned number; /* among those of its kind */
    int book_fd;
    uint64_t random;
    seqshare *share;
};

typedef void role_run(struct life *life);

struct role {
    const char *name;
    role_run *run;
    unsigned number;
    enum weather from; /* not in calmer weather */
    bool foreign;      /* in a PID namespace of its own */
    bool follows;
};

extern const struct role roles[];
extern const unsigned roles_number;

/* Be that role until told to stop. Does not return. */
_Noreturn void role_live(struct book *book, int book_fd, unsigned index);

#endif
