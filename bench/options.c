/* SPDX-License-Identifier: MIT */
/* Parses the options of the prefork benchmark. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "process.h"

enum { WORKERS_MAX = 1024, SECONDS_MAX = 3600, RATE_MAX = 100 * 1000 };

__attribute__((format(printf, 1, 2), noreturn)) static void refuse(const char *format, ...)
{
    va_list arguments;

    fputs("prefork: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputs("\n`prefork --help` says what there is.\n", stderr);
    exit(2);
}

static unsigned number(const char *option, const char *word, unsigned least, unsigned most)
{
    char *end;
    unsigned long value;

    errno = 0;
    value = strtoul(word, &end, 10);
    if (*word < '0' || *word > '9' || *end != '\0' || errno != 0 || value < least || value > most)
        refuse("--%s must be a whole number from %u to %u, not '%s'", option, least, most, word);
    return (unsigned)value;
}

static void choose(struct options *options, const char *name)
{
    const struct contender *contender = contender_find(name);

    if (!contender)
        refuse("there is no contender '%s'", name);
    for (unsigned i = 0; i < options->count; i++)
        if (options->chosen[i] == contender)
            refuse("--contender %s was given twice", name);
    options->chosen[options->count++] = contender;
}

static void help(const struct options *defaults)
{
    printf("prefork: a server with many workers that look at their configuration on every request,\n"
           "over seqshare and over what they would use instead.\n\n"
           "  --workers N       worker processes (%u: twice the processors)\n"
           "  --seconds N       of reading, for each contender (%u)\n"
           "  --file FILE       the configuration, JSON; edit it while this runs (%s)\n"
           "  --rate N          publications a second besides changes of the file (%u)\n"
           "  --contender NAME  only this one; may be repeated (all)\n"
           "  --help            this\n\n"
           "Contenders:\n",
           defaults->workers, defaults->seconds, defaults->file, defaults->rate);
    for (unsigned i = 0; contenders[i]; i++)
        printf("  %-17s %s\n", contenders[i]->name, contenders[i]->summary);
    printf("\nExit status: 0; 1 if anything was torn, stuck or not the newest that must not be; 2 for bad "
           "input.\n");
}

static void defaults(struct options *options)
{
    const unsigned processors = processor_count();

    *options = (struct options){
        .workers = processors < WORKERS_MAX / 2 ? 2 * processors : WORKERS_MAX,
        .seconds = 3,
        .rate = 300,
        .file = BENCH_CONFIG,
    };
}

void options_read(int count, char **words, struct options *options)
{
    static const struct option known[] = {
        {"workers", required_argument, NULL, 'w'},
        {"seconds", required_argument, NULL, 's'},
        {"file", required_argument, NULL, 'f'},
        {"rate", required_argument, NULL, 'r'},
        {"contender", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;

    defaults(options);
    opterr = 0;
    while ((option = getopt_long(count, words, ":", known, NULL)) != -1) {
        switch (option) {
        case 'w':
            options->workers = number("workers", optarg, 1, WORKERS_MAX);
            break;
        case 's':
            options->seconds = number("seconds", optarg, 1, SECONDS_MAX);
            break;
        case 'f':
            options->file = optarg;
            break;
        case 'r':
            options->rate = number("rate", optarg, 0, RATE_MAX);
            break;
        case 'c':
            choose(options, optarg);
            break;
        case 'h':
            defaults(options);
            help(options);
            exit(0);
        case ':':
            refuse("%s needs a value", words[optind - 1]);
        default:
            refuse("there is no option %s", words[optind - 1]);
        }
    }
    if (optind < count)
        refuse("'%s' is not an option", words[optind]);
    if (options->count == 0)
        while (contenders[options->count] && options->count < CONTENDERS_MAX) {
            options->chosen[options->count] = contenders[options->count];
            options->count++;
        }
}
