/* SPDX-License-Identifier: MIT */
/* edit: the value in an editor, and back only if nobody published meanwhile. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bytes.h"
#include "cli.h"
#include "json.h"
#include "publish.h"
#include "target.h"

struct edit {
    const char *name;
    seqshare *share;
    bool json;
    struct bytes before;
    uint64_t version;
    uint32_t tag;
    char file[4096]; /* the copy */
};

/* The value with its version and tag. */
static int load(struct edit *edit)
{
    struct seqshare_stat stat;
    char why[JSON_WHY_SIZE];
    ssize_t length;

    do {
        int error = seqshare_stat(edit->share, &stat);

        if (error)
            return complain(edit->name, error);
        free(edit->before.at);
        edit->before.at = NULL;
        length = seqshare_get_alloc(edit->share, &edit->before.at, &edit->version);
    } while (length >= 0 && edit->version != stat.version);
    if (length < 0 && length != -ENODATA)
        return complain(edit->name, (int)length);
    if (length > 0 && !is_text(edit->before.at, (size_t)length))
        return complain_that(edit->name, "the value is binary, nothing for an editor");
    edit->before.length = length > 0 ? (size_t)length : 0;
    edit->version = length == -ENODATA ? 0 : edit->version;
    edit->tag = stat.tag;
    edit->json |= edit->before.length > 0 && json_check(edit->before.at, edit->before.length, why);
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
        return complain_that(edit->file, "%s", strerror(errno));
    error = write_all(fd, edit->before.at, edit->before.length);
    if (close(fd) != 0 && !error)
        error = -errno;
    if (!error)
        return DONE;
    unlink(edit->file);
    return complain_that(edit->file, "%s", strerror(-error));
}

static const char *editor_of_user(void)
{
    const char *editor = getenv("VISUAL");

    if (!editor || !editor[0])
        editor = getenv("EDITOR");
    return editor && editor[0] ? editor : "vi";
}

/*
 * As git and crontab do: the editor is a piece of shell, and the keys that interrupt are its own: neither we nor
 * that shell end by them. (With a trap, and not ignored: that the editor would inherit.)
 */
static int run_editor(const char *file)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction interrupt, quit;
    const char *editor = editor_of_user();
    char *script;
    pid_t process;
    int status;

    if (asprintf(&script, "trap : INT QUIT; %s \"$@\"", editor) < 0)
        abort();
    sigaction(SIGINT, &ignore, &interrupt);
    sigaction(SIGQUIT, &ignore, &quit);
    process = fork();
    if (process == 0) {
        sigaction(SIGINT, &interrupt, NULL);
        sigaction(SIGQUIT, &quit, NULL);
        execl("/bin/sh", "sh", "-c", script, editor, file, (char *)NULL);
        _exit(127);
    }
    free(script);
    while (process > 0 && waitpid(process, &status, 0) < 0 && errno == EINTR)
        ;
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGQUIT, &quit, NULL);
    if (process < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return complain_that(editor, "the editor failed; nothing was published");
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

/* Until the copy can be published, or is not to be. */
static int edit_copy(struct edit *edit, struct bytes *after)
{
    char why[JSON_WHY_SIZE];

    for (;;) {
        int status = run_editor(edit->file);

        if (status == DONE)
            status = read_bytes(after, edit->file, seqshare_capacity(edit->share));
        if (status != DONE)
            return status;
        drop_added_end(edit, after);
        if (!edit->json || json_check(after->at, after->length, why))
            return DONE;
        complain_that(edit->name, "%s", why);
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
    publication.tag = edit->tag;
    status = edit_copy(edit, &publication.value);
    if (status == DONE && !is_changed(edit, &publication.value))
        complain_that(edit->name, "nothing was changed");
    else if (status == DONE)
        status = publish(edit->name, edit->share, &publication);
    free(publication.value.at);
    if (status == DONE)
        unlink(edit->file);
    else
        complain_that(edit->name, "what you edited is kept in %s", edit->file);
    return status;
}

static int run_edit(int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'},
                                            {"any-owner", no_argument, NULL, 'a'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct edit edit = {0};
    int access = SEQSHARE_WRITE;
    int option, error, status;

    while ((option = getopt_long(argc, argv, "jah", options, NULL)) != -1)
        switch (option) {
        case 'j':
            edit.json = true;
            break;
        case 'a':
            access |= SEQSHARE_ANY_OWNER;
            break;
        case 'h':
            return print_help(&edit_command);
        default:
            return misused_option(&edit_command);
        }
    if (optind + 1 != argc)
        return misused(&edit_command, "one NAME is wanted");
    edit.name = argv[optind];
    error = target_open(&edit.share, edit.name, access);
    if (error)
        return complain(edit.name, error);
    status = edit_value(&edit);
    free(edit.before.at);
    seqshare_close(edit.share);
    return status;
}

const struct command edit_command = {
    "edit", "change the value in an editor", "edit NAME [--json] [--any-owner]",
    "Open a copy of the value in $VISUAL, $EDITOR or vi, and publish what was made of it, unless somebody\n"
    "else has published meanwhile: then you are told, and your copy is kept. A value that is JSON must\n"
    "stay so. A line end that the editor adds at the very end is taken off again. The lock is not held\n"
    "while you edit.\n\n"
    "  -j, --json       what you make must be JSON, even if the value is none now\n"
    "  -a, --any-owner  also if another user than root or you owns the share\n"
    "  -h, --help       this text\n",
    run_edit};
