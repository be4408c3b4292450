/* SPDX-License-Identifier: MIT */
/* ls: which shares are there? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "facts.h"
#include "json.h"
#include "table.h"

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
        table_add(table, PLAIN, "%s", size_in_words(word, share->length));
        table_add(table, PLAIN, "%s", size_in_words(word, share->capacity));
        table_add(table, PLAIN, "%s", share->published ? age_in_words(word, share->published) : "-");
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
    char word[WORD_SIZE], *name = printable(facts->name), *note = note_of(facts);
    char *file = printable(facts->file);

    table_add(table, PLAIN, "%s", name);
    add_sizes(table, facts, people);
    table_add(table, PLAIN, "%s", mode_of(facts, word));
    table_add(table, PLAIN, "%s", user_of(facts, word));
    table_add(table, facts->error ? BAD : NOTABLE, "%s", note);
    if (table->columns == 9)
        table_add(table, FAINT, "%s", file);
    free(name);
    free(note);
    free(file);
}

static void print(const struct facts_list *list, bool of_process)
{
    static const char *const headings[] = {"NAME", "VERSION", "SIZE", "CAPACITY", "AGE",
                                           "MODE", "OWNER",   "NOTE", "FILE"};
    static const bool right[] = {false, true, true, true, true, false, false, false, false};
    struct table table;

    if (list->count == 0)
        return;
    table_begin(&table, of_process ? 9 : 8, headings, right);
    for (size_t i = 0; i < list->count; i++)
        add_row(&table, &list->facts[i], for_people());
    table_print(&table, for_people(), 0, 0);
    table_end(&table);
}

static int run_ls(int argc, char **argv)
{
    static const struct option options[] = {{"pid", required_argument, NULL, 'p'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct facts_list list = {0};
    const char *pid = NULL, *what;
    uint64_t number;
    bool json = false;
    int option, error;

    while ((option = next_option(&ls_command, argc, argv, "p:jh", options)) != -1)
        switch (option) {
        case 'p':
            pid = optarg;
            break;
        case 'j':
            json = true;
            break;
        case 'h':
            return print_help(&ls_command);
        default:
            return MISUSED;
        }
    if (optind + 1 < argc || (pid && optind < argc))
        return misused(&ls_command, "give one DIRECTORY or one --pid, or neither");
    if (pid && !parse_number(pid, &number))
        return misused(&ls_command, "'%s' is not a process number", pid);
    what = pid ? pid : optind < argc ? argv[optind] : "/dev/shm";
    error = pid ? list_process(&list, pid) : optind < argc ? list_directory(&list, what) : list_named(&list);
    if (error)
        return complain_that(what, "%s",
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
    "owner, note (and file, with --pid). If the output is not a terminal, tabs separate the columns, there\n"
    "are no headings, sizes are in bytes and ages in seconds.\n\n"
    "  -p, --pid PID  list the shares that process PID has open, as /proc/PID/fd/N\n"
    "  -j, --json     print a JSON array, with everything that stat shows\n"
    "  -h, --help     this text\n",
    run_ls};
