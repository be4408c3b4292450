/* SPDX-License-Identifier: MIT */
/* The common parts of all commands: how they present themselves, how they end, how they complain. */
#ifndef SEQSHARE_CLI_H
#define SEQSHARE_CLI_H

#include <stddef.h>

/* Exit statuses. */
enum { DONE = 0, SAID_NO = 1, MISUSED = 2 };

struct command {
    const char *name;
    const char *brief;                 /* for the list of commands */
    const char *usage;                 /* what follows the program's name */
    const char *help;                  /* what it does, and its options */
    int (*run)(int argc, char **argv); /* an exit status */
};

extern const struct command bench_command, check_command, create_command, edit_command, feed_command,
    get_command, lock_command, ls_command, replace_command, rm_command, set_command, stat_command,
    top_command, watch_command;

/* --help of a command. DONE. */
int cli_print_help(const struct command *command);

/* "seqshare: COMMAND: sentence" and where help is. MISUSED. */
__attribute__((format(printf, 2, 3))) int cli_misused(const struct command *command, const char *format, ...);

/* One sentence for an error of the library: that of seqshare_strerror, or a more precise one for a command. */
const char *cli_error_in_words(int error);

/* "seqshare: NAME: sentence" for an error of the library, with advice if there is any. SAID_NO. */
int cli_complain(const char *name, int error);

/* The same for a name that could not be removed: --any-owner does not help there. SAID_NO. */
int cli_complain_of_removal(const char *name, int error);

/* The same in the caller's words. SAID_NO. */
__attribute__((format(printf, 2, 3))) int cli_complain_that(const char *name, const char *format, ...);

/*
 * Write everything that was printed. Returns `status`, or SAID_NO after saying that it failed. It
 * says so once, however often it is called.
 */
int cli_flush_output(int status);

/* Print bytes. DONE, or SAID_NO after saying once that it failed. */
int cli_print_bytes(const void *bytes, size_t length);

#endif
