/* SPDX-License-Identifier: MIT */
/* get: read the value. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bytes.h"
#include "cli.h"
#include "json.h"
#include "options.h"
#include "place.h"
#include "target.h"
#include "terminal.h"
#include "text.h"

struct request {
    const char *output;  /* NULL: standard output, but nothing binary onto a terminal; "-": anything */
    const char *pointer; /* NULL: all of the value */
    bool pretty;
    bool force;
    mode_t mode; /* of the share */
};

static int print_value(const char *name, const struct request *request, const char *value, size_t length)
{
    char why[JSON_WHY_SIZE];

    if (request->pretty) {
        if (!json_check(value, length, why))
            return cli_complain_that(name, "%s", why);
        json_print_pretty(value, length);
        return DONE;
    }
    if (!request->output && terminal_for_people() && !text_is_plain(value, length))
        return cli_complain_that(
            name,
            "the value is binary, and this is a terminal; use --output FILE, or --output - to print it here");
    if (cli_print_bytes(value, length) != DONE)
        return SAID_NO;
    if (!request->output && (terminal_for_people() || request->pointer) &&
        (length == 0 || value[length - 1] != '\n'))
        putchar('\n');
    return DONE;
}

static int give(const char *name, const struct request *request, const struct bytes *value)
{
    const struct output output = {request->output, value->at, value->length, request->mode, request->force};

    if (request->output && strcmp(request->output, "-") != 0)
        return bytes_write_file(&output);
    return print_value(name, request, value->at, value->length);
}

/* A string without its quotes, unless it is printed as JSON; anything else as it is written. */
static int give_place(const char *name, const struct request *request, const struct bytes *document)
{
    struct bytes value, text;
    int status;

    if (place_get(name, document, request->pointer, &value) != DONE)
        return SAID_NO;
    if (*(const char *)value.at != '"' || request->pretty)
        return give(name, request, &value);
    status = place_unquote(&value, &text);
    if (status)
        return cli_complain(name, status);
    status = give(name, request, &text);
    free(text.at);
    return status;
}

/* The share's permissions. Without a file: only its own processes can open an anonymous share. */
static mode_t mode_of_share(const seqshare *share)
{
    int fd = seqshare_fd(share, SEQSHARE_READ);
    struct stat status = {.st_mode = 0600};

    if (fd >= 0) {
        fstat(fd, &status);
        close(fd);
    }
    return status.st_mode & 0777;
}

static int get(const char *name, const struct request *request, const seqshare *share)
{
    seqshare_reading reading = {0};
    int error = seqshare_pread(share, &reading), status; /* a stranger may truncate the file */
    struct bytes value;

    if (error == -EAGAIN || error == -EOPNOTSUPP)
        error = seqshare_read(share, &reading);
    if (error)
        return cli_complain(name, error);
    value = (struct bytes){reading.bytes, reading.length};
    status = request->pointer ? give_place(name, request, &value) : give(name, request, &value);
    free(reading.bytes);
    return status;
}

static int run_get(int argc, char **argv)
{
    struct request request = {.output = NULL};
    int access = SEQSHARE_READ;
    const struct option_rule rules[] = {{'o', "output", OPTION_TEXT, &request.output, NULL},
                                        {'p', "pretty", OPTION_FLAG, &request.pretty, NULL},
                                        {'F', "force", OPTION_FLAG, &request.force, NULL},
                                        {'a', "any-owner", OPTION_ANY_OWNER, &access, NULL},
                                        {0}};
    seqshare *share;
    int error, status;

    if (!options_parse(&get_command, argc, argv, rules, &status))
        return status;
    if (optind + 2 == argc && place_is_pointer(argv[optind + 1]))
        request.pointer = argv[optind + 1];
    else if (optind + 1 != argc)
        return cli_misused(&get_command, "give one NAME, and a /POINTER if you want one place of it");
    if (request.pretty && request.output)
        return cli_misused(&get_command, "--pretty writes to standard output: leave out --output");
    error = target_open(&share, argv[optind], access);
    if (error)
        return cli_complain(argv[optind], error);
    request.mode = mode_of_share(share);
    status = get(argv[optind], &request, share);
    seqshare_close(share);
    return status;
}

const struct command get_command = {
    "get", "print the value", "get NAME [/POINTER] [--output FILE | --pretty] [--force] [--any-owner]",
    "Print the value byte for byte. On a terminal, get adds a line end, and refuses a binary value.\n\n"
    "With a JSON Pointer (RFC 6901), print one place of a JSON document and a line end: a string without\n"
    "its quotes, anything else as it is written in the document. seqshare get limits /rate\n\n"
    "  -o, --output FILE  write it to FILE instead. FILE always has the old contents or all of the new\n"
    "                     ones, and keeps owner, group, ACL and mode. (A new FILE gets the share's mode,\n"
    "                     less the umask.) -: write to standard output, binary or not\n"
    "  -p, --pretty       print a JSON value indented\n"
    "  -F, --force        write FILE even if its owner, group or ACL cannot be kept: it is yours then\n"
    "  -a, --any-owner    trust the share even if its owner is neither root nor you\n"
    "  -h, --help         this text\n",
    run_get};
