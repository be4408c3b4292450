/* SPDX-License-Identifier: MIT */
/* How every command complains, and ends. */
#include "cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seqshare/seqshare.h>

#include "text.h"

int cli_print_help(const struct command *command)
{
    printf("usage: seqshare %s\n\n%s", command->usage, command->help);
    return DONE;
}

static int print_usage(const struct command *command)
{
    fprintf(stderr, "usage: seqshare %s\n(more: seqshare %s --help)\n", command->usage, command->name);
    return MISUSED;
}

int cli_misused(const struct command *command, const char *format, ...)
{
    va_list rest;

    fprintf(stderr, "seqshare: %s: ", command->name);
    va_start(rest, format);
    text_print_harmless(stderr, format, rest);
    va_end(rest);
    fputc('\n', stderr);
    return print_usage(command);
}

int cli_complain_that(const char *name, const char *format, ...)
{
    char *shown = text_printable(name);
    va_list rest;

    fprintf(stderr, "seqshare: %s: ", shown);
    free(shown);
    va_start(rest, format);
    text_print_harmless(stderr, format, rest);
    va_end(rest);
    fputc('\n', stderr);
    return SAID_NO;
}

const char *cli_error_in_words(int error)
{
    switch (error) { /* these can mean more to a program than to a command */
    case -EPERM:
        return "another user owns it, in a folder that everybody may write to";
    case -EBADMSG:
        return "not a share, or a damaged share";
    case -EROFS: /* a command that writes opens the share for writing, and never gives that up */
        return "its file system is mounted read-only";
    case -EOPNOTSUPP:
        return "a share cannot be on this kind of file system; use /dev/shm or /run";
    default:
        return seqshare_strerror(error);
    }
}

int cli_complain(const char *name, int error)
{
    const char *more = error == -EPERM                                  ? "; --any-owner trusts that user"
                       : error == -EBADMSG || error == -EPROTONOSUPPORT ? " (seqshare check explains it)"
                                                                        : "";

    return cli_complain_that(name, "%s%s", cli_error_in_words(error), more);
}

int cli_complain_of_removal(const char *name, int error)
{
    if (error == -EPERM)
        return cli_complain_that(name,
                                 "another user owns it, in a folder that everybody may write to: only that "
                                 "user may replace it, and only that user or root may remove it");
    return cli_complain(name, error);
}

/* A full disk, or a pipe that nobody reads. */
static int complain_of_output(void)
{
    static bool said;
    int error = errno;

    if (!said)
        cli_complain_that("standard output", "%s", error ? strerror(error) : "could not write everything");
    said = true;
    return SAID_NO;
}

int cli_flush_output(int status)
{
    errno = 0;
    return fflush(stdout) == 0 && !ferror(stdout) ? status : complain_of_output();
}

int cli_print_bytes(const void *bytes, size_t length)
{
    return fwrite(bytes, 1, length, stdout) == length ? DONE : complain_of_output();
}
