/* SPDX-License-Identifier: MIT */
/* edit: change the value in an editor, and publish it only if nobody published meanwhile. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wordexp.h>

#include "bytes.h"
#include "child.h"
#include "cli.h"
#include "json.h"
#include "options.h"
#include "publish.h"
#include "target.h"
#include "text.h"
#include "type.h"

enum { NOT_FOUND = 127 };

struct edit {
    const char *name;
    seqshare *share;
    bool json;        /* the copy must be JSON */
    bool json_wanted; /* by the user: then the tag says so as well */
    struct bytes before;
    uint64_t version;
    uint32_t tag;
    char file[4096]; /* the copy */
};

/* The value with its version and tag. */
static int load(struct edit *edit)
{
    seqshare_reading reading = {0};
    int error = seqshare_read(edit->share, &reading);
    char why[JSON_WHY_SIZE];

    if (error && error != -ENODATA)
        return cli_complain(edit->name, error);
    edit->before = (struct bytes){reading.bytes, reading.length};
    edit->version = reading.version;
    edit->tag = reading.tag;
    if (reading.length > 0 && !text_is_plain(reading.bytes, reading.length) &&
        !json_check(reading.bytes, reading.length, why)) /* a string in JSON may have a DEL */
        return cli_complain_that(edit->name, "the value is binary, so an editor cannot change it");
    edit->json |= edit->version != 0 && type_promises_json(&edit->before, edit->tag);
    return DONE;
}

static int make_copy(struct edit *edit)
{
    const char *directory = getenv("TMPDIR");
    int fd, error;

    snprintf(edit->file, sizeof edit->file, "%s/seqshare-edit.XXXXXX%s",
             directory && directory[0] ? directory : "/tmp", edit->json ? ".json" : ".txt");
    fd = mkostemps(edit->file, edit->json ? 5 : 4, O_CLOEXEC); /* mode 0600 */
    if (fd < 0)
        return cli_complain_that(edit->file, "%s", strerror(errno));
    error = bytes_write_all(fd, edit->before.at, edit->before.length);
    if (close(fd) != 0 && !error)
        error = -errno;
    if (!error)
        return DONE;
    unlink(edit->file);
    return cli_complain_that(edit->file, "%s", strerror(-error));
}

/* NULL: the user has not said. */
static const char *editor_of_user(void)
{
    const char *editor = getenv("VISUAL");

    if (!editor || !editor[0])
        editor = getenv("EDITOR");
    return editor && editor[0] ? editor : NULL;
}

struct editor {
    const char *command; /* a piece of shell */
    const char *file;
};

/* If the command is just a program and its words, become that program. Otherwise return. */
static void become_program(const struct editor *editor)
{
    wordexp_t words;
    char **all;

    if (wordexp(editor->command, &words, WRDE_NOCMD) != 0 || words.we_wordc == 0)
        return;
    all = calloc(words.we_wordc + 2, sizeof *all);
    if (!all)
        return;
    memcpy(all, words.we_wordv, words.we_wordc * sizeof *all);
    all[words.we_wordc] = (char *)editor->file;
    execvp(all[0], all);
}

/*
 * As for git and crontab, the editor is a piece of shell. A shell between us and the editor would take the signals
 * that we pass on, so we do without one if we can. If we need one, it outlives all signals, because keys must not end
 * it: then we end when the editor does. (With a trap, and not ignored: the editor would inherit that.)
 */
static int become_editor(void *what)
{
    const struct editor *editor = what;
    char *script = text_format("trap : INT QUIT TERM HUP; %s \"$@\"", editor->command);

    become_program(editor);
    execl("/bin/sh", "sh", "-c", script, editor->command, editor->file, (char *)NULL);
    return NOT_FOUND;
}

static int run_editor(const char *file)
{
    const char *wanted = editor_of_user();
    struct editor editor = {.command = wanted ? wanted : "vi", .file = file};
    struct child child = {.become = become_editor, .what = &editor};
    int status = child_run(&child);

    if (status < 0)
        return cli_complain_that(editor.command, "%s", strerror(-status));
    if (status == NOT_FOUND && !wanted)
        return cli_complain_that("vi", "this editor is not installed; name another one: EDITOR=nano, say");
    if (status != 0)
        return cli_complain_that(editor.command, "the editor failed; nothing was published");
    /* Not the signals of keys, which are the editor's own. */
    if (child.stopped_by == SIGTERM || child.stopped_by == SIGHUP)
        return cli_complain_that(editor.command, "a signal ended the editor; nothing was published");
    return DONE;
}

/* Editors end the last line, whether the value did or not. */
static void drop_added_end(const struct edit *edit, struct bytes *after)
{
    const char *old = edit->before.at, *new = after->at;

    if (after->length > 0 && new[after->length - 1] == '\n' &&
        (edit->before.length == 0 || old[edit->before.length - 1] != '\n'))
        after->length--;
}

static bool wants_to_go_on(void)
{
    char answer[64];

    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return false;
    fputs("Edit it again? [Y/n] ", stderr);
    return fgets(answer, sizeof answer, stdin) && answer[0] != 'n' && answer[0] != 'N';
}

/* The copy if it can be read; otherwise nothing, and no message. */
static struct bytes read_copy(const struct edit *edit)
{
    struct bytes copy = {NULL, 0};
    FILE *file = fopen(edit->file, "re");
    size_t room = edit->before.length + 1; /* enough to tell whether it differs */

    copy.at = file ? malloc(room) : NULL;
    if (copy.at)
        copy.length = fread(copy.at, 1, room, file);
    if (file)
        fclose(file);
    return copy;
}

/* Keep the copy if it is there and differs from the value; otherwise remove it without a message. */
static void keep_copy(const struct edit *edit)
{
    struct bytes copy = read_copy(edit);
    bool edited = copy.at && (copy.length != edit->before.length ||
                              (copy.length > 0 && memcmp(copy.at, edit->before.at, copy.length) != 0));

    free(copy.at);
    if (edited)
        cli_complain_that(edit->name, "the edited copy is kept in %s", edit->file);
    else
        unlink(edit->file);
}

/* Until the copy can be published, or the user gives up. */
static int edit_copy(struct edit *edit, struct bytes *after)
{
    char why[JSON_WHY_SIZE];

    for (;;) {
        int status = run_editor(edit->file);

        if (status == DONE)
            status = bytes_read(after, edit->file, seqshare_capacity(edit->share), true);
        if (status != DONE)
            return status;
        drop_added_end(edit, after);
        if (!edit->json || json_check(after->at, after->length, why))
            return DONE;
        cli_complain_that(edit->name, "%s", why);
        if (!wants_to_go_on())
            return SAID_NO;
        free(after->at);
        after->at = NULL;
    }
}

static bool is_changed(const struct edit *edit, const struct bytes *after)
{
    return edit->version == 0 || edit->before.length != after->length ||
           memcmp(edit->before.at, after->at, after->length) != 0;
}

static int edit_value(struct edit *edit)
{
    struct publication publication = {.conditional = true, .timeout = -1};
    int status = load(edit);

    if (status == DONE)
        status = make_copy(edit);
    if (status != DONE)
        return status;
    publication.expected = edit->version;
    publication.type.said = edit->version != 0 || edit->json_wanted;
    publication.type.tag = edit->json_wanted ? SEQSHARE_TAG_JSON : edit->tag;
    status = edit_copy(edit, &publication.value);
    if (status == DONE && !is_changed(edit, &publication.value))
        cli_complain_that(edit->name, "nothing was changed");
    else if (status == DONE)
        status = publish_value(edit->name, edit->share, &publication);
    free(publication.value.at);
    if (status == DONE)
        unlink(edit->file);
    else
        keep_copy(edit);
    return status;
}

static int run_edit(int argc, char **argv)
{
    struct edit edit = {0};
    int access = SEQSHARE_WRITE;
    const struct option_rule rules[] = {{'j', "json", OPTION_FLAG, &edit.json_wanted, &edit.json},
                                        {'a', "any-owner", OPTION_ANY_OWNER, &access, NULL},
                                        {0}};
    int error, status;

    if (!options_parse(&edit_command, argc, argv, rules, &status))
        return status;
    if (optind + 1 != argc)
        return cli_misused(&edit_command, "give one NAME");
    edit.name = argv[optind];
    error = target_open(&edit.share, edit.name, access);
    if (error)
        return cli_complain(edit.name, error);
    status = edit_value(&edit);
    free(edit.before.at);
    seqshare_close(edit.share);
    return status;
}

const struct command edit_command = {
    "edit", "change the value in an editor", "edit NAME [--json] [--any-owner]",
    "Open a copy of the value in $VISUAL, $EDITOR or vi, and publish the result. If another process has\n"
    "published meanwhile, edit publishes nothing and keeps your copy. A value that is JSON must stay JSON.\n"
    "edit removes a line end that the editor adds after the last line. The lock is free while you edit.\n\n"
    "  -j, --json       fail unless the result is JSON; mark it as JSON by its type tag\n"
    "  -a, --any-owner  trust the share even if its owner is neither root nor you\n"
    "  -h, --help       this text\n",
    run_edit};
