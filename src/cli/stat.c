/* SPDX-License-Identifier: MIT */
/* stat: all that anybody can know about a share from outside. */
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "facts.h"
#include "fresh.h"
#include "json.h"
#include "list.h"
#include "options.h"
#include "terminal.h"
#include "text.h"
#include "words.h"

/* People get a colon and words; scripts a tab and a number. */
static void begin_line(const char *key)
{
    if (terminal_for_people())
        printf("%s%-10s%s ", terminal_colour_on(FAINT), key, terminal_colour_off(FAINT));
    else
        printf("%s\t", key);
}

__attribute__((format(printf, 2, 3))) static void line(const char *key, const char *format, ...)
{
    va_list rest;

    begin_line(key);
    va_start(rest, format);
    text_print_harmless(stdout, format, rest);
    va_end(rest);
    putchar('\n');
}

static void number_line(const char *key, uint64_t number)
{
    line(key, "%llu", (unsigned long long)number);
}

static void size_line(const char *key, uint64_t bytes)
{
    char word[WORD_SIZE];

    if (terminal_for_people() && bytes >= 1024)
        line(key, "%llu (%s)", (unsigned long long)bytes, words_size(word, bytes));
    else
        number_line(key, bytes);
}

static void time_line(const char *key, int64_t when)
{
    char word[WORD_SIZE], age[WORD_SIZE];

    if (when <= 0)
        line(key, "-");
    else if (terminal_for_people())
        line(key, "%s (%s ago)", words_time(word, when), words_age(age, when));
    else
        line(key, "%lld.%09lld", (long long)(when / 1000000000), (long long)(when % 1000000000));
}

static void lock_line(const struct facts *facts)
{
    char *owner = facts_lock(facts); /* printable */
    const char *more = facts->share.foreign       ? " (nobody can tell from here whether it lives)"
                       : facts->share.owner_alive ? " (alive)"
                                                  : ": the next writer takes it over";

    if (!owner[0]) {
        line("lock", terminal_for_people() ? "free" : "-");
    } else if (!terminal_for_people()) {
        line("lock", "%s", owner);
    } else {
        begin_line("lock");
        printf("%s%s%s%s\n", terminal_colour_on(facts_lock_colour(facts)), owner, more,
               terminal_colour_off(BAD));
    }
    free(owner);
}

static void print_id(const struct facts *facts)
{
    char id[2 * sizeof facts->share.region_id + 1];

    for (size_t i = 0; i < sizeof facts->share.region_id; i++)
        snprintf(id + 2 * i, 3, "%02x", facts->share.region_id[i]);
    line("region", "%s", id);
}

/* Only of a share that a feed keeps. */
static void feed_lines(const char *name)
{
    char words[FRESH_WORDS];
    int64_t age;

    if (!fresh_find(name, words, &age))
        return;
    line("feed", "%s", words);
    if (age < 0)
        line("age", terminal_for_people() ? "not known to be the source's since boot" : "-");
    else
        line("age", "%lld.%03lld%s", (long long)(age / 1000000000), (long long)(age / 1000000 % 1000),
             terminal_for_people() ? " s" : "");
}

static void print(const struct facts *facts)
{
    const struct seqshare_stat *share = &facts->share;
    char word[WORD_SIZE], *name = text_printable(facts->name), *file = text_printable(facts->file);

    line("name", "%s", name);
    line("file", "%s", file);
    line("mode", "%s", facts_mode(facts, word));
    line("owner", "%s", facts_user(facts, word));
    number_line("version", share->version);
    size_line("length", share->length);
    size_line("capacity", share->capacity);
    size_line("allocated", share->allocated);
    number_line("slots", share->slots);
    line("tag", "%08x", share->tag);
    time_line("created", share->created);
    time_line("published", share->published);
    line("writer", "%d", share->writer);
    lock_line(facts);
    line("retired", "%s", share->replaced ? "replaced" : share->unlinked ? "unlinked" : "no");
    line("foreign", "%s", facts->share.foreign ? "yes" : "no");
    print_id(facts);
    feed_lines(facts->name);
    free(name);
    free(file);
}

static int run_stat(int argc, char **argv)
{
    struct list list = {0};
    bool json = false;
    const struct option_rule rules[] = {{'j', "json", OPTION_FLAG, &json, NULL}, {0}};
    int error, status;

    if (!options_parse(&stat_command, argc, argv, rules, &status))
        return status;
    if (optind + 1 != argc)
        return cli_misused(&stat_command, "give one NAME");
    list_add(&list, argv[optind]);
    error = list.facts[0].error;
    if (!error && json)
        json_print_facts(&list.facts[0]);
    else if (!error)
        print(&list.facts[0]);
    list_free(&list);
    return error ? cli_complain(argv[optind], error) : DONE;
}

const struct command stat_command = {
    "stat", "show what is known about a share", "stat NAME [--json]",
    "Show what can be seen of a share from outside: version, sizes, the times when the value was published\n"
    "and the region was made, the process that published, the owner of the lock and whether it lives, and\n"
    "whether the name leads to another region now. If the output is not a terminal, each line has a key, a\n"
    "tab and a plain value, with sizes in bytes and times in seconds since 1970. Of a share that a feed\n"
    "keeps: its state, and for how many seconds nobody has known whether the source still has the value.\n\n"
    "  -j, --json  print a JSON object\n"
    "  -h, --help  this text\n",
    run_stat};
