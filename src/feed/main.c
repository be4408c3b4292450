/* SPDX-License-Identifier: MIT */
/* The program `seqshare-feed`: finds the command, reads the configuration, becomes the right user, hands over. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <seqshare/seqshare.h>

#include "feed.h"
#include "words.h"

static const struct command {
    const char *name, *options, *brief;
    int (*run)(const struct config *config, const struct feed_options *options);
    const char *letters; /* of the options that it takes */
} commands[] = {
    {"run", "CONF", "keep the share up to date", feed_run, ""},
    {"check", "CONF [--document FILE]", "fetch once, or take FILE, through all checks; write nothing",
     feed_check, "d"},
    {"status", "CONF [--json | --prometheus] [--wait TIME]", "how fresh the value is; see the exit statuses",
     feed_status, "jpw"},
    {"history", "CONF", "the documents that were published, newest first", feed_history, ""},
    {"accept", "CONF [REVISION]", "publish what is held", feed_accept, "R"},
    {"rollback", "CONF [--to REVISION]", "publish an earlier document, and pin it", feed_rollback, "t"},
    {"pin", "CONF", "keep what stands, whatever comes", feed_pin, ""},
    {"unpin", "CONF", "go on with what the source has", feed_unpin, ""},
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

static int print_help(void)
{
    puts("usage: seqshare-feed COMMAND CONF [OPTION]...\n\n"
         "Keep a share of this machine up to date from the store of a fleet: etcd, files, HTTP.\n");
    for (int i = 0; i < COMMANDS; i++)
        printf("  %-8s %-42s %s\n", commands[i].name, commands[i].options, commands[i].brief);
    puts("\nCONF is a configuration file, or the NAME of /etc/seqshare/feed.d/NAME.conf.\n"
         "Exit status: 0 done, 1 failed, 2 wrong usage or configuration; of status, the first that holds:\n"
         "0 live, 1 cannot be told, 2 wrong usage or configuration, 3 nothing published, 4 no agent runs,\n"
         "5 held, 6 refused, 7 stale, 8 pinned, 9 drifted. man seqshare-feed says more.");
    return FEED_DONE;
}

static int misused(const struct command *command, const char *why)
{
    fprintf(stderr, "seqshare-feed: %s\n", why);
    if (command)
        fprintf(stderr, "usage: seqshare-feed %s %s\n", command->name, command->options);
    fputs("(seqshare-feed --help says more)\n", stderr);
    return FEED_MISUSED;
}

static const struct command *find(const char *name)
{
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

/* ---- arguments ------------------------------------------------------------------------------- */

static const char *take_option(struct feed_options *options, int option)
{
    switch (option) {
    case 'd':
        options->document = optarg;
        return NULL;
    case 'j':
        options->json = true;
        return NULL;
    case 'p':
        options->prometheus = true;
        return NULL;
    case 't':
        options->revision = optarg;
        return NULL;
    default:
        return words_time(optarg, &options->wait) ? NULL : "--wait takes a time such as 500ms, 30s or 5m";
    }
}

/* NULL, or what is wrong. */
static const char *take_arguments(const struct command *command, int argc, char **argv,
                                  struct feed_options *options, const char **conf)
{
    static const struct option known[] = {
        {"document", required_argument, NULL, 'd'}, {"json", no_argument, NULL, 'j'},
        {"prometheus", no_argument, NULL, 'p'},     {"to", required_argument, NULL, 't'},
        {"wait", required_argument, NULL, 'w'},     {NULL, 0, NULL, 0}};
    const char *wrong;
    int option, rest;

    opterr = 0;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == '?' || !strchr(command->letters, option))
            return "there is no such option, or its value is missing";
        wrong = take_option(options, option);
        if (wrong)
            return wrong;
    }
    rest = argc - optind;
    if (rest < 1 || rest > (strchr(command->letters, 'R') ? 2 : 1))
        return rest < 1 ? "CONF is missing" : "there are too many words";
    *conf = argv[optind];
    if (rest == 2)
        options->revision = argv[optind + 1];
    return options->json && options->prometheus ? "--json and --prometheus exclude each other" : NULL;
}

static char *path_of(const char *conf)
{
    char *path;

    if (strchr(conf, '/'))
        return strdup(conf);
    return asprintf(&path, "/etc/seqshare/feed.d/%s.conf", conf) < 0 ? NULL : path;
}

/* ---- the user -------------------------------------------------------------------------------- */

/* As root, become the owner of the state folder: what is made there, and in the share's folder, must be the agent's. */
static int become_owner(const struct config *config)
{
    struct stat status;

    if (geteuid() != 0 || lstat(config->state, &status) != 0 || !S_ISDIR(status.st_mode) ||
        status.st_uid == 0)
        return FEED_DONE;
    if (setgroups(0, NULL) != 0 || setgid(status.st_gid) != 0 || setuid(status.st_uid) != 0)
        return feed_complain(config, "cannot become the owner of %s: %s", config->state, strerror(errno));
    return FEED_DONE;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct feed_options options = {.wait = -1};
    struct config config = {0};
    const char *conf = NULL, *wrong = take_arguments(command, argc, argv, &options, &conf);
    char *path;
    int status;

    if (wrong)
        return misused(command, wrong);
    path = path_of(conf);
    status = path && config_read(&config, path, stderr) == 0 ? FEED_DONE : FEED_MISUSED;
    if (!status)
        status = become_owner(&config);
    if (!status)
        status = command->run(&config, &options);
    config_release(&config);
    free(path);
    if (fflush(stdout) != 0 && status == FEED_DONE)
        status = FEED_FAILED;
    return status;
}

/* Where a standard descriptor is closed, a file of ours would get its number, and what we say would go into it. */
static void take_standard_descriptors(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : NULL;
    const struct command *command = word ? find(word) : NULL;

    umask(077);
    take_standard_descriptors();
    if (word && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0))
        return print_help();
    if (word && strcmp(word, "--version") == 0) {
        printf("seqshare-feed %d.%d.%d\n", SEQSHARE_VERSION_MAJOR, SEQSHARE_VERSION_MINOR,
               SEQSHARE_VERSION_PATCH);
        return FEED_DONE;
    }
    if (!command)
        return misused(NULL, word ? "there is no such command" : "a command is missing");
    if (argc > 2 && strcmp(argv[2], "--help") == 0)
        return print_help();
    return run(command, argc - 1, argv + 1);
}
