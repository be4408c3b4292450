/* SPDX-License-Identifier: MIT */
/*
 * lock: run a command while holding the lock.
 *
 * The owner of a lock is a thread, and exec keeps a thread's identity: so a child takes the lock and then
 * becomes the command. The lock is the command's own and ends with it, whatever happens to us. We only wait,
 * and then take it over from the dead command and free it, so that nobody else has to notice the death.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "cli.h"
#include "options.h"
#include "publish.h"
#include "target.h"

enum { CANNOT_RUN = 126, NOT_FOUND = 127 };

struct request {
    const char *name;
    seqshare *share;
    char **command;
    int64_t timeout;
};

static int become_command(void *what)
{
    const struct request *request = what;
    bool ours;
    int status = publish_lock(request->name, request->share, request->timeout, &ours);

    if (status != DONE)
        return status;
    execvp(request->command[0], request->command);
    status = errno == ENOENT ? NOT_FOUND : CANNOT_RUN;
    cli_complain_that(request->command[0], "%s", strerror(errno));
    seqshare_unlock(request->share);
    return status;
}

/* The command is gone. If it still has the lock, free it now, so that nobody waits. */
static void free_lock(seqshare *share)
{
    do
        if (seqshare_trylock(share) >= 0)
            seqshare_unlock(share);
    while (seqshare_reopen(share) == 1); /* the child may have followed the name */
}

static int run_locked(struct request *request)
{
    struct child child = {.become = become_command, .what = request};
    int status = child_run(&child);

    if (status < 0)
        return cli_complain_that(request->command[0], "%s", strerror(-status));
    free_lock(request->share);
    return status;
}

static int run_lock(int argc, char **argv)
{
    struct request request = {.timeout = -1};
    int access = SEQSHARE_WRITE;
    const struct option_rule rules[] = {{'w', "timeout", OPTION_SECONDS, &request.timeout, NULL},
                                        {'a', "any-owner", OPTION_ANY_OWNER, &access, NULL},
                                        {0}};
    int error, status;

    if (!options_parse(&lock_command, argc, argv, rules, &status))
        return status;
    if (optind + 2 > argc)
        return cli_misused(&lock_command, "give a NAME and a COMMAND");
    request.name = argv[optind];
    request.command = argv + optind + 1;
    error = target_open(&request.share, request.name, access);
    if (error)
        return cli_complain(request.name, error);
    status = run_locked(&request);
    seqshare_close(request.share);
    return status;
}

const struct command lock_command = {
    "lock", "run a command while holding the lock",
    "lock NAME [--timeout SECONDS] [--any-owner] -- COMMAND [ARGUMENT]...",
    "Run COMMAND as the owner of the writer lock. Until it ends, no other process can publish or lock;\n"
    "readers never notice. The lock is free when COMMAND ends or is killed, even if seqshare itself was\n"
    "killed before. seqshare passes signals that ask it to stop on to COMMAND. The exit status is COMMAND's\n"
    "(128 + N if signal N killed it, 127 if it was not found, 1 if the lock could not be taken).\n\n"
    "The lock belongs to COMMAND's own process. A process that COMMAND starts would wait for the lock, so a\n"
    "script must publish with its last step: exec seqshare set NAME ...\n\n"
    "  -w, --timeout SECONDS  wait no longer than this for the lock; 0: do not wait\n"
    "  -a, --any-owner        trust the share even if its owner is neither root nor you\n"
    "  -h, --help             this text\n",
    run_lock};
