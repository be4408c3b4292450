/* SPDX-License-Identifier: MIT */
/* The common parts of programs with threads, and their end at a check that fails. */
#include "threads.h"

void check_failed(const char *file, int line, const char *message)
{
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, message);
    _exit(1);
}

void team_add(struct team *team, void *(*body)(void *), void *context)
{
    check(team->size < THREADS_MAX);
    equals(pthread_create(&team->threads[team->size++], NULL, body, context), 0);
}

void team_join(struct team *team)
{
    while (team->size > 0)
        equals(pthread_join(team->threads[--team->size], NULL), 0);
}

seqshare *another_handle(const seqshare *share, int access)
{
    int fd = seqshare_fd(share, access);
    seqshare *other;

    check(fd >= 0);
    equals(seqshare_attach(&other, fd, access), 0);
    close(fd);
    return other;
}
