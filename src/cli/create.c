/* SPDX-License-Identifier: MIT */
/* create and replace: a region for a free name, or in place of the one that has the name. */
#include <errno.h>
#include <stdlib.h>
#include <sys/types.h>

#include <seqshare/seqshare.h>

#include "bytes.h"
#include "cli.h"
#include "json.h"
#include "options.h"
#include "type.h"

enum { DEFAULT_CAPACITY = 1 << 20, DEFAULT_MODE = 0640 };

struct request {
    size_t capacity; /* 0: not said */
    mode_t mode;
    bool mode_said;
    bool force;
    const char *from; /* NULL: no value */
    bool empty;
    bool json;
};

/* The NAME, or NULL: return `*status`. */
static const char *parse(const struct command *command, int argc, char **argv, struct request *request,
                         int *status)
{
    const struct option_rule rules[] = {{'s', "size", OPTION_SIZE, &request->capacity, NULL},
                                        {'m', "mode", OPTION_MODE, &request->mode, &request->mode_said},
                                        {'f', "from", OPTION_TEXT, &request->from, NULL},
                                        {'e', "empty", OPTION_FLAG, &request->empty, NULL},
                                        {'j', "json", OPTION_FLAG, &request->json, NULL},
                                        {'F', "force", OPTION_FLAG, &request->force, NULL},
                                        {0}};

    *request = (struct request){.mode = DEFAULT_MODE};
    if (!options_parse(command, argc, argv, rules, status))
        return NULL;
    if (request->force && command == &create_command) {
        *status = cli_misused(command, "there is nothing to force");
        return NULL;
    }
    if (optind + 1 == argc)
        return argv[optind];
    *status = cli_misused(command, "give one NAME");
    return NULL;
}

/* The type of the current value counts, as for set. A value that cannot be read has none. */
static int choose_type(const char *name, const struct request *request, const struct bytes *value,
                       uint32_t *tag)
{
    const struct type_wish wish = {request->json, SEQSHARE_TAG_JSON, request->force};
    seqshare_reading old = {0};
    seqshare *share;
    int status;

    if (seqshare_open(&share, name, SEQSHARE_READ) == 0) {
        seqshare_pread(share, &old);
        seqshare_close(share);
    }
    status = type_choose(name, &old, value, wish, tag);
    free(old.bytes);
    return status;
}

/* The value that the region appears with, if any: from a file. first->bytes is the caller's. */
static int load_first(const char *name, const struct request *request, size_t limit, seqshare_reading *first)
{
    struct bytes value = {NULL, 0};
    char why[JSON_WHY_SIZE];
    int status = DONE;

    *first = (seqshare_reading){.tag = request->json ? SEQSHARE_TAG_JSON : 0};
    if (!request->from)
        return DONE;
    status = bytes_read(&value, request->from, limit, request->empty);
    first->bytes = value.at;
    first->length = value.length;
    if (status == DONE && request->json && !json_check(value.at, value.length, why))
        return cli_complain_that(name, "%s; nothing was changed", why);
    return status;
}

static int complain_of_making(const char *name, int error)
{
    if (error == -ENOSPC)
        return cli_complain_that(name, "no memory, disk space or inode is left for it; nothing was changed");
    if (error == -EAGAIN)
        return cli_complain_that(name, "other processes took the name or published in it, again and again; "
                                       "nothing was changed: try again");
    return cli_complain(name, error);
}

static int run_create(int argc, char **argv)
{
    struct request request;
    seqshare_reading first;
    seqshare *share;
    int status, error;
    const char *name = parse(&create_command, argc, argv, &request, &status);

    if (!name)
        return status;
    status = load_first(name, &request, request.capacity ? request.capacity : SIZE_MAX, &first);
    if (request.capacity == 0)
        request.capacity = first.length > DEFAULT_CAPACITY ? first.length : DEFAULT_CAPACITY;
    if (status == DONE) {
        error =
            seqshare_create_with(&share, name, request.capacity, request.mode, request.from ? &first : NULL);
        if (error)
            status = complain_of_making(name, error);
        else
            seqshare_close(share);
    }
    free(first.bytes);
    return status;
}

const struct command create_command = {
    "create", "make a named share",
    "create NAME [--size SIZE] [--mode MODE] [--from FILE] [--json] [--empty]",
    "Make a named share. A name without a slash is in /dev/shm, a name with a slash is a path.\n\n"
    "  -s, --size SIZE  the capacity: no value may be longer (default 1M, or the length of the value,\n"
    "                   if that is more). The share takes memory only as values need it.\n"
    "  -m, --mode MODE  exactly these permissions, in octal (default 640). A user that may write the\n"
    "                   file may publish; a user that may read it may read the value.\n"
    "  -f, --from FILE  the share appears with the contents of FILE (-: standard input) as its value\n"
    "  -j, --json       fail unless that value is JSON; mark it as JSON by its type tag\n"
    "  -e, --empty      accept an empty standard input, pipe or device as the value\n"
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

/* Why was it refused: is the share not trusted, or may we not keep its owner? */
static int complain_of_owner(const char *name, bool forced)
{
    seqshare *share;

    if (seqshare_open(&share, name, SEQSHARE_READ) != 0)
        return cli_complain_of_removal(name, -EPERM);
    seqshare_close(share);
    if (forced)
        return cli_complain_that(name, "in this folder only root, its owner or the folder's may replace it");
    return cli_complain_that(name,
                             "the new region cannot keep the owner, group and ACL of the old one: only root "
                             "may give files away (--force makes it yours)");
}

static int replace(const char *name, const struct request *request, const seqshare_reading *first)
{
    int flags = (request->mode_said ? 0 : SEQSHARE_KEEP_MODE) | (request->force ? SEQSHARE_LOSE_OWNER : 0);
    seqshare *share;
    int error = seqshare_replace_with(&share, name, request->capacity, request->mode,
                                      request->from ? first : NULL, flags);

    if (error)
        return error == -EPERM ? complain_of_owner(name, request->force) : complain_of_making(name, error);
    seqshare_close(share);
    return DONE;
}

static int run_replace(int argc, char **argv)
{
    struct request request;
    seqshare_reading first;
    int status;
    const char *name = parse(&replace_command, argc, argv, &request, &status);

    if (!name)
        return status;
    if (request.capacity == 0)
        request.capacity = capacity_of(name);
    status = load_first(name, &request, request.capacity, &first);
    if (status == DONE && request.from) {
        const struct bytes value = {first.bytes, first.length};

        status = choose_type(name, &request, &value, &first.tag);
    }
    if (status == DONE)
        status = replace(name, &request, &first);
    free(first.bytes);
    return status;
}

const struct command replace_command = {
    "replace", "give a name a new region with the same value",
    "replace NAME [--size SIZE] [--mode MODE] [--from FILE] [--json] [--empty] [--force]",
    "Give NAME a new region in one step, with the value and version of the old one. This changes the\n"
    "capacity, or makes the share writable after a reboot or in another container. Programs that have\n"
    "the old region open go on reading it, and learn that they must open the name again. Owner, group,\n"
    "ACL and mode stay as they were. If there is no such name, replace creates it.\n\n"
    "  -s, --size SIZE  the new capacity (default: as it was)\n"
    "  -m, --mode MODE  the new permissions, in octal (default: as they were)\n"
    "  -f, --from FILE  the new region appears with the contents of FILE (-: standard input) as its value\n"
    "  -j, --json       fail unless that value is JSON; mark it as JSON by its type tag\n"
    "  -e, --empty      accept an empty standard input, pipe or device as the value\n"
    "  -F, --force      replace it even if owner, group or ACL cannot be kept (the new one is yours then),\n"
    "                   and even if the old value has another type\n"
    "  -h, --help       this text\n",
    run_replace};
