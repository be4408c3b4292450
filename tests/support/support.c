/* SPDX-License-Identifier: MIT */
/* What support.h says. */
#include "support.h"

#include <criterion/hooks.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

static bool in_child;

/* Criterion keeps a few blocks for ever; a leak of ours is still reported. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libcriterion\nleak:libboxfort\n";
}

const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
    return "print_suppressions=0"; /* that would be a report, and every report is a failure */
}

/* ---- checks ---- */

void check_failed(const char *file, int line, const char *message)
{
    if (in_child) {
        dprintf(STDERR_FILENO, "%s:%d: in child %d: %s\n", file, line, (int)getpid(), message);
        _exit(1);
    }
    cr_assert_fail("%s:%d: %s", file, line, message);
    abort();
}

/* ---- children ---- */

static void become(uid_t user)
{
    gid_t group = (gid_t)user;

    if (user == getuid())
        return;
    check(setgroups(1, &group) == 0 && setresgid(group, group, group) == 0);
    check(setresuid(user, user, user) == 0);
}

pid_t child_start_as(uid_t user, void (*body)(void *context), void *context)
{
    pid_t parent = getpid(), child;

    fflush(NULL);
    child = fork();
    if (child == 0) {
        in_child = true;
        become(user);
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* after setresuid, which clears it */
        if (getppid() != parent)
            _exit(1);
        body(context);
        _exit(0);
    }
    check(child > 0);
    return child;
}

pid_t child_start(void (*body)(void *context), void *context)
{
    return child_start_as(getuid(), body, context);
}

int child_end(pid_t child)
{
    int64_t end = now() + SECONDS_TO_HANG * SECONDS;
    int status;
    pid_t got;

    while ((got = waitpid(child, &status, WNOHANG)) == 0 || (got == -1 && errno == EINTR)) {
        if (now() > end) {
            kill(child, SIGKILL);
            waitpid(child, &status, 0);
            check_failed(__FILE__, __LINE__, "a child hangs");
        }
        rest(MILLISECONDS);
    }
    check(got == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void child_kill(pid_t child)
{
    check(kill(child, SIGKILL) == 0);
    child_end(child);
}

void child_run(void (*body)(void *context), void *context)
{
    equals(child_end(child_start(body, context)), 0);
}

void child_run_as(uid_t user, void (*body)(void *context), void *context)
{
    equals(child_end(child_start_as(user, body, context)), 0);
}

static char state_of(pid_t child)
{
    char stat[512] = "", path[64], *end;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/stat",
             (int)child); /* not format: this is polled, and its texts are few */
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    if (read(fd, stat, sizeof stat - 1) < 0)
        stat[0] = 0;
    close(fd);
    end = strrchr(stat, ')');
    return end && end[1] ? end[2] : 0;
}

void child_sleeps(pid_t child)
{
    int64_t end = now() + SECONDS_TO_HANG * SECONDS;
    int seen = 0;

    while (seen < 5) { /* five times in a row: a child that only waits for a page sleeps as well */
        seen = memchr("STtZ", state_of(child), 4) ? seen + 1 : 0;
        check(now() < end);
        rest(MILLISECONDS);
    }
}

void send_descriptor(int socket, int fd)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
    struct iovec data = {(char[]){'x'}, 1};
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};

    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    equals(sendmsg(socket, &message, 0), 1);
}

int receive_descriptor(int socket)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    char byte;
    struct iovec data = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    int fd;

    equals(recvmsg(socket, &message, MSG_CMSG_CLOEXEC), 1);
    check(CMSG_FIRSTHDR(&message) != NULL);
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}

/* Root in a container has few capabilities, or none. */
static bool has_capability(unsigned number)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {0};

    if (syscall(SYS_capget, &header, sets) != 0)
        return geteuid() == 0;
    return sets[CAP_TO_INDEX(number)].effective & CAP_TO_MASK(number);
}

void skip_as_impossible(void)
{
    if (!has_capability(CAP_SYS_ADMIN))
        cr_skip_test("needs CAP_SYS_ADMIN: be root; docker run --cap-add SYS_ADMIN --security-opt "
                     "seccomp=unconfined --security-opt apparmor=unconfined");
    cr_skip_test("needs what this kernel, or its configuration, does not allow even to root");
}

void skip_or_succeed(int status)
{
    if (status == NOT_POSSIBLE)
        skip_as_impossible();
    equals(status, 0);
}

void try_in_child(void (*body)(void *context), void *context)
{
    skip_or_succeed(child_end(child_start(body, context)));
}

void own_mounts(void)
{
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        _exit(NOT_POSSIBLE);
}

void slow_clock_for_children(void)
{
    const char *offset = format("monotonic -%lld 0\n", (long long)(now() / SECONDS - 1));
    int fd = unshare(CLONE_NEWTIME) != 0 ? -1 : open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, offset, strlen(offset)) < 0)
        _exit(NOT_POSSIBLE);
    close(fd);
}

void skip_unless_admin(void)
{
    if (!has_capability(CAP_SYS_ADMIN))
        skip_as_impossible();
}

void skip_unless_root(void)
{
    static const unsigned needed[] = {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_SETGID, CAP_SETUID};

    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (geteuid() != 0 || !has_capability(needed[i]))
            cr_skip_test(
                "needs root who may become another user: CAP_SETUID and the like, which docker run gives");
}

void skip_under_valgrind(void)
{
    const char *preloaded = getenv("LD_PRELOAD");

    if (preloaded && strstr(preloaded, "/vgpreload_"))
        cr_skip_test("valgrind cannot do this");
}

/* ---- shared memory ---- */

void *shared_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    check(memory != MAP_FAILED);
    return memory;
}

void set_flag(int *flag, int value)
{
    __atomic_store_n(flag, value, __ATOMIC_SEQ_CST);
}

void await_flag(const int *flag, int value)
{
    int64_t end = now() + SECONDS_TO_HANG * SECONDS;

    while (__atomic_load_n(flag, __ATOMIC_SEQ_CST) < value) {
        check(now() < end);
        rest(MILLISECONDS);
    }
}

/* ---- names: marked with the process that runs the tests, which removes them all at its end ---- */

const char *format(const char *text, ...)
{
    static char texts[64][512];
    static unsigned next;
    char *result = texts[__atomic_fetch_add(&next, 1, __ATOMIC_RELAXED) % 64]; /* threads call this too */
    va_list arguments;

    va_start(arguments, text);
    vsnprintf(result, sizeof texts[0], text, arguments);
    va_end(arguments);
    return result;
}

/* With the time: names stay until all tests are over, and process numbers come again. */
static const char *temp_text(void)
{
    static unsigned number;

    return format("test-%d-%d-%u-%jd", (int)getppid(), (int)getpid(), number++, (intmax_t)now());
}

const char *temp_name(void)
{
    return temp_text();
}

const char *temp_directory(const char *below)
{
    const char *path = format("%s/seqshare.%s", below, temp_text());

    check(mkdir(path, 0700) == 0 && chmod(path, 0755) == 0);
    return path;
}

const char *share_path(const char *name)
{
    return format("/dev/shm/seqshare.%s", name);
}

int entries(const char *directory)
{
    DIR *open = opendir(directory);
    int count = 0;

    check(open != NULL);
    while (readdir(open))
        count++;
    closedir(open);
    return count - 2;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *where)
{
    (void)stat, (void)type, (void)where;
    remove(path);
    return 0;
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
    static const char *const places[] = {"/dev/shm", "/tmp"};

    (void)stats;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        glob_t found;

        if (glob(format("%s/seqshare.test-%d-*", places[i], (int)getpid()), 0, NULL, &found) != 0)
            continue;
        for (size_t k = 0; k < found.gl_pathc; k++)
            nftw(found.gl_pathv[k], remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
        globfree(&found);
    }
}

/* ---- shares ---- */

seqshare *new_share(size_t capacity)
{
    seqshare *share = NULL;

    equals(seqshare_new(&share, capacity), 0);
    return share;
}

seqshare *another_handle(const seqshare *share, int access)
{
    int fd = seqshare_fd(share, access);
    seqshare *other = NULL;

    check(fd >= 0);
    equals(seqshare_attach(&other, fd, access), 0);
    close(fd);
    return other;
}

seqshare *named_share(const char *name, const char *text, mode_t mode)
{
    seqshare *share = NULL;

    equals(seqshare_create(&share, name, 100, mode), 0);
    if (text)
        equals(seqshare_set(share, text, strlen(text)), 0);
    return share;
}

void name_opens(const char *name, int access, const char *text)
{
    seqshare *share = NULL;

    equals(seqshare_open(&share, name, access), 0);
    says(share, text);
    equals(seqshare_set(share, text, strlen(text)), access & SEQSHARE_WRITE ? 0 : -EROFS);
    seqshare_close(share);
}

void says(const seqshare *share, const char *text)
{
    char buffer[200];

    equals(seqshare_get(share, buffer, sizeof buffer, NULL), strlen(text));
    check(memcmp(buffer, text, strlen(text)) == 0);
}

void holds(const seqshare *share, const char *text, uint64_t version)
{
    char buffer[200];
    uint64_t got = 0;

    equals(seqshare_get(share, buffer, sizeof buffer, &got), strlen(text));
    check(memcmp(buffer, text, strlen(text)) == 0);
    equals(got, version);
    equals(seqshare_version(share), version);
}

void lock_is_free(void *share)
{
    equals(seqshare_trylock(share), 0);
    equals(seqshare_unlock(share), 0);
}

void lock_is_taken(void *share)
{
    equals(seqshare_trylock(share), -EBUSY);
}
