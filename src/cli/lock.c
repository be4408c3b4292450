/* SPDX-License-Identifier: MIT */
/*
 * lock: run a command while holding the lock.
 *
 * The owner of a lock is a thread, and exec keeps a thread's identity: so a child takes the lock and then
 * becomes the command. The lock is the command's own and ends with it, whatever becomes of us. We only wait,
 * and then take it over from the dead and free it, so that nobody has to find out.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "publish.h"
#include "target.h"
#include "words.h"

enum { CANNOT_RUN = 126, NOT_FOUND = 127, KILLED = 128 };

struct request {
    const char *name;
    char **command;
    int64_t timeout;
};

static volatile sig_atomic_t child;

static void pass_on(int number)
{
    if (child > 0)
        kill((pid_t)child, number);
}

enum { SIGNALS = 4 };
static const int signals[SIGNALS] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};

/* The terminal's signals reach the command by themselves, and it decides; those
 * sent to us alone are passed on. */
static void take_signals(struct sigaction before[SIGNALS])
{
    for (int i = 0; i < SIGNALS; i++) {
        struct sigaction action = {.sa_handler = i < 2 ? SIG_IGN : pass_on};

        sigaction(signals[i], &action, &before[i]);
    }
}

static void restore_signals(const struct sigaction before[SIGNALS])
{
    for (int i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &before[i], NULL);
}

static int become_command(const struct request *request, seqshare *share)
{
    bool ours;
    int status = take_lock(request->name, share, request->timeout, &ours);

    if (status != DONE)
        return status;
    execvp(request->command[0], request->command);
    status = errno == ENOENT ? NOT_FOUND : CANNOT_RUN;
    complain_that(request->command[0], "%s", strerror(errno));
    seqshare_unlock(share);
    return status;
}

static int wait_for(pid_t process)
{
    int status;

    while (waitpid(process, &status, 0) < 0)
        if (errno != EINTR)
            return SAID_NO;
    return WIFSIGNALED(status) ? KILLED + WTERMSIG(status) : WEXITSTATUS(status);
}

/* The command is gone. If the lock is still its, nobody need wait until that is noticed. */
static void free_lock(seqshare *share)
{
    do
        if (seqshare_trylock(share) >= 0)
            seqshare_unlock(share);
    while (seqshare_reopen(share) == 1); /* the child may have followed the name */
}

static int run_locked(const struct request *request, seqshare *share)
{
    struct sigaction actions[SIGNALS];
    sigset_t all, before;
    pid_t process;
    int status;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before); /* until `child` is known, or is itself again */
    take_signals(actions);
    process = fork();
    if (process < 0)
        return complain_that(request->command[0], "%s", strerror(errno));
    if (process == 0) {
        restore_signals(actions);
        sigprocmask(SIG_SETMASK, &before, NULL);
        status = become_command(request, share);
        fflush(stdout);
        _exit(status);
    }
    child = process;
    sigprocmask(SIG_SETMASK, &before, NULL);
    status = wait_for(process);
    free_lock(share);
    return status;
}

static int run_lock(int argc, char **argv)
{
    static const struct option options[] = {{"timeout", required_argument, NULL, 'w'},
                                            {"any-owner", no_argument, NULL, 'a'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct request request = {.timeout = -1};
    int access = SEQSHARE_WRITE;
    seqshare *share;
    int option, error, status;

    while ((option = getopt_long(argc, argv, "w:ah", options, NULL)) != -1)
        switch (option) {
        case 'w':
            if (!parse_seconds(optarg, &request.timeout))
                return misused(&lock_command, "'%s' is no number of seconds", optarg);
            break;
        case 'a':
            access |= SEQSHARE_ANY_OWNER;
            break;
        case 'h':
            return print_help(&lock_command);
        default:
            return misused_option(&lock_command);
        }
    if (optind + 2 > argc)
        return misused(&lock_command, "a NAME and a COMMAND are wanted");
    request.name = argv[optind];
    request.command = argv + optind + 1;
    error = target_open(&share, request.name, access);
    if (error)
        return complain(request.name, error);
    status = run_locked(&request, share);
    seqshare_close(share);
    return status;
}

const struct command lock_command = {
    "lock", "run a command while holding the lock",
    "lock NAME [--timeout SECONDS] [--any-owner] -- COMMAND [ARGUMENT]...",
    "Run COMMAND as the owner of the writer lock: meanwhile nobody else publishes or locks; readers never\n"
    "notice. The lock goes when COMMAND ends or is killed, even if seqshare itself is killed before. The\n"
    "exit status is COMMAND's (128 + N if signal N killed it, 127 if there is none, 1 if the lock could\n"
    "not be had).\n\n"
    "The lock belongs to COMMAND's own process and not to those that it starts: these would wait for it.\n"
    "A script publishes under its lock with its last step: exec seqshare set NAME ...\n\n"
    "  -w, --timeout SECONDS  wait no longer for the lock; 0: not at all\n"
    "  -a, --any-owner        also if another user than root or you owns the share\n"
    "  -h, --help             this text\n",
    run_lock};
