/* SPDX-License-Identifier: MIT */
/* create and replace: a region under a name that is free, or in the place of the one that has it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <seqshare/seqshare.h>

#include "bytes.h"
#include "cli.h"
#include "type.h"
#include "words.h"

enum { DEFAULT_CAPACITY = 1 << 20, DEFAULT_MODE = 0640 };

struct request {
    size_t capacity; /* 0: not said */
    mode_t mode;
    bool mode_said;
    bool force;
    const char *from; /* NULL: no value */
    bool empty;
};

/* The NAME, or NULL when `*status` is to be returned. */
static const char *parse(const struct command *command, int argc, char **argv, struct request *request,
                         int *status)
{
    static const struct option options[] = {{"size", required_argument, NULL, 's'},
                                            {"mode", required_argument, NULL, 'm'},
                                            {"from", required_argument, NULL, 'f'},
                                            {"empty", no_argument, NULL, 'e'},
                                            {"force", no_argument, NULL, 'F'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int option;

    *request = (struct request){.mode = DEFAULT_MODE};
    *status = DONE;
    while (*status == DONE && (option = next_option(command, argc, argv, "s:m:f:eFh", options)) != -1) {
        if (option == 's' && !parse_size(optarg, &request->capacity))
            *status = misused(command, "'%s' is not a size", optarg);
        else if (option == 'm' && !parse_mode(optarg, &request->mode))
            *status = misused(command, "'%s' is not a mode such as 640", optarg);
        else if (option == 'm')
            request->mode_said = true;
        else if (option == 'f')
            request->from = optarg;
        else if (option == 'e')
            request->empty = true;
        else if (option == 'F' && command == &replace_command)
            request->force = true;
        else if (option == 'F')
            *status = misused(command, "there is nothing to force");
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

/* The value that it is to appear with; NULL: none. */
static const seqshare_reading *first_of(const struct request *request, const struct bytes *value,
                                        seqshare_reading *first)
{
    *first = (seqshare_reading){.bytes = value->at, .length = value->length};
    return request->from ? first : NULL;
}

static int complain_of_making(const char *name, int error)
{
    if (error == -ENOSPC)
        return complain_that(name, "no memory or disk space for it; nothing was changed");
    if (error == -EAGAIN)
        return complain_that(name, "other processes took the name, or published there, again and again; "
                                   "nothing was changed");
    return complain(name, error);
}

static int run_create(int argc, char **argv)
{
    struct request request;
    struct bytes value = {NULL, 0};
    seqshare_reading first;
    seqshare *share;
    int status, error;
    const char *name = parse(&create_command, argc, argv, &request, &status);

    if (!name)
        return status;
    if (request.from) {
        status =
            read_bytes(&value, request.from, request.capacity ? request.capacity : SIZE_MAX, request.empty);
        if (status != DONE)
            return status;
    }
    if (request.capacity == 0)
        request.capacity = value.length > DEFAULT_CAPACITY ? value.length : DEFAULT_CAPACITY;
    error = seqshare_create_with(&share, name, request.capacity, request.mode,
                                 first_of(&request, &value, &first));
    if (error)
        status = complain_of_making(name, error);
    else
        seqshare_close(share);
    free(value.at);
    return status;
}

const struct command create_command = {
    "create", "make a named share", "create NAME [--size SIZE] [--mode MODE] [--from FILE] [--empty]",
    "Make a named share. A name without a slash lives in /dev/shm, one with a slash is a path.\n\n"
    "  -s, --size SIZE  the most that a value may have (default 1M, or the value's own size if\n"
    "                   that is more); memory is taken as values need it, not before\n"
    "  -m, --mode MODE  exactly these permissions, in octal (default 640): users that may write the\n"
    "                   file may publish, users that may read it may read the value\n"
    "  -f, --from FILE  it appears with what is in FILE (-: standard input) as its value\n"
    "  -e, --empty      also if standard input is empty\n"
    "  -h, --help       this text\n",
    run_create};

static size_t capacity_of(const char *name)
{
    seqshare *share;
    size_t capacity;

    if (seqshare_open(&share, name, SEQSHARE_READ) != 0)
        return DEFAULT_CAPACITY;
    capacity = seqshare_capacity(share);
    seqshare_close(share);
    return capacity;
}

/* Refused: is it the share that is not trusted, or is its owner not ours to give? */
static int complain_of_owner(const char *name)
{
    seqshare *share;

    if (seqshare_open(&share, name, SEQSHARE_READ) != 0)
        return complain_of_removal(name, -EPERM);
    seqshare_close(share);
    return complain_that(name, "the new region cannot be given to the owner, group and ACL that the old one "
                               "has: only root may do that (--force makes it yours)");
}

/* What stands says which type the first value has, as for set. What cannot be read says nothing. */
static int choose_type(const char *name, const struct request *request, const struct bytes *value,
                       uint32_t *tag)
{
    seqshare_reading old = {0};
    seqshare *share;
    int status;

    if (seqshare_open(&share, name, SEQSHARE_READ) == 0) {
        seqshare_pread(share, &old);
        seqshare_close(share);
    }
    status = choose_tag(name, &old, value, (struct type_wish){.force = request->force}, tag);
    free(old.bytes);
    return status;
}

static int run_replace(int argc, char **argv)
{
    struct request request;
    struct bytes value = {NULL, 0};
    seqshare_reading first;
    seqshare *share;
    int status, error;
    const char *name = parse(&replace_command, argc, argv, &request, &status);

    if (!name)
        return status;
    if (request.capacity == 0)
        request.capacity = capacity_of(name);
    if (request.from)
        status = read_bytes(&value, request.from, request.capacity, request.empty);
    first_of(&request, &value, &first);
    if (request.from && status == DONE)
        status = choose_type(name, &request, &value, &first.tag);
    if (status != DONE) {
        free(value.at);
        return status;
    }
    error = seqshare_replace_with(&share, name, request.capacity, request.mode, request.from ? &first : NULL,
                                  (request.mode_said ? 0 : SEQSHARE_KEEP_MODE) |
                                      (request.force ? SEQSHARE_LOSE_OWNER : 0));
    if (error)
        status = error == -EPERM ? complain_of_owner(name) : complain_of_making(name, error);
    else
        seqshare_close(share);
    free(value.at);
    return status;
}

const struct command replace_command = {
    "replace", "put a new region in the place of a name's, keeping the value",
    "replace NAME [--size SIZE] [--mode MODE] [--from FILE] [--empty] [--force]",
    "Put a new region in the place of the one that NAME has, in one step and with its value and\n"
    "version: to give it another capacity, or to be able to write it after a reboot or in another\n"
    "container. Programs that have the old region go on reading there, and learn that they must open the\n"
    "name again. Owner, group, ACL and mode stay as they were. Where there is no such name, it is\n"
    "created.\n\n"
    "  -s, --size SIZE  the new capacity (default: as it was)\n"
    "  -m, --mode MODE  the new permissions, in octal (default: as they were)\n"
    "  -f, --from FILE  the new region appears with what is in FILE (-: standard input) as its value\n"
    "  -e, --empty      also if standard input is empty\n"
    "  -F, --force      also if owner, group or ACL cannot be kept: it is yours then; and also over a\n"
    "                   value of another type\n"
    "  -h, --help       this text\n",
    run_replace};
