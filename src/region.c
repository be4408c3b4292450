/* SPDX-License-Identifier: MIT */
#include "region.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "identity.h"
#include "memory.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

/* In linux/magic.h only of late, or never. */
#define CIFS_MAGIC UINT32_C(0xff534d42)
#define SMB2_MAGIC UINT32_C(0xfe534d42)
#define SMB1_MAGIC UINT32_C(0x517b)
#define FUSE_MAGIC UINT32_C(0x65735546)

static void reset(struct region *region)
{
    memset(region, 0, sizeof *region);
    region->write_fd = region->read_fd = -1;
}

unsigned char *region_slot(const struct region *region, unsigned slot)
{
    return (unsigned char *)region->map + region->header.header_size + slot * (size_t)region->header.stride;
}

/* ---- descriptors ----------------------------------------------------------------------------- */

static int remember_file(struct region *region, int fd)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        return -errno;
    region->device = status.st_dev;
    region->inode = status.st_ino;
    return 0;
}

bool region_owns(const struct region *region, int fd)
{
    struct stat status;

    return fd >= 0 && fstat(fd, &status) == 0 && status.st_dev == region->device &&
           status.st_ino == region->inode;
}

int region_descriptor(const struct region *region)
{
    /* The read-only one first: drop_write in another thread leaves it alone. */
    int fd = region->read_fd >= 0 ? region->read_fd : region->write_fd;

    if (fd < 0)
        return -EOPNOTSUPP;
    return region_owns(region, fd) ? fd : -EBADF;
}

/* There is no such thing here, or this process may not have it. Any other error (no descriptors, say) says nothing. */
static bool is_absent(int error)
{
    return error == ENOENT || error == ENOTDIR || error == EACCES || error == EPERM || error == ELOOP ||
           error == ENXIO || error == ESRCH;
}

/*
 * A read-only descriptor of the same file, for drop_write and to hand out, in *read_fd. Opened now, with the
 * writable one: later, after setuid, it might be refused. -1: without /proc there is none. Where that cannot be
 * told it is an error: a share that has none for good, because of one bad moment?
 */
static int open_read_only(const struct region *region, int fd, int *read_fd)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/thread-self/fd/%d", fd);
    *read_fd = region_keep_apart(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (*read_fd < 0)
        return is_absent(errno) ? 0 : -errno;
    if (!region_owns(region, *read_fd)) {
        close(*read_fd);
        *read_fd = -1;
    }
    return 0;
}

int region_keep_apart(int fd)
{
    int apart, error;

    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    apart = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    error = errno;
    close(fd);
    errno = error;
    return apart;
}

static void close_ours(const struct region *region, int *fd)
{
    if (region_owns(region, *fd))
        close(*fd);
    *fd = -1;
}

/* ---- mapping --------------------------------------------------------------------------------- */

/* A core dump reads what it dumps, and reading a hole allocates it: one crashed worker, the whole capacity. */
static void exclude_from_dumps(const struct region *region)
{
    size_t page = page_size();
    size_t from = (region->header.header_size + page - 1) / page * page;

    if (from < region->size)
        madvise((char *)region->map + from, region->size - from, MADV_DONTDUMP);
}

static int map(struct region *region, int fd)
{
    int protection = region->writable ? PROT_READ | PROT_WRITE : PROT_READ;
    int flags = fd >= 0 ? MAP_SHARED : MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE;
    void *address = mmap(NULL, region->size, protection, flags, fd, 0);

    if (address == MAP_FAILED)
        return -errno;
    region->map = address;
    exclude_from_dumps(region);
    return 0;
}

void region_close(struct region *region)
{
    if (region->map)
        munmap(region->map, region->size);
    close_ours(region, &region->write_fd);
    close_ours(region, &region->read_fd);
    reset(region);
}

/* What was begun with `fd` came to nothing. */
static int give_up(struct region *region, int fd, int error)
{
    if (region->map)
        munmap(region->map, region->size);
    close(fd);
    reset(region);
    return error;
}

/* ---- making ---------------------------------------------------------------------------------- */

/* Header of a new region, and the size of the whole. */
static int describe(struct region *region, size_t capacity, unsigned slots)
{
    struct header *header = &region->header;
    struct world world;
    struct timespec now;
    size_t stride, size;
    int error;

    if (capacity == 0 || (slots != 2 && slots != 4 && slots != SEQSHARE_SLOTS_MAX))
        return -EINVAL;
    if (__builtin_add_overflow(capacity, LAYOUT_LINE - 1, &stride))
        return -ENOMEM;
    /* A slot that can fill pages starts one: else its first and last would be the neighbours' as well. */
    stride -= stride % LAYOUT_LINE;
    if (stride > LAYOUT_PAGE &&
        __builtin_add_overflow(stride, (LAYOUT_PAGE - stride % LAYOUT_PAGE) % LAYOUT_PAGE, &stride))
        return -ENOMEM;
    if (__builtin_mul_overflow(stride, slots, &size) ||
        __builtin_add_overflow(size, LAYOUT_HEADER_SIZE, &size) || size > PTRDIFF_MAX)
        return -ENOMEM;
    if (getrandom(header->region_id, sizeof header->region_id, 0) != sizeof header->region_id)
        return -EIO;
    error = world_get(&world);
    if (error)
        return error; /* a header that says `not known` for good, because of one bad moment? */
    clock_gettime(CLOCK_REALTIME, &now);
    memcpy(header->magic, LAYOUT_MAGIC, sizeof header->magic);
    header->layout = LAYOUT_VERSION;
    header->readable_by = LAYOUT_READABLE_BY;
    header->byte_order = LAYOUT_BYTE_ORDER;
    header->header_size = LAYOUT_HEADER_SIZE;
    header->capacity = capacity;
    header->stride = stride;
    header->slots = slots;
    header->created = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    memcpy(header->boot_id, world.boot_id, sizeof header->boot_id);
    header->pid_namespace = world.pid_namespace;
    header->time_namespace = world.time_namespace;
    region->size = size;
    return 0;
}

static int write_all(int fd, const void *bytes, size_t length, off_t offset)
{
    while (length > 0) {
        ssize_t wrote = pwrite(fd, bytes, length, offset);

        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return wrote < 0 ? -errno : -ENOSPC;
        bytes = (const char *)bytes + wrote;
        length -= (size_t)wrote;
        offset += wrote;
    }
    return 0;
}

/* Written, not stored through the mapping: a full file system then says ENOSPC and sends no SIGBUS. */
static int write_contents(const struct region *region, int fd, const struct first_value *value)
{
    union {
        struct layout layout;
        unsigned char bytes[LAYOUT_HEADER_SIZE];
    } start;
    unsigned slot = value ? seqshare_slot_of(value->version, region->header.slots - 1) : 0;

    memset(&start, 0, sizeof start);
    start.layout.header = region->header;
    if (value && value->version > 0) {
        off_t offset = (off_t)(region->header.header_size + slot * region->header.stride);
        int error = write_all(fd, value->bytes, value->length, offset);

        if (error)
            return error;
        start.layout.head.sequence = 2 * value->version;
        start.layout.head.slot[slot].length = value->length;
        start.layout.head.slot[slot].tag = value->tag;
        start.layout.note[slot] = value->note;
    }
    return write_all(fd, &start, sizeof start, 0);
}

static bool exceeds_file_limit(size_t size)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && size > limit.rlim_cur;
}

/* `region` has its header and size, and fd among its own. */
static int make_in(struct region *region, int fd, const struct first_value *value)
{
    int error = remember_file(region, fd);

    region->writable = true;
    if (!error)
        error = region_check_file(fd);
    if (!error)
        error = map(region, fd); /* first, while the file is empty: is there address space at all? */
    if (!error && exceeds_file_limit(region->size))
        error = -EFBIG; /* asked and not tried: SIGXFSZ would kill */
    if (!error && ftruncate(fd, (off_t)region->size) != 0)
        error = -errno;
    return error ? error : write_contents(region, fd, value);
}

int region_make_in_file(struct region *region, int fd, size_t capacity, const struct first_value *value)
{
    int error;

    reset(region);
    region->write_fd = fd;
    error = describe(region, capacity, 2);
    if (!error)
        error = make_in(region, fd, value);
    if (!error)
        error = open_read_only(region, fd, &region->read_fd);
    return error ? give_up(region, fd, error) : 0;
}

static int open_memfd(void)
{
    int fd = memfd_create("seqshare", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

    if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
        fd = memfd_create("seqshare", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return region_keep_apart(fd);
}

/* No memfd here (old kernel, seccomp): memory that fork inherits, and no descriptor. */
static int make_without_file(struct region *region)
{
    int error;

    region->writable = true;
    error = map(region, -1);
    if (!error)
        region->map->header = region->header;
    return error;
}

int region_make_anonymous(struct region *region, size_t capacity, unsigned slots)
{
    int fd, error;

    reset(region);
    error = describe(region, capacity, slots);
    if (error)
        return error;
    region->anonymous = true;
    fd = open_memfd();
    if (fd < 0)
        return errno == ENOSYS || errno == EPERM || errno == EACCES ? make_without_file(region) : -errno;
    region->write_fd = fd;
    error = make_in(region, fd, NULL);
    if (!error && fchmod(fd, 0600) != 0) /* born 0777: a read-only descriptor could be reopened for writing */
        error = -errno;
    if (!error && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        error = -errno;
    if (!error)
        error = open_read_only(region, fd, &region->read_fd);
    return error ? give_up(region, fd, error) : 0;
}

/* ---- attaching ------------------------------------------------------------------------------- */

int region_check_file(int fd)
{
    struct stat status;
    struct statfs system;

    if (fstat(fd, &status) != 0)
        return -errno;
    if (!S_ISREG(status.st_mode))
        return -EBADMSG;
    if (fstatfs(fd, &system) != 0)
        return -errno;
    switch ((uint32_t)system.f_type) {
    case NFS_SUPER_MAGIC:
    case CIFS_MAGIC:
    case SMB2_MAGIC:
    case SMB1_MAGIC:
    case V9FS_MAGIC:
    case FUSE_MAGIC:
    case HUGETLBFS_MAGIC:
        return -EOPNOTSUPP; /* shared mappings there are not one memory, or cannot be allocated in pages */
    default:
        return 0;
    }
}

/* Every field that safety rests on. `header` is a private copy. */
static int validate(const struct header *header, bool writable, uint64_t file_size, size_t *size)
{
    uint64_t bytes;

    if (memcmp(header->magic, LAYOUT_MAGIC, sizeof header->magic) != 0 ||
        header->byte_order != LAYOUT_BYTE_ORDER)
        return -EBADMSG;
    if (header->readable_by > LAYOUT_VERSION || (writable && header->layout > LAYOUT_VERSION))
        return -EPROTONOSUPPORT;
    if (header->layout < 1 || header->readable_by < 1 || header->readable_by > header->layout)
        return -EBADMSG;
    if (header->header_size < LAYOUT_HEADER_SIZE || header->header_size > LAYOUT_HEADER_MAX ||
        header->header_size % LAYOUT_LINE != 0)
        return -EBADMSG;
    if (header->slots != 2 && header->slots != 4 && header->slots != SEQSHARE_SLOTS_MAX)
        return -EBADMSG;
    if (header->capacity == 0 || header->stride < header->capacity || header->stride % LAYOUT_LINE != 0)
        return -EBADMSG;
    if (__builtin_mul_overflow(header->stride, header->slots, &bytes) ||
        __builtin_add_overflow(bytes, header->header_size, &bytes) || bytes > file_size)
        return -EBADMSG;
    if (bytes > PTRDIFF_MAX)
        return -ENOMEM; /* 64-bit programs can have it */
    *size = (size_t)bytes;
    return 0;
}

/* With who has the lock, for that must not be looked up in mapped memory: the file may be cut at any moment. */
static int read_header(struct region *region, int fd)
{
    struct layout start;
    ssize_t got;

    memset(&start, 0, sizeof start);
    do
        got = pread(fd, &start, sizeof start, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return -errno;
    region->header = start.header;
    region->owner_word = start.lock.owner;
    return got >= (ssize_t)sizeof start.header ? 0 : -EBADMSG;
}

static int check_mode(int fd, bool writable)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || flags & O_PATH)
        return -EBADF;
    if ((flags & O_ACCMODE) == O_WRONLY || (writable && (flags & O_ACCMODE) != O_RDWR))
        return -EACCES;
    return flags & O_ACCMODE;
}

/*
 * A reader must not be able to do more: a mapping of a writable descriptor could be made writable again. So *fd
 * becomes a read-only one. Without /proc there is no other.
 */
static int prefer_read_only(struct region *region, int *fd, int mode)
{
    int read_fd, error;

    if (region->writable || mode == O_RDONLY)
        return 0;
    error = open_read_only(region, *fd, &read_fd);
    if (error || read_fd < 0)
        return error;
    close(*fd);
    *fd = read_fd;
    return 0;
}

/* Header and mapping of a file that has been looked at. */
static int read_and_map(struct region *region, int fd)
{
    struct stat status;
    int error = read_header(region, fd);

    if (error)
        return error;
    if (fstat(fd, &status) != 0)
        return -errno;
    error = validate(&region->header, region->writable, (uint64_t)status.st_size, &region->size);
    return error ? error : map(region, fd);
}

/* A memfd may be sealed against writing, whatever its mode and this descriptor say. */
static int check_seals(const struct region *region, int fd, int *seals)
{
    *seals = fcntl(fd, F_GET_SEALS);
    return region->writable && *seals > 0 && *seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE) ? -EACCES : 0;
}

int region_attach(struct region *region, int fd, bool writable)
{
    int mode, seals = -1, error;

    reset(region);
    region->writable = writable;
    mode = check_mode(fd, writable);
    error = mode < 0 ? mode : region_check_file(fd);
    if (!error)
        error = remember_file(region, fd);
    if (!error)
        error = check_seals(region, fd, &seals);
    if (!error)
        error = prefer_read_only(region, &fd, mode);
    if (!error)
        error = read_and_map(region, fd);
    if (!error && writable)
        error = open_read_only(region, fd, &region->read_fd);
    if (error)
        return give_up(region, fd, error);
    region->anonymous = seals > 0 && seals & F_SEAL_SHRINK;
    if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
        region->read_fd = fd;
    else
        region->write_fd = fd; /* for want of a read-only one, also of a reader: to ask what the file holds */
    return 0;
}

/* ---- giving up write access ----------------------------------------------------------------- */

/* Another thread may be about to store into the wake-up word;
 * one that was when this process was forked is not ours. */
static bool someone_registers(const struct region *region)
{
    uint64_t now = __atomic_load_n(&region->registering, __ATOMIC_SEQ_CST); /* see region_enter_wake */

    return now >> 32 == (identity_generation() & UINT32_MAX) && (uint32_t)now != 0;
}

uint32_t *region_enter_wake(struct region *region)
{
    uint64_t ours = identity_generation() << 32;
    uint64_t now = __atomic_load_n(&region->registering, __ATOMIC_RELAXED), next;

    /* seq_cst, here and in drop_write, on two words: whichever is second sees the first. Weaker, we might
     * store into a mapping that has just become read-only. */
    do
        next = (now & ~(uint64_t)UINT32_MAX) == ours ? now + 1 : ours + 1;
    while (!__atomic_compare_exchange_n(&region->registering, &now, next, true, __ATOMIC_SEQ_CST,
                                        __ATOMIC_RELAXED));
    return __atomic_load_n(&region->writable, __ATOMIC_SEQ_CST) ? &region->map->wake : NULL;
}

void region_leave_wake(struct region *region)
{
    __atomic_fetch_sub(&region->registering, 1, __ATOMIC_SEQ_CST); /* after the store into the word */
}

static int map_read_only(struct region *region)
{
    if (region->read_fd < 0) /* no file, or no /proc: weaker, for this process could undo it */
        return mprotect(region->map, region->size, PROT_READ) == 0 ? 0 : -errno;
    if (!region_owns(region, region->read_fd))
        return -EBADF;
    /* Over the old mapping, in one step: other threads may be reading. */
    if (mmap(region->map, region->size, PROT_READ, MAP_SHARED | MAP_FIXED, region->read_fd, 0) == MAP_FAILED)
        return -errno;
    exclude_from_dumps(region);
    return 0;
}

int region_drop_write(struct region *region)
{
    int error;

    __atomic_store_n(&region->writable, false, __ATOMIC_SEQ_CST); /* pairs with region_enter_wake */
    while (someone_registers(region))
        sched_yield();
    error = map_read_only(region);
    if (error)
        __atomic_store_n(&region->writable, true, __ATOMIC_RELAXED); /* nothing has changed */
    else
        close_ours(region, &region->write_fd);
    return error;
}

uint32_t region_retire(struct region *region, uint32_t marks)
{
    /* Release: pairs with the acquire in seqshare_retired and wait: who sees the mark finds the new region,
     * or none. */
    return __atomic_fetch_or(&region->map->head.retired, marks, __ATOMIC_RELEASE);
}

void region_retire_by_writing(const struct region *region, uint32_t marks)
{
    const off_t at = (off_t)offsetof(struct layout, head.retired);
    const int fd = region->write_fd;
    uint32_t word;

    if (region_owns(region, fd) && !exceeds_file_limit((size_t)at + sizeof word) &&
        pread(fd, &word, sizeof word, at) == sizeof word) {
        word |= marks;
        (void)!pwrite(fd, &word, sizeof word, at); /* else nobody is told: they ask the name */
    }
}

void region_unmark(struct region *region, uint32_t marks)
{
    /* Release: who no longer sees the bit sees the mark that was set before it went. */
    __atomic_fetch_and(&region->map->head.retired, ~marks, __ATOMIC_RELEASE);
}
