/* SPDX-License-Identifier: MIT */
/* The options of a command, as a table: the name of each, the kind of its value, and where that goes. */
#ifndef SEQSHARE_CLI_OPTIONS_H
#define SEQSHARE_CLI_OPTIONS_H

#include <stdbool.h>
#include <unistd.h> /* optind */

#include "cli.h"

enum option_kind {
    OPTION_FLAG,      /* bool */
    OPTION_ANY_OWNER, /* int: SEQSHARE_ANY_OWNER is added to it */
    OPTION_TEXT,      /* const char * */
    OPTION_SIZE,      /* size_t */
    OPTION_MODE,      /* mode_t */
    OPTION_TAG,       /* uint32_t */
    OPTION_VERSION,   /* uint64_t */
    OPTION_COUNT,     /* uint64_t, not 0 */
    OPTION_PROCESS,   /* const char *: the number of a process */
    OPTION_SECONDS,   /* int64_t: nanoseconds */
    OPTION_INTERVAL,  /* the same, not 0 */
    OPTION_COMMAND,   /* char **: all words after it, which end the options */
    OPTION_NAME,      /* const char *: not an option, but the one word before or between them */
};

/* The last one of a table has no letter. Every command has --help, and no table lists it. */
struct option_rule {
    char letter;
    const char *name;
    enum option_kind kind;
    void *value;
    bool *given; /* NULL: nobody asks */
};

/* What options_parse takes for the letter of OPTION_NAME. */
enum { OPTION_WORD = 1 };

/* False: return *status, because the user asked for help, or something is wrong. Operands begin at optind. */
bool options_parse(const struct command *command, int argc, char **argv, const struct option_rule *rules,
                   int *status);

#endif
