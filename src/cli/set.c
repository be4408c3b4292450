/* SPDX-License-Identifier: MIT */
/* set: publish a value. */
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "cli.h"
#include "json.h"
#include "options.h"
#include "place.h"
#include "publish.h"
#include "target.h"

struct request {
    struct publication publication;
    const char *text; /* the value itself; NULL: it comes from `from` */
    const char *from;
    bool json;
    bool empty;
    int access;
};

static bool parse_options(int argc, char **argv, struct request *request, int *status)
{
    struct publication *publication = &request->publication;
    const struct option_rule rules[] = {
        {'f', "from", OPTION_TEXT, &request->from, NULL},
        {'i', "if-version", OPTION_VERSION, &publication->expected, &publication->conditional},
        {'j', "json", OPTION_FLAG, &request->json, NULL},
        {'t', "tag", OPTION_TAG, &publication->type.tag, &publication->type.said},
        {'w', "timeout", OPTION_SECONDS, &publication->timeout, NULL},
        {'e', "empty", OPTION_FLAG, &request->empty, NULL},
        {'F', "force", OPTION_FLAG, &publication->type.force, NULL},
        {'a', "any-owner", OPTION_ANY_OWNER, &request->access, NULL},
        {0}};

    return options_parse(&set_command, argc, argv, rules, status);
}

/* NAME [VALUE | -], or NAME /POINTER and a value, which may be - or --from FILE. */
static int parse_operands(int count, char **words, struct request *request)
{
    bool pointer = count > 2 || (count == 2 && request->from);
    const char *value = count > 1 + pointer ? words[1 + pointer] : NULL;

    if (count < 1)
        return cli_misused(&set_command, "give a NAME");
    if (count > 2 + pointer || (pointer && !place_is_pointer(words[1])))
        return cli_misused(&set_command, request->from ? "give a VALUE or --from FILE, not both"
                                                       : "give one VALUE, in quotes if it has blanks");
    if (pointer && !request->json)
        return cli_misused(&set_command, "a /POINTER needs --json too");
    if (value && request->from)
        return cli_misused(&set_command, "give a VALUE or --from FILE, not both");
    if (pointer)
        request->publication.pointer = words[1];
    if (value && strcmp(value, "-") != 0)
        request->text = value;
    else if (!request->from)
        request->from = "-";
    return DONE;
}

static int load(const char *name, size_t capacity, struct request *request)
{
    struct bytes *value = &request->publication.value;
    char why[JSON_WHY_SIZE];

    if (request->text) {
        value->length = strlen(request->text);
        value->at = strdup(request->text);
        if (!value->at)
            return cli_complain(name, -ENOMEM);
    } else if (bytes_read(value, request->from, capacity, request->empty) != DONE) {
        return SAID_NO;
    }
    if (!request->json)
        return DONE;
    if (!json_check(value->at, value->length, why))
        return cli_complain_that(name, "%s; nothing was changed", why);
    if (!request->publication.type.said)
        request->publication.type.tag = SEQSHARE_TAG_JSON;
    request->publication.type.said = true;
    return DONE;
}

static int run_set(int argc, char **argv)
{
    struct request request = {.publication.timeout = -1, .access = SEQSHARE_WRITE};
    seqshare *share;
    const char *name;
    int error, status;

    if (!parse_options(argc, argv, &request, &status))
        return status;
    status = parse_operands(argc - optind, argv + optind, &request);
    if (status != DONE)
        return status;
    name = argv[optind];
    error = target_open(&share, name, request.access);
    if (error)
        return cli_complain(name, error);
    status = load(name, seqshare_capacity(share), &request);
    if (status == DONE)
        status = publish_value(name, share, &request.publication);
    free(request.publication.value.at);
    seqshare_close(share);
    return status;
}

const struct command set_command = {
    "set", "publish a value",
    "set NAME [[/POINTER] VALUE | - | --from FILE] [--if-version VERSION] [--json]\n"
    "                    [--tag TAG] [--timeout SECONDS] [--empty] [--force] [--any-owner]",
    "Publish VALUE as it is, or the contents of FILE, or (-, or nothing) of standard input. The new value\n"
    "keeps the type tag of the old one. set refuses to replace JSON by anything else, or any value by one\n"
    "of another type, unless forced.\n\n"
    "With a JSON Pointer (RFC 6901) and --json, VALUE takes one place in the current document, and all the\n"
    "rest stays as it is: seqshare set limits /rate 250 --json\n\n"
    "  -f, --from FILE           publish the contents of FILE (-: standard input)\n"
    "  -i, --if-version VERSION  publish only if the current version is VERSION (0: nothing has been\n"
    "                            published), so that no change of another process is lost\n"
    "  -j, --json                fail unless the value is JSON; mark it as JSON by its type tag\n"
    "  -t, --tag TAG             the type tag, as stat shows it, that programs with typed values\n"
    "                            expect; 0: the value is untyped\n"
    "  -w, --timeout SECONDS     wait no longer than this for the lock\n"
    "  -e, --empty               accept an empty standard input, pipe or device as the value\n"
    "  -F, --force               replace even a value of another type\n"
    "  -a, --any-owner           trust the share even if its owner is neither root nor you\n"
    "  -h, --help                this text\n",
    run_set};
