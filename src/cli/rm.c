/* SPDX-License-Identifier: MIT */
/* rm: remove names. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>

#include "cli.h"
#include "options.h"
#include "target.h"

/* Is it a share? seqshare_unlink does not ask. */
static int look(const char *name)
{
    seqshare *share;
    int error = seqshare_open(&share, name, SEQSHARE_READ | SEQSHARE_ANY_OWNER);

    if (!error)
        seqshare_close(share);
    return error;
}

static sigjmp_buf again;

static void begin_again(int number)
{
    (void)number;
    siglongjmp(again, 1);
}

/*
 * seqshare_unlink marks the region, whose file a stranger may truncate meanwhile: so that nobody can keep the name,
 * it begins again then. Anything that it left, such as a lock, ends with this process.
 */
static int unlink_also_if_cut(const char *name)
{
    enum { TRIES_MOST = 50 };
    static volatile int tries;
    void (*before)(int);
    int error;

    tries = 0;
    before = signal(SIGBUS, begin_again);
    if (sigsetjmp(again, 1) != 0 && ++tries == TRIES_MOST)
        signal(SIGBUS, before);
    error = seqshare_unlink(name);
    signal(SIGBUS, before);
    return tries > 0 && error == -ENOENT ? 0 : error;
}

/* Is the error about the name, and not about the limits of this process? */
static bool is_about_name(int error)
{
    return error != -EMFILE && error != -ENFILE && error != -ENOMEM;
}

static int remove_name(const char *name, bool force)
{
    int error;

    if (target_is_descriptor(name))
        return cli_complain_that(
            name, "this is a descriptor, not a name: the share ends when the last process closes it");
    error = look(name);
    if (error && error != -ENOENT && !force)
        return cli_complain_that(name, "%s%s", cli_error_in_words(error),
                                 is_about_name(error) ? " (--force removes it)" : "");
    error = unlink_also_if_cut(name);
    return error ? cli_complain_of_removal(name, error) : DONE;
}

static int run_rm(int argc, char **argv)
{
    bool force = false;
    const struct option_rule rules[] = {{'f', "force", OPTION_FLAG, &force, NULL}, {0}};
    int status;

    if (!options_parse(&rm_command, argc, argv, rules, &status))
        return status;
    if (optind == argc)
        return cli_misused(&rm_command, "give a NAME");
    for (; optind < argc; optind++)
        if (remove_name(argv[optind], force) != DONE)
            status = SAID_NO;
    return status;
}

const struct command rm_command = {
    "rm", "remove a name", "rm NAME... [--force]",
    "Remove names. Programs that have a share open go on as before; its memory is free when the last of\n"
    "them closes it.\n\n"
    "  -f, --force  remove a damaged share too, or a file that is not a share\n"
    "  -h, --help   this text\n",
    run_rm};
