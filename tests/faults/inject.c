/* SPDX-License-Identifier: MIT */
/*
 * The calls of the library, as redirect.sh leads them here. Each counts; one is refused; the others are made.
 * A refused call is not made, but for close and munmap, which do their work whatever they say.
 */
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "faults.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif

unsigned lacking;

static long blocks;
static bool begun; /* main */

static _Thread_local struct {
    bool armed, paused;
    bool for_ever;
    unsigned at, which;
    struct fault fault;
} run;

void faults_arm(unsigned at, unsigned which, bool for_ever)
{
    memset(&run, 0, sizeof run);
    for (int i = 0; i < REFUSED_MAX; i++)
        run.fault.fds[i] = -1;
    run.at = at;
    run.which = which;
    run.for_ever = for_ever;
    run.armed = true;
}

struct fault faults_disarm(void)
{
    run.armed = false;
    return run.fault;
}

void faults_pause(void)
{
    run.paused = true;
}

void faults_resume(void)
{
    run.paused = false;
}

struct fault faults_of_loading(void)
{
    begun = true;
    return faults_disarm();
}

static void arm_for_loading(void)
{
    const char *text = getenv("FAULTS_LOADING");
    unsigned at, which;

    if (text && sscanf(text, "%u %u", &at, &which) == 2)
        faults_arm(at, which, false);
    begun = true;
}

bool comes_once(const struct call *call, int error)
{
    return error == EINTR || error == EAGAIN || error == EEXIST || call == &fstat_call;
}

/* 0, or the error to refuse this call with. */
static int refuse(const struct call *call)
{
    if (!begun)
        arm_for_loading();
    if (!run.armed || run.paused)
        return 0;
    run.fault.calls++;
    run.fault.wakes += call == &futex_wake_call;
    if (run.fault.calls == run.at) {
        run.fault.call = call;
        run.fault.refusal = run.which < REFUSALS_MAX ? call->refusals[run.which] : (struct refusal){0};
    } else if (!run.for_ever || run.fault.call != call || comes_once(call, run.fault.refusal.error)) {
        return 0;
    }
    if (run.fault.refusal.error != 0)
        run.fault.refused++;
    return run.fault.refusal.error;
}

/* The answer of most calls: refused, or not (then true, and the call has to be made). */
static bool allow(const struct call *call)
{
    int error = refuse(call);

    if (error == 0)
        return true;
    errno = error;
    return false;
}

static bool lacks(unsigned what, int error)
{
    if (!(lacking & what))
        return false;
    errno = error;
    return true;
}

static bool lacks_path(const char *path)
{
    return strncmp(path, "/proc/", 6) == 0 && lacks(NO_PROC, ENOENT);
}

/* ---- memory ---- */

long heap_blocks(void)
{
    return __atomic_load_n(&blocks, __ATOMIC_SEQ_CST);
}

void forget_block(void)
{
    __atomic_fetch_sub(&blocks, 1, __ATOMIC_SEQ_CST);
}

void *faulty_malloc(size_t size);
void *faulty_malloc(size_t size)
{
    void *block = allow(&allocate_call) ? malloc(size) : NULL;

    __atomic_fetch_add(&blocks, block ? 1 : 0, __ATOMIC_SEQ_CST);
    return block;
}

void *faulty_calloc(size_t number, size_t size);
void *faulty_calloc(size_t number, size_t size)
{
    void *block = allow(&allocate_call) ? calloc(number, size) : NULL;

    __atomic_fetch_add(&blocks, block ? 1 : 0, __ATOMIC_SEQ_CST);
    return block;
}

char *faulty_strdup(const char *text);
char *faulty_strdup(const char *text)
{
    char *copy = allow(&allocate_call) ? strdup(text) : NULL;

    __atomic_fetch_add(&blocks, copy ? 1 : 0, __ATOMIC_SEQ_CST);
    return copy;
}

void faulty_free(void *block);
void faulty_free(void *block)
{
    __atomic_fetch_sub(&blocks, block ? 1 : 0, __ATOMIC_SEQ_CST);
    free(block);
}

void *faulty_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);
void *faulty_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    if (!allow(flags & MAP_PRIVATE ? &private_mmap_call : &mmap_call))
        return MAP_FAILED;
    return mmap(address, size, protection, flags, fd, offset);
}

int faulty_munmap(void *address, size_t size);
int faulty_munmap(void *address, size_t size)
{
    equals(munmap(address, size), 0);
    return allow(&munmap_call) ? 0 : -1;
}

int faulty_mprotect(void *address, size_t size, int protection);
int faulty_mprotect(void *address, size_t size, int protection)
{
    return allow(&mprotect_call) ? mprotect(address, size, protection) : -1;
}

int faulty_madvise(void *address, size_t size, int advice);
int faulty_madvise(void *address, size_t size, int advice)
{
    const struct call *call = advice == MADV_DONTDUMP         ? &dontdump_call
                              : advice == MADV_WIPEONFORK     ? &wipe_on_fork_call
                              : advice == MADV_POPULATE_READ  ? &populate_read_call
                              : advice == MADV_POPULATE_WRITE ? &populate_write_call
                                                              : NULL;

    check(call != NULL);
    if ((advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE) && lacks(OLD_KERNEL, EINVAL))
        return -1;
    return allow(call) ? madvise(address, size, advice) : -1;
}

/* ---- descriptors ---- */

int faulty_memfd_create(const char *name, unsigned flags);
int faulty_memfd_create(const char *name, unsigned flags)
{
    if (lacks(NO_MEMFD, ENOSYS) || (flags & MFD_NOEXEC_SEAL && lacks(OLD_KERNEL, EINVAL)))
        return -1;
    return allow(&memfd_call) ? memfd_create(name, flags) : -1;
}

int faulty_close(int fd);
int faulty_close(int fd)
{
    equals(close(fd), 0); /* closing what is not open may one day close a stranger's */
    return allow(&close_call) ? 0 : -1;
}

int faulty_fcntl(int fd, int command, ...);
int faulty_fcntl(int fd, int command, ...)
{
    const struct call *call = command == F_DUPFD_CLOEXEC ? &dup_call
                              : command == F_GETFL       ? &getfl_call
                              : command == F_ADD_SEALS   ? &add_seals_call
                              : command == F_GET_SEALS   ? &get_seals_call
                                                         : NULL;
    bool has_argument = command == F_DUPFD_CLOEXEC || command == F_ADD_SEALS;
    va_list arguments;
    int argument;

    check(call != NULL);
    va_start(arguments, command);
    argument = has_argument ? va_arg(arguments, int) : 0;
    va_end(arguments);
    return allow(call) ? fcntl(fd, command, argument) : -1;
}

int faulty_fchmod(int fd, mode_t mode);
int faulty_fchmod(int fd, mode_t mode)
{
    return allow(&fchmod_call) ? fchmod(fd, mode) : -1;
}

int faulty_fchown(int fd, uid_t user, gid_t group);
int faulty_fchown(int fd, uid_t user, gid_t group)
{
    return allow(&fchown_call) ? fchown(fd, user, group) : -1;
}

ssize_t faulty_fgetxattr(int fd, const char *name, void *value, size_t size);
ssize_t faulty_fgetxattr(int fd, const char *name, void *value, size_t size)
{
    return allow(&fgetxattr_call) ? fgetxattr(fd, name, value, size) : -1;
}

int faulty_fsetxattr(int fd, const char *name, const void *value, size_t size, int flags);
int faulty_fsetxattr(int fd, const char *name, const void *value, size_t size, int flags)
{
    return allow(&fsetxattr_call) ? fsetxattr(fd, name, value, size, flags) : -1;
}

int faulty_fremovexattr(int fd, const char *name);
int faulty_fremovexattr(int fd, const char *name)
{
    return allow(&fremovexattr_call) ? fremovexattr(fd, name) : -1;
}

int faulty_fstat(int fd, struct stat *status);
int faulty_fstat(int fd, struct stat *status)
{
    if (allow(&fstat_call))
        return fstat(fd, status);
    if (run.fault.refused <= REFUSED_MAX)
        run.fault.fds[run.fault.refused - 1] = fd;
    return -1;
}

off_t faulty_lseek(int fd, off_t offset, int whence);
off_t faulty_lseek(int fd, off_t offset, int whence)
{
    equals(whence, SEEK_HOLE);
    return allow(&lseek_call) ? lseek(fd, offset, whence) : -1;
}

int faulty_fstatfs(int fd, struct statfs *status);
int faulty_fstatfs(int fd, struct statfs *status)
{
    return allow(&fstatfs_call) ? fstatfs(fd, status) : -1;
}

int faulty_ftruncate(int fd, off_t size);
int faulty_ftruncate(int fd, off_t size)
{
    return allow(&ftruncate_call) ? ftruncate(fd, size) : -1;
}

int faulty_fallocate(int fd, int mode, off_t offset, off_t length);
int faulty_fallocate(int fd, int mode, off_t offset, off_t length)
{
    if (lacks(NO_FALLOCATE, EOPNOTSUPP))
        return -1;
    return allow(&fallocate_call) ? fallocate(fd, mode, offset, length) : -1;
}

/* How much of `length` bytes to move. */
static bool allow_some(const struct call *call, size_t *length)
{
    int error = refuse(call);

    if (error > 0) {
        errno = error;
        return false;
    }
    if (error == SHORT && *length > 0)
        *length = 1;
    else if (error == NOTHING)
        *length = 0;
    return true;
}

ssize_t faulty_read(int fd, void *bytes, size_t length);
ssize_t faulty_read(int fd, void *bytes, size_t length)
{
    return allow_some(&read_call, &length) ? read(fd, bytes, length) : -1;
}

ssize_t faulty_pread(int fd, void *bytes, size_t length, off_t offset);
ssize_t faulty_pread(int fd, void *bytes, size_t length, off_t offset)
{
    return allow_some(&pread_call, &length) ? pread(fd, bytes, length, offset) : -1;
}

ssize_t faulty_pwrite(int fd, const void *bytes, size_t length, off_t offset);
ssize_t faulty_pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
    return allow_some(&pwrite_call, &length) ? pwrite(fd, bytes, length, offset) : -1;
}

/* ---- names ---- */

int faulty_open(const char *path, int flags, ...);
int faulty_open(const char *path, int flags, ...)
{
    if (lacks_path(path))
        return -1;
    check(flags & O_CLOEXEC && !(flags & O_CREAT));
    return allow(flags & O_PATH ? &open_directory_call : &open_proc_call) ? open(path, flags) : -1;
}

int faulty_openat(int directory, const char *path, int flags, ...);
int faulty_openat(int directory, const char *path, int flags, ...)
{
    bool nameless = (flags & O_TMPFILE) == O_TMPFILE;
    bool has_mode = nameless || flags & O_CREAT;
    va_list arguments;
    mode_t mode;

    check(flags & O_CLOEXEC);
    va_start(arguments, flags);
    mode = has_mode ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    if (nameless && lacks(NO_TMPFILE, EOPNOTSUPP))
        return -1;
    if (!allow(flags & O_PATH ? &open_directory_call
               : nameless     ? &open_nameless_call
               : has_mode     ? &open_new_call
                              : &open_old_call))
        return -1;
    return openat(directory, path, flags, mode);
}

int faulty_access(const char *path, int mode);
int faulty_access(const char *path, int mode)
{
    return !lacks_path(path) && allow(&access_call) ? access(path, mode) : -1;
}

int faulty_stat(const char *path, struct stat *status);
int faulty_stat(const char *path, struct stat *status)
{
    return !lacks_path(path) && allow(&stat_call) ? stat(path, status) : -1;
}

int faulty_fstatat(int directory, const char *path, struct stat *status, int flags);
int faulty_fstatat(int directory, const char *path, struct stat *status, int flags)
{
    return allow(&fstatat_call) ? fstatat(directory, path, status, flags) : -1;
}

int faulty_linkat(int from, const char *old, int to, const char *new, int flags);
int faulty_linkat(int from, const char *old, int to, const char *new, int flags)
{
    return !lacks_path(old) && allow(&linkat_call) ? linkat(from, old, to, new, flags) : -1;
}

ssize_t faulty_readlinkat(int directory, const char *path, char *target, size_t size);
ssize_t faulty_readlinkat(int directory, const char *path, char *target, size_t size)
{
    return allow(&readlinkat_call) ? readlinkat(directory, path, target, size) : -1;
}

int faulty_renameat(int from, const char *old, int to, const char *new);
int faulty_renameat(int from, const char *old, int to, const char *new)
{
    return allow(&renameat_call) ? renameat(from, old, to, new) : -1;
}

int faulty_unlinkat(int directory, const char *path, int flags);
int faulty_unlinkat(int directory, const char *path, int flags)
{
    return allow(&unlinkat_call) ? unlinkat(directory, path, flags) : -1;
}

char *faulty_getcwd(char *text, size_t size);
char *faulty_getcwd(char *text, size_t size)
{
    return allow(&getcwd_call) ? getcwd(text, size) : NULL;
}

/* ---- the rest ---- */

ssize_t faulty_getrandom(void *bytes, size_t length, unsigned flags);
ssize_t faulty_getrandom(void *bytes, size_t length, unsigned flags)
{
    return allow(&getrandom_call) ? getrandom(bytes, length, flags) : -1;
}

int faulty_getrlimit(__rlimit_resource_t resource, struct rlimit *limit);
int faulty_getrlimit(__rlimit_resource_t resource, struct rlimit *limit)
{
    return allow(&getrlimit_call) ? getrlimit(resource, limit) : -1;
}

int faulty_kill(pid_t process, int number);
int faulty_kill(pid_t process, int number)
{
    equals(number, 0);
    return allow(&kill_call) ? kill(process, number) : -1;
}

int faulty_poll(struct pollfd *fds, nfds_t number, int timeout);
int faulty_poll(struct pollfd *fds, nfds_t number, int timeout)
{
    int error = refuse(&poll_call);

    if (error == 0)
        return poll(fds, number, timeout);
    errno = error;
    return error == NOTHING ? 0 : -1;
}

int faulty_pthread_atfork(void (*before)(void), void (*parent)(void), void (*child)(void));
int faulty_pthread_atfork(void (*before)(void), void (*parent)(void), void (*child)(void))
{
    return allow(&atfork_call) ? pthread_atfork(before, parent, child) : ENOMEM;
}

/* NULL: it cannot fail. */
static const struct call *call_of(long number, long operation)
{
    switch (number) {
    case SYS_gettid:
        return NULL;
    case SYS_pidfd_open:
        return &pidfd_call;
    case SYS_renameat2:
        return &exchange_call;
    case SYS_membarrier:
        return &membarrier_call;
#ifdef SYS_futex_time64
    case SYS_futex_time64:
#endif
#ifdef SYS_futex
    case SYS_futex:
#endif
        return (int)operation == FUTEX_WAIT ? &futex_wait_call : &futex_wake_call;
    default:
        fail("the library makes system call %ld, which call_of does not know", number);
    }
}

long faulty_syscall(long number, ...);
long faulty_syscall(long number, ...)
{
    const struct call *call;
    va_list arguments;
    long argument[6];

    va_start(arguments, number);
    for (int i = 0; i < 6; i++) /* (also those that were not given: registers, never looked at) */
        argument[i] = va_arg(arguments, long);
    va_end(arguments);
    if (number == SYS_renameat2 && lacks(NO_EXCHANGE, EINVAL))
        return -1;
    call = call_of(number, argument[1]);
    if (call && !allow(call))
        return -1;
    return syscall(number, argument[0], argument[1], argument[2], argument[3], argument[4], argument[5]);
}
