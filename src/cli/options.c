/* SPDX-License-Identifier: MIT */
/* Parses the options of a command by its table. */
#include "options.h"

#include <getopt.h>

#include <seqshare/seqshare.h>

#include "cli.h"
#include "parse.h"

enum { RULES_MOST = 10 };

/* The name of that kind of value, for "'x' is not ..."; NULL: any word will do, or there is no value. */
static const char *const descriptions[] = {
    [OPTION_SIZE] = "a size",
    [OPTION_MODE] = "a mode such as 640",
    [OPTION_TAG] = "a type tag such as 0badcafe",
    [OPTION_VERSION] = "a version",
    [OPTION_COUNT] = "a number of times",
    [OPTION_PROCESS] = "a process number",
    [OPTION_SECONDS] = "a number of seconds",
    [OPTION_INTERVAL] = "a number of seconds",
    [OPTION_NAME] = NULL,
};

static bool takes_value(enum option_kind kind)
{
    return kind == OPTION_TEXT || descriptions[kind];
}

/* The table in getopt_long's form. */
static void translate(const struct option_rule *rules, struct option *options, char *letters)
{
    for (; rules->letter; rules++) {
        if (rules->kind ==
            OPTION_NAME) { /* words come in order, and those after OPTION_COMMAND stay as they are */
            *letters++ = '-';
            continue;
        }
        *letters++ = rules->letter;
        if (takes_value(rules->kind))
            *letters++ = ':';
        *options++ = (struct option){rules->name, takes_value(rules->kind) ? required_argument : no_argument,
                                     NULL, rules->letter};
    }
    *letters++ = 'h';
    *letters = 0;
    *options++ = (struct option){"help", no_argument, NULL, 'h'};
    *options = (struct option){NULL, 0, NULL, 0};
}

/* Say what is wrong with the option that getopt_long has just met; `word` is the last that it has read. */
static void explain(const struct command *command, const struct option *options, const char *word)
{
    static const char hint[] = "put -- before a name or value that begins with a dash";

    while (options->name && options->val != optopt)
        options++;
    if (options->name)
        cli_misused(command, "option '--%s' %s", options->name,
                    options->has_arg ? "needs a value after it" : "takes no value");
    else if (optopt)
        cli_misused(command, "unrecognized option '-%c'; %s", optopt, hint);
    else
        cli_misused(command, "unrecognized option '%s'; %s", word, hint);
}

/* False: `word` is not a value of that kind. */
static bool take_value(const struct option_rule *rule, const char *word)
{
    uint64_t number;

    switch (rule->kind) {
    case OPTION_SIZE:
        return parse_size(word, rule->value);
    case OPTION_MODE:
        return parse_mode(word, rule->value);
    case OPTION_TAG:
        return parse_tag(word, rule->value);
    case OPTION_VERSION:
        return parse_number(word, rule->value);
    case OPTION_COUNT:
        return parse_number(word, rule->value) && *(uint64_t *)rule->value != 0;
    case OPTION_SECONDS:
        return parse_seconds(word, rule->value);
    case OPTION_INTERVAL:
        return parse_seconds(word, rule->value) && *(int64_t *)rule->value != 0;
    default:
        *(const char **)rule->value = word;
        return rule->kind != OPTION_PROCESS || parse_number(word, &number);
    }
}

/* DONE, or the status to return. */
static int take(const struct command *command, char **argv, const struct option_rule *rule)
{
    if (rule->given)
        *rule->given = true;
    switch (rule->kind) {
    case OPTION_FLAG:
        *(bool *)rule->value = true;
        return DONE;
    case OPTION_ANY_OWNER:
        *(int *)rule->value |= SEQSHARE_ANY_OWNER;
        return DONE;
    case OPTION_COMMAND:
        *(char ***)rule->value = argv + optind;
        return DONE;
    case OPTION_NAME:
        if (*(const char **)rule->value)
            return cli_misused(command, "give one NAME");
        *(const char **)rule->value = optarg;
        return DONE;
    default:
        return take_value(rule, optarg)
                   ? DONE
                   : cli_misused(command, "'%s' is not %s", optarg, descriptions[rule->kind]);
    }
}

bool options_parse(const struct command *command, int argc, char **argv, const struct option_rule *rules,
                   int *status)
{
    struct option options[RULES_MOST + 2];
    char letters[2 * RULES_MOST + 2];
    int letter;

    translate(rules, options, letters);
    opterr = 0; /* getopt_long would print the user's words as they are */
    *status = DONE;
    while (*status == DONE && (letter = getopt_long(argc, argv, letters, options, NULL)) != -1) {
        const struct option_rule *rule = rules;

        if (letter == 'h') {
            *status = cli_print_help(command);
            return false;
        }
        if (letter == '?') {
            explain(command, options, argv[optind - 1]);
            *status = MISUSED;
            return false;
        }
        while (rule->letter != letter)
            rule++;
        *status = take(command, argv, rule);
        if (rule->kind == OPTION_COMMAND)
            break;
    }
    return *status == DONE;
}
