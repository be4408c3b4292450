/* SPDX-License-Identifier: MIT */
/* stat: all that can be known about a share from outside. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "facts.h"
#include "json.h"

/* People get a colon and words; scripts a tab and a number. */
static void line(const char *key, const char *text)
{
    if (for_people())
        printf("%s%-10s%s %s\n", colour_on(FAINT), key, colour_off(FAINT), text);
    else
        printf("%s\t%s\n", key, text);
}

static void number_line(const char *key, uint64_t number)
{
    char word[WORD_SIZE];

    snprintf(word, sizeof word, "%llu", (unsigned long long)number);
    line(key, word);
}

static void size_line(const char *key, uint64_t bytes)
{
    char word[WORD_SIZE], text[2 * WORD_SIZE];

    if (!for_people() || bytes < 1024) {
        number_line(key, bytes);
        return;
    }
    snprintf(text, sizeof text, "%llu (%s)", (unsigned long long)bytes, size_in_words(word, bytes));
    line(key, text);
}

static void time_line(const char *key, int64_t when)
{
    char word[WORD_SIZE], age[WORD_SIZE], text[3 * WORD_SIZE];

    if (when <= 0)
        snprintf(text, sizeof text, "-");
    else if (for_people())
        snprintf(text, sizeof text, "%s (%s ago)", time_in_words(word, when), age_in_words(age, when));
    else
        snprintf(text, sizeof text, "%lld.%09lld", (long long)(when / 1000000000),
                 (long long)(when % 1000000000));
    line(key, text);
}

static void lock_line(const struct facts *facts)
{
    char *owner = lock_of(facts);

    if (!for_people()) {
        line("lock", owner[0] ? owner : "-");
    } else {
        const char *more = !owner[0]                  ? "free"
                           : facts->foreign           ? " (whether it lives cannot be told from here)"
                           : facts->share.owner_alive ? " (alive)"
                                                      : ": the next writer takes over";

        printf("%s%-10s%s %s%s%s%s\n", colour_on(FAINT), "lock", colour_off(FAINT),
               owner[0] ? colour_on(lock_colour(facts)) : "", owner, more, owner[0] ? colour_off(BAD) : "");
    }
    free(owner);
}

static void print_id(const struct facts *facts)
{
    char id[2 * sizeof facts->share.region_id + 1];

    for (size_t i = 0; i < sizeof facts->share.region_id; i++)
        snprintf(id + 2 * i, 3, "%02x", facts->share.region_id[i]);
    line("region", id);
}

static void print(const struct facts *facts)
{
    const struct seqshare_stat *share = &facts->share;
    char word[WORD_SIZE], *name = printable(facts->name), *file = printable(facts->file);

    line("name", name);
    line("file", file);
    line("mode", mode_of(facts, word));
    line("owner", user_of(facts, word));
    number_line("version", share->version);
    size_line("length", share->length);
    size_line("capacity", share->capacity);
    size_line("allocated", share->allocated);
    number_line("slots", share->slots);
    snprintf(word, sizeof word, "%08x", share->tag);
    line("tag", word);
    time_line("created", share->created);
    time_line("published", share->published);
    number_line("writer", (uint64_t)share->writer);
    lock_line(facts);
    line("retired", share->replaced ? "replaced" : share->unlinked ? "unlinked" : "no");
    line("foreign", facts->foreign ? "yes" : "no");
    print_id(facts);
    free(name);
    free(file);
}

static int run_stat(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    struct facts_list list = {0};
    bool json = false;
    int option, error;

    while ((option = getopt_long(argc, argv, "jh", options, NULL)) != -1)
        switch (option) {
        case 'j':
            json = true;
            break;
        case 'h':
            return print_help(&stat_command);
        default:
            return misused_option(&stat_command);
        }
    if (optind + 1 != argc)
        return misused(&stat_command, "one NAME is wanted");
    list_add(&list, argv[optind]);
    error = list.facts[0].error;
    if (!error && json)
        json_print_facts(&list.facts[0]);
    else if (!error)
        print(&list.facts[0]);
    list_free(&list);
    return error ? complain(argv[optind], error) : DONE;
}

const struct command stat_command = {
    "stat", "show what is known about a share", "stat NAME [--json]",
    "Show what can be seen of a share from outside: version, sizes, times (of the value's publication,\n"
    "and of the region's making), the process that published, who owns the lock and whether that lives,\n"
    "and whether the name has gone to another region. Where the output is no terminal: a key, a tab and\n"
    "a plain value on each line, sizes in bytes and times in seconds since 1970.\n\n"
    "  -j, --json  as a JSON object\n"
    "  -h, --help  this text\n",
    run_stat};
