/* SPDX-License-Identifier: MIT */
/* The life of a handle: made, opened, attached, moved, closed. */
#include "share.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach.h"
#include "cancel.h"
#include "clock.h"
#include "hold.h"
#include "memory.h"
#include "owner.h"
#include "trust.h"

_Static_assert(offsetof(struct share, handle) == 0, "a handle begins with what inline functions use");

void share_refresh_handle(struct share *share)
{
    share->handle.head = &share->region.map->head;
    share->handle.bytes = region_slot(&share->region, 0);
    share->handle.stride = (size_t)share->region.header.stride;
    share->handle.capacity = (size_t)share->region.header.capacity;
    share->handle.mask = share->region.header.slots - 1;
    for (unsigned k = 0; k < share->region.header.slots; k++)
        share->handle.place[k] = (struct seqshare_place){.bytes = region_slot(&share->region, k)};
}

/* Free `share` and return `error` if it is one; otherwise the handle is the caller's, in *result. */
static int return_handle(seqshare **result, struct share *share, int error)
{
    if (error) {
        free(share->path);
        free(share);
        return error;
    }
    share_refresh_handle(share);
    *result = &share->handle;
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
    return return_handle(result, share, create_anonymous(&share->region, capacity, slots));
}

int seqshare_new(seqshare **result, size_t capacity)
{
    return seqshare_new_slots(result, capacity, 2);
}

/* ---- by name --------------------------------------------------------------------------------- */

void share_take_path(struct share *share, struct name *name)
{
    share->path = name->path;
    name->path = NULL;
}

/* Set owner and mode before the name, so that nobody finds it with others. */
static int give_owner(int fd, const struct share_request *request, const struct region *old)
{
    mode_t mode = request->flags & SEQSHARE_KEEP_MODE ? OWNER_SAME_MODE : request->mode;

    if (old)
        return owner_copy(descriptor_for_reading(&old->file), fd, mode, request->flags & SEQSHARE_LOSE_OWNER);
    return fchmod(fd, request->mode) == 0 ? 0 : -errno;
}

int share_make_file(struct share *share, const struct name *name, const struct share_request *request,
                    const struct first_value *value, const struct region *old,
                    char temporary[NAME_TEMPORARY_SIZE])
{
    int fd = name_create_file(name, old != NULL, temporary);
    int error;

    if (fd < 0)
        return fd;
    error = create_in_file(&share->region, fd, request->capacity, value);
    if (error) {
        name_discard(name, temporary);
        return error;
    }
    error = give_owner(fd, request, old);
    if (error) {
        name_discard(name, temporary);
        region_close(&share->region);
        return error;
    }
    share_refresh_handle(share);
    return 0;
}

static bool is_valid(const struct share_request *request)
{
    const struct seqshare_reading *first = request->first;

    return request->capacity > 0 && !(request->mode & ~(mode_t)0777) &&
           !(request->flags & ~(SEQSHARE_KEEP_MODE | SEQSHARE_LOSE_OWNER)) &&
           (!first || first->bytes || first->length == 0);
}

int share_new_named(seqshare **result, const char *text, const struct share_request *request,
                    share_make *make)
{
    struct share *share;
    struct name name;
    int error;

    if (!result || !text || !is_valid(request))
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
    return return_handle(result, share, error);
}

struct first_value share_first_value(const struct seqshare_reading *first, uint64_t version)
{
    struct first_value value = {
        .bytes = first->bytes, .length = first->length, .version = version, .tag = first->tag};

    value.note.published = clock_date();
    value.note.writer = (uint32_t)getpid();
    return value;
}

int share_make_first(struct share *share, struct name *name, const struct share_request *request)
{
    char temporary[NAME_TEMPORARY_SIZE];
    struct first_value value;
    int error;

    if (request->first)
        value = share_first_value(request->first, 1);
    error = share_make_file(share, name, request, request->first ? &value : NULL, NULL, temporary);
    if (error)
        return error;
    error = name_link(name, share->region.file.write_fd, temporary);
    if (error)
        region_close(&share->region);
    else
        share_take_path(share, name);
    return error;
}

int seqshare_create_with(seqshare **result, const char *text, size_t capacity, mode_t mode,
                         const struct seqshare_reading *first)
{
    const struct share_request request = {.capacity = capacity, .mode = mode, .first = first};

    return share_new_named(result, text, &request, share_make_first);
}

int seqshare_create(seqshare **result, const char *text, size_t capacity, mode_t mode)
{
    return seqshare_create_with(result, text, capacity, mode, NULL);
}

int share_open_region(struct region *region, const struct name *name, bool writable, bool any_owner)
{
    int fd = name_open_file(name, writable, any_owner);

    return fd < 0 ? fd : attach_region(region, fd, writable);
}

int share_open_at(seqshare **result, const struct name *name, int access)
{
    struct share *share = calloc(1, sizeof *share);
    int error;

    if (!share)
        return -ENOMEM;
    share->path = strdup(name->path);
    share->any_owner = access & SEQSHARE_ANY_OWNER;
    error = share->path ? share_open_region(&share->region, name, access & SEQSHARE_WRITE, share->any_owner)
                        : -ENOMEM;
    if (!error)
        hold_settle(share);
    return return_handle(result, share, error);
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
    name_close(&name);
    return error;
}

/* ---- by descriptor --------------------------------------------------------------------------- */

/* The owner of the file, or of an unsealed memfd, can truncate it under its readers, and they would crash. */
static int check_trust(int fd, int access)
{
    struct stat status;
    int seals;

    if (fstat(fd, &status) != 0)
        return -errno;
    if (access & SEQSHARE_ANY_OWNER || trust_owner(&status))
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
    error = descriptor_check_file(own);
    if (!error)
        error = check_trust(own, access);
    share = error ? NULL : calloc(1, sizeof *share);
    if (!share) {
        close(own);
        return error ? error : -ENOMEM;
    }
    error = attach_region(&share->region, own, access & SEQSHARE_WRITE);
    if (!error)
        hold_settle(share);
    return return_handle(result, share, error);
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
    fd = access & SEQSHARE_WRITE ? region->file.write_fd : region->file.read_fd;
    if (fd < 0)
        return -EOPNOTSUPP;
    if (!descriptor_is_ours(&region->file, fd))
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
    int cancellation, error;

    if (!handle)
        return -EINVAL;
    if (!region_is_writable(&share->region))
        return 0;
    cancellation = cancel_disable();
    error = hold_is_mine(share) ? -EBUSY : region_drop_write(&share->region);
    cancel_restore(cancellation);
    return error;
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
    int cancellation;

    if (!handle)
        return;
    cancellation = cancel_disable();
    hold_release_all(share);
    region_close(&share->region);
    free(share->path);
    free(share);
    cancel_restore(cancellation);
}

size_t seqshare_capacity(const seqshare *handle)
{
    return handle ? handle->capacity : 0;
}
