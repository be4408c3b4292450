/* SPDX-License-Identifier: MIT */
/* Maps a region that is there already, after it has checked every field that safety depends on. */
#include "attach.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

/* Check every field that safety depends on. `header` is a private copy. */
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

/* Reads the lock's owner as well, because mapped memory is not safe: the file may be cut at any moment. */
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
 * A reader must not be able to write: a mapping of a writable descriptor could be made writable again. So *fd becomes a
 * read-only one. Without /proc there is no other.
 */
static int prefer_read_only(struct region *region, int *fd, int mode)
{
    int read_fd, error;

    if (region->writable || mode == O_RDONLY)
        return 0;
    error = descriptor_open_read_only(&region->file, *fd, &read_fd);
    if (error || read_fd < 0)
        return error;
    close(*fd);
    *fd = read_fd;
    return 0;
}

/* Header and mapping of a file that was checked. */
static int read_and_map(struct region *region, int fd)
{
    struct stat status;
    int error = read_header(region, fd);

    if (error)
        return error;
    if (fstat(fd, &status) != 0)
        return -errno;
    error = validate(&region->header, region->writable, (uint64_t)status.st_size, &region->size);
    return error ? error : region_map(region, fd);
}

/* A memfd may be sealed against writing, whatever its mode and this descriptor allow. */
static int check_seals(const struct region *region, int fd, int *seals)
{
    *seals = fcntl(fd, F_GET_SEALS);
    return region->writable && *seals > 0 && *seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE) ? -EACCES : 0;
}

int attach_region(struct region *region, int fd, bool writable)
{
    int mode, seals = -1, error;

    region_clear(region);
    region->writable = writable;
    mode = check_mode(fd, writable);
    error = mode < 0 ? mode : descriptor_check_file(fd);
    if (!error)
        error = descriptor_identify(&region->file, fd);
    if (!error)
        error = check_seals(region, fd, &seals);
    if (!error)
        error = prefer_read_only(region, &fd, mode);
    if (!error)
        error = read_and_map(region, fd);
    if (!error && writable)
        error = descriptor_open_read_only(&region->file, fd, &region->file.read_fd);
    if (error)
        return region_give_up(region, fd, error);
    region->anonymous = seals > 0 && seals & F_SEAL_SHRINK;
    if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
        region->file.read_fd = fd;
    else
        region->file.write_fd =
            fd; /* if there is no read-only one, for a reader too: to ask what the file holds */
    return 0;
}
