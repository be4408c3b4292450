/* SPDX-License-Identifier: MIT */
/*
 * Reading through the region's descriptor, for processes that must not die: protocol.h's reader steps, with
 * pread(2) in place of loads. These functions touch no mapped memory that others could cut.
 * So a file that its owner truncates is an error here, and not a SIGBUS.
 *
 * The kernel makes the loads, on this thread's processor and in the order of the calls. So the fences of the
 * protocol order them as they order loads of our own:
 *
 *   R1  the load of the sequence and an acquire fence, in place of one acquire load. Pairs with W3 and W1.
 *       Without it the kernel's loads of the slot could be older than the sequence.
 *   R2  the acquire fence before the sequence is loaded again. Pairs with W2. Without it that load could be older
 *       than those of the slot, and bytes of the next version would be accepted.
 *
 * The kernel does not promise a single load for eight bytes. A torn sequence is a mixture of two moments. So wherever
 * the code believes it, it reads the sequence twice, and both must agree: one torn read can only make an attempt fail.
 */
#include <errno.h>
#include <unistd.h>

#include "reading.h"
#include "retry.h"
#include "share.h"
#include "stat.h"

/* Read all of it. -EBADMSG: the file ends before. */
static int read_at(int fd, void *to, size_t size, uint64_t offset)
{
    while (size > 0) {
        ssize_t got = pread(fd, to, size, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : -EBADMSG;
        to = (char *)to + got;
        size -= (size_t)got;
        offset += (size_t)got;
    }
    return 0;
}

static int read_sequence(int fd, uint64_t *sequence)
{
    return read_at(fd, sequence, sizeof *sequence, offsetof(struct layout, head.sequence));
}

/* The current version; 0 only if two reads say so. -EAGAIN: they differ in that. */
static int begin(int fd, uint64_t *version)
{
    uint64_t sequence, again;
    int error = read_sequence(fd, &sequence);

    if (!error && seqshare_version_of(sequence) == 0) {
        error = read_sequence(fd, &again);
        if (!error && again != sequence)
            error = -EAGAIN;
    }
    if (error)
        return error;
    seqshare_fence_acquire(); /* [R1] */
    *version = seqshare_version_of(sequence);
    return *version == 0 ? -ENODATA : 0;
}

/* Was everything since `begin` part of `version`? 0, -EAGAIN. */
static int accept(int fd, unsigned mask, uint64_t version)
{
    seqshare_fence_acquire(); /* [R2] */
    for (int i = 0; i < 2; i++) {
        uint64_t sequence;
        int error = read_sequence(fd, &sequence);

        if (error)
            return error;
        if (sequence - 2 * version > 2 * (uint64_t)mask) /* the very test of seqshare_read_accept */
            return -EAGAIN;
    }
    return 0;
}

/* ---- the value ---- */

/* Reads a long value in pieces, so that an attempt that a writer has outrun ends soon. */
static int read_value(const struct share *share, int fd, uint64_t version, void *bytes, size_t length)
{
    const struct header *header = &share->region.header;
    const uint64_t at = header->header_size + seqshare_slot_of(version, share->handle.mask) * header->stride;
    int error = 0;

    for (size_t done = 0; !error && done < length; done += RETRY_PIECE) {
        size_t piece = length - done < RETRY_PIECE ? length - done : RETRY_PIECE;

        error = read_at(fd, (char *)bytes + done, piece, at + done);
        if (!error)
            error = accept(fd, share->handle.mask, version);
    }
    return error;
}

static int attempt(const struct share *share, int fd, struct reading_room *room,
                   struct seqshare_reading *found)
{
    const unsigned mask = share->handle.mask;
    struct layout seen;
    unsigned k;
    int error = begin(fd, &found->version);

    if (!error)
        error = read_at(fd, &seen, sizeof seen, 0);
    if (!error)
        error = accept(fd, mask, found->version);
    if (error)
        return error;
    k = seqshare_slot_of(found->version, mask);
    if (!seqshare_may_touch(&share->handle, k, seen.head.slot[k].length)) /* nor is memory allocated for it */
        return -EBADMSG;
    found->length = (size_t)seen.head.slot[k].length;
    found->tag = seen.head.slot[k].tag;
    found->published = (int64_t)seen.note[k].published;
    found->writer = (int32_t)seen.note[k].writer;
    error = reading_make_room(room, found->length);
    return error ? error : read_value(share, fd, found->version, room->bytes, found->length);
}

int seqshare_pread(const seqshare *handle, struct seqshare_reading *reading)
{
    struct seqshare_reading found = {0};
    struct retry retry = {0, 0};
    struct reading_room room;
    int fd, error;

    if (!handle || !reading)
        return -EINVAL;
    fd = descriptor_for_reading(&share_of(handle)->region.file);
    if (fd < 0)
        return share_of(handle)->region.anonymous ? seqshare_read(handle, reading) : fd;
    reading_begin(&room, reading);
    do
        error = attempt(share_of(handle), fd, &room, &found);
    while (error == -EAGAIN && retry_after_copy(handle, &retry, found.length));
    return reading_end(reading, &room, &found, error);
}

/* ---- what stands around it ---- */

/* The current version, if two reads agree. -EAGAIN: they differ. */
static int read_version(int fd, uint64_t *version)
{
    uint64_t first, second;
    int error = read_sequence(fd, &first);

    if (!error)
        error = read_sequence(fd, &second);
    if (error)
        return error;
    if (seqshare_version_of(first) != seqshare_version_of(second))
        return -EAGAIN;
    *version = seqshare_version_of(second);
    return 0;
}

int seqshare_pversion(const seqshare *handle, uint64_t *version)
{
    struct retry retry = {0, 0};
    int fd, error;

    if (!handle || !version)
        return -EINVAL;
    fd = descriptor_for_reading(&share_of(handle)->region.file);
    if (fd < 0 && !share_of(handle)->region.anonymous)
        return fd;
    if (fd < 0) {
        *version = seqshare_version(handle);
        return 0;
    }
    do
        error = read_version(fd, version);
    while (error == -EAGAIN && retry_once_more(handle, &retry));
    return error;
}

/* `seen` is all of one version, and its sequence says which; or there is none. */
static int read_layout(const struct share *share, int fd, struct layout *seen)
{
    uint64_t version = 0;
    int error = begin(fd, &version);

    if (error && error != -ENODATA)
        return error;
    error = read_at(fd, seen, sizeof *seen, 0);
    seen->head.sequence = 2 * version;
    return error || version == 0 ? error : accept(fd, share->handle.mask, version);
}

int seqshare_pstat(const seqshare *handle, struct seqshare_stat *result)
{
    struct retry retry = {0, 0};
    struct layout seen;
    int fd, error;

    if (!handle || !result)
        return -EINVAL;
    fd = descriptor_for_reading(&share_of(handle)->region.file);
    if (fd < 0)
        return share_of(handle)->region.anonymous ? seqshare_stat(handle, result) : fd;
    do
        error = read_layout(share_of(handle), fd, &seen);
    while (error == -EAGAIN && retry_once_more(handle, &retry));
    return error ? error : stat_from(share_of(handle), &seen, result);
}
