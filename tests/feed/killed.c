/* SPDX-License-Identifier: MIT */
/*
 * The feed, killed at each of its system calls. Shows: FEED-8, FEED-6.
 *
 * The agent runs under ptrace, and is killed when it begins system call k, for each k from the one with which it
 * guards its memory until all is published and saved. After each kill readers must have a whole value, and the next
 * agent must bring share, `current` and `next` into agreement, without publishing anything twice. In some scenes the
 * source is away when that one starts: then what stood stands, or the last good value comes from the disk.
 *
 *     feed-killed FOLDER    an empty folder on a tmpfs; seqshare-feed is found by PATH
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/ptrace.h>

#include <seqshare/feed.h>

static const char old_value[] = "{\"v\":1}", new_value[] = "{\"v\":2}";
static char folder[256];

static const char *path_of(const char *name)
{
    static char paths[4][512];
    static int turn;

    turn = (turn + 1) % 4;
    snprintf(paths[turn], sizeof paths[turn], "%s/%s", folder, name);
    return paths[turn];
}

__attribute__((noreturn)) static void broken(const char *what)
{
    printf("broken: %s: %s\n", what, strerror(errno));
    exit(2);
}

/* A command line of a shell, in the folder. */
static void shell(const char *line)
{
    char all[1024];

    snprintf(all, sizeof all, "cd '%s' && %s", folder, line);
    if (system(all) != 0)
        broken(line);
}

static void put(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");

    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        broken(name);
}

static bool has(const char *name, const char *text)
{
    char all[4096];
    FILE *file = fopen(path_of(name), "r");
    size_t length = file ? fread(all, 1, sizeof all - 1, file) : 0;

    if (file)
        fclose(file);
    all[length] = 0;
    return strstr(all, text) != NULL;
}

/* The value of the share: 1, 2, or 0 for none; -1 for anything else. */
static int value_of(uint64_t *version)
{
    char bytes[64];
    seqshare *share;
    ssize_t length = seqshare_open(&share, path_of("shop"), SEQSHARE_READ);

    *version = 0;
    if (length == -ENOENT)
        return 0;
    if (length < 0)
        return -1;
    length = seqshare_get(share, bytes, sizeof bytes, version);
    seqshare_close(share);
    if (length == -ENODATA)
        return 0;
    if (length != (ssize_t)sizeof old_value - 1)
        return -1;
    return memcmp(bytes, old_value, sizeof old_value - 1) == 0   ? 1
           : memcmp(bytes, new_value, sizeof new_value - 1) == 0 ? 2
                                                                 : -1;
}

/* What the agent says; false: it has not said anything yet. */
static bool read_state(struct seqshare_feed_1 *feed)
{
    seqshare *share;
    bool fine;

    if (seqshare_open(&share, path_of("shop.feed"), SEQSHARE_READ) != 0)
        return false;
    fine = seqshare_feed_1_get(share, feed) == 0;
    seqshare_close(share);
    return fine;
}

/* All is published, saved, and said. */
static bool is_settled(const char *value)
{
    struct seqshare_feed_1 feed;

    return has("state/current", value) && access(path_of("state/next"), F_OK) != 0 && read_state(&feed) &&
           feed.state == 0;
}

/* ---- agents ---------------------------------------------------------------------------------- */

static pid_t start(bool traced)
{
    pid_t agent = fork();

    if (agent != 0)
        return agent;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!freopen(path_of("log"), "a", stderr) || (traced && ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0))
        _exit(126);
    execlp("seqshare-feed", "seqshare-feed", "run", path_of("shop.conf"), (char *)NULL);
    _exit(127);
}

static void end(pid_t agent, int number)
{
    int status;

    kill(agent, number);
    while (waitpid(agent, &status, __WALL) == agent && !WIFEXITED(status) && !WIFSIGNALED(status))
        ptrace(PTRACE_CONT, agent, NULL, NULL);
}

enum { TURNS_MOST = 20000 };

static void rest(void)
{
    const struct timespec moment = {.tv_nsec = 2000000};

    nanosleep(&moment, NULL);
}

/* An agent of its own, until all is settled. False: it never is. */
static bool run_until_settled(const char *value)
{
    pid_t agent = start(false);
    int turns = 0;

    while (!is_settled(value) && turns++ < TURNS_MOST)
        rest();
    end(agent, SIGTERM);
    return turns < TURNS_MOST;
}

/* An agent of its own, until it has said what it begins with. Its source is away, so it is killed then. */
static bool run_without_source(void)
{
    struct seqshare_feed_1 feed = {0};
    int turns = 0;
    pid_t agent;

    shell("mv source away");
    agent = start(false);
    while (!(read_state(&feed) && feed.pid == (uint32_t)agent) && turns++ < TURNS_MOST)
        rest();
    end(agent, SIGKILL);
    shell("mv away source");
    return turns < TURNS_MOST && feed.state & SEQSHARE_FEED_STALE;
}

/* On to its next system call. False: it has ended. */
static bool next_call(pid_t agent, struct __ptrace_syscall_info *info)
{
    int status, number = 0;

    for (;;) {
        if (ptrace(PTRACE_SYSCALL, agent, NULL, (void *)(long)number) != 0 ||
            waitpid(agent, &status, __WALL) != agent)
            return false;
        if (!WIFSTOPPED(status))
            return false;
        number = WSTOPSIG(status) == (SIGTRAP | 0x80) || WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
        if (WSTOPSIG(status) == (SIGTRAP | 0x80) &&
            ptrace((enum __ptrace_request)PTRACE_GET_SYSCALL_INFO, agent, (void *)sizeof *info, info) > 0 &&
            info->op == PTRACE_SYSCALL_INFO_ENTRY)
            return true;
    }
}

/* To its first call of interest: it guards its memory. */
static pid_t start_traced(void)
{
    struct __ptrace_syscall_info info;
    pid_t agent = start(true);
    int status;

    if (agent < 0 || waitpid(agent, &status, 0) != agent || !WIFSTOPPED(status) ||
        ptrace(PTRACE_SETOPTIONS, agent, NULL, (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)) != 0)
        return -1;
    do {
        if (!next_call(agent, &info))
            return -1;
    } while (info.entry.nr != SYS_prctl || info.entry.args[0] != PR_SET_DUMPABLE);
    return agent;
}

/* How many calls until all is settled? */
static int count_calls(void)
{
    struct __ptrace_syscall_info info;
    pid_t agent = start_traced();
    int count = 0;

    if (agent < 0)
        return -1;
    while (!is_settled(new_value) && next_call(agent, &info))
        count++;
    end(agent, SIGKILL);
    return count;
}

/* ---- scenes ---------------------------------------------------------------------------------- */

/*
 * What was there before: 'f' nothing; 'b' the state of the old value (a boot); 'c' that, and it stands in the share. A
 * capital letter: the same, and the source is away when the next agent starts.
 */
static void prepare(char scene)
{
    shell("rm -rf state shop shop.feed && echo 2 >source/v");
    if (scene != 'f')
        shell("cp -a saved state");
    if (scene == 'c')
        shell("cp -a saved.shop shop && cp -a saved.shop.feed shop.feed");
}

static void prepare_saved(void)
{
    mkdir(path_of("source"), 0755);
    shell("echo 1 >source/v");
    put("shop.conf", "form = json-tree\n");
    shell("printf 'source = file:%s/source\\nshare = %s/shop\\nstate = %s/state\\n' \"$PWD\" \"$PWD\" "
          "\"$PWD\" >>shop.conf");
    if (!run_until_settled(old_value))
        broken("the first agent never settles");
    shell("mv state saved && mv shop saved.shop && mv shop.feed saved.shop.feed");
}

/* NULL, or what was wrong after a start without the source. `before`: what readers had then. */
static const char *without_source(char scene, int before)
{
    const int wanted = before ? before : scene == 'f' ? 0 : 1;
    uint64_t version;

    if (!run_without_source())
        return "the next agent, without its source, never says that the value is stale";
    if (value_of(&version) != wanted)
        return "without its source the next agent leaves another value than the last good one";
    if (wanted && !has("state/current", wanted == 1 ? old_value : new_value))
        return "without its source the next agent leaves share and current apart";
    return access(path_of("state/next"), F_OK) == 0 ? "without its source the next agent leaves next" : NULL;
}

/* NULL, or what was wrong after a kill at call k. */
static const char *kill_at(char scene, int k, bool away)
{
    const char *wrong;
    const uint64_t versions = scene == 'f' ? 1 : 2;
    struct __ptrace_syscall_info info;
    uint64_t version;
    pid_t agent;
    int value;

    prepare(scene);
    agent = start_traced();
    if (agent < 0)
        return "the agent cannot be traced";
    for (int i = 0; i < k; i++)
        if (!next_call(agent, &info))
            break;
    end(agent, SIGKILL);
    value = value_of(&version);
    if (value < 0)
        return "a reader gets no whole value";
    if (value == 0 && scene == 'c')
        return "the value that stood is gone";
    wrong = away ? without_source(scene, value) : NULL;
    if (wrong)
        return wrong;
    if (!run_until_settled(new_value))
        return "the next agent never settles";
    value = value_of(&version);
    if (value != 2)
        return "share and current do not agree";
    return version != versions ? "it was published once too often, or too seldom" : NULL;
}

static int run_scene(char letter, int stride)
{
    const bool away = letter < 'a';
    const char scene = (char)(away ? letter - 'A' + 'a' : letter);
    int calls, failed = 0, kills = 0;

    prepare(scene);
    calls = count_calls();
    if (calls < 20) {
        printf("not ok scene %c: only %d system calls\n", letter, calls);
        return 1;
    }
    for (int k = 0; k <= calls; k += stride, kills++) {
        const char *wrong = kill_at(scene, k, away);

        if (wrong) {
            printf("not ok scene %c: killed at call %d: %s\n", letter, k, wrong);
            failed++;
        }
    }
    printf("%s scene %c: killed at %d of %d system calls\n", failed ? "not ok" : "ok", letter, kills, calls);
    fflush(stdout);
    return failed;
}

int main(int argc, char **argv)
{
    const char *stride = getenv("SEQSHARE_KILL_STRIDE");
    int failed = 0, step = stride ? atoi(stride) : 1;

    if (argc < 2 || !realpath(argv[1], folder) || step < 1)
        return 2;
    prepare_saved();
    prepare('f');
    if (count_calls() < 0) {
        puts("skipped: nothing can be traced here");
        return 77;
    }
    for (const char *scene = argc > 2 ? argv[2] : "fbcFBC"; *scene; scene++)
        failed += run_scene(*scene, step * (*scene < 'a' ? 3 : 1));
    return failed != 0;
}
