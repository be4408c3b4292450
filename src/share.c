/* SPDX-License-Identifier: MIT */
/* The life of a handle: made, opened, attached, moved, closed. */
#include "share.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "memory.h"
#include "owner.h"
#include "wait.h"

_Static_assert(offsetof(struct share, hot) == 0, "a handle begins with what inline functions use");

/* Let the inline functions look at the region. */
static void aim(struct share *share)
{
    share->hot.head = &share->region.map->head;
    share->hot.bytes = region_slot(&share->region, 0);
    share->hot.stride = (size_t)share->region.header.stride;
    share->hot.capacity = (size_t)share->region.header.capacity;
    share->hot.mask = share->region.header.slots - 1;
}

/* Free `share` and return `error` if it is one; else the handle is the caller's, in *result. */
static int hand_over(seqshare **result, struct share *share, int error)
{
    if (error) {
        free(share->path);
        free(share);
        return error;
    }
    aim(share);
    *result = &share->hot;
    return 0;
}

static bool is_access(int access)
{
    return !(access & ~(SEQSHARE_READ | SEQSHARE_WRITE | SEQSHARE_ANY_OWNER)) &&
           access & (SEQSHARE_READ | SEQSHARE_WRITE);
}

int seqshare_new_slots(seqshare **result, size_t capacity, unsigned slots)
{
    struct share *share;

    if (!result)
        return -EINVAL;
    share = calloc(1, sizeof *share);
    if (!share)
        return -ENOMEM;
    return hand_over(result, share, region_make_anonymous(&share->region, capacity, slots));
}

int seqshare_new(seqshare **result, size_t capacity)
{
    return seqshare_new_slots(result, capacity, 2);
}

/* ---- by name --------------------------------------------------------------------------------- */

/* The handle takes the path from `name`, which keeps its directory. */
static void take_path(struct share *share, struct name *name)
{
    share->path = name->path;
    name->path = NULL;
}

/*
 * In the place of another. Should the name have gone elsewhere meanwhile, ours had it for an instant, and who
 * opened it then must not publish there: that would be lost. So it is locked, and marked before others go on.
 */
static int give_place(struct share *share, const struct name *name, char temporary[NAME_TEMPORARY_SIZE],
                      const struct region *old)
{
    struct region *region = &share->region;
    int error = share_begin(share);
    bool locked = !error;

    if (error && error != -EOPNOTSUPP) { /* nobody here may write, then */
        name_discard(name, temporary);
        return error;
    }
    error = name_replace(name, temporary, old->device, old->inode);
    if (error && !name_is(name, region->device, region->inode))
        region_retire(region, SEQSHARE_REPLACED);
    if (locked)
        share_end(share);
    if (error)
        wake_everybody(&region->map->wake);
    return error;
}

/* The last step: the name. */
static int give_name(struct share *share, const struct name *name, char temporary[NAME_TEMPORARY_SIZE],
                     const struct region *old)
{
    return old ? give_place(share, name, temporary, old) : name_link(name, share->region.write_fd, temporary);
}

/* Whose it is, and its mode: before the name, so that nobody finds it otherwise. */
static int give_owner(int fd, const struct request *request, const struct region *old)
{
    mode_t mode = request->flags & SEQSHARE_KEEP_MODE ? OWNER_SAME_MODE : request->mode;

    if (old)
        return owner_copy(region_descriptor(old), fd, mode, request->flags & SEQSHARE_LOSE_OWNER);
    return fchmod(fd, request->mode) == 0 ? 0 : -errno;
}

int share_make_named(struct share *share, struct name *name, const struct request *request,
                     const struct first_value *value, const struct region *old)
{
    char temporary[NAME_TEMPORARY_SIZE];
    int fd = name_create_file(name, old != NULL, temporary);
    int error;

    if (fd < 0)
        return fd;
    error = region_make_in_file(&share->region, fd, request->capacity, value);
    if (error) {
        name_discard(name, temporary);
        return error;
    }
    error = give_owner(fd, request, old);
    if (error) {
        name_discard(name, temporary);
    } else {
        error = give_name(share, name, temporary, old);
    }
    if (error)
        region_close(&share->region);
    else
        take_path(share, name);
    return error;
}

static bool makes_sense(const struct request *request)
{
    const struct seqshare_reading *first = request->first;

    return request->capacity > 0 && !(request->mode & ~(mode_t)0777) &&
           !(request->flags & ~(SEQSHARE_KEEP_MODE | SEQSHARE_LOSE_OWNER)) &&
           (!first || first->bytes || first->length == 0);
}

int share_new_named(seqshare **result, const char *text, const struct request *request, share_make *make)
{
    struct share *share;
    struct name name;
    int error;

    if (!result || !text || !makes_sense(request))
        return -EINVAL;
    if (request->first && request->first->length > request->capacity)
        return -EMSGSIZE;
    share = calloc(1, sizeof *share);
    if (!share)
        return -ENOMEM;
    error = name_open(&name, text);
    if (!error) {
        error = make(share, &name, request);
        name_close(&name);
    }
    return hand_over(result, share, error);
}

struct first_value share_first_value(const struct seqshare_reading *first, uint64_t version)
{
    struct first_value value = {
        .bytes = first->bytes, .length = first->length, .version = version, .tag = first->tag};
    struct timespec now;

    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    value.note.published = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    value.note.writer = (uint32_t)getpid();
    return value;
}

int share_make_first(struct share *share, struct name *name, const struct request *request)
{
    struct first_value value;

    if (request->first)
        value = share_first_value(request->first, 1);
    return share_make_named(share, name, request, request->first ? &value : NULL, NULL);
}

int seqshare_create_with(seqshare **result, const char *text, size_t capacity, mode_t mode,
                         const struct seqshare_reading *first)
{
    const struct request request = {.capacity = capacity, .mode = mode, .first = first};

    return share_new_named(result, text, &request, share_make_first);
}

int seqshare_create(seqshare **result, const char *text, size_t capacity, mode_t mode)
{
    return seqshare_create_with(result, text, capacity, mode, NULL);
}

static int open_region(struct region *region, const struct name *name, bool writable, bool any_owner)
{
    int fd = name_open_file(name, writable, any_owner);

    return fd < 0 ? fd : region_attach(region, fd, writable);
}

int share_open_at(seqshare **result, const struct name *name, int access)
{
    struct share *share = calloc(1, sizeof *share);
    int error;

    if (!share)
        return -ENOMEM;
    error = open_region(&share->region, name, access & SEQSHARE_WRITE, access & SEQSHARE_ANY_OWNER);
    share->any_owner = access & SEQSHARE_ANY_OWNER;
    return hand_over(result, share, error);
}

int seqshare_open(seqshare **result, const char *text, int access)
{
    struct name name;
    int error;

    if (!result || !text || !is_access(access))
        return -EINVAL;
    error = name_open(&name, text);
    if (error)
        return error;
    error = share_open_at(result, &name, access);
    if (!error)
        take_path(share_of(*result), &name);
    name_close(&name);
    return error;
}

/* By the file too: a copy of a region's file has its id. */
static bool is_same(const struct region *one, const struct region *other)
{
    return memcmp(one->header.region_id, other->header.region_id, sizeof one->header.region_id) == 0 &&
           one->device == other->device && one->inode == other->inode;
}

int seqshare_reopen(seqshare *handle)
{
    struct share *share = share_of(handle);
    struct region found;
    struct name name;
    int error;

    if (!handle || !share->path)
        return -EINVAL;
    if (region_is_writable(&share->region) && share_is_locked_by_me(share))
        return -EBUSY;
    error = name_open(&name, share->path);
    if (error)
        return error;
    error = open_region(&found, &name, region_is_writable(&share->region), share->any_owner);
    name_close(&name);
    if (error)
        return error;
    if (is_same(&found, &share->region)) {
        region_close(&found);
        return 0;
    }
    region_close(&share->region);
    share->region = found;
    share->our_world = share->locked_by = share->writing = share->filling = 0;
    aim(share);
    return 1;
}

/* These say nothing of the file. What is no share, or not
 * ours to write, is removed all the same, and not told. */
static bool says_nothing(int error)
{
    return error == -EMFILE || error == -ENFILE || error == -EIO || error == -EINTR;
}

static int unlink_name(const struct name *name)
{
    struct region region;
    struct stat status;
    int error = open_region(&region, name, true, false); /* a stranger could truncate it while we mark it */
    bool known = !error;

    if (error == -ENOENT || says_nothing(error))
        return error;
    error = unlinkat(name->directory, name->base, 0) == 0 ? 0 : -errno;
    if (!known)
        return error;
    /* Only if it was this file that lost its name: another may have had it by then. */
    if (!error && fstat(region.write_fd, &status) == 0 && status.st_nlink == 0)
        region_retire(&region, SEQSHARE_UNLINKED);
    region_close(&region);
    return error;
}

int seqshare_unlink(const char *text)
{
    struct name name;
    int error;

    if (!text)
        return -EINVAL;
    error = name_open(&name, text);
    if (error)
        return error;
    error = unlink_name(&name);
    name_close(&name);
    return error;
}

/* ---- by descriptor --------------------------------------------------------------------------- */

/* Whoever owns the file, or an unsealed memfd, can truncate it under its readers, and they would crash. */
static int check_trust(int fd, int access)
{
    struct stat status;
    int seals;

    if (fstat(fd, &status) != 0)
        return -errno;
    if (access & SEQSHARE_ANY_OWNER || name_owner_is_trusted(&status))
        return 0;
    seals = fcntl(fd, F_GET_SEALS);
    return seals >= 0 && seals & F_SEAL_SHRINK ? 0 : -EPERM;
}

int seqshare_attach(seqshare **result, int fd, int access)
{
    struct share *share;
    int own, error;

    if (!result || !is_access(access))
        return -EINVAL;
    own = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (own < 0)
        return -errno;
    error = region_check_file(own);
    if (!error)
        error = check_trust(own, access);
    share = error ? NULL : calloc(1, sizeof *share);
    if (!share) {
        close(own);
        return error ? error : -ENOMEM;
    }
    return hand_over(result, share, region_attach(&share->region, own, access & SEQSHARE_WRITE));
}

int seqshare_fd(const seqshare *handle, int access)
{
    const struct region *region;
    int fd;

    if (!handle || !is_access(access))
        return -EINVAL;
    region = &share_of(handle)->region;
    if (access & SEQSHARE_WRITE && !region_is_writable(region))
        return -EROFS;
    fd = access & SEQSHARE_WRITE ? region->write_fd : region->read_fd;
    if (fd < 0)
        return -EOPNOTSUPP;
    if (!region_owns(region, fd))
        return -EBADF;
    fd = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    return fd < 0 ? -errno : fd;
}

int seqshare_reader(seqshare **reader, const seqshare *share)
{
    int fd, error;

    if (!reader)
        return -EINVAL;
    fd = seqshare_fd(share, SEQSHARE_READ);
    if (fd < 0)
        return fd;
    error = seqshare_attach(reader, fd, SEQSHARE_READ | SEQSHARE_ANY_OWNER); /* trusted when it was opened */
    close(fd);
    return error;
}

/* ---- the rest of life ------------------------------------------------------------------------ */

int seqshare_drop_write(seqshare *handle)
{
    struct share *share = share_of(handle);

    if (!handle)
        return -EINVAL;
    if (!region_is_writable(&share->region))
        return 0;
    if (share_is_locked_by_me(share))
        return -EBUSY;
    return region_drop_write(&share->region);
}

int seqshare_prefault(const seqshare *handle)
{
    seqshare_view view = {NULL, 0, 0};

    if (!handle)
        return -EINVAL;
    seqshare_peek(handle, &view); /* nothing to see: the header alone */
    return memory_prefault(&share_of(handle)->region, seqshare_slot_of(view.version, handle->mask),
                           view.length);
}

void seqshare_close(seqshare *handle)
{
    struct share *share = share_of(handle);

    if (!handle)
        return;
    share_let_go(share);
    region_close(&share->region);
    free(share->path);
    free(share);
}

size_t seqshare_capacity(const seqshare *handle)
{
    return handle ? handle->capacity : 0;
}
