/* SPDX-License-Identifier: MIT */
/*
 * A share in an event loop: a thread waits for new versions, and makes a descriptor readable for the loop. Prints each
 * text that it sees in the share whose name it is given, until standard input ends:
 *
 *     cc event_loop.c -lseqshare -pthread -o event-loop && ./event-loop NAME
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <seqshare/seqshare.h>

/* ---- the thread --------------------------------------------------------------------------------- */

struct watch {
    seqshare *share; /* its own: a handle that another thread uses must not be reopened */
    int changed;     /* eventfd: readable when there is something to look at */
    bool over;       /* atomic: the thread must end */
    pthread_t thread;
};

static void *watch_share(void *context)
{
    struct watch *watch = context;
    uint64_t seen = 0;

    while (!__atomic_load_n(&watch->over, __ATOMIC_ACQUIRE)) {
        int result = seqshare_wait(watch->share, seen, 500000000); /* then it looks whether it must end */

        if (result == -EIDRM) { /* the name leads to another share, which begins with other versions */
            seen = 0;
            if (seqshare_reopen(watch->share) < 0)
                usleep(500000); /* not yet */
        } else if (result == 0) {
            seen = seqshare_version(watch->share);
            eventfd_write(watch->changed, 1);
        }
    }
    return NULL;
}

/* 0, or a negative errno. No signal handler of the program's runs in this thread. */
static int watch_begin(struct watch *watch, const char *name)
{
    int error = seqshare_open(&watch->share, name, SEQSHARE_READ);
    sigset_t all, before;

    if (error)
        return error;
    watch->over = false;
    watch->changed = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = watch->changed < 0 ? -errno : -pthread_create(&watch->thread, NULL, watch_share, watch);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        if (watch->changed >= 0)
            close(watch->changed);
        seqshare_close(watch->share);
    }
    return error;
}

/* Takes half a second at most. A program that just ends need not call it: the thread holds nothing up. */
static void watch_end(struct watch *watch)
{
    __atomic_store_n(&watch->over, true, __ATOMIC_RELEASE);
    pthread_join(watch->thread, NULL);
    close(watch->changed);
    seqshare_close(watch->share);
}

/* ---- the loop ----------------------------------------------------------------------------------- */

static void show(seqshare *share)
{
    ssize_t length;
    void *text;

    seqshare_reopen(share); /* where the name leads now; one system call when nothing has moved */
    length = seqshare_get_alloc(share, &text, NULL);
    if (length < 0)
        return;
    printf("%.*s\n", (int)length, (char *)text);
    fflush(stdout);
    free(text);
}

/* Until standard input ends. */
static void run(seqshare *share, const struct watch *watch)
{
    struct pollfd events[] = {{.fd = watch->changed, .events = POLLIN},
                              {.fd = STDIN_FILENO, .events = POLLIN}};
    eventfd_t times;
    char input[64];

    for (;;) {
        if (poll(events, 2, -1) < 0)
            continue; /* a signal */
        if (events[0].revents && eventfd_read(watch->changed, &times) == 0)
            show(share);
        if (events[1].revents && read(STDIN_FILENO, input, sizeof input) <= 0)
            return;
    }
}

int main(int argc, char **argv)
{
    struct watch watch;
    seqshare *share;
    int error = argc == 2 ? seqshare_open(&share, argv[1], SEQSHARE_READ) : -EINVAL;

    if (!error)
        error = watch_begin(&watch, argv[1]);
    if (error) {
        fprintf(stderr, "usage: event-loop NAME: %s\n", seqshare_strerror(error));
        return 1;
    }
    run(share, &watch);
    watch_end(&watch);
    seqshare_close(share);
    return 0;
}
