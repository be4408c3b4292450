/* SPDX-License-Identifier: MIT */
/*
 * Runs a check. It gets the document on its standard input, as a file, and nothing else of ours: no descriptor, no
 * environment. Its output may quote values; so that goes into a file of the state folder, and nowhere else.
 */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the child ------------------------------------------------------------------------------- */

static void close_the_rest(void)
{
    long most = sysconf(_SC_OPEN_MAX);

#ifdef SYS_close_range
    if (syscall(SYS_close_range, 3U, ~0U, 0U) == 0)
        return;
#endif
    for (int fd = 3; fd < most; fd++)
        close(fd);
}

/* In the child, which never returns. */
__attribute__((noreturn)) static void become(const struct config *config, uint64_t revision, int input,
                                             int output)
{
    char name[512], number[64];
    char *environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                           "LANG=C.UTF-8", name, number, NULL};
    sigset_t none;

    snprintf(name, sizeof name, "SEQSHARE_NAME=%s", config->name);
    snprintf(number, sizeof number, "SEQSHARE_REVISION=%" PRIu64, revision);
    setpgid(0, 0);
    sigemptyset(&none);
    for (int number_of = 1; number_of < NSIG; number_of++)
        signal(number_of, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0 || chdir("/") != 0)
        _exit(127);
    close_the_rest();
    execve(config->check[0], config->check, environment);
    _exit(127);
}

/* The document as a file, at its beginning. */
static int file_of(const struct document *document)
{
    int fd = memfd_create("document", MFD_CLOEXEC);
    size_t written = 0;

    if (fd < 0)
        return -errno;
    while (written < document->length) {
        ssize_t more = write(fd, document->bytes + written, document->length - written);

        if (more < 0 && errno == EINTR)
            continue;
        if (more <= 0) {
            close(fd);
            return -ENOSPC;
        }
        written += (size_t)more;
    }
    lseek(fd, 0, SEEK_SET);
    return fd;
}

/* ---- the agent's side ------------------------------------------------------------------------ */

/* What it says goes into the log, as far as there is room, and else nowhere: it must never wait for us. */
static void take_output(struct check *check)
{
    char bytes[4096];
    ssize_t got = 1;

    for (int turns = 0; got > 0 && turns < 64; turns++) {
        got = read(check->output, bytes, sizeof bytes);
        if (got > 0 && check->log >= 0 && check->logged < CHECK_OUTPUT) {
            size_t room = CHECK_OUTPUT - check->logged, size = (size_t)got < room ? (size_t)got : room;

            if (write(check->log, bytes, size) < 0)
                check->logged = CHECK_OUTPUT; /* a full disk: no more of it */
            check->logged += size;
        }
    }
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        loop_forget(check->loop, &check->reading);
}

static void output_ready(void *context, short events)
{
    (void)events;
    take_output(context);
}

static void too_late(void *context)
{
    struct check *check = context;

    check->timed_out = true;
    kill(-check->process, SIGKILL);
}

/* Its group may fork while it is killed, so once is not enough. */
static void kill_group(pid_t group)
{
    for (int turns = 0; turns < 100 && kill(-group, SIGKILL) == 0; turns++)
        ;
}

static void clean_up(struct check *check)
{
    loop_cancel(check->loop, &check->limit);
    loop_forget(check->loop, &check->reading);
    close(check->output);
    if (check->log >= 0)
        close(check->log);
    check->log = -1;
    check->process = 0;
}

static void watch(struct check *check, int output)
{
    fcntl(output, F_SETFL, O_NONBLOCK);
    check->output = output;
    check->logged = 0;
    check->timed_out = false;
    check->reading =
        (struct loop_watch){.fd = output, .events = POLLIN, .ready = output_ready, .context = check};
    check->limit = (struct loop_timer){.due = too_late, .context = check};
    loop_watch(check->loop, &check->reading);
    loop_after(check->loop, &check->limit, check->config->check_within);
}

int check_start(struct check *check, const struct document *document)
{
    int ends[2], input = file_of(document), error = 0;
    pid_t process = -1;

    if (input < 0)
        return input;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        error = -errno;
        close(input);
        return error;
    }
    process = fork();
    if (process == 0)
        become(check->config, document->revision, input, ends[1]);
    error = process < 0 ? -errno : 0;
    close(input);
    close(ends[1]);
    if (error) {
        close(ends[0]);
        return error;
    }
    setpgid(process, process); /* whichever of us is first */
    check->process = process;
    watch(check, ends[0]);
    return 0;
}

static bool verdict(const struct check *check, int status, char why[CHECK_WHY])
{
    if (check->timed_out)
        snprintf(why, CHECK_WHY, "the check did not end within %" PRId64 " ms",
                 check->config->check_within / LOOP_MILLISECOND);
    else if (WIFSIGNALED(status))
        snprintf(why, CHECK_WHY, "the check was ended by signal %d", WTERMSIG(status));
    else if (WEXITSTATUS(status) == 127)
        snprintf(why, CHECK_WHY, "the check could not be run (status 127)");
    else
        snprintf(why, CHECK_WHY, "the check ended with status %d", WEXITSTATUS(status));
    return !check->timed_out && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void check_reap(struct check *check)
{
    siginfo_t info = {0};
    char why[CHECK_WHY];
    int status = 0;
    bool passed;

    /* First look, then kill its group, then reap it: until then nobody else can be given its number. */
    if (check->process == 0 || waitid(P_PID, (id_t)check->process, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
        info.si_pid == 0)
        return;
    kill_group(check->process);
    waitpid(check->process, &status, 0);
    take_output(check);
    passed = verdict(check, status, why);
    clean_up(check);
    check->ended(check->context, passed, why);
}

void check_stop(struct check *check)
{
    if (check->process == 0)
        return;
    kill_group(check->process);
    waitpid(check->process, NULL, 0);
    clean_up(check);
}
