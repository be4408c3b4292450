/* SPDX-License-Identifier: MIT */
/* check: what is this, is anything wrong with it, and what can the user do about it? */

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "check_region.h"
#include "cli.h"
#include "options.h"
#include "raw.h"
#include "report.h"
#include "target.h"
#include "text.h"
#include "words.h"

/* ---- the file ------------------------------------------------------------------------------------------ */

static void check_file(struct check *check)
{
    char *path = target_is_descriptor(check->name) ? strdup(check->name) : target_path(check->name);
    char *text = text_printable(path ? path : check->name);

    report_add(&check->report, FINE, "file", "%s, %lld bytes long, of which %lld are in memory or on disk",
               text, (long long)check->status.st_size, (long long)check->status.st_blocks * 512);
    free(text);
    free(path);
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
    bool trusted = check->status.st_uid == 0 || check->status.st_uid == geteuid();
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

static void check_room(struct check *check)
{
    struct statvfs system;
    uint64_t have = (uint64_t)check->status.st_blocks * 512, wanted, room;
    char first[WORD_SIZE], second[WORD_SIZE];

    if (fstatvfs(check->fd, &system) != 0 || system.f_blocks == 0) /* a memfd has no size of its own */
        return;
    wanted = (uint64_t)check->status.st_size > have ? (uint64_t)check->status.st_size - have : 0;
    room = (uint64_t)system.f_bavail * system.f_frsize;
    if (wanted <= room) {
        report_add(&check->report, FINE, "room", "%s free; the region can grow by %s",
                   words_size(first, room), words_size(second, wanted));
        return;
    }
    report_add(&check->report, NOTE, "room", "%s free, less than the %s by which the region can grow",
               words_size(first, room), words_size(second, wanted));
    report_advise("setting a long value may fail: %s", cli_error_in_words(-ENOSPC));
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

static void report_verdict(struct check *check)
{
    static const struct {
        int access;
        const char *subject;
    } ways[] = {{SEQSHARE_READ, "reading"}, {SEQSHARE_WRITE, "writing"}};

    for (int i = 0; i < 2; i++) {
        seqshare *share;
        int error = target_open(&share, check->name, ways[i].access | SEQSHARE_ANY_OWNER);

        if (!error)
            seqshare_close(share);
        if (!error)
            report_add(&check->report, FINE, ways[i].subject, "this user may open it for %s",
                       ways[i].subject);
        else
            report_add(&check->report, error == -EACCES ? NOTE : WRONG, ways[i].subject, "%s",
                       cli_error_in_words(error));
    }
}

static int check_share(struct check *check)
{
    check_file(check);
    check_owner(check);
    ask_library(check);
    check_region(check);
    check_room(check);
    report_verdict(check);
    report_conclude(&check->report);
    return check->report.wrong == 0 ? DONE : SAID_NO;
}

static int check_name(const char *name)
{
    struct check check = {.name = name, .fd = target_file(name)};
    int status;

    if (check.fd < 0)
        return cli_complain(name, check.fd);
    if (fstat(check.fd, &check.status) != 0 || !S_ISREG(check.status.st_mode)) {
        status = cli_complain_that(name, "not a share: it is not a regular file");
    } else {
        check.got = raw_read_layout(check.fd, &check.layout);
        status =
            check.got < 0 ? cli_complain_that(name, "%s", strerror((int)-check.got)) : check_share(&check);
    }
    close(check.fd);
    return status;
}

static int run_check(int argc, char **argv)
{
    const struct option_rule rules[] = {{0}};
    int status;

    if (!options_parse(&check_command, argc, argv, rules, &status))
        return status;
    if (optind + 1 != argc)
        return cli_misused(&check_command, "give one NAME");
    return check_name(argv[optind]);
}

const struct command check_command = {
    "check", "examine a share, whatever state it is in", "check NAME",
    "Read a share's file without trusting it, and explain every field of the region: whether it is right,\n"
    "what state it is in, and what to do about it. check takes no lock and changes nothing. The exit status\n"
    "is 1 if anything is wrong; notes alone leave it 0.\n\n"
    "  -h, --help  this text\n",
    run_check};
