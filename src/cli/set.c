/* SPDX-License-Identifier: MIT */
/* set: publish a value. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "json.h"
#include "place.h"
#include "publish.h"
#include "target.h"
#include "words.h"

struct request {
    struct publication publication;
    const char *text; /* the value itself; NULL: it comes from `from` */
    const char *from;
    bool json;
    bool empty;
    int access;
};

/* DONE, or the status to return; *help: that was all. */
static int parse_options(int argc, char **argv, struct request *request, bool *help)
{
    static const struct option options[] = {
        {"from", required_argument, NULL, 'f'},    {"if-version", required_argument, NULL, 'i'},
        {"json", no_argument, NULL, 'j'},          {"tag", required_argument, NULL, 't'},
        {"timeout", required_argument, NULL, 'w'}, {"empty", no_argument, NULL, 'e'},
        {"force", no_argument, NULL, 'F'},         {"any-owner", no_argument, NULL, 'a'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
    struct publication *publication = &request->publication;
    int option;

    while ((option = next_option(&set_command, argc, argv, "f:i:jt:w:eFah", options)) != -1) {
        if (option == 'f')
            request->from = optarg;
        else if (option == 'i' && !parse_number(optarg, &publication->expected))
            return misused(&set_command, "'%s' is not a version", optarg);
        else if (option == 'i')
            publication->conditional = true;
        else if (option == 'j')
            request->json = true;
        else if (option == 't' && !parse_tag(optarg, &publication->type.tag))
            return misused(&set_command, "'%s' is not a type tag such as 0badcafe", optarg);
        else if (option == 'w' && !parse_seconds(optarg, &publication->timeout))
            return misused(&set_command, "'%s' is not a number of seconds", optarg);
        else if (option == 't')
            publication->type.said = true;
        else if (option == 'e')
            request->empty = true;
        else if (option == 'F')
            publication->type.force = true;
        else if (option == 'a')
            request->access |= SEQSHARE_ANY_OWNER;
        else if (option == 'h')
            *help = true;
        else if (option == '?')
            return MISUSED;
    }
    return *help ? print_help(&set_command) : DONE;
}

/* NAME [VALUE | -], or NAME /POINTER and a value, which may be - or --from FILE. */
static int parse_operands(int count, char **words, struct request *request)
{
    bool pointer = count > 2 || (count == 2 && request->from);
    const char *value = count > 1 + pointer ? words[1 + pointer] : NULL;

    if (count < 1)
        return misused(&set_command, "give a NAME");
    if (count > 2 + pointer || (pointer && !is_pointer(words[1])))
        return misused(&set_command, request->from ? "give a VALUE or --from FILE, not both"
                                                   : "give one VALUE, in quotes if it has blanks");
    if (pointer && !request->json)
        return misused(&set_command, "a /POINTER needs --json too");
    if (value && request->from)
        return misused(&set_command, "give a VALUE or --from FILE, not both");
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
            return complain(name, -ENOMEM);
    } else if (read_bytes(value, request->from, capacity, request->empty) != DONE) {
        return SAID_NO;
    }
    if (!request->json)
        return DONE;
    if (!json_check(value->at, value->length, why))
        return complain_that(name, "%s; nothing was changed", why);
    if (!request->publication.type.said)
        request->publication.type.tag = SEQSHARE_TAG_JSON;
    request->publication.type.said = true;
    return DONE;
}

static int run_set(int argc, char **argv)
{
    struct request request = {.publication.timeout = -1, .access = SEQSHARE_WRITE};
    bool help = false;
    int status = parse_options(argc, argv, &request, &help);
    seqshare *share;
    const char *name;
    int error;

    if (status != DONE || help)
        return status;
    status = parse_operands(argc - optind, argv + optind, &request);
    if (status != DONE)
        return status;
    name = argv[optind];
    error = target_open(&share, name, request.access);
    if (error)
        return complain(name, error);
    status = load(name, seqshare_capacity(share), &request);
    if (status == DONE)
        status = publish(name, share, &request.publication);
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
