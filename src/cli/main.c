/* SPDX-License-Identifier: MIT */
/* The command `seqshare`: finds the subcommand and hands over. Each has a file of its name. */
#include "cli.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <seqshare/seqshare.h>

#include "child.h"
#include "terminal.h"
#include "words.h"

static const struct command *const commands[] = {
    &create_command, &set_command,     &get_command,   &watch_command, &edit_command,
    &ls_command,     &stat_command,    &top_command,   &lock_command,  &check_command,
    &rm_command,     &replace_command, &bench_command,
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

int print_help(const struct command *command)
{
    printf("usage: seqshare %s\n\n%s", command->usage, command->help);
    return DONE;
}

static int print_usage(const struct command *command)
{
    fprintf(stderr, "usage: seqshare %s\n(more: seqshare %s --help)\n", command->usage, command->name);
    return MISUSED;
}

int misused(const struct command *command, const char *format, ...)
{
    va_list rest;

    fprintf(stderr, "seqshare: %s: ", command->name);
    va_start(rest, format);
    print_harmless(stderr, format, rest);
    va_end(rest);
    fputc('\n', stderr);
    return print_usage(command);
}

/* What is wrong with the option that getopt_long has just met, `word` being the last that it has read? */
static void explain_option(const struct command *command, const struct option *options, const char *word)
{
    static const char hint[] = "put -- before a name or value that begins with a dash";

    while (options->name && options->val != optopt)
        options++;
    if (options->name)
        misused(command, "option '--%s' %s", options->name,
                options->has_arg ? "needs a value after it" : "takes no value");
    else if (optopt)
        misused(command, "unrecognized option '-%c'; %s", optopt, hint);
    else
        misused(command, "unrecognized option '%s'; %s", word, hint);
}

int next_option(const struct command *command, int argc, char **argv, const char *letters,
                const struct option *options)
{
    int option;

    opterr = 0;
    option = getopt_long(argc, argv, letters, options, NULL);
    if (option == '?')
        explain_option(command, options, argv[optind - 1]);
    return option;
}

int complain_that(const char *name, const char *format, ...)
{
    char *shown = printable(name);
    va_list rest;

    fprintf(stderr, "seqshare: %s: ", shown);
    free(shown);
    va_start(rest, format);
    print_harmless(stderr, format, rest);
    va_end(rest);
    fputc('\n', stderr);
    return SAID_NO;
}

const char *error_in_words(int error)
{
    switch (error) { /* of all that these can mean to a program, this is left here */
    case -EPERM:
        return "another user owns it, in a folder that everybody may write to";
    case -EBADMSG:
        return "not a share, or a damaged share";
    case -EROFS: /* a command opens what it writes for writing, and gives that up nowhere */
        return "its file system is mounted read-only";
    case -EOPNOTSUPP:
        return "a share cannot be on this kind of file system; use /dev/shm or /run";
    default:
        return seqshare_strerror(error);
    }
}

int complain(const char *name, int error)
{
    const char *more = error == -EPERM                                  ? "; --any-owner trusts that user"
                       : error == -EBADMSG || error == -EPROTONOSUPPORT ? " (seqshare check explains it)"
                                                                        : "";

    return complain_that(name, "%s%s", error_in_words(error), more);
}

int complain_of_removal(const char *name, int error)
{
    if (error == -EPERM)
        return complain_that(name, "another user owns it, in a folder that everybody may write to: only that "
                                   "user may replace it, and only that user or root may remove it");
    return complain(name, error);
}

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

/* A full disk, or a pipe that nobody reads. */
static int complain_of_output(void)
{
    static bool said;
    int error = errno;

    if (!said)
        complain_that("standard output", "%s", error ? strerror(error) : "could not write everything");
    said = true;
    return SAID_NO;
}

int flush_output(int status)
{
    errno = 0;
    return fflush(stdout) == 0 && !ferror(stdout) ? status : complain_of_output();
}

int print_bytes(const void *bytes, size_t length)
{
    return fwrite(bytes, 1, length, stdout) == length ? DONE : complain_of_output();
}

static int misuse_without_command(const char *word)
{
    if (word)
        complain_that(word, "there is no such command");
    fputs("usage: seqshare COMMAND [ARGUMENT]...\n(seqshare --help lists the commands)\n", stderr);
    return MISUSED;
}

/* write(2) then says EFBIG. With a handler, and not ignored: commands that we start would inherit that. */
static void survive_file_limit(int number)
{
    (void)number;
}

static void take_signals(void)
{
    signal(SIGBUS, explain_truncation);
    signal(SIGCHLD, SIG_DFL); /* our parent may ignore it; the exit status of a child would then be lost */
    signal(SIGXFSZ, survive_file_limit);
    end_also_as_process_1();
}

int main(int argc, char **argv)
{
    const struct command *command;
    const char *word = argc > 1 ? argv[1] : NULL;

    take_signals();
    if (word && strcmp(word, "help") == 0 && argc == 3 && find(argv[2]))
        return flush_output(print_help(find(argv[2])));
    if (word && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0))
        return flush_output(print_commands());
    if (word && strcmp(word, "--version") == 0) {
        printf("seqshare %d.%d.%d\n", SEQSHARE_VERSION_MAJOR, SEQSHARE_VERSION_MINOR, SEQSHARE_VERSION_PATCH);
        return flush_output(DONE);
    }
    command = word ? find(word) : NULL;
    if (!command)
        return misuse_without_command(word);
    return flush_output(command->run(argc - 1, argv + 1));
}
