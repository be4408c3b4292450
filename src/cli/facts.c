/* SPDX-License-Identifier: MIT */
/* Finds out what ls, stat and top show of a share. */
#include "facts.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "target.h"
#include "terminal.h"
#include "text.h"
#include "words.h"

static void look(struct facts *facts, const seqshare *share)
{
    int fd = seqshare_fd(share, SEQSHARE_READ);

    facts->error = seqshare_pstat(share, &facts->share); /* a stranger may truncate the file now */
    if (fd < 0)
        return; /* without /proc there may be none: the file stays unknown */
    fstat(fd, &facts->status);
    close(fd);
}

/* It is not a share, or may not be opened: then the file shows what can be seen from outside. */
static void look_at_file(struct facts *facts)
{
    if (target_is_descriptor(facts->name))
        stat(facts->name, &facts->status);
    else
        lstat(facts->file, &facts->status);
}

static char *link_of(const char *descriptor)
{
    char text[4096];
    ssize_t length = readlink(descriptor, text, sizeof text - 1);

    text[length > 0 ? length : 0] = 0;
    return strdup(text);
}

void facts_find(struct facts *facts, char *name)
{
    seqshare *share;

    *facts = (struct facts){.name = name};
    facts->file = target_is_descriptor(name) ? link_of(name) : target_path(name);
    facts->error = target_open(&share, name, SEQSHARE_READ | SEQSHARE_ANY_OWNER);
    if (facts->error) {
        look_at_file(facts);
        return;
    }
    look(facts, share);
    seqshare_close(share);
}

void facts_free(struct facts *facts)
{
    free(facts->name);
    free(facts->file);
}

/* ---- words --------------------------------------------------------------------------------------------- */

const char *facts_mode(const struct facts *facts, char word[WORD_SIZE])
{
    if (facts->status.st_mode)
        snprintf(word, WORD_SIZE, "%04o", (unsigned)facts->status.st_mode & 07777);
    else
        snprintf(word, WORD_SIZE, "?");
    return word;
}

const char *facts_user(const struct facts *facts, char word[WORD_SIZE])
{
    const struct passwd *user = facts->status.st_mode ? getpwuid(facts->status.st_uid) : NULL;

    if (!facts->status.st_mode)
        snprintf(word, WORD_SIZE, "?");
    else if (user)
        snprintf(word, WORD_SIZE, "%s", user->pw_name);
    else
        snprintf(word, WORD_SIZE, "%u", (unsigned)facts->status.st_uid);
    return word;
}

const char *facts_program(int tid, char word[WORD_SIZE])
{
    char path[64];
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/comm", tid);
    file = fopen(path, "re");
    if (!file || !fgets(word, WORD_SIZE, file))
        snprintf(word, WORD_SIZE, "?");
    if (file)
        fclose(file);
    word[strcspn(word, "\n")] = 0;
    return word;
}

enum colour facts_lock_colour(const struct facts *facts)
{
    return facts->share.foreign || facts->share.owner_alive ? NOTABLE : BAD;
}

char *facts_lock(const struct facts *facts)
{
    char word[WORD_SIZE], *program, *text;

    if (facts->error || facts->share.owner == 0)
        return strdup("");
    program = text_printable(facts_program(facts->share.owner, word));
    if (facts->share.foreign)
        text = text_format("%d of another namespace", facts->share.owner);
    else if (facts->share.owner_alive)
        text = text_format("%d %s", facts->share.owner, program);
    else
        text = text_format("%d dead", facts->share.owner);
    free(program);
    return text;
}

static const char *short_error(int error)
{
    switch (error) {
    case -EBADMSG:
        return "damaged, or not a share";
    case -EACCES:
        return "not readable";
    case -EPROTONOSUPPORT:
        return "a newer version made it";
    case -EAGAIN:
        return "writers overtook every attempt to read";
    default:
        return cli_error_in_words(error);
    }
}

char *facts_note(const struct facts *facts)
{
    if (facts->error)
        return strdup(short_error(facts->error));
    return strdup(facts->share.replaced ? "replaced" : facts->share.unlinked ? "unlinked" : "");
}
