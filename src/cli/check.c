/* SPDX-License-Identifier: MIT */
/* check: what is this, is anything wrong with it, and what can the user do about it? */

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "cli.h"
#include "options.h"
#include "raw.h"
#include "report.h"
#include "target.h"
#include "text.h"

/* ---- the file ------------------------------------------------------------------------------------------ */

static void check_file(struct check *check)
{
    char *text = text_printable(check->path);

    report_add(&check->report, FINE, "file", "%s, %lld bytes long, of which %lld are in memory or on disk",
               text, (long long)check->status.st_size, (long long)check->status.st_blocks * 512);
    free(text);
}

static bool everybody_may_write_beside(const char *name)
{
    char *path = target_path(name), *slash = strrchr(path, '/');
    struct stat status;
    bool open = false;

    if (slash) {
        slash[slash == path] = 0;
        open = stat(path, &status) == 0 && status.st_mode & S_IWOTH;
    }
    free(path);
    return open;
}

static void check_owner(struct check *check)
{
    const struct passwd *user = getpwuid(check->status.st_uid);
    const char *who = user ? user->pw_name : "a user without a name here";
    bool trusted = check->status.st_uid == 0 || check->status.st_uid == check->user.uid;
    unsigned mode = check->status.st_mode & 0777;
    int seals = fcntl(check->fd, F_GET_SEALS);

    if (mode & S_IWOTH)
        report_add(&check->report, NOTE, "permissions",
                   "%04o: everybody may publish, and truncate the file under its readers", mode);
    else
        report_add(&check->report, FINE, "permissions", "%04o", mode);
    if (trusted)
        report_add(&check->report, FINE, "owner", "%s (%u)", who, (unsigned)check->status.st_uid);
    else if (seals > 0 && seals & F_SEAL_SHRINK)
        report_add(&check->report, FINE, "owner", "%s (%u), sealed against truncation", who,
                   (unsigned)check->status.st_uid);
    else if (target_is_descriptor(check->name) || everybody_may_write_beside(check->name)) {
        report_add(&check->report, NOTE, "owner", "%s (%u), in a folder that everybody may write to", who,
                   (unsigned)check->status.st_uid);
        report_advise("programs of other users than %s refuse it; --any-owner trusts it", who);
    } else
        report_add(&check->report, FINE, "owner", "%s (%u)", who, (unsigned)check->status.st_uid);
}

/* ---- the library's verdict ----------------------------------------------------------------------------- */

static void ask_library(struct check *check)
{
    seqshare *share;

    if (target_open(&share, check->name, SEQSHARE_READ | SEQSHARE_ANY_OWNER) != 0)
        return;
    check->opens = seqshare_pstat(share, &check->share) == 0; /* a stranger may truncate the file now */
    seqshare_close(share);
}

static void report_user(struct check *check)
{
    char *words;

    if (!check->user.name)
        return;
    words = user_in_words(&check->user);
    report_add(&check->report, FINE, "user", "%s, by the user database", words);
    free(words);
}

static int check_share(struct check *check)
{
    check_file(check);
    check_owner(check);
    ask_library(check);
    check_region(check);
    check_place(check);
    report_user(check);
    check_access(check);
    check_feed(check);
    check_processes(check);
    report_conclude(&check->report);
    return check->report.wrong == 0 ? DONE : SAID_NO;
}

/* Absolute, so that the way to it can be shown; a descriptor's name stays. */
static char *absolute(const char *name)
{
    char *path, *folder, *whole;

    if (target_is_descriptor(name))
        return text_format("%s", name);
    path = target_path(name);
    folder = path[0] == '/' ? NULL : getcwd(NULL, 0);
    if (!folder)
        return path;
    whole = text_format("%s/%s", folder, path);
    free(folder);
    free(path);
    return whole;
}

static int check_name(struct check *check)
{
    const char *name = check->name;
    int status;

    check->fd = target_file(name);
    if (check->fd < 0)
        return cli_complain(name, check->fd);
    if (fstat(check->fd, &check->status) != 0 || !S_ISREG(check->status.st_mode)) {
        status = cli_complain_that(name, "not a share: it is not a regular file");
    } else {
        check->path = absolute(name);
        check->got = raw_read_layout(check->fd, &check->layout);
        status =
            check->got < 0 ? cli_complain_that(name, "%s", strerror((int)-check->got)) : check_share(check);
        free(check->path);
    }
    close(check->fd);
    return status;
}

/* DONE, or SAID_NO: there is no such user, or we may not look as that one. */
static int choose_user(struct check *check, const char *name)
{
    int error;

    if (!name) {
        user_self(&check->user);
        return DONE;
    }
    if (target_is_descriptor(check->name))
        return cli_complain_that(check->name,
                                 "--user is for shares with a name; this one belongs to a process");
    if (!user_find(&check->user, name))
        return cli_complain_that(name, "there is no such user");
    error = user_begin(&check->user);
    user_end();
    return error ? cli_complain_that(name, "only root can look as another user (%s)", strerror(-error))
                 : DONE;
}

static int run_check(int argc, char **argv)
{
    struct check check = {0};
    const char *user = NULL;
    const struct option_rule rules[] = {{'u', "user", OPTION_TEXT, &user, NULL}, {0}};
    int status;

    if (!options_parse(&check_command, argc, argv, rules, &status))
        return status;
    if (optind + 1 != argc)
        return cli_misused(&check_command, "give one NAME");
    check.name = argv[optind];
    status = choose_user(&check, user);
    return status == DONE ? check_name(&check) : status;
}

const struct command check_command = {
    "check", "examine a share, whatever state it is in", "check NAME [--user USER]",
    "Read a share's file without trusting it, and explain every field of the region: whether it is right,\n"
    "what state it is in, and what to do about it. Then what is around it: the mount and its room, who may\n"
    "read and write, the feed that keeps it, and the processes that have it, or an earlier region, mapped.\n"
    "check takes no lock and changes nothing. The exit status is 1 if anything is wrong; notes alone leave\n"
    "it 0.\n\n"
    "  -u, --user USER  may that user (a name or number) read and write it, and what is in the way? It is\n"
    "                   wrong if that user may not read. Only root can ask for another user.\n"
    "  -h, --help       this text\n",
    run_check};
