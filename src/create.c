/* SPDX-License-Identifier: MIT */
/* Makes a region: its file, its header, and its first value. */
#include "create.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "identity.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

/* Header of a new region, and the size of the whole. */
static int fill_header(struct region *region, size_t capacity, unsigned slots)
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
    /* A slot that can fill pages starts on one: otherwise it would share its first and last page with neighbours. */
    stride -= stride % LAYOUT_LINE;
    if (stride > LAYOUT_PAGE &&
        __builtin_add_overflow(stride, (LAYOUT_PAGE - stride % LAYOUT_PAGE) % LAYOUT_PAGE, &stride))
        return -ENOMEM;
    if (__builtin_mul_overflow(stride, slots, &size) ||
        __builtin_add_overflow(size, LAYOUT_HEADER_SIZE, &size) || size > PTRDIFF_MAX)
        return -ENOMEM;
    if (getrandom(header->region_id, sizeof header->region_id, 0) != sizeof header->region_id)
        return -EIO;
    error = identity_get_world(&world);
    if (error)
        return error; /* one bad moment must not leave a header that says `not known` for good */
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

/* Written, not stored through the mapping: on a full file system that is ENOSPC and not SIGBUS. */
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

/* `region` has its header and size, and fd among its own. */
static int make_in_descriptor(struct region *region, int fd, const struct first_value *value)
{
    int error = descriptor_identify(&region->file, fd);

    region->writable = true;
    if (!error)
        error = descriptor_check_file(fd);
    if (!error)
        error = region_map(region, fd); /* first, while the file is empty: is there enough address space? */
    if (!error && descriptor_exceeds_limit(region->size))
        error = -EFBIG; /* we ask and do not try: SIGXFSZ would kill */
    if (!error && ftruncate(fd, (off_t)region->size) != 0)
        error = -errno;
    return error ? error : write_contents(region, fd, value);
}

int create_in_file(struct region *region, int fd, size_t capacity, const struct first_value *value)
{
    int error;

    region_clear(region);
    region->file.write_fd = fd;
    error = fill_header(region, capacity, 2);
    if (!error)
        error = make_in_descriptor(region, fd, value);
    if (!error)
        error = descriptor_open_read_only(&region->file, fd, &region->file.read_fd);
    return error ? region_give_up(region, fd, error) : 0;
}

static int open_memfd(void)
{
    int fd = memfd_create("seqshare", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

    if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
        fd = memfd_create("seqshare", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return descriptor_keep_apart(fd);
}

/* No memfd here (old kernel, seccomp): memory that fork inherits, without a descriptor. */
static int make_without_file(struct region *region)
{
    int error;

    region->writable = true;
    error = region_map(region, -1);
    if (!error)
        region->map->header = region->header;
    return error;
}

int create_anonymous(struct region *region, size_t capacity, unsigned slots)
{
    int fd, error;

    region_clear(region);
    error = fill_header(region, capacity, slots);
    if (error)
        return error;
    region->anonymous = true;
    fd = open_memfd();
    if (fd < 0)
        return errno == ENOSYS || errno == EPERM || errno == EACCES ? make_without_file(region) : -errno;
    region->file.write_fd = fd;
    error = make_in_descriptor(region, fd, NULL);
    if (!error && fchmod(fd, 0600) != 0) /* it has 0777: a read-only one could be reopened for writing */
        error = -errno;
    if (!error && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        error = -errno;
    if (!error)
        error = descriptor_open_read_only(&region->file, fd, &region->file.read_fd);
    return error ? region_give_up(region, fd, error) : 0;
}
