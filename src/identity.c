/* SPDX-License-Identifier: MIT */
/* Finds out which thread this is, and whether another one lives. */
#include "identity.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "layout.h"

_Thread_local struct identity identity_self IDENTITY_TLS;

/* ---- noticing fork --------------------------------------------------------------------------- */

/*
 * The generation is in a page that the kernel wipes in every child, so that we notice even a raw clone. If the kernel
 * cannot (before Linux 4.14), pthread_atfork wipes it after fork. A child inherits the counter, so a new generation
 * differs from those of all ancestors: two threads of a child cannot take the parent's number for theirs.
 */
static seqshare_word unwiped;
seqshare_word *identity_page = &unwiped;
static seqshare_word generations;

static void forget_generation(void)
{
    __atomic_store_n(identity_page, 0,
                     __ATOMIC_RELAXED); /* the child has one thread here: nothing to order */
}

__attribute__((constructor)) static void watch_forks(void)
{
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page != MAP_FAILED && madvise(page, size, MADV_WIPEONFORK) == 0)
        identity_page = page;
    else if (page != MAP_FAILED)
        munmap(page, size);
    pthread_atfork(NULL, NULL, forget_generation);
}

uint64_t identity_generation(void)
{
    uint64_t now = __atomic_load_n(identity_page, __ATOMIC_RELAXED), none = 0;

    if (now != 0)
        return now;
    /* Relaxed: only the number itself is shared, and a thread that loses the race uses the winner's. */
    now = __atomic_add_fetch(&generations, 1, __ATOMIC_RELAXED);
    if (__atomic_compare_exchange_n(identity_page, &none, now, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        return now;
    return none;
}

/* ---- /proc ----------------------------------------------------------------------------------- */

/* These errors mean that there is no such file; any other may pass. */
static bool is_absent(int error)
{
    return error == ENOENT || error == ENOTDIR || error == EACCES || error == EPERM || error == ESRCH;
}

ssize_t identity_read_file(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    ssize_t got;

    if (fd < 0)
        return -errno;
    do {
        got = read(fd, text + length, size - 1 - length);
        if (got > 0)
            length += (size_t)got;
    } while ((got > 0 && length < size - 1) || (got < 0 && errno == EINTR));
    if (got < 0)
        got = -errno;
    close(fd);
    text[length] = 0;
    return got < 0 ? got : (ssize_t)length;
}

/*
 * Is /proc that of our own PID namespace? The kernel lists a thread's numbers there from the mount's
 * namespace down to the thread's own: one number, and ours, proves it. Anything else, or no /proc, proves
 * nothing. 1: it is; 0: not proven; or a negative errno: ask again.
 * The line can be far down (behind thousands of groups), so we search the file in overlapping pieces.
 */
static int proc_is_ours(pid_t tid)
{
    char text[1024], wanted[48];
    int wanted_length = snprintf(wanted, sizeof wanted, "\nNSpid:\t%d\n", (int)tid);
    size_t kept = 0;
    int fd = open("/proc/thread-self/status", O_RDONLY | O_CLOEXEC);
    int result = 0;

    if (fd < 0)
        return is_absent(errno) ? 0 : -errno;
    for (;;) {
        ssize_t got = read(fd, text + kept, sizeof text - kept);
        size_t have;

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            result = -errno;
        if (got <= 0)
            break;
        have = kept + (size_t)got;
        result = memmem(text, have, wanted, (size_t)wanted_length) != NULL;
        if (result)
            break;
        kept = have < sizeof wanted ? have : sizeof wanted;
        memmove(text, text + have - kept, kept);
    }
    close(fd);
    return result;
}

/* State and start time (low 32 bits, never 0) from a stat file: 1; 0 if there is none; or a negative errno. */
static int read_stat(const char *path, char *state, uint32_t *start)
{
    char text[1024];
    const char *field;
    unsigned long long ticks;
    ssize_t length = identity_read_file(path, text, sizeof text);

    if (length < 0)
        return is_absent((int)-length) ? 0 : (int)length;
    field = strrchr(text, ')'); /* the last one: the name before it may be anything */
    if (!field || field[1] != ' ' || field[2] == 0)
        return 0;
    *state = field[2];
    field += 2;
    for (int number = 3; number < 22; number++) {
        field = strchr(field, ' ');
        if (!field)
            return 0;
        field++;
    }
    ticks = strtoull(field, NULL, 10);
    *start = (uint32_t)ticks ? (uint32_t)ticks : 1;
    return 1;
}

/* ---- this thread ----------------------------------------------------------------------------- */

/* 1: known; 0: cannot be known here; or a negative errno: ask again. */
static int own_start(pid_t tid, uint32_t *start)
{
    char path[64], state;
    int result = proc_is_ours(tid);

    *start = 0;
    if (result != 1)
        return result; /* under another namespace's /proc the number would be someone else's */
    /* Not /proc/self/stat: emulators fake that one. */
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)tid);
    return read_stat(path, &state, start);
}

/* ---- which program image this is ---------------------------------------------------------------- */

static uint64_t rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

/* SipHash's rounds (Aumasson and Bernstein, 2012). */
static void mix(uint64_t v[4], int rounds)
{
    while (rounds-- > 0) {
        v[0] += v[1], v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0], v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1], v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2], v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

/*
 * The kernel gives each program that it executes 16 random bytes, and each copy of the library in it finds the same.
 * libc makes its stack canary and its pointer guard of them. So the region, which others may read, must not show them.
 * They are the key of a SipHash-2-4 (of the empty message), and its result reveals nothing of the key.
 */
static uint64_t find_image(void)
{
    const void *random = (const void *)(uintptr_t)getauxval(AT_RANDOM);
    uint64_t key[2], v[4];

    if (!random)
        return 0;
    memcpy(key, random, sizeof key);
    v[0] = key[0] ^ UINT64_C(0x736f6d6570736575);
    v[1] = key[1] ^ UINT64_C(0x646f72616e646f6d);
    v[2] = key[0] ^ UINT64_C(0x6c7967656e657261);
    v[3] = key[1] ^ UINT64_C(0x7465646279746573);
    mix(v, 2); /* the message's one word is its length, 0 */
    v[2] ^= 0xff;
    mix(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static void find_self(uint64_t now)
{
    pid_t tid = (pid_t)syscall(SYS_gettid);
    int saved = errno;
    uint32_t start;
    int result = own_start(tid, &start);
    uint64_t owner = (uint64_t)tid | (uint64_t)start << 32;

    if (identity_self.owner != owner) { /* otherwise a signal handler was here before us */
        identity_self.changing = 0;     /* of the thread that forked, if above 0 */
        identity_self.owner = owner;
    }
    identity_self.image = find_image();
    identity_self.process = getpid();
    identity_self.error = result < 0 ? result : 0;
    __atomic_signal_fence(__ATOMIC_RELEASE); /* a signal handler that sees the generation sees the rest */
    identity_self.generation = identity_self.error ? 0 : now; /* do not keep half an identity: ask again */
    errno = saved;
}

struct identity *identity_find(void)
{
    uint64_t now = identity_generation();

    if (identity_self.generation != now)
        find_self(now);
    return &identity_self;
}

/* ---- its world ------------------------------------------------------------------------------- */

static int get_namespace(const char *path, uint64_t *inode)
{
    struct stat status;

    *inode = 0;
    if (stat(path, &status) != 0)
        return is_absent(errno) ? 0 : -errno;
    *inode = (uint64_t)status.st_ino;
    return 0;
}

static int get_boot_id(uint8_t id[16])
{
    char text[64];
    unsigned digit = 0;
    ssize_t length = identity_read_file("/proc/sys/kernel/random/boot_id", text, sizeof text);

    if (length < 0)
        return is_absent((int)-length) ? 0 : (int)length;
    for (const char *at = text; *at && digit < 32; at++) {
        int value = *at >= '0' && *at <= '9' ? *at - '0' : *at >= 'a' && *at <= 'f' ? *at - 'a' + 10 : -1;

        if (value < 0)
            continue;
        id[digit / 2] = (uint8_t)(id[digit / 2] << 4 | value);
        digit++;
    }
    return 0;
}

int identity_get_world(struct world *world)
{
    int saved = errno, error;

    memset(world, 0, sizeof *world);
    /* Not /proc/self: that is the first thread, and has nothing to show when it has ended before others. */
    error = get_namespace("/proc/thread-self/ns/pid", &world->pid_namespace);
    if (!error)
        error = get_namespace("/proc/thread-self/ns/time", &world->time_namespace);
    if (!error)
        error = get_boot_id(world->boot_id);
    if (world->time_namespace == 0 && world->pid_namespace != 0)
        world->time_namespace = 1; /* a kernel without them: all are in the same */
    errno = saved;
    return error;
}

/* ---- another thread -------------------------------------------------------------------------- */

/* Without a /proc to ask: a process that has ended but was not waited for can be polled. A mere thread
 * cannot. */
static bool is_zombie(pid_t tid)
{
#ifdef SYS_pidfd_open
    struct pollfd ended = {.events = POLLIN};
    bool dead;

    ended.fd = (int)syscall(SYS_pidfd_open, tid, 0);
    if (ended.fd < 0)
        return false;
    dead = poll(&ended, 1, 0) == 1 && (ended.revents & POLLIN);
    close(ended.fd);
    return dead;
#else
    (void)tid;
    return false;
#endif
}

static bool judge(pid_t tid, uint32_t owner_start)
{
    char path[64], state;
    uint32_t start;

    if (tid == 0)
        return true;
    if (kill(tid, 0) != 0 && errno == ESRCH)
        return true;
    if (proc_is_ours((pid_t)syscall(SYS_gettid)) != 1)
        return is_zombie(tid);
    /* Not /proc/TID/stat, for the reason in own_start. This one is there for a leader and for any other thread. */
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", (int)tid, (int)tid);
    if (read_stat(path, &state, &start) != 1)
        return false; /* hidepid shows nothing of other users' processes, alive as they are */
    return state == 'Z' || state == 'X' || (owner_start != 0 && start != owner_start);
}

bool identity_is_dead(uint64_t owner)
{
    int saved = errno;
    bool dead = judge((pid_t)(owner & OWNER_TID_MASK), (uint32_t)(owner >> 32));

    errno = saved;
    return dead;
}
