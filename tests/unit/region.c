/* SPDX-License-Identifier: MIT */
/*
 * The region: what it costs, who may write it and through which descriptor, and what corrupt files do to
 * those who open them.
 *
 * Shows: NAME-5, NAME-6, READ-3.
 */
#include "support.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(region, .timeout = 120);

enum { PAGE = 4096, OVERHEAD = 12 << 10 };

static int fd_of(const seqshare *share, int access)
{
    int fd = seqshare_fd(share, access);

    check(fd >= 0);
    return fd;
}

/* ---- capacity is an upper bound and costs nothing ---- */

static uint64_t cost_of(const seqshare *share)
{
    struct seqshare_stat stat;
    struct stat file;
    int fd = fd_of(share, SEQSHARE_READ);

    check(fstat(fd, &file) == 0);
    close(fd);
    equals(seqshare_stat(share, &stat), 0);
    equals(stat.allocated, file.st_blocks * 512);
    return stat.allocated;
}

static void read_in_child(void *context)
{
    seqshare *share = context;
    char buffer[100];

    equals(seqshare_prefault(share), 0);
    equals(seqshare_get(share, buffer, sizeof buffer, NULL), 4);
    equals(seqshare_get_typed(share, buffer, 4, 5), 0);
}

/* Fails with: a capacity that is allocated, a slot that is cleared, a read or prefault beyond the value. */
static void costs_little(seqshare *share)
{
    for (int i = 0; i < 8; i++)
        equals(seqshare_set_typed(share, "tiny", 4, 5), 0);
    child_run(read_in_child, share);
    read_in_child(share);
    check(cost_of(share) <= OVERHEAD);
    seqshare_close(share);
}

static const size_t huge = SIZE_MAX > UINT32_MAX ? (size_t)1 << (sizeof(size_t) == 8 ? 33 : 27)
                                                 : (size_t)1 << 27;

Test(region, a_huge_capacity_costs_three_pages)
{
    const char *name = temp_name();
    seqshare *share = NULL;

    costs_little(new_share(huge));
    equals(seqshare_create(&share, name, huge, 0600), 0);
    costs_little(share);
    equals(seqshare_create(&share, format("%s/name", temp_directory("/tmp")), huge, 0600), 0);
    costs_little(share);
}

Test(region, it_costs_what_its_values_touch_and_little_more)
{
    enum { LONGEST = 1 << 20 };
    char *value = calloc(1, LONGEST), *copy = calloc(1, LONGEST);

    for (size_t length = 1; length <= LONGEST; length = length * 3 + 1) {
        seqshare *share = new_share(huge);

        equals(seqshare_set(share, value, length), 0);
        equals(seqshare_get(share, copy, LONGEST, NULL), length);
        check(cost_of(share) <= (length + PAGE - 1) / PAGE * PAGE + OVERHEAD);
        for (int i = 0; i < 5; i++)
            equals(seqshare_set(share, value, length), 0);
        check(cost_of(share) <= 2 * ((length + PAGE - 1) / PAGE * PAGE) + OVERHEAD);
        check(cost_of(share) >= 2 * length);
        seqshare_close(share);
    }
    free(value);
    free(copy);
}

static void costs_three_pages_more(size_t capacity, const char *value, size_t length)
{
    seqshare *share = new_share(capacity);

    for (int i = 0; i < 4; i++)
        equals(seqshare_set(share, value, length), 0);
    check(cost_of(share) <= 2 * length + OVERHEAD);
    seqshare_close(share);
}

/* Fails with: slots whose first and last pages are the neighbours' as well. */
Test(region, at_any_capacity_it_costs_three_pages_beyond_its_values)
{
    static const size_t around[] = {400, 2048, 4096, 8064, 8192, 100000};
    static char value[100200];

    for (size_t i = 0; i < sizeof around / sizeof *around; i++) {
        for (size_t capacity = around[i] - 200; capacity <= around[i] + 200; capacity += 8) {
            costs_three_pages_more(capacity, value, 200);
            costs_three_pages_more(capacity, value, capacity);
        }
    }
}

/* The mapping's flags as /proc tells them. */
static bool has_flag(const void *address, const char *flag)
{
    FILE *maps = fopen("/proc/self/smaps", "re");
    unsigned long from, to;
    char line[1024];
    bool here = false, found = false;

    check(maps != NULL);
    while (fgets(line, sizeof line, maps)) {
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            here = (uintptr_t)address >= from && (uintptr_t)address < to;
        else if (here && strncmp(line, "VmFlags:", 8) == 0)
            found = strstr(line, format(" %s", flag)) != NULL;
    }
    fclose(maps);
    return found;
}

static void not_dumped(const seqshare *share)
{
    check(has_flag(share->bytes, "dd"));
    check(has_flag(share->bytes + share->stride * 2 - 1, "dd"));
}

/* A core dump reads what it dumps, and reading a hole of a tmpfs allocates it. */
Test(region, slots_are_left_out_of_core_dumps)
{
    seqshare *share = new_share(huge), *reader = another_handle(share, SEQSHARE_READ);

    not_dumped(share);
    not_dumped(reader);
    equals(seqshare_drop_write(share), 0);
    not_dumped(share);
    seqshare_close(reader);
    seqshare_close(share);
}

/* ---- descriptors ---- */

enum { DESCRIPTORS = 256 };

static void list_descriptors(bool open[DESCRIPTORS])
{
    for (int fd = 0; fd < DESCRIPTORS; fd++)
        open[fd] = fcntl(fd, F_GETFD) >= 0;
}

Test(region, every_descriptor_is_close_on_exec_and_closed_again)
{
    bool before[DESCRIPTORS], after[DESCRIPTORS];
    const char *name = temp_name();
    seqshare *share[6] = {NULL};
    int fd[2];

    list_descriptors(before);
    share[0] = new_share(100);
    fd[0] = fd_of(share[0], SEQSHARE_READ);
    fd[1] = fd_of(share[0], SEQSHARE_WRITE);
    equals(seqshare_attach(&share[1], fd[0], SEQSHARE_READ), 0);
    equals(seqshare_attach(&share[2], fd[1], SEQSHARE_WRITE), 0);
    equals(seqshare_create(&share[3], name, 100, 0600), 0);
    equals(seqshare_open(&share[4], name, SEQSHARE_READ), 0);
    equals(seqshare_replace(&share[5], name, 100, 0600), 0);
    equals(seqshare_reopen(share[4]), 1);
    equals(seqshare_drop_write(share[2]), 0);

    list_descriptors(after);
    for (int i = 0; i < DESCRIPTORS; i++) {
        if (after[i] && !before[i])
            equals(fcntl(i, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    }
    close(fd[0]);
    close(fd[1]);
    for (int i = 0; i < 6; i++)
        seqshare_close(share[i]);
    equals(seqshare_create(&share[0], name, 100, 0600), -EEXIST); /* errors keep none either */
    equals(seqshare_open(&share[0], temp_name(), SEQSHARE_READ), -ENOENT);
    list_descriptors(after);
    equals(memcmp(before, after, sizeof before), 0);
}

static void cannot_reopen_for_writing(void *context)
{
    const char *path = format("/proc/self/fd/%d", *(int *)context);

    check(open(path, O_RDWR | O_CLOEXEC) == -1 && errno == EACCES);
    check(open(path, O_WRONLY | O_CLOEXEC) == -1 && errno == EACCES);
}

/* Fails with: the memfd as it is born, mode 0777. */
Test(region, a_descriptor_for_reading_reads_only)
{
    seqshare *share = new_share(100);
    int fd = fd_of(share, SEQSHARE_READ);
    struct stat stat;

    equals(seqshare_set(share, "x", 1), 0);
    equals(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    check(fstat(fd, &stat) == 0);
    equals(stat.st_mode & 07777, 0600);
    check(write(fd, "x", 1) == -1 && ftruncate(fd, 0) == -1);
    check(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
    check(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE) == -1);
    skip_unless_root();
    child_run_as(NOBODY, cannot_reopen_for_writing, &fd);
    seqshare_close(share);
}

Test(region, nobody_can_truncate_an_anonymous_region_or_unseal_it)
{
    seqshare *share = new_share(100);
    int fd = fd_of(share, SEQSHARE_WRITE), seals = fcntl(fd, F_GET_SEALS);

    equals(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
    check((seals & (F_SEAL_SHRINK | F_SEAL_SEAL)) == (F_SEAL_SHRINK | F_SEAL_SEAL));
    check(ftruncate(fd, 0) == -1 && ftruncate(fd, PAGE) == -1);
    equals(seqshare_set(share, "still here", 10), 0);
    close(fd);
    seqshare_close(share);
}

static void execute(void *context)
{
    char *const *arguments = context;

    execv(UNIT_PROGRAM, arguments);
    _exit(1);
}

static void runs(const char *place, const char *expected, const char *new_value)
{
    const char *arguments[] = {"unit-program", place, expected, new_value, NULL};

    child_run(execute, (void *)arguments);
}

Test(region, a_program_attaches_to_an_inherited_descriptor)
{
    seqshare *share = new_share(1000);
    int reads = dup(fd_of(share, SEQSHARE_READ)),
        writes = dup(fd_of(share, SEQSHARE_WRITE)); /* not cloexec */
    char buffer[1000];

    equals(seqshare_set(share, "from the parent", 15), 0);
    runs(format("fd:%d", reads), "from the parent", NULL);
    runs(format("fd:%d", writes), "from the parent", NULL);
    runs(format("fd:%d", writes), "from the parent", "from the program");
    equals(seqshare_get(share, buffer, sizeof buffer, NULL), 16);
    check(memcmp(buffer, "from the program", 16) == 0);
    equals(seqshare_version(share), 2);
    seqshare_close(share);
}

Test(region, a_program_opens_a_name)
{
    const char *name = temp_name();
    seqshare *share = NULL;

    equals(seqshare_create(&share, name, 1000, 0600), 0);
    equals(seqshare_set(share, "first", 5), 0);
    runs(name, "first", "second");
    runs(share_path(name), "second", NULL);
    seqshare_close(share);
}

/* ---- over a socket, to a process that was there before the share ---- */

static void receive_and_use(void *context)
{
    int socket = *(int *)context, reads = receive_descriptor(socket), writes = receive_descriptor(socket);
    seqshare *reader = NULL, *writer = NULL;
    char buffer[10];

    equals(seqshare_attach(&reader, reads, SEQSHARE_READ), 0);
    equals(seqshare_attach(&writer, reads, SEQSHARE_WRITE), -EACCES);
    equals(seqshare_attach(&writer, writes, SEQSHARE_WRITE), 0);
    close(reads); /* the descriptors are no longer needed */
    close(writes);
    equals(seqshare_get(reader, buffer, sizeof buffer, NULL), 4);
    equals(seqshare_set(writer, "back", 4), 0);
    equals(seqshare_get(reader, buffer, sizeof buffer, NULL), 4);
    check(memcmp(buffer, "back", 4) == 0);
    equals(seqshare_set(reader, "x", 1), -EROFS);
}

Test(region, a_descriptor_sent_over_a_socket)
{
    seqshare *share;
    char buffer[10];
    int sockets[2];
    pid_t child;

    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0);
    child = child_start(receive_and_use, &sockets[1]);
    share = new_share(10);
    equals(seqshare_set(share, "there", 5), 0);
    equals(seqshare_set(share, "sent", 4), 0);
    send_descriptor(sockets[0], fd_of(share, SEQSHARE_READ));
    send_descriptor(sockets[0], fd_of(share, SEQSHARE_WRITE));
    equals(child_end(child), 0);
    equals(seqshare_get(share, buffer, sizeof buffer, NULL), 4);
    check(memcmp(buffer, "back", 4) == 0);
    seqshare_close(share);
}

/* ---- drop_write ---- */

struct dropping {
    seqshare *share;
    int dropped, set;
};

static void store(void *context)
{
    *(volatile unsigned char *)(uintptr_t)context = 1;
}

static void is_read_only(const void *address)
{
    void *page = (void *)((uintptr_t)address & ~(uintptr_t)(PAGE - 1));

    check(mprotect(page, PAGE, PROT_READ | PROT_WRITE) == -1 && errno == EACCES);
    signal(SIGSEGV, SIG_DFL); /* a sanitizer would write a report */
    equals(child_end(child_start(store, (void *)(uintptr_t)address)), -SIGSEGV);
}

/* No descriptor of the region that writes may be left, or it could be mapped again. */
static void no_writable_descriptor(const struct stat *region)
{
    struct stat stat;

    for (int fd = 0; fd < DESCRIPTORS; fd++) {
        if (fstat(fd, &stat) == 0 && stat.st_dev == region->st_dev && stat.st_ino == region->st_ino)
            equals(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    }
}

static void drop_and_read(void *context)
{
    struct dropping *dropping = context;
    seqshare *share = dropping->share;
    const void *head = share->head, *bytes = share->bytes;
    struct stat stat;
    char buffer[10];
    int fd;

    equals(seqshare_set(share, "child", 5), 0);
    equals(seqshare_drop_write(share), 0);
    equals(seqshare_drop_write(share), 0);
    equals(seqshare_set(share, "child", 5), -EROFS);
    check(share->head == head &&
          share->bytes == bytes); /* inline readers in other threads have these in hand */
    fd = fd_of(share, SEQSHARE_READ);
    check(fstat(fd, &stat) == 0);
    no_writable_descriptor(&stat);
    is_read_only(share->head);
    is_read_only(share->bytes);
    set_flag(&dropping->dropped, 1);
    await_flag(&dropping->set, 1);
    equals(seqshare_get(share, buffer, sizeof buffer, NULL), 6);
    check(memcmp(buffer, "parent", 6) == 0);
}

static void drops(seqshare *share)
{
    struct dropping *dropping = shared_memory(sizeof *dropping);
    pid_t child;

    dropping->share = share;
    child = child_start(drop_and_read, dropping);
    await_flag(&dropping->dropped, 1);
    equals(seqshare_set(share, "parent", 6), 0); /* the parent goes on writing */
    set_flag(&dropping->set, 1);
    equals(child_end(child), 0);
    equals(seqshare_version(share), 2);
    seqshare_close(share);
}

/* Fails with: mprotect alone, which mprotect undoes. */
Test(region, drop_write_is_for_good_in_this_process_alone)
{
    seqshare *share = NULL;

    skip_under_valgrind();
    drops(new_share(10));
    equals(seqshare_create(&share, temp_name(), 10, 0600), 0);
    drops(share);
}

static void drop_as_nobody(void *share)
{
    char buffer[4];

    equals(seqshare_drop_write(share), 0);
    is_read_only(((seqshare *)share)->head);
    equals(seqshare_get(share, buffer, sizeof buffer, NULL), 4);
}

/* Fails with: the read-only descriptor opened only now, by a process that may not. */
Test(region, drop_write_after_setuid)
{
    seqshare *share = new_share(10);

    skip_under_valgrind();
    skip_unless_root();
    equals(seqshare_set(share, "root", 4), 0);
    child_run_as(NOBODY, drop_as_nobody, share);
    seqshare_close(share);
}

static void reads_only(const seqshare *writer)
{
    int fd = fd_of(writer, SEQSHARE_WRITE);
    seqshare *reader = NULL;

    equals(seqshare_attach(&reader, fd, SEQSHARE_READ), 0);
    close(fd);
    is_read_only(reader->head);
    is_read_only(reader->bytes);
    equals(seqshare_get(reader, (char[5]){0}, 5, NULL), 5);
    fd = fd_of(reader, SEQSHARE_READ);
    equals(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    close(fd);
    seqshare_close(reader);
}

/* Fails with: a mapping of the descriptor as it came, which mprotect makes writable. */
Test(region, who_attaches_for_reading_to_a_writable_descriptor_reads_for_good)
{
    seqshare *share = new_share(10);

    skip_under_valgrind();
    equals(seqshare_set(share, "value", 5), 0);
    reads_only(share);
    seqshare_close(share);
    equals(seqshare_create(&share, temp_name(), 10, 0600), 0);
    equals(seqshare_set(share, "value", 5), 0);
    reads_only(share);
    seqshare_close(share);
}

static void *read_on(void *context)
{
    struct dropping *dropping = context;
    char buffer[10];

    while (!__atomic_load_n(&dropping->dropped, __ATOMIC_RELAXED)) {
        equals(seqshare_get(dropping->share, buffer, sizeof buffer, NULL), 5);
        check(memcmp(buffer, "value", 5) == 0);
    }
    return NULL;
}

Test(region, threads_read_on_while_another_drops_writing)
{
    for (int i = 0; i < 200; i++) {
        struct dropping dropping = {new_share(10), 0, 0};
        pthread_t reader;

        equals(seqshare_set(dropping.share, "value", 5), 0);
        equals(pthread_create(&reader, NULL, read_on, &dropping), 0);
        equals(seqshare_drop_write(dropping.share), 0);
        set_flag(&dropping.dropped, 1);
        equals(pthread_join(reader, NULL), 0);
        seqshare_close(dropping.share);
    }
}

/* ---- prefault ---- */

static long faults(void)
{
    struct rusage usage;

    check(getrusage(RUSAGE_SELF, &usage) == 0);
    return usage.ru_minflt + usage.ru_majflt;
}

/* Page faults of the first read through a fresh mapping. */
static long faults_of_first_get(const seqshare *share, bool prefault, bool writable)
{
    static char buffer[300000];
    int fd = fd_of(share, writable ? SEQSHARE_WRITE : SEQSHARE_READ);
    seqshare *fresh = NULL;
    long before, after;

    equals(seqshare_attach(&fresh, fd, writable ? SEQSHARE_WRITE : SEQSHARE_READ), 0);
    close(fd);
    equals(seqshare_get(share, buffer, sizeof buffer, NULL), sizeof buffer); /* code and buffer are there */
    if (prefault)
        equals(seqshare_prefault(fresh), 0);
    faults();
    before = faults();
    seqshare_get(fresh, buffer, sizeof buffer, NULL);
    after = faults();
    seqshare_close(fresh);
    return after - before;
}

Test(region, prefault_leaves_no_page_fault_to_the_first_read)
{
    static char value[300000];
    seqshare *share = new_share(1 << 20);

    skip_under_valgrind(); /* it has page faults of its own */
#ifdef __SANITIZE_ADDRESS__
    cr_skip_test("the address sanitizer has page faults of its own");
#endif
    equals(seqshare_set(share, value, sizeof value), 0);
    for (int writable = 0; writable <= 1; writable++) {
        long with = 1;

        check(faults_of_first_get(share, false, writable) > 0);
        for (int i = 0; i < 5 && with > 0; i++) /* the kernel may take a page away in between */
            with = faults_of_first_get(share, true, writable);
        equals(with, 0);
    }
    seqshare_close(share);
}

Test(region, prefault_of_a_share_without_a_value)
{
    seqshare *share = new_share(huge);

    equals(seqshare_prefault(share), 0);
    check(cost_of(share) <= OVERHEAD);
    seqshare_close(share);
}
