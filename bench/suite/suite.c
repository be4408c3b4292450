/* SPDX-License-Identifier: MIT */
/* The rows, and how one is asked: in a process of its own, with bounded patience. */
#include "suite.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../process.h"
#include "prove.h"
#include "question.h"

enum { PATIENCE = 60 }; /* seconds, with a round */

#define HELD_UP 0.02 /* the part of the time that somebody may wait for a processor */

static const struct question *const questions[] = {
    &question_read,      &question_readers, &question_latency,  &question_write,   &question_seen,
    &question_woken,     &question_killed,  &question_memory,   &question_retries, &question_big,
    &question_coherence, &question_calls,   &question_takeover,
};

static size_t asked, held_up; /* rounds */
static volatile sig_atomic_t interrupted;
static struct row *rows;
static size_t row_count;
static struct suite_answer *shared_answer; /* where the round's process leaves it */

enum { CONTENDERS_MAX = 64 };
static struct suite_answer
    failures[CONTENDERS_MAX]; /* of the proof: of whom has an error, nothing is asked */

static const char cannot_be_had[] = "cannot be had on this machine";

/* ---- the rows -------------------------------------------------------------------------------- */

void row_add(const struct row *row, const char *question, const char *format, ...)
{
    struct row *more = realloc(rows, (row_count + 1) * sizeof *rows);
    va_list arguments;
    int length;

    if (!more)
        abort();
    rows = more;
    rows[row_count] = *row;
    length = snprintf(rows[row_count].name, sizeof rows->name, "%s/%s", question, row->contender->name);
    va_start(arguments, format);
    vsnprintf(rows[row_count].name + length, sizeof rows->name - (size_t)length, format, arguments);
    va_end(arguments);
    row_count++;
}

const char *rate_name(long rate)
{
    return rate == RATE_FREE ? "free" : rate == RATE_IDLE ? "idle" : rate == 1000 ? "1k" : "100k";
}

static bool is_asked(const struct contender *contender, const struct question *question)
{
    return contender->part == CONTENDER_ALL || (contender->part == CONTENDER_LOOPS && question->loops) ||
           (contender->part == CONTENDER_WAKES && question->wakes);
}

static void add_rows(const struct question *question, const struct contender *contender, bool quick)
{
    const size_t *size = quick ? question->quick_sizes : question->sizes;

    const size_t before = row_count;

    if (!is_asked(contender, question))
        return;
    for (; *size != 0; size++)
        if (contender->largest == 0 || *size <= contender->largest)
            question->rows(contender, *size);
    for (size_t i = before; i < row_count; i++)
        rows[i].once = question->once;
}

/* The round that goes on comes to its end, and leaves nothing behind; who cannot wait does it again. */
static void on_interrupt(int number)
{
    interrupted = number;
}

static void prepare_signals(void)
{
    const struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    sigset_t children;

    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_BLOCK, &children, NULL); /* to wait for it with a limit */
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

size_t suite_open(bool quick)
{
    for (size_t q = 0; q < sizeof questions / sizeof questions[0]; q++)
        for (size_t c = 0; suite_contenders[c]; c++)
            add_rows(questions[q], suite_contenders[c], quick);
    shared_answer = shared_memory(sizeof *shared_answer);
    if (!shared_answer)
        abort();
    processor_count(); /* before anybody moves */
    prepare_signals();
    return row_count;
}

const char *suite_row_name(size_t row)
{
    return rows[row].name;
}

bool suite_row_is_once(size_t row)
{
    return rows[row].once;
}

void suite_want(size_t row)
{
    rows[row].wanted = true;
}

bool suite_is_wanted(size_t row)
{
    return rows[row].wanted;
}

/* ---- a round --------------------------------------------------------------------------------- */

static struct suite_answer *failure_of(const struct contender *contender)
{
    size_t i = 0;

    while (suite_contenders[i] != contender)
        i++;
    return &failures[i];
}

static void explain(struct suite_answer *answer, int error)
{
    if (error == 0)
        return;
    if (error == -EILSEQ)
        snprintf(answer->error, sizeof answer->error, "a value was torn, or older than one seen before");
    else if (error == -ESTALE)
        snprintf(answer->error, sizeof answer->error, "a read did not find the newest value");
    else if (error == -EOPNOTSUPP || error == -ENOSYS)
        snprintf(answer->error, sizeof answer->error, "%s", cannot_be_had);
    else if (error == -ECHILD)
        snprintf(answer->error, sizeof answer->error, "one of its processes died");
    else if (error == -ETIMEDOUT)
        snprintf(answer->error, sizeof answer->error, "somebody hangs");
    else
        snprintf(answer->error, sizeof answer->error, "failed: %s", strerror(-error));
}

static void play(const struct row *row, const char *directory)
{
    struct scene scene = {.contender = row->contender,
                          .size = row->bytes,
                          .rate = row->rate,
                          .number = row->number,
                          .directory = directory,
                          .answer = shared_answer};
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    explain(shared_answer, row->ask(&scene));
    scene_end(&scene);
}

/* False: it has not ended. Asleep all the while, so that nothing disturbs the round. */
static bool await_child(pid_t child, int *status)
{
    const struct timespec limit = {.tv_sec = PATIENCE};
    sigset_t children;

    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    for (;;) {
        if (waitpid(child, status, WNOHANG) == child)
            return true;
        if (sigtimedwait(&children, NULL, &limit) < 0 && errno == EAGAIN)
            return false;
    }
}

static void ask_in_child(const struct row *row, const char *directory)
{
    pid_t child = process_fork();
    int status = 0;

    if (child < 0) {
        explain(shared_answer, child);
        return;
    }
    if (child == 0) {
        play(row, directory);
        _exit(0);
    }
    if (!await_child(child, &status)) {
        process_kill(&child);
        snprintf(shared_answer->error, sizeof shared_answer->error, "did not come to an end in %d seconds",
                 PATIENCE);
    } else if (WIFSIGNALED(status) && !shared_answer->error[0]) {
        snprintf(shared_answer->error, sizeof shared_answer->error, "was ended by signal %d: %s",
                 WTERMSIG(status), strsignal(WTERMSIG(status)));
    }
}

static void ask(const struct row *row, struct suite_answer *answer)
{
    char directory[PATH_MAX];
    int error = directory_make(directory, sizeof directory);

    memset(shared_answer, 0, sizeof *shared_answer);
    explain(shared_answer, error);
    if (error == 0)
        ask_in_child(row, directory);
    directory_remove(directory);
    *answer = *shared_answer;
    if (interrupted)
        exit(128 + interrupted);
}

static bool was_held_up(const struct suite_answer *answer)
{
    for (size_t i = 0; i < answer->counters; i++)
        if (strcmp(answer->counter[i].name, "held_up") == 0)
            return answer->counter[i].value > HELD_UP;
    return false;
}

void suite_ask(size_t row, struct suite_answer *answer)
{
    *answer = *failure_of(rows[row].contender);
    if (answer->error[0])
        return;
    ask(&rows[row], answer);
    asked++;
    held_up += was_held_up(answer);
}

void suite_close(void)
{
    if (held_up > 0)
        fprintf(stderr,
                "In %zu of %zu rounds somebody waited for a processor for more than %.0f %% of the time "
                "(held_up):\n"
                "other programs run here, and these rounds say as much about them.\n",
                held_up, asked, HELD_UP * 100);
}

/* ---- the proof ------------------------------------------------------------------------------- */

/* Cannot be had: leave its rows out. */
static void leave_out(const struct contender *contender, const char *why)
{
    fprintf(stderr, "left out: %s: %s\n", contender->name, why);
    for (size_t i = 0; i < row_count; i++)
        if (rows[i].contender == contender)
            rows[i].wanted = false;
}

/* False: it failed. */
static bool prove_size(const struct contender *contender, size_t size)
{
    const struct row row = {.contender = contender, .ask = prove, .bytes = size};
    struct suite_answer answer;

    ask(&row, &answer);
    if (answer.error[0] && strcmp(answer.error, cannot_be_had) == 0)
        leave_out(contender, answer.error);
    else if (answer.error[0]) {
        fprintf(stderr, "failed: %s, at %zu bytes: %s\n", contender->name, size, answer.error);
        *failure_of(contender) = answer;
    } else if (answer.counter[0].value > 0)
        fprintf(stderr, "can tear: %s: %.0f of %.0f values of %zu bytes were a mixture of two\n",
                contender->name, answer.counter[0].value, answer.counter[1].value, size);
    return !answer.error[0];
}

static bool has_wanted_row(const struct contender *contender)
{
    for (size_t i = 0; i < row_count; i++)
        if (rows[i].contender == contender && rows[i].wanted)
            return true;
    return false;
}

void suite_prove(void)
{
    size_t proved = 0;

    if (processor_count() < 2)
        fprintf(stderr, "One processor: writers and readers share it, and hardly ever meet.\n");
    for (const struct absent *absent = suite_absent; absent->name; absent++)
        fprintf(stderr, "left out: %s: %s\n", absent->name, absent->why);
    for (size_t i = 0; suite_contenders[i]; i++) {
        const struct contender *contender = suite_contenders[i];

        if (has_wanted_row(contender))
            proved +=
                prove_size(contender, 64) && (contender->largest != 0 || prove_size(contender, 64 << 10));
    }
    fprintf(stderr,
            "Proved of %zu contenders: values arrive, the newest, and whole where not said otherwise.\n",
            proved);
}
