/* SPDX-License-Identifier: MIT */
/* ls: which shares are there? */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "facts.h"
#include "json.h"
#include "list.h"
#include "now.h"
#include "options.h"
#include "table.h"
#include "terminal.h"
#include "text.h"
#include "words.h"

static void add_sizes(struct table *table, const struct facts *facts, bool people)
{
    const struct seqshare_stat *share = &facts->share;
    char word[WORD_SIZE];

    if (facts->error) {
        for (int i = 0; i < 4; i++)
            table_add(table, FAINT, "-");
        return;
    }
    table_add(table, PLAIN, "%llu", (unsigned long long)share->version);
    if (people) {
        table_add(table, PLAIN, "%s", words_size(word, share->length));
        table_add(table, PLAIN, "%s", words_size(word, share->capacity));
        table_add(table, PLAIN, "%s", share->published ? words_age(word, share->published) : "-");
        return;
    }
    table_add(table, PLAIN, "%llu", (unsigned long long)share->length);
    table_add(table, PLAIN, "%llu", (unsigned long long)share->capacity);
    if (share->published)
        table_add(table, PLAIN, "%lld", (long long)((now_since_1970() - share->published) / 1000000000));
    else
        table_add(table, PLAIN, "-");
}

static void add_row(struct table *table, const struct facts *facts, bool people)
{
    char word[WORD_SIZE], *name = text_printable(facts->name), *note = facts_note(facts);
    char *file = text_printable(facts->file);

    table_add(table, PLAIN, "%s", name);
    add_sizes(table, facts, people);
    table_add(table, PLAIN, "%s", facts_mode(facts, word));
    table_add(table, PLAIN, "%s", facts_user(facts, word));
    table_add(table, facts->error ? BAD : NOTABLE, "%s", note);
    if (table->columns == 9)
        table_add(table, FAINT, "%s", file);
    free(name);
    free(note);
    free(file);
}

static void print(const struct list *list, bool of_process)
{
    static const char *const headings[] = {"NAME", "VERSION", "SIZE", "CAPACITY", "AGE",
                                           "MODE", "OWNER",   "NOTE", "FILE"};
    static const bool right[] = {false, true, true, true, true, false, false, false, false};
    struct table table;

    if (list->count == 0)
        return;
    table_begin(&table, of_process ? 9 : 8, headings, right);
    for (size_t i = 0; i < list->count; i++)
        add_row(&table, &list->facts[i], terminal_for_people());
    table_print(&table, terminal_for_people(), 0, 0);
    table_end(&table);
}

static int run_ls(int argc, char **argv)
{
    struct list list = {0};
    const char *pid = NULL, *what;
    bool json = false;
    const struct option_rule rules[] = {
        {'p', "pid", OPTION_PROCESS, &pid, NULL}, {'j', "json", OPTION_FLAG, &json, NULL}, {0}};
    int error, status;

    if (!options_parse(&ls_command, argc, argv, rules, &status))
        return status;
    if (optind + 1 < argc || (pid && optind < argc))
        return cli_misused(&ls_command, "give one DIRECTORY or one --pid, or neither");
    what = pid ? pid : optind < argc ? argv[optind] : "/dev/shm";
    error = pid ? list_process(&list, pid) : optind < argc ? list_directory(&list, what) : list_named(&list);
    if (error)
        return cli_complain_that(what, "%s",
                                 pid && error == -ENOENT ? "there is no such process" : strerror(-error));
    if (json)
        json_print_list(&list);
    else
        print(&list, pid != NULL);
    list_free(&list);
    return DONE;
}

const struct command ls_command = {
    "ls", "list shares", "ls [DIRECTORY | --pid PID] [--json]",
    "List the named shares in /dev/shm, or the shares among the files of DIRECTORY, or the shares that a\n"
    "process has open, anonymous ones too. Columns: name, version, size, capacity, age of the value, mode,\n"
    "owner, note (and file, with --pid). If the output is not a terminal, tabs separate the columns, and no\n"
    "headings are printed; sizes are in bytes and ages in seconds.\n\n"
    "  -p, --pid PID  list the shares that process PID has open, as /proc/PID/fd/N\n"
    "  -j, --json     print a JSON array, with everything that stat shows\n"
    "  -h, --help     this text\n",
    run_ls};
