/* SPDX-License-Identifier: MIT */
/* The command `seqshare`: finds the subcommand and calls it. Each has a file of its name. */

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <seqshare/seqshare.h>

#include "cli.h"
#include "stop.h"
#include "terminal.h"

static const struct command *const commands[] = {
    &create_command, &set_command,     &get_command,   &watch_command, &edit_command,
    &ls_command,     &stat_command,    &top_command,   &lock_command,  &check_command,
    &rm_command,     &replace_command, &bench_command, &feed_command,
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

static int print_commands(void)
{
    puts("usage: seqshare COMMAND [ARGUMENT]...\n\n"
         "Read, change, watch and lock shares: values in memory that processes have in common.\n");
    for (int i = 0; i < COMMANDS; i++)
        printf("  %-8s %s\n", commands[i]->name, commands[i]->brief);
    puts("\nNAME is a share's name; or a path, if it has a slash; or a descriptor of a running process,\n"
         "/proc/PID/fd/N, for anonymous shares (seqshare ls --pid PID lists them).\n"
         "SIZE is in bytes, or with K, M, G or T after it. Commands that only read never take the lock.\n\n"
         "seqshare COMMAND --help explains a command, seqshare --version prints the version.\n"
         "Exit status: 0 done, 1 the answer is no (not found, locked, stale, ...), 2 wrong usage.");
    return DONE;
}

static const struct command *find(const char *name)
{
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

/* The owner of a share's file can cut it short under its readers. */
static void explain_truncation(int number)
{
    static const char text[] = "seqshare: the share's file was truncated while it was being read\n";

    (void)number;
    terminal_restore();
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        _exit(SAID_NO);
    _exit(SAID_NO);
}

static int misuse_without_command(const char *word)
{
    if (word)
        cli_complain_that(word, "there is no such command");
    fputs("usage: seqshare COMMAND [ARGUMENT]...\n(seqshare --help lists the commands)\n", stderr);
    return MISUSED;
}

/* write(2) then fails with EFBIG. We set a handler and do not ignore the signal: our commands would inherit that. */
static void survive_file_limit(int number)
{
    (void)number;
}

static void take_signals(void)
{
    signal(SIGBUS, explain_truncation);
    signal(SIGCHLD, SIG_DFL); /* our parent may ignore it; the exit status of a child would then be lost */
    signal(SIGXFSZ, survive_file_limit);
    stop_also_as_process_1();
}

int main(int argc, char **argv)
{
    const struct command *command;
    const char *word = argc > 1 ? argv[1] : NULL;

    take_signals();
    if (word && strcmp(word, "help") == 0 && argc == 3 && find(argv[2]))
        return cli_flush_output(cli_print_help(find(argv[2])));
    if (word && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0))
        return cli_flush_output(print_commands());
    if (word && strcmp(word, "--version") == 0) {
        printf("seqshare %d.%d.%d\n", SEQSHARE_VERSION_MAJOR, SEQSHARE_VERSION_MINOR, SEQSHARE_VERSION_PATCH);
        return cli_flush_output(DONE);
    }
    command = word ? find(word) : NULL;
    if (!command)
        return misuse_without_command(word);
    return cli_flush_output(command->run(argc - 1, argv + 1));
}
