/* SPDX-License-Identifier: MIT */
/* get: read the value. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "cli.h"
#include "json.h"
#include "target.h"

struct request {
    const char *output; /* NULL: standard output, but nothing binary onto a terminal; "-": whatever it is */
    bool pretty;
};

static int print_value(const char *name, const struct request *request, const char *value, size_t length)
{
    char why[JSON_WHY_SIZE];

    if (request->pretty) {
        if (!json_check(value, length, why))
            return complain_that(name, "%s", why);
        json_print_pretty(value, length);
        return DONE;
    }
    if (!request->output && for_people() && !is_text(value, length))
        return complain_that(
            name,
            "the value is binary and this is a terminal; use --output FILE, or --output - to print it here");
    if (print_bytes(value, length) != DONE)
        return SAID_NO;
    if (!request->output && for_people() && length > 0 && value[length - 1] != '\n')
        putchar('\n');
    return DONE;
}

static int get(const char *name, const struct request *request, const seqshare *share)
{
    void *value;
    ssize_t length = seqshare_get_alloc(share, &value, NULL);
    int status;

    if (length < 0)
        return complain(name, (int)length);
    if (request->output && strcmp(request->output, "-") != 0)
        status = write_file(request->output, value, (size_t)length);
    else
        status = print_value(name, request, value, (size_t)length);
    free(value);
    return status;
}

static int run_get(int argc, char **argv)
{
    static const struct option options[] = {{"output", required_argument, NULL, 'o'},
                                            {"pretty", no_argument, NULL, 'p'},
                                            {"any-owner", no_argument, NULL, 'a'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct request request = {NULL, false};
    int access = SEQSHARE_READ;
    seqshare *share;
    int option, error, status;

    while ((option = next_option(&get_command, argc, argv, "o:pah", options)) != -1)
        switch (option) {
        case 'o':
            request.output = optarg;
            break;
        case 'p':
            request.pretty = true;
            break;
        case 'a':
            access |= SEQSHARE_ANY_OWNER;
            break;
        case 'h':
            return print_help(&get_command);
        default:
            return MISUSED;
        }
    if (optind + 1 != argc)
        return misused(&get_command, "give one NAME");
    if (request.pretty && request.output)
        return misused(&get_command, "--pretty is for standard output");
    error = target_open(&share, argv[optind], access);
    if (error)
        return complain(argv[optind], error);
    status = get(argv[optind], &request, share);
    seqshare_close(share);
    return status;
}

const struct command get_command = {
    "get", "print the value", "get NAME [--output FILE | --pretty] [--any-owner]",
    "Print the value byte for byte. Only a terminal gets a line end more, and no binary value.\n\n"
    "  -o, --output FILE  write it to FILE instead, which always has the old contents or all of the\n"
    "                     new ones; -: to standard output, binary or not\n"
    "  -p, --pretty       the value is JSON: print it indented\n"
    "  -a, --any-owner    also if another user than root or you owns the share\n"
    "  -h, --help         this text\n",
    run_get};
