/* SPDX-License-Identifier: MIT */
/* Every operation, in every world, with every call refused in every way. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults.h"

enum {
    SECONDS_TO_HANG = 120,
    FAILURES_MAX = 20, /* of one operation: more tell nothing new */
    NO_SUCH_CALL = 3
};

/* Where an operation's run has got to, and what it came to; shared with the process that does it. */
static struct progress {
    unsigned at, which, for_ever;
    unsigned calls; /* of the run without a fault */
    unsigned long injections, errors;
} * progress;

static const struct operation *operation;
static struct stage stage;
static struct fault fault; /* of this run; `stage` has it only until the operation is tried again */
static char *before_all, *before;
static char directory[] = "/dev/shm/seqshare-faults.XXXXXX";

/* ---- telling --------------------------------------------------------------------------------- */

static const char *world_name(unsigned world)
{
    switch (world) {
    case 0:
        return "";
    case NO_PROC:
        return ", without /proc";
    case NO_TMPFILE:
        return ", without O_TMPFILE";
    case NO_MEMFD:
        return ", without memfd";
    case NO_FALLOCATE:
        return ", without fallocate";
    case NO_EXCHANGE:
        return ", without RENAME_EXCHANGE";
    case LOW_FREE:
        return ", with low descriptors free";
    case LOW_FREE | NO_TMPFILE:
        return ", with low descriptors free, without O_TMPFILE";
    default:
        return ", on an old kernel";
    }
}

static const char *refusal_name(int error)
{
    return error == SHORT ? "moved one byte" : error == NOTHING ? "moved nothing" : strerror(error);
}

void fail(const char *text, ...)
{
    va_list arguments;

    faults_pause();
    printf("FAILED: %s%s", operation ? operation->name : "loading", world_name(lacking));
    if (progress->at > 0)
        printf(", call %u, %s (%s%s)", progress->at, fault.call ? fault.call->name : "under way",
               fault.call ? refusal_name(fault.refusal.error) : "", progress->for_ever ? ", for ever" : "");
    printf(": ");
    va_start(arguments, text);
    vprintf(text, arguments);
    va_end(arguments);
    printf("\n");
    exit(1);
}

void check_failed(const char *file, int line, const char *message)
{
    fail("%s:%d: not so: %s", file, line, message);
}

/* ---- one run --------------------------------------------------------------------------------- */

/* The lines of one text that another has not. */
static void print_more(const char *mark, const char *text, const char *other)
{
    for (const char *line = text, *end; *line; line = end) {
        char *copy;

        end = strchr(line, '\n') + 1;
        copy = strndup(line, (size_t)(end - line));
        if (copy && !strstr(other, copy))
            printf("    %s %s", mark, copy);
        free(copy);
    }
}

static void is_unchanged(const char *was, const char *when)
{
    char *now = snapshot(directory);

    if (strcmp(was, now) != 0) {
        printf("This was there before (-), or is there now (+):\n");
        print_more("-", was, now);
        print_more("+", now, was);
        fail("something is left behind, or gone (%s)", when);
    }
    free(now);
}

static bool may_say(int result)
{
    const int *error = operation->errors;

    if (result == operation->good || result == -fault.refusal.error)
        return true;
    while (error && *error != 0 && *error != result)
        error++;
    return error && *error != 0;
}

static void judge(int result)
{
    enum expectation expectation = fault.refused > 0 ? fault.refusal.expectation : PASSES;

    if (expectation == PASSES && result != operation->good)
        fail("said %d, where it could do without", result);
    if (expectation == FAILS && result >= 0 && !operation->careless)
        fail("said %d, as if nothing had been refused", result);
    if (!may_say(result))
        fail("said %d, which is not a clean error", result);
    check(seqshare_strerror(result)[0] != 0);
}

/* The operation's own thread, which the library does not know yet. */
static void *operate(void *nothing)
{
    int result;

    faults_arm(progress->at, progress->which, progress->for_ever);
    result = operation->operate(&stage);
    fault = stage.fault = faults_disarm();
    judge(result);
    if (result != operation->good) {
        progress->errors++;
        is_unchanged(before, "after an error");
        memset(&stage.fault, 0, sizeof stage.fault);
        operation->as_before(&stage);
        result = operation->operate(&stage); /* the fault is over */
        equals(result, operation->good);
    }
    operation->good_now(&stage);
    return nothing;
}

/* `fault` then tells whether there was such a call, and such a refusal of it. */
static void run_once(void)
{
    pthread_t thread;

    memset(&stage, 0, sizeof stage);
    memset(&fault, 0, sizeof fault);
    stage.fd = -1;
    snprintf(stage.path, sizeof stage.path, "%s/name", directory);
    before_all = snapshot(directory);
    operation->prepare(&stage);
    before = snapshot(directory);
    equals(pthread_create(&thread, NULL, operate, NULL), 0);
    equals(pthread_join(thread, NULL), 0);
    operation->clear(&stage);
    remove_what_may_be_left(&fault, before_all, directory);
    is_unchanged(before_all, "in the end");
    free(before_all);
    free(before);
}

/* Once, for ever, and the next refusal. */
static void go_on(bool only_once)
{
    progress->for_ever = !progress->for_ever && !only_once;
    progress->which += !progress->for_ever;
}

/* From where `progress` stands to the last refusal of the last call, and with 0. */
static int run_from_here(void)
{
    for (;;) {
        alarm(SECONDS_TO_HANG);
        run_once();
        if (progress->at == 0) {
            progress->calls = fault.calls;
            if (operation->silent && fault.calls > fault.wakes)
                fail("it makes %u calls to the system", fault.calls);
            progress->at = 1;
        } else if (!fault.call) {
            return 0;
        } else if (fault.refused == 0) {
            progress->at++;
            progress->which = 0;
        } else {
            progress->injections++;
            go_on(comes_once(fault.call, fault.refusal.error));
        }
    }
}

/* ---- all ------------------------------------------------------------------------------------- */

static void skip_this_one(void)
{
    if (progress->at == 0) {
        progress->at = 1;
        return;
    }
    progress->injections++;
    go_on(false);
}

static void empty_directory(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s/* %s/.seqshare-*", directory, directory);
    equals(system(command), 0);
}

/* In processes of their own: one that fails is followed by another, which goes on. Number of failures. */
static unsigned run_operation(unsigned world)
{
    unsigned failures = 0;

    memset(progress, 0, sizeof *progress);
    for (;;) {
        int status;
        pid_t child;

        fflush(stdout);
        child = fork();
        check(child >= 0);
        if (child == 0) {
            lacking = world;
            if (world & LOW_FREE && (close(STDIN_FILENO) != 0 || close(STDERR_FILENO) != 0))
                exit(2);
            exit(run_from_here());
        }
        equals(waitpid(child, &status, 0), child);
        if (status == 0)
            break;
        if (WIFSIGNALED(status))
            printf("FAILED: %s%s, call %u, refusal %u%s: %s\n", operation->name, world_name(world),
                   progress->at, progress->which, progress->for_ever ? ", for ever" : "",
                   strsignal(WTERMSIG(status)));
        empty_directory();
        if (++failures == FAILURES_MAX || progress->at == 0)
            break;
        skip_this_one();
    }
    printf("%s: %s%s: %u calls, %lu refusals, %lu errors said\n", failures ? "not ok" : "ok", operation->name,
           world_name(world), progress->calls, progress->injections, progress->errors);
    return failures;
}

/* ---- when the library is loaded -------------------------------------------------------------- */

static void owns_nothing(seqshare *share)
{
    pid_t child = fork();
    int status;

    check(child >= 0);
    if (child == 0) {
        equals(seqshare_unlock(share), -EPERM);
        equals(seqshare_trylock(share), -EBUSY);
        exit(0);
    }
    equals(waitpid(child, &status, 0), child);
    equals(status, 0);
}

/* A program that was loaded under a fault, which took something that fork is noticed by. */
static int loaded(const struct fault *loading)
{
    seqshare *share;

    if (!loading->call)
        return NO_SUCH_CALL;
    fault = *loading;
    equals(seqshare_new(&share, CAPACITY), 0);
    equals(seqshare_lock(share), 0);
    owns_nothing(share);
    equals(seqshare_unlock(share), 0);
    seqshare_close(share);
    return 0;
}

static unsigned run_loading(unsigned long *injections)
{
    unsigned failures = 0;
    int status = 0;

    for (unsigned at = 1; WEXITSTATUS(status) != NO_SUCH_CALL; at++) {
        char text[32];
        pid_t child;

        snprintf(text, sizeof text, "%u 0", at);
        fflush(stdout);
        child = fork();
        check(child >= 0);
        if (child == 0) {
            setenv("FAULTS_LOADING", text, 1);
            execl("/proc/self/exe", "faults", "--loaded", NULL);
            _exit(1);
        }
        equals(waitpid(child, &status, 0), child);
        if (status == 0)
            ++*injections;
        else if (!WIFEXITED(status) || WEXITSTATUS(status) != NO_SUCH_CALL)
            failures++;
    }
    printf("%s: loading: %lu refusals\n", failures ? "not ok" : "ok", *injections);
    return failures;
}

/* ---- the program ----------------------------------------------------------------------------- */

static const struct operation *const all[] = {name_operations, region_operations, value_operations,
                                              lock_operations};

static unsigned long passed, failed, injections;

/* true: go on. */
static bool run_in_worlds(const char *only, bool first)
{
    static const unsigned worlds[] = {0,          NO_PROC,      NO_TMPFILE,
                                      NO_MEMFD,   NO_FALLOCATE, NO_EXCHANGE,
                                      OLD_KERNEL, LOW_FREE,     LOW_FREE | NO_TMPFILE};

    for (size_t i = 0; i < sizeof worlds / sizeof *worlds; i++) {
        unsigned world = worlds[i], failures;

        if ((operation->worlds & world) != world || (only && !strstr(operation->name, only)))
            continue;
        failures = run_operation(world);
        injections += progress->injections;
        if (failures == 0)
            passed++;
        failed += failures;
        if (failures && first)
            return false;
    }
    return true;
}

static void run_all(const char *only, bool first)
{
    unsigned failures;

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (operation = all[i]; operation->name; operation++)
            if (!run_in_worlds(only, first))
                return;
    operation = NULL;
    if (only)
        return;
    memset(progress, 0, sizeof *progress);
    failures = run_loading(&progress->injections);
    injections += progress->injections;
    passed += failures == 0;
    failed += failures;
}

/* faults [--first] [NAME]: stop at the first failure; only the operations whose names contain NAME. */
int main(int argc, char **argv)
{
    struct fault loading = faults_of_loading();
    bool first = argc > 1 && strcmp(argv[1], "--first") == 0;
    const char *only = argc > 1 + first ? argv[1 + first] : NULL;

    progress = mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (progress == MAP_FAILED || setvbuf(stdout, NULL, _IOLBF, 0) != 0)
        return 2;
    if (only && strcmp(only, "--loaded") == 0)
        return loaded(&loading);
    umask(077);
    if (!mkdtemp(directory) || chdir(directory) != 0) {
        perror("faults: no folder in /dev/shm");
        return 2;
    }
    pattern(0); /* made before the first fork, for all children */
    run_all(only, first);
    empty_directory();
    rmdir(directory);
    printf("%lu calls were refused\n", injections);
    printf("%lu passed, %lu failed\n", passed, failed);
    return failed > 0 || passed == 0;
}
