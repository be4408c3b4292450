/* SPDX-License-Identifier: MIT */
/* May the user open the share, to read and to write? If not: what is in the way, and who can change that? */
#include <errno.h>
#include <stdlib.h>

#include "check.h"
#include "cli.h"
#include "target.h"
#include "text.h"
#include "way.h"

static const struct right {
    int access;
    const char *subject, *verb;
    mode_t of_group;
} rights[] = {{SEQSHARE_READ, "reading", "read", S_IRGRP},
              {SEQSHARE_WRITE, "writing", "write", S_IRGRP | S_IWGRP}};

/* As the library answers this user. */
static int try_to_open(const struct check *check, int access)
{
    seqshare *share;
    int error = user_begin(&check->user);

    if (!error) {
        error = target_open(&share, check->name, access);
        if (!error)
            seqshare_close(share);
    }
    user_end();
    return error;
}

/* ---- refusals ------------------------------------------------------------------------------------------ */

/* We propose nothing that root would do in a folder of another user, who might put a link there meanwhile. */
static void advise(const struct check *check, const struct right *right, const struct way *way)
{
    const mode_t wanted = way->folder ? S_IXGRP : right->of_group;
    char *owner = way_owner(way), *group = way_group(way), *name = text_shell_word(check->name);

    if (!way->known)
        report_advise("root can say more");
    else if (check->user.name && way->status.st_gid != 0 && way_group_may(way, wanted))
        report_advise("put that user into the group: usermod -aG %s %s; then start its programs again", group,
                      check->user.name);
    else if (way->folder)
        report_advise("%s, who owns it, can let others through (chmod o+x), or a group that both are in",
                      owner);
    else if (right->access == SEQSHARE_READ)
        report_advise(
            "%s, who owns it, can let all read: seqshare replace --mode 644 %s; or a group that both are in",
            owner, name);
    free(owner);
    free(group);
    free(name);
}

static void explain(struct check *check, const struct right *right, const char *who)
{
    enum level level = check->user.name && right->access == SEQSHARE_READ ? WRONG : NOTE;
    struct way way;
    char *words;

    way_find(&way, check->path, &check->user);
    words = way_in_words(&way);
    report_add(&check->report, level, right->subject, "%s may not %s %s", who,
               way.folder ? "search the folder" : right->verb, words);
    advise(check, right, &way);
    free(words);
    free(way.part);
}

/* ---- both rights --------------------------------------------------------------------------------------- */

/* Of this process's own user, the line about the owner says the same already. */
static bool is_untrusted(const struct check *check, int access)
{
    return check->user.name && try_to_open(check, access) == -EPERM;
}

static void check_right(struct check *check, const struct right *right, const char *who)
{
    int error = try_to_open(check, right->access | SEQSHARE_ANY_OWNER);
    bool foreign = right->access == SEQSHARE_WRITE && check->opens && check->share.foreign;

    if (error == -EACCES && !target_is_descriptor(check->name))
        explain(check, right, who);
    else if (error)
        report_add(&check->report, error == -EACCES || error == -EROFS ? NOTE : WRONG, right->subject, "%s",
                   cli_error_in_words(error));
    else if (is_untrusted(check, right->access))
        report_add(&check->report, NOTE, right->subject,
                   "%s may open it for %s, but only a program that trusts any owner does", who,
                   right->subject);
    else
        report_add(&check->report, FINE, right->subject, "%s may open it for %s%s", who, right->subject,
                   foreign ? ", but cannot publish from here (see above)" : "");
}

void check_access(struct check *check)
{
    char *shown = check->user.name ? text_printable(check->user.name) : strdup("this user");

    if (!shown)
        abort();
    for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++)
        check_right(check, &rights[i], shown);
    free(shown);
}
