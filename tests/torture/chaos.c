/* SPDX-License-Identifier: MIT */
/*
 * Runs the roles of roles.c, kills and stops them at random, and judges what the account says.
 *
 * Shows: NAME-2, NAME-3, CACHE-3, WAIT-4.
 */
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
#include <unistd.h>

#include "clock.h"
#include "herd.h"
#include "pattern.h"

static const char *const weathers[] = {"replaced", "replaced, removed and made",
                                       "replaced, also from another PID namespace"};

/* The parent's own book of the roles. */
struct storm {
    struct herd herd;
    struct book *book;
    int book_fd;
};

static void check(const struct book *book, const char *what, bool good)
{
    verdict(weathers[book->weather], what, good);
}

static void on_alarm(int signal)
{
    static const char text[] = "FAILED  chaos hangs\n0 passed, 1 failed\n";

    (void)signal;
    _exit(write(STDOUT_FILENO, text, sizeof text - 1) < 0 ? 3 : 1);
}

/* ---- the herd ---- */

static bool is_there(const struct storm *storm, unsigned index)
{
    return roles[index].from <= storm->book->weather;
}

/* In a new PID namespace the role is its first process, and dies with the one that waits for it here. */
static _Noreturn void live_abroad(struct storm *storm, unsigned index)
{
    pid_t pid;
    int status;

    if (unshare(CLONE_NEWPID) != 0 || (pid = fork()) < 0)
        _exit(77);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        role_live(storm->book, storm->book_fd, index);
    }
    waitpid(pid, &status, 0);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

static void live(void *context, unsigned index, uint64_t seed)
{
    struct storm *storm = context;

    (void)seed; /* a role's follows from the book, so that it can execute itself */
    if (roles[index].foreign)
        live_abroad(storm, index);
    role_live(storm->book, storm->book_fd, index);
}

static struct complaint *complaint_of(void *context, unsigned index)
{
    return &((struct storm *)context)->book->account[index].complaint;
}

static void rage(struct storm *storm, double seconds)
{
    struct herd *herd = &storm->herd;
    int64_t end = now() + (int64_t)(seconds * 1e9);

    while (now() < end) {
        unsigned index = (unsigned)(random_next(&herd->random) % roles_number);

        rest((int64_t)(random_next(&herd->random) % (8 * MILLISECONDS)));
        if (is_there(storm, index) && herd_disturb(herd, index) != 0)
            herd_start(herd, index);
    }
    for (unsigned i = 0; i < roles_number; i++)
        if (herd->stopped[i])
            herd_stop_or_go(herd, i);
}

/* Wait for those that follow the name, or for all others; false: one had to be killed. */
static bool all_end(struct storm *storm, bool followers)
{
    int64_t last = now() + SECONDS_TO_HANG * SECONDS;
    bool in_time = true;

    for (unsigned i = 0; i < roles_number; i++) {
        if (!is_there(storm, i) || roles[i].follows != followers || herd_end(&storm->herd, i, last))
            continue;
        printf("        %s hangs\n", roles[i].name);
        in_time = false;
    }
    return in_time;
}

/* ---- the end ---- */

/* The last value, set by a publisher that starts again. */
static bool set_last(const struct storm *storm, bool *complete)
{
    const struct book *book = storm->book;
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
static double until_shown(const struct storm *storm)
{
    int64_t from = now();

    for (unsigned i = 0; i < FOLLOWERS; i++)
        while (counted(&storm->book->shown[i]) != LAST_STAMP) {
            if (now() - from > SECONDS_TO_HANG * SECONDS) {
                printf("        follower %u shows an old value\n", i);
                return -1;
            }
            rest(MILLISECONDS);
        }
    return (double)(now() - from) / 1e9;
}

static void report(const struct storm *storm, double seconds)
{
    printf("%s: %u killed, %u stopped; the last value was shown after %.1f s\n",
           weathers[storm->book->weather], storm->herd.killed, storm->herd.paused, seconds);
    for (unsigned i = 0; i < roles_number; i++)
        if (is_there(storm, i))
            printf("        %-36s %9" PRIu64 " done%s%s\n", roles[i].name,
                   counted(&storm->book->account[i].done),
                   storm->book->account[i].complaint.first[0] ? "; " : "",
                   storm->book->account[i].complaint.first);
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

static void judge(struct storm *storm)
{
    const struct book *book = storm->book;
    uint64_t errors = 0, idle = 0;
    bool complete, set;
    double seconds;

    __atomic_store_n(&storm->book->stop, 1, __ATOMIC_RELAXED);
    check(book, "every role ends when told to", all_end(storm, false));
    set = set_last(storm, &complete);
    check(book, "the last value can be set", set);
    seconds = set ? until_shown(storm) : -1;
    check(book, "every follower shows the last value", seconds >= 0);
    __atomic_store_n(&storm->book->finished, 1, __ATOMIC_RELAXED);
    check(book, "every follower ends when told to", all_end(storm, true));
    report(storm, seconds);
    for (unsigned i = 0; i < roles_number; i++) {
        errors += book->account[i].complaint.errors;
        idle += is_there(storm, i) && book->account[i].done == 0;
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
    struct storm storm = {.book_fd = memfd_create("book", 0)}; /* inherited also by exec */

    storm.herd = (struct herd){
        .context = &storm, .live = live, .complaint_of = complaint_of, .random = random_next(random)};
    if (storm.book_fd < 0 || ftruncate(storm.book_fd, sizeof *storm.book) != 0 || !mkdtemp(folder))
        give_up("make the account", errno);
    storm.book = share_memory(sizeof *storm.book, storm.book_fd);
    storm.book->weather = weather;
    storm.book->seed = random_next(random);
    snprintf(storm.book->path, sizeof storm.book->path, "%s/share", folder);
    make_first_value(storm.book);
    alarm((unsigned)seconds + 4 * SECONDS_TO_HANG);
    for (unsigned i = 0; i < roles_number; i++)
        if (is_there(&storm, i))
            herd_start(&storm.herd, i);
    rage(&storm, seconds);
    judge(&storm);
    check(storm.book, "nothing but temporary names is left", only_temporary_names_are_left(folder));
    alarm(0);
    remove_folder(folder);
    munmap(storm.book, sizeof *storm.book);
    close(storm.book_fd);
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
    struct book *book = share_memory(sizeof *book, book_fd);

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
            verdict_skip(weathers[i], "needs CAP_SYS_ADMIN");
            continue;
        }
        run((enum weather)i, seconds / 3, &random);
    }
    return verdict_close();
}
