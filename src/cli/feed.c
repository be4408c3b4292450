/* SPDX-License-Identifier: MIT */
/* feed: become the program seqshare-feed, which needs more libraries than this one. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static char program[] = "seqshare-feed";

/* The one beside this program, else the one that PATH has. */
static void become(char **argv)
{
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - sizeof program);
    char *slash;

    if (length > 0) {
        path[length] = 0;
        slash = strrchr(path, '/');
        if (slash) {
            memcpy(slash + 1, program, sizeof program);
            execv(path, argv);
        }
    }
    execvp(program, argv);
}

static int run_feed(int argc, char **argv)
{
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return cli_print_help(&feed_command);
    if (argc < 2)
        return cli_misused(&feed_command, "give a COMMAND");
    if (argv[1][0] == '-')
        return cli_misused(&feed_command, "unrecognized option '%s' before the COMMAND", argv[1]);
    argv[0] = program;
    become(argv);
    return cli_complain_that(
        program, "%s", errno == ENOENT ? "it is not installed (it comes with the feed)" : strerror(errno));
}

const struct command feed_command = {"feed", "keep a share up to date from etcd, files or HTTP",
                                     "feed COMMAND CONF [ARGUMENT]...",
                                     "Execute the program seqshare-feed, with these words: run, check, "
                                     "status, history, accept, rollback, pin\n"
                                     "or unpin. seqshare-feed --help and its man page explain them; it is "
                                     "installed where its libraries are.\n\n"
                                     "  -h, --help  this text\n",
                                     run_feed};
