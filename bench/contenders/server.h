/* SPDX-License-Identifier: MIT */
/* A server that a contender starts for itself: reached over a Unix socket, dead when the bench is. */
#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

#include <sys/un.h>

#include "../contender.h"

struct server {
    char socket[sizeof(((struct sockaddr_un *)0)->sun_path)];
    pid_t process;
};

/*
 * What create and destroy of such a contender do. `start` calls server_start with the program and its
 * arguments, among them the socket: -EOPNOTSUPP if there is no such program.
 */
typedef int server_starter(const struct contender_setup *setup, struct server *server);

int server_create(const struct contender_setup *setup, server_starter *start, void **store);
int server_start(struct server *server, char *const arguments[]);
void server_destroy(void *store);

#endif
