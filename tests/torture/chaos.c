/* SPDX-License-Identifier: MIT */
/* Runs the roles of roles.c, kills and stops them at random, and judges what the account says. */
#include "chaos.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kit.h"

static const char *const weathers[] = {"replaced", "replaced, removed and made",
                                       "replaced, also from another PID namespace"};

struct herd {
    struct book *book;
    int book_fd;
    uint64_t random;
    pid_t pid[ROLES_MOST];
    bool stopped[ROLES_MOST];
    unsigned killed, paused;
};

static unsigned passed, failed, skipped;

static void check(const struct book *book, const char *what, bool good)
{
    *(good ? &passed : &failed) += 1;
    if (!good)
        printf("FAILED  %s: %s\n", weathers[book->weather], what);
}

static void on_alarm(int signal)
{
    static const char text[] = "FAILED  chaos hangs\n0 passed, 1 failed\n";

    (void)signal;
    _exit(write(STDOUT_FILENO, text, sizeof text - 1) < 0 ? 3 : 1);
}

/* ---- the herd ---- */

static bool is_there(const struct herd *herd, unsigned index)
{
    return roles[index].from <= herd->book->weather;
}

/* In a new PID namespace the role is its first process, and dies with the one that waits for it here. */
static _Noreturn void live_abroad(struct herd *herd, unsigned index)
{
    pid_t pid;
    int status;

    if (unshare(CLONE_NEWPID) != 0 || (pid = fork()) < 0)
        _exit(77);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        role_live(herd->book, herd->book_fd, index);
    }
    waitpid(pid, &status, 0);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

static void start(struct herd *herd, unsigned index)
{
    pid_t parent = getpid(), pid = fork();

    if (pid < 0)
        give_up("fork", errno);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        alarm(0);
        if (roles[index].foreign)
            live_abroad(herd, index);
        role_live(herd->book, herd->book_fd, index);
    }
    herd->pid[index] = pid;
    herd->stopped[index] = false;
}

/* A role that ended otherwise than it was told to is an error. */
static void ended(struct herd *herd, unsigned index, int status, bool by_kill)
{
    struct account *account = &herd->book->account[index];

    if (by_kill ? WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL
                : WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    count(&account->errors, 1);
    if (account->first_error[0] == 0)
        snprintf(account->first_error, sizeof account->first_error, "ended with wait status 0x%x",
                 (unsigned)status);
}

static void kill_and_start(struct herd *herd, unsigned index)
{
    int status;

    if (kill(herd->pid[index], SIGKILL) != 0 || waitpid(herd->pid[index], &status, 0) < 0)
        give_up("kill", errno);
    ended(herd, index, status, true);
    herd->killed++;
    start(herd, index);
}

static void stop_or_go(struct herd *herd, unsigned index)
{
    herd->stopped[index] = !herd->stopped[index];
    herd->paused += herd->stopped[index];
    if (kill(herd->pid[index], herd->stopped[index] ? SIGSTOP : SIGCONT) != 0)
        give_up("stop", errno);
}

static void storm(struct herd *herd, double seconds)
{
    int64_t end = now() + (int64_t)(seconds * 1e9);

    while (now() < end) {
        unsigned index = (unsigned)(random_next(&herd->random) % roles_number);

        rest(random_next(&herd->random) % 8000000);
        if (!is_there(herd, index))
            continue;
        if (random_next(&herd->random) % 8 < 5)
            kill_and_start(herd, index);
        else
            stop_or_go(herd, index);
    }
    for (unsigned i = 0; i < roles_number; i++)
        if (herd->stopped[i])
            stop_or_go(herd, i);
}

/* Wait for those that follow the name, or for all others; false: one had to be killed. */
static bool all_end(struct herd *herd, bool followers)
{
    int64_t last = now() + SECONDS_TO_HANG * INT64_C(1000000000);
    bool in_time = true;

    for (unsigned i = 0; i < roles_number; i++) {
        bool late = false;
        int status;

        if (!is_there(herd, i) || roles[i].follows != followers)
            continue;
        while (waitpid(herd->pid[i], &status, WNOHANG) == 0) {
            if (now() > last && !late) {
                printf("        %s hangs\n", roles[i].name);
                kill(herd->pid[i], SIGKILL);
                late = true;
            }
            rest(1000000);
        }
        ended(herd, i, status, late);
        in_time = in_time && !late;
    }
    return in_time;
}

/* ---- the end ---- */

/* The last value, set by a publisher that is started anew. */
static bool set_last(const struct herd *herd, bool *complete)
{
    const struct book *book = herd->book;
    struct value value = {0};
    uint64_t version = 0;
    seqshare *share;
    int error = seqshare_open(&share, book->path, SEQSHARE_WRITE);

    if (error == 0)
        error = seqshare_get(share, &value, sizeof value, &version) == sizeof value ? 0 : -ENODATA;
    *complete = error == 0;
    for (unsigned i = 0; i < WRITERS; i++)
        *complete = *complete && value.done[i] >= book->acknowledged[i];
    value.stamp = LAST_STAMP;
    value_seal(&value);
    if (error == 0)
        error = seqshare_set(share, &value, sizeof value);
    if (error == 0)
        return true;
    /* Removed, without a value, or of another world: what its supervisor would do. */
    error = seqshare_replace(&share, book->path, 4096, 0600);
    return error == 0 && seqshare_set(share, &value, sizeof value) == 0;
}

/* How long until every follower shows it, in seconds; negative: one never does. */
static double until_shown(const struct herd *herd)
{
    int64_t from = now();

    for (unsigned i = 0; i < FOLLOWERS; i++)
        while (counted(&herd->book->shown[i]) != LAST_STAMP) {
            if (now() - from > SECONDS_TO_HANG * INT64_C(1000000000)) {
                printf("        follower %u shows an old value\n", i);
                return -1;
            }
            rest(1000000);
        }
    return (double)(now() - from) / 1e9;
}

static void report(const struct herd *herd, double seconds)
{
    printf("%s: %u killed, %u stopped; the last value was shown after %.1f s\n",
           weathers[herd->book->weather], herd->killed, herd->paused, seconds);
    for (unsigned i = 0; i < roles_number; i++)
        if (is_there(herd, i))
            printf("        %-36s %9" PRIu64 " done%s%s\n", roles[i].name,
                   counted(&herd->book->account[i].done), herd->book->account[i].first_error[0] ? "; " : "",
                   herd->book->account[i].first_error);
}

/* Temporary names may be left by the killed; nothing else may. */
static bool only_temporary_names_are_left(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    bool good = dir;

    while (dir && (entry = readdir(dir)))
        if (entry->d_name[0] != '.' && strncmp(entry->d_name, "share", 5) != 0)
            good = false;
    if (dir)
        closedir(dir);
    return good;
}

static void remove_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    while (dir && (entry = readdir(dir)))
        unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
    rmdir(folder);
}

static void judge(struct herd *herd)
{
    const struct book *book = herd->book;
    uint64_t errors = 0, idle = 0;
    bool complete, set;
    double seconds;

    __atomic_store_n(&herd->book->stop, 1, __ATOMIC_RELAXED);
    check(book, "every role ends when told to", all_end(herd, false));
    set = set_last(herd, &complete);
    check(book, "the last value can be set", set);
    seconds = set ? until_shown(herd) : -1;
    check(book, "every follower shows the last value", seconds >= 0);
    __atomic_store_n(&herd->book->finished, 1, __ATOMIC_RELAXED);
    check(book, "every follower ends when told to", all_end(herd, true));
    report(herd, seconds);
    for (unsigned i = 0; i < roles_number; i++) {
        errors += book->account[i].errors;
        idle += is_there(herd, i) && book->account[i].done == 0;
    }
    check(book, "nothing is torn or lost, and nobody gets an unexpected answer", errors == 0);
    check(book, "every role got something done", idle == 0);
    if (book->weather == REPLACED)
        check(book, "the name's value has every acknowledged set", complete);
}

/* ---- one weather ---- */

static void make_first_value(const struct book *book)
{
    struct value value = {0};
    seqshare *share;
    int error = seqshare_create(&share, book->path, 4096, 0600);

    value_seal(&value);
    if (!error)
        error = seqshare_set(share, &value, sizeof value);
    if (error)
        give_up("make the share", error);
    seqshare_close(share);
}

static void run(enum weather weather, double seconds, uint64_t *random)
{
    char folder[] = "/dev/shm/seqshare-chaos-XXXXXX";
    struct herd herd = {.random = random_next(random)};

    herd.book_fd = memfd_create("book", 0); /* inherited also by exec */
    if (herd.book_fd < 0 || ftruncate(herd.book_fd, sizeof *herd.book) != 0 || !mkdtemp(folder))
        give_up("make the account", errno);
    herd.book = mmap(NULL, sizeof *herd.book, PROT_READ | PROT_WRITE, MAP_SHARED, herd.book_fd, 0);
    if (herd.book == MAP_FAILED)
        give_up("map the account", errno);
    herd.book->weather = weather;
    herd.book->seed = random_next(random);
    snprintf(herd.book->path, sizeof herd.book->path, "%s/share", folder);
    make_first_value(herd.book);
    alarm((unsigned)seconds + 4 * SECONDS_TO_HANG);
    for (unsigned i = 0; i < roles_number; i++)
        if (is_there(&herd, i))
            start(&herd, i);
    storm(&herd, seconds);
    judge(&herd);
    check(herd.book, "nothing but temporary names is left", only_temporary_names_are_left(folder));
    alarm(0);
    remove_folder(folder);
    munmap(herd.book, sizeof *herd.book);
    close(herd.book_fd);
}

static bool may_make_namespaces(void)
{
    pid_t pid = fork();
    int status = 1;

    if (pid == 0)
        _exit(unshare(CLONE_NEWPID) != 0);
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* A checker that sees nothing would pass everything. */
static void check_checker(void)
{
    struct book book = {.weather = REPLACED};
    struct value value = {.stamp = 1};

    value_seal(&value);
    check(&book, "a whole value counts as whole", value_is_whole(&value));
    value.done[1]++;
    check(&book, "one with another's count does not", !value_is_whole(&value));
    value_seal(&value);
    value.filler[57] ^= 1;
    check(&book, "one with an old end does not", !value_is_whole(&value));
}

/* A writer that executed itself: its account is inherited by number. */
static _Noreturn void live_again(const char *fd, const char *index)
{
    int book_fd = atoi(fd);
    struct book *book = mmap(NULL, sizeof *book, PROT_READ | PROT_WRITE, MAP_SHARED, book_fd, 0);

    if (book == MAP_FAILED)
        _exit(1);
    role_live(book, book_fd, (unsigned)atoi(index));
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"seconds", required_argument, NULL, 's'}, {"help", no_argument, NULL, 'h'}, {0}};
    double seconds = 20;
    uint64_t random;
    int option;

    if (argc == 3 && argv[1][0] != '-')
        live_again(argv[1], argv[2]);
    while ((option = getopt_long(argc, argv, "s:h", options, NULL)) != -1) {
        if (option == 's' && (seconds = strtod(optarg, NULL)) > 0)
            continue;
        fputs("Usage: chaos [--seconds SECONDS]\n"
              "Kill and stop all that use a name and all that move it, and check what everybody sees.\n",
              option == 'h' ? stdout : stderr);
        return option == 'h' ? 0 : 2;
    }
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        give_up("getrandom", errno);
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGALRM, on_alarm);
    check_checker();
    for (unsigned i = REPLACED; i <= FOREIGN; i++) {
        if (i == FOREIGN && !may_make_namespaces()) {
            printf("skipped: %s: needs CAP_SYS_ADMIN\n", weathers[i]);
            skipped++;
            continue;
        }
        run((enum weather)i, seconds / 3, &random);
    }
    printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
    return failed != 0;
}
