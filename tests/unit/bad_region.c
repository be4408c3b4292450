/* SPDX-License-Identifier: MIT */
/*
 * Bad input to what makes, opens and attaches: the promised error, the caller's pointer as it was, nothing
 * left behind. The other rows are in bad_input.c.
 *
 * Shows: NAME-1, NAME-4.
 */
#include "support.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "layout.h"

TestSuite(bad_region, .timeout = 60);

static seqshare *const untouched = (seqshare *)8;

static bool exists(const char *path)
{
    struct stat stat;

    return lstat(path, &stat) == 0;
}

/* Every way to make a share, with the same answer wanted of all. */
static void no_way_to_make(const char *name, size_t capacity, int wanted)
{
    seqshare *share = untouched;

    equals(seqshare_new(&share, capacity), wanted);
    equals(seqshare_new_slots(&share, capacity, 8), wanted);
    equals(seqshare_create(&share, name, capacity, 0600), wanted);
    equals(seqshare_replace(&share, name, capacity, 0600), wanted);
    check(share == untouched);
}

Test(bad_region, capacity_0)
{
    const char *name = temp_name();

    no_way_to_make(name, 0, -EINVAL);
    check(!exists(share_path(name)));
}

Test(bad_region, more_than_can_be_mapped)
{
    const size_t huge[] = {SIZE_MAX,
                           SIZE_MAX - 4095,
                           SIZE_MAX / 2,
                           SIZE_MAX / 2 + 1,
                           SIZE_MAX / 4,
                           sizeof(size_t) > 4 ? SIZE_MAX / 8 + 1 : SIZE_MAX / 3, /* 2 GiB can be had */
                           (size_t)1 << (sizeof(size_t) * 8 - 2)};
    const char *name = temp_name();

    skip_under_valgrind(); /* its mmap says -EINVAL */
    for (size_t i = 0; i < sizeof huge / sizeof *huge; i++)
        no_way_to_make(name, huge[i], -ENOMEM);
    check(!exists(share_path(name)));
}

static void limit_file_size(void *name)
{
    struct rlimit limit = {1 << 16, 1 << 16};

    check(setrlimit(RLIMIT_FSIZE, &limit) == 0); /* the signal SIGXFSZ would kill this child */
    no_way_to_make(name, 1 << 20, -EFBIG);
}

Test(bad_region, capacity_beyond_rlimit_fsize)
{
    const char *name = temp_name();

    child_run(limit_file_size, (void *)(uintptr_t)name);
    check(!exists(share_path(name)));
}

/* ---- names ---- */

static void no_such_name(const char *name, int wanted)
{
    seqshare *share = untouched;

    equals(seqshare_create(&share, name, 100, 0600), wanted);
    equals(seqshare_replace(&share, name, 100, 0600), wanted);
    equals(seqshare_open(&share, name, SEQSHARE_READ), wanted);
    equals(seqshare_open(&share, name, SEQSHARE_WRITE), wanted);
    equals(seqshare_unlink(name), wanted);
    check(share == untouched);
}

Test(bad_region, no_name_and_names_that_are_none)
{
    no_such_name(NULL, -EINVAL);
    no_such_name("", -EINVAL);
    no_such_name(".", -EINVAL);
    no_such_name("..", -EINVAL);
}

Test(bad_region, nowhere_to_put_the_share)
{
    const char *name = temp_name();

    equals(seqshare_new(NULL, 100), -EINVAL);
    equals(seqshare_new_slots(NULL, 100, 2), -EINVAL);
    equals(seqshare_create(NULL, name, 100, 0600), -EINVAL);
    equals(seqshare_replace(NULL, name, 100, 0600), -EINVAL);
    equals(seqshare_open(NULL, name, SEQSHARE_READ), -EINVAL);
    equals(seqshare_attach(NULL, 0, SEQSHARE_READ), -EINVAL);
    check(!exists(share_path(name)));
}

Test(bad_region, names_that_are_too_long)
{
    char name[2 * PATH_MAX];
    const char *directory = temp_directory("/tmp");
    size_t prefix = strlen("seqshare.");
    seqshare *share = NULL;

    memset(name, 'n', sizeof name);
    name[NAME_MAX - prefix + 1] = 0; /* the shortest that does not fit */
    no_such_name(name, -ENAMETOOLONG);
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = 0;
    no_such_name(name, -ENAMETOOLONG);
    memcpy(name, directory, strlen(directory));
    name[strlen(directory)] = '/';
    no_such_name(name, -ENAMETOOLONG);
    name[strlen(directory) + 1 + NAME_MAX + 1] = 0;
    no_such_name(name, -ENAMETOOLONG);

    name[strlen(directory) + 1 + NAME_MAX] = 0; /* the longest that fits */
    equals(seqshare_create(&share, name, 100, 0600), 0);
    equals(seqshare_reopen(share), 0);
    seqshare_close(share);
    equals(seqshare_unlink(name), 0);
    equals(entries(directory), 0);

    memset(name, 'n', NAME_MAX);
    memcpy(name, temp_name(), 20); /* so that it is removed */
    for (char *c = name; c < name + 20; c++)
        *c = *c ? *c : '-';
    name[NAME_MAX - prefix] = 0;
    equals(seqshare_create(&share, name, 100, 0600), 0);
    seqshare_close(share);
    equals(seqshare_unlink(name), 0);
}

Test(bad_region, create_of_a_name_that_exists)
{
    const char *name = temp_name();
    seqshare *share = NULL, *second = untouched;
    char buffer[4];

    equals(seqshare_create(&share, name, 100, 0600), 0);
    equals(seqshare_set(share, "mine", 4), 0);
    equals(seqshare_create(&second, name, 200, 0600), -EEXIST);
    check(second == untouched);
    equals(seqshare_get(share, buffer, 4, NULL), 4);
    check(!seqshare_retired(share));
    equals(seqshare_reopen(share), 0);
    seqshare_close(share);
    equals(seqshare_unlink(name), 0);
}

/* ---- files that have a name but are not a share ---- */

static void cannot_open(const char *path, int wanted)
{
    seqshare *share = untouched;

    equals(seqshare_open(&share, path, SEQSHARE_READ), wanted);
    equals(seqshare_open(&share, path, SEQSHARE_WRITE), wanted);
    equals(seqshare_open(&share, path, SEQSHARE_WRITE | SEQSHARE_ANY_OWNER), wanted);
    check(share == untouched);
}

static const char *file_of(const char *directory, const void *bytes, size_t length)
{
    static int number;
    const char *path = format("%s/file-%d", directory, number++);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    check(fd >= 0);
    equals(write(fd, bytes, length), length);
    close(fd);
    return path;
}

Test(bad_region, open_of_no_such_name)
{
    const char *directory = temp_directory("/tmp");

    cannot_open(temp_name(), -ENOENT);
    cannot_open(format("%s/nothing", directory), -ENOENT);
    cannot_open(format("%s/nowhere/nothing", directory), -ENOENT);
    equals(seqshare_unlink(temp_name()), -ENOENT);
}

Test(bad_region, open_of_files_that_are_no_shares)
{
    const char *directory = temp_directory("/tmp");
    unsigned char random[3 * 4096];

    make_pattern(random, sizeof random, 99);
    cannot_open(file_of(directory, "", 0), -EBADMSG);
    cannot_open(file_of(directory, "s", 1), -EBADMSG);
    cannot_open(file_of(directory, LAYOUT_MAGIC, strlen(LAYOUT_MAGIC)), -EBADMSG);
    cannot_open(file_of(directory, "just a text\n", 12), -EBADMSG);
    cannot_open(file_of(directory, random, sizeof random), -EBADMSG);
    memset(random, 0, sizeof random);
    cannot_open(file_of(directory, random, sizeof random), -EBADMSG);
}

Test(bad_region, open_of_links_fifos_and_directories)
{
    const char *directory = temp_directory("/tmp"), *real = format("%s/real", directory);
    const char *link = format("%s/link", directory), *dangling = format("%s/dangling", directory);
    const char *fifo = format("%s/fifo", directory), *folder = format("%s/folder", directory);
    seqshare *share = NULL;

    equals(seqshare_create(&share, real, 100, 0600), 0);
    seqshare_close(share);
    check(symlink(real, link) == 0 && symlink("/nonexistent", dangling) == 0);
    check(mkfifo(fifo, 0600) == 0 && mkdir(folder, 0700) == 0);

    cannot_open(link, -ELOOP);
    cannot_open(dangling, -ELOOP);
    cannot_open(fifo, -EBADMSG); /* and at once: opening it must not wait for somebody to write */
    share = untouched;
    check(seqshare_open(&share, folder, SEQSHARE_READ) < 0);
    check(seqshare_open(&share, folder, SEQSHARE_WRITE) < 0);
    check(seqshare_open(&share, format("%s/", directory), SEQSHARE_READ) < 0);
    check(seqshare_create(&share, format("%s/", directory), 100, 0600) < 0);
    equals(seqshare_create(&share, link, 100, 0600), -EEXIST);
    equals(seqshare_create(&share, dangling, 100, 0600), -EEXIST);
    equals(seqshare_create(&share, folder, 100, 0600), -EEXIST);
    equals(seqshare_create(&share, format("%s/none/name", directory), 100, 0600), -ENOENT);
    check(share == untouched);
    equals(entries(directory), 5);
}

static void write_to_fifo(void *path)
{
    int fd = open(path, O_WRONLY); /* waits for somebody to read */

    check(fd >= 0 && write(fd, "data", 4) == 4);
    close(fd);
}

/* A process at the other end of a FIFO must not take us for its partner. A device would notice as well. */
Test(bad_region, what_is_no_file_is_not_even_opened)
{
    char got[5] = "";
    char *path = (char *)(uintptr_t)format("%s/fifo", temp_directory("/tmp"));
    pid_t child;
    int fd;

    check(mkfifo(path, 0600) == 0);
    child = child_start(write_to_fifo, path);
    child_sleeps(child);
    cannot_open(path, -EBADMSG);
    child_sleeps(child);
    fd = open(path, O_RDONLY);
    check(fd >= 0 && read(fd, got, 4) == 4 && strcmp(got, "data") == 0);
    close(fd);
    equals(child_end(child), 0);
}

/* ---- descriptors ---- */

static void cannot_attach(int fd, int wanted)
{
    seqshare *share = untouched;

    equals(seqshare_attach(&share, fd, SEQSHARE_READ), wanted);
    equals(seqshare_attach(&share, fd, SEQSHARE_WRITE), wanted);
    equals(seqshare_attach(&share, fd, SEQSHARE_WRITE | SEQSHARE_ANY_OWNER), wanted);
    check(share == untouched);
}

Test(bad_region, attach_of_what_is_no_descriptor)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    check(fd >= 0 && close(fd) == 0);
    cannot_attach(fd, -EBADF);
    cannot_attach(-1, -EBADF);
    cannot_attach(INT_MIN, -EBADF);
    cannot_attach(INT_MAX, -EBADF);
}

Test(bad_region, attach_of_descriptors_that_are_no_shares)
{
    char random[8192];
    int ends[2], pair[2], memory = memfd_create("text", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    make_pattern(random, sizeof random, 5);
    check(pipe(ends) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && memory >= 0);
    cannot_attach(ends[0], -EBADMSG);
    cannot_attach(ends[1], -EBADMSG);
    cannot_attach(pair[0], -EBADMSG);
    cannot_attach(open("/dev/null", O_RDWR | O_CLOEXEC), -EBADMSG);
    cannot_attach(open("/dev/zero", O_RDWR | O_CLOEXEC), -EBADMSG);
    cannot_attach(open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC), -EBADMSG);
    cannot_attach(memory, -EBADMSG);
    equals(write(memory, random, sizeof random), sizeof random);
    cannot_attach(memory, -EBADMSG);
}

Test(bad_region, attach_for_writing_of_a_descriptor_that_reads)
{
    seqshare *share = NULL, *second = untouched;
    int fd;

    equals(seqshare_new(&share, 100), 0);
    fd = seqshare_fd(share, SEQSHARE_READ);
    equals(seqshare_attach(&second, fd, SEQSHARE_WRITE), -EACCES);
    equals(seqshare_attach(&second, fd, SEQSHARE_WRITE | SEQSHARE_READ), -EACCES);
    check(second == untouched);
    equals(seqshare_attach(&second, fd, SEQSHARE_READ), 0);
    seqshare_close(second);
    seqshare_close(share);
}

struct foreign {
    int fd;
    const char *path;
};

/* the user nobody may truncate nobody's file, even while root has it open */
static void make_a_share(void *context)
{
    struct foreign *foreign = context;
    seqshare *share = NULL;

    equals(seqshare_create(&share, foreign->path, 100, 0666), 0);
    equals(seqshare_set(share, "theirs", 6), 0);
}

Test(bad_region, attach_of_an_unsealed_region_of_somebody_else)
{
    const char *directory = temp_directory("/tmp");
    struct foreign foreign = {-1, format("%s/theirs", directory)};
    seqshare *share = untouched;
    char buffer[6];

    skip_unless_root();
    check(chmod(directory, 0777) == 0);
    child_run_as(NOBODY, make_a_share, &foreign);
    foreign.fd = open(foreign.path, O_RDWR | O_CLOEXEC);
    check(foreign.fd >= 0);
    equals(seqshare_attach(&share, foreign.fd, SEQSHARE_READ), -EPERM);
    equals(seqshare_attach(&share, foreign.fd, SEQSHARE_WRITE), -EPERM);
    check(share == untouched);
    equals(seqshare_attach(&share, foreign.fd, SEQSHARE_READ | SEQSHARE_ANY_OWNER), 0);
    equals(seqshare_get(share, buffer, sizeof buffer, NULL), 6);
    seqshare_close(share);
}

/* Sealed against shrinking, nobody can truncate it under its readers, not even its owner. */
Test(bad_region, attach_of_a_sealed_region_of_somebody_else_is_fine)
{
    seqshare *theirs = NULL, *share = NULL;
    struct stat stat;
    int fd;

    skip_unless_root();
    check(seteuid(NOBODY) == 0);
    equals(seqshare_new(&theirs, 100), 0);
    fd = seqshare_fd(theirs, SEQSHARE_WRITE);
    check(seteuid(0) == 0);
    check(fstat(fd, &stat) == 0);
    equals(stat.st_uid, NOBODY);
    equals(seqshare_set(theirs, "theirs", 6), 0);

    equals(seqshare_attach(&share, fd, SEQSHARE_READ), 0);
    equals(seqshare_length(share, NULL), 6);
    seqshare_close(share);
    equals(seqshare_attach(&share, fd, SEQSHARE_WRITE), 0);
    equals(seqshare_set(share, "mine", 4), 0);
    equals(seqshare_length(theirs, NULL), 4);
    seqshare_close(share);
    seqshare_close(theirs);
}

/* ---- another boot, file systems (and other namespaces: namespace.c) ---- */

static void reads_but_does_not_write(void *context)
{
    seqshare *share = context;
    uint64_t version = 1;
    char buffer[8];
    void *slot;

    equals(seqshare_get(share, buffer, sizeof buffer, NULL), 4);
    equals(seqshare_set(share, "x", 1), -EOPNOTSUPP);
    equals(seqshare_set_if(share, &version, "x", 1), -EOPNOTSUPP);
    equals(seqshare_fill(share, 1, &slot), -EOPNOTSUPP);
    equals(seqshare_lock(share), -EOPNOTSUPP);
    equals(seqshare_trylock(share), -EOPNOTSUPP);
    equals(seqshare_lock_for(share, 0), -EOPNOTSUPP);
    equals(seqshare_wait(share, 1, 1), -ETIMEDOUT);
    equals(seqshare_version(share), 1);
}

/* The answer of stat for a region whose header has these bytes there. Fails with: another reason than the first. */
static int foreign_with(const void *bytes, size_t length, size_t offset)
{
    const char *path = format("%s/foreign", temp_directory("/tmp"));
    seqshare *share = named_share(path, "value", 0600);
    struct seqshare_stat stat;
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    equals(pwrite(fd, bytes, length, (off_t)offset), (ssize_t)length);
    close(fd);
    seqshare_close(share);
    equals(seqshare_open(&share, path, SEQSHARE_WRITE), 0);
    equals(seqshare_stat(share, &stat), 0);
    equals(seqshare_set(share, "x", 1), stat.foreign ? -EOPNOTSUPP : 0);
    seqshare_close(share);
    return stat.foreign;
}

Test(bad_region, why_it_cannot_be_written_is_told)
{
    static const char zeros[16];
    const char other[17] = "another boot id.";

    equals(foreign_with(zeros, 0, 0), 0);
    equals(foreign_with(other, 16, offsetof(struct layout, header.boot_id)), SEQSHARE_FOREIGN_BOOT);
    equals(foreign_with(other, 8, offsetof(struct layout, header.pid_namespace)),
           SEQSHARE_FOREIGN_PID_NAMESPACE);
    equals(foreign_with(other, 8, offsetof(struct layout, header.time_namespace)),
           SEQSHARE_FOREIGN_TIME_NAMESPACE);
    equals(foreign_with(zeros, 16, offsetof(struct layout, header.boot_id)), SEQSHARE_FOREIGN_UNKNOWN);
    equals(foreign_with(zeros, 8, offsetof(struct layout, header.pid_namespace)), SEQSHARE_FOREIGN_UNKNOWN);
}

static void make_before_reboot(const char *path)
{
    seqshare *share = NULL;
    int fd;

    equals(seqshare_create(&share, path, 100, 0600), 0);
    equals(seqshare_set(share, "here", 4), 0);
    seqshare_close(share);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    equals(pwrite(fd, "another boot id.", 16, offsetof(struct layout, header.boot_id)), 16);
    close(fd);
}

Test(bad_region, write_after_a_reboot_on_a_disk_path)
{
    const char *path = format("%s/old", temp_directory("/tmp"));
    seqshare *share = NULL;

    make_before_reboot(path);
    equals(seqshare_open(&share, path, SEQSHARE_WRITE), 0);
    reads_but_does_not_write(share);
    seqshare_close(share);

    equals(seqshare_replace(&share, path, 100, 0600), 0); /* the way out: it carries the value on */
    equals(seqshare_version(share), 1);
    equals(seqshare_set(share, "more", 4), 0);
    equals(seqshare_version(share), 2);

    equals(seqshare_unlink(path), 0);
    make_before_reboot(path);
    equals(seqshare_reopen(share), 1); /* what held for the region before does not hold for this one */
    reads_but_does_not_write(share);
    seqshare_close(share);
}

static void on_hugetlbfs(void *directory)
{
    const char *path = format("%s/name", (const char *)directory);
    seqshare *share = untouched;

    own_mounts();
    if (mount("none", directory, "hugetlbfs", 0, "") != 0)
        _exit(NOT_POSSIBLE);
    equals(seqshare_create(&share, path, 100, 0600), -EOPNOTSUPP);
    equals(seqshare_replace(&share, path, 100, 0600), -EOPNOTSUPP);
    equals(entries(directory), 0);
    close(open(path, O_WRONLY | O_CREAT, 0600));
    equals(seqshare_open(&share, path, SEQSHARE_READ), -EOPNOTSUPP);
    check(share == untouched);
}

Test(bad_region, hugetlbfs_is_refused)
{
    skip_unless_admin();
    try_in_child(on_hugetlbfs, (void *)(uintptr_t)temp_directory("/tmp"));
}

/* Fails with: -EPERM, which says that the share is another user's. */
Test(bad_region, what_is_sealed_against_writing_is_read_only)
{
    static const int seals[] = {F_SEAL_WRITE, F_SEAL_FUTURE_WRITE};

    for (size_t i = 0; i < sizeof seals / sizeof *seals; i++) {
        const char *name = temp_name();
        seqshare *share = named_share(name, "value", 0600), *sealed = NULL;
        int fd = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING),
            from = open(share_path(name), O_RDONLY | O_CLOEXEC);
        static char bytes[1 << 16];
        ssize_t length = read(from, bytes, sizeof bytes);

        check(fd >= 0 && length > 0 && write(fd, bytes, (size_t)length) == length);
        check(fcntl(fd, F_ADD_SEALS, seals[i]) == 0);
        equals(seqshare_attach(&sealed, fd, SEQSHARE_WRITE), -EACCES);
        equals(seqshare_attach(&sealed, fd, SEQSHARE_READ), 0);
        says(sealed, "value");
        seqshare_close(sealed);
        seqshare_close(share);
        close(from);
        close(fd);
    }
}
