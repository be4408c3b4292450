/* SPDX-License-Identifier: MIT */
/* Starts, kills, stops and ends the processes of both programs. */
#include "herd.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "pattern.h"

void herd_start(struct herd *herd, unsigned index)
{
    uint64_t seed = random_next(&herd->random);
    pid_t parent = getpid(), pid = fork();

    if (pid < 0)
        give_up("fork", errno);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        alarm(0);
        herd->live(herd->context, index, seed);
        _exit(0);
    }
    herd->pid[index] = pid;
    herd->stopped[index] = false;
}

/* A member that ended too early, or in another way than it should, is an error. */
static void ended(struct herd *herd, unsigned index, int status, bool by_kill)
{
    if (by_kill ? WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL
                : WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    complain(herd->complaint_of(herd->context, index), "it ended with wait status", status);
}

static pid_t kill_one(struct herd *herd, unsigned index)
{
    pid_t killed = herd->pid[index];
    int status;

    if (kill(killed, SIGKILL) != 0 || waitpid(killed, &status, 0) < 0)
        give_up("kill", errno);
    ended(herd, index, status, true);
    herd->killed++;
    return killed;
}

void herd_stop_or_go(struct herd *herd, unsigned index)
{
    herd->stopped[index] = !herd->stopped[index];
    herd->paused += herd->stopped[index];
    if (kill(herd->pid[index], herd->stopped[index] ? SIGSTOP : SIGCONT) != 0)
        give_up("stop", errno);
}

pid_t herd_disturb(struct herd *herd, unsigned index)
{
    if (random_next(&herd->random) % 8 < 5)
        return kill_one(herd, index);
    herd_stop_or_go(herd, index);
    return 0;
}

bool herd_end(struct herd *herd, unsigned index, int64_t last)
{
    bool late = false;
    int status;

    while (waitpid(herd->pid[index], &status, WNOHANG) == 0) {
        if (now() > last && !late) {
            kill(herd->pid[index], SIGKILL);
            late = true;
        }
        rest(MILLISECONDS);
    }
    ended(herd, index, status, late);
    return !late;
}
