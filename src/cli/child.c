/* SPDX-License-Identifier: MIT */
/* Runs a command as a child, and passes signals on to it. */
#include "child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stop.h"

static volatile sig_atomic_t target; /* of kill(2): the child, or its group; 0: none yet */
static volatile sig_atomic_t group;  /* it is a group, which the terminal's signals do not reach */
static volatile sig_atomic_t stopped_by;

static bool is_key(int number)
{
    return number == SIGINT || number == SIGQUIT;
}

static void pass_on(int number, siginfo_t *info, void *context)
{
    int saved = errno;

    (void)context;
    stopped_by = number;
    /* The kernel sends a key's signal to all of the terminal's group: a child in there has it already. */
    if (target != 0 && (group || info->si_code <= 0 || !is_key(number)))
        kill((pid_t)target, number);
    errno = saved;
}

/* Signals that were ignored when we began stay ignored, for us and for the child. */
static void take_signals(struct sigaction before[STOP_SIGNALS])
{
    for (int i = 0; i < STOP_SIGNALS; i++) {
        struct sigaction action = {.sa_sigaction = pass_on, .sa_flags = SA_SIGINFO};

        sigaction(stop_signals[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN)
            sigaction(stop_signals[i], &action, NULL);
    }
}

static void restore_signals(const struct sigaction before[STOP_SIGNALS])
{
    for (int i = 0; i < STOP_SIGNALS; i++)
        sigaction(stop_signals[i], &before[i], NULL);
}

static void lead_group(pid_t parent)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) /* the parent was killed before that */
        raise(SIGTERM);
}

static int wait_for(pid_t process)
{
    int status;

    while (waitpid(process, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return WIFSIGNALED(status) ? STOP_STATUS + WTERMSIG(status) : WEXITSTATUS(status);
}

int child_run(struct child *child)
{
    struct sigaction actions[STOP_SIGNALS];
    pid_t parent = getpid(), process;
    sigset_t all, before;
    int status;

    target = stopped_by = 0;
    group = child->leads_group;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before); /* until `target` is known, or the child is itself again */
    take_signals(actions);
    process = fork();
    if (process == 0) {
        restore_signals(actions);
        sigprocmask(SIG_SETMASK, &before, NULL);
        if (child->leads_group)
            lead_group(parent);
        status = child->become(child->what);
        fflush(stdout);
        _exit(status);
    }
    status = process < 0 ? -errno : 0;
    if (process > 0 && child->leads_group)
        setpgid(process, process); /* parent or child, whoever is first */
    target = process < 0 ? 0 : child->leads_group ? -process : process;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (process > 0)
        status = wait_for(process);
    restore_signals(actions);
    child->stopped_by = stopped_by;
    return status;
}
