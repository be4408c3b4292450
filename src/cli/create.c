/* SPDX-License-Identifier: MIT */
/* create and replace: a region under a name that is free, or in the place of the one that has it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "publish.h"
#include "target.h"
#include "words.h"

enum { DEFAULT_CAPACITY = 1 << 20, DEFAULT_MODE = 0640 };

struct request {
    size_t capacity; /* 0: not said */
    mode_t mode;
    bool mode_said;
    const char *from; /* NULL: no value */
};

/* The NAME, or NULL when `*status` is to be returned. */
static const char *parse(const struct command *command, int argc, char **argv, struct request *request,
                         int *status)
{
    static const struct option options[] = {{"size", required_argument, NULL, 's'},
                                            {"mode", required_argument, NULL, 'm'},
                                            {"from", required_argument, NULL, 'f'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int option;

    *request = (struct request){.mode = DEFAULT_MODE};
    *status = DONE;
    while (*status == DONE && (option = next_option(command, argc, argv, "s:m:f:h", options)) != -1) {
        if (option == 's' && !parse_size(optarg, &request->capacity))
            *status = misused(command, "'%s' is not a size", optarg);
        else if (option == 'm' && !parse_mode(optarg, &request->mode))
            *status = misused(command, "'%s' is not a mode such as 640", optarg);
        else if (option == 'm')
            request->mode_said = true;
        else if (option == 'f')
            request->from = optarg;
        else if (option == 'h') {
            *status = print_help(command);
            return NULL;
        } else if (option == '?')
            *status = MISUSED;
    }
    if (*status != DONE)
        return NULL;
    if (optind + 1 == argc)
        return argv[optind];
    *status = misused(command, "give one NAME");
    return NULL;
}

static int set_first(const char *name, seqshare *share, struct bytes value)
{
    struct publication publication = {.value = value, .timeout = -1};

    return publish(name, share, &publication);
}

static int run_create(int argc, char **argv)
{
    struct request request;
    struct bytes value = {NULL, 0};
    seqshare *share;
    int status, error;
    const char *name = parse(&create_command, argc, argv, &request, &status);

    if (!name)
        return status;
    if (request.from) {
        status = read_bytes(&value, request.from, request.capacity ? request.capacity : SIZE_MAX);
        if (status != DONE)
            return status;
    }
    if (request.capacity == 0)
        request.capacity = value.length > DEFAULT_CAPACITY ? value.length : DEFAULT_CAPACITY;
    error = seqshare_create(&share, name, request.capacity, request.mode);
    if (error == -EOPNOTSUPP) { /* nothing is there yet that check could look at */
        status =
            complain_that(name, "shares cannot be on this kind of file system; /dev/shm and /run will do");
    } else if (error) {
        status = complain(name, error);
    } else {
        status = request.from ? set_first(name, share, value) : DONE;
        seqshare_close(share);
        if (status != DONE)
            seqshare_unlink(name); /* no room for the value: as if nothing had been made */
    }
    free(value.at);
    return status;
}

const struct command create_command = {
    "create", "make a named share", "create NAME [--size SIZE] [--mode MODE] [--from FILE]",
    "Make a named share. A name without a slash lives in /dev/shm, one with a slash is a path.\n\n"
    "  -s, --size SIZE  the most that a value may have (default 1M, or the value's own size if\n"
    "                   that is more); memory is taken as values need it, not before\n"
    "  -m, --mode MODE  exactly these permissions, in octal (default 640): users that may write the\n"
    "                   file may publish, users that may read it may read the value\n"
    "  -f, --from FILE  publish what is in FILE (-: standard input)\n"
    "  -h, --help       this text\n",
    run_create};

/* What replaces a region is like it, unless said otherwise. */
static void inherit(struct request *request, const char *name)
{
    seqshare *old;
    int fd;

    if (seqshare_open(&old, name, SEQSHARE_READ) == 0) {
        struct stat status;

        if (request->capacity == 0)
            request->capacity = seqshare_capacity(old);
        fd = seqshare_fd(old, SEQSHARE_READ);
        if (!request->mode_said && fd >= 0 && fstat(fd, &status) == 0)
            request->mode = status.st_mode & 0777;
        if (fd >= 0)
            close(fd);
        seqshare_close(old);
    }
    if (request->capacity == 0)
        request->capacity = DEFAULT_CAPACITY;
}

static int run_replace(int argc, char **argv)
{
    struct request request;
    struct bytes value = {NULL, 0};
    seqshare *share;
    int status, error;
    const char *name = parse(&replace_command, argc, argv, &request, &status);

    if (!name)
        return status;
    inherit(&request, name);
    if (request.from) {
        status = read_bytes(&value, request.from, request.capacity);
        if (status != DONE)
            return status;
    }
    error = seqshare_replace(&share, name, request.capacity, request.mode);
    if (error) {
        status = complain_of_removal(name, error);
    } else {
        status = request.from ? set_first(name, share, value) : DONE;
        seqshare_close(share);
    }
    free(value.at);
    return status;
}

const struct command replace_command = {
    "replace", "put a new region in the place of a name's, keeping the value",
    "replace NAME [--size SIZE] [--mode MODE] [--from FILE]",
    "Put a new region in the place of the one that NAME has, in one step and with its value and\n"
    "version: to give it another capacity, or to be able to write it after a reboot or in another\n"
    "container. Programs that have the old region go on reading there, and learn that they must open the\n"
    "name again. Where there is no such name, it is created.\n\n"
    "  -s, --size SIZE  the new capacity (default: as it was)\n"
    "  -m, --mode MODE  the new permissions, in octal (default: as they were)\n"
    "  -f, --from FILE  then publish what is in FILE (-: standard input)\n"
    "  -h, --help       this text\n",
    run_replace};
