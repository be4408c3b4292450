/* SPDX-License-Identifier: MIT */
/* The handler of SIGBUS: see cut.h. */
#include "cut.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

_Thread_local volatile int cut_state CUT_PLACE;

static struct sigaction before;
static uintptr_t page_mask;
static int prepare_error;

/* mmap is a system call and no more: it is safe in a handler. */
static bool fill_hole(const siginfo_t *info)
{
    const int saved = errno;
    void *page = (void *)((uintptr_t)info->si_addr & page_mask);
    bool filled;

    if (cut_state == CUT_OUTSIDE || info->si_code != BUS_ADRERR)
        return false;
    filled = mmap(page, ~page_mask + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                  0) != MAP_FAILED;
    errno = saved;
    if (filled)
        cut_state = CUT_MET;
    return filled;
}

/* With the default restored, the instruction that is repeated ends the process, as it would have without us. */
static void hand_on(int signal, siginfo_t *info, void *context)
{
    if (before.sa_flags & SA_SIGINFO)
        before.sa_sigaction(signal, info, context);
    else if (before.sa_handler == SIG_DFL || before.sa_handler == SIG_IGN)
        sigaction(signal, &before, NULL);
    else
        before.sa_handler(signal);
}

static void handle(int signal, siginfo_t *info, void *context)
{
    if (!fill_hole(info))
        hand_on(signal, info, context);
}

static void prepare(void)
{
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    page_mask = ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGBUS, &action, &before) != 0)
        prepare_error = -errno;
}

int cut_prepare(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, prepare);
    return prepare_error;
}
