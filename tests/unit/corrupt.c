/* SPDX-License-Identifier: MIT */
/*
 * Files that were shares once: cut off, of a newer layout, or with any byte of the header changed.
 *
 * Shows: NAME-4.
 */
#include "support.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "layout.h"

TestSuite(corrupt, .timeout = 120);

enum { CAPACITY = 100, SIZE = LAYOUT_HEADER_SIZE + 2 * LAYOUT_LINE };

/* A good file's bytes, read back after two sets. */
static unsigned char good[SIZE];
static const char *path;

static void prepare(void)
{
    seqshare *share = NULL;
    struct stat stat;
    int fd;

    path = format("%s/share", temp_directory("/dev/shm"));
    equals(seqshare_create(&share, path, CAPACITY, 0600), 0);
    equals(seqshare_set(share, "former", 6), 0);
    equals(seqshare_set(share, "value", 5), 0);
    seqshare_close(share);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    check(fd >= 0 && fstat(fd, &stat) == 0);
    equals(stat.st_size, SIZE);
    equals(pread(fd, good, SIZE, 0), SIZE);
    close(fd);
}

static void write_file(const void *bytes, size_t length)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_TRUNC);

    check(fd >= 0);
    equals(write(fd, bytes, length), length);
    close(fd);
}

static void opens(int wanted_to_read, int wanted_to_write)
{
    seqshare *share = NULL;
    int fd = open(path, O_RDWR | O_CLOEXEC);

    equals(seqshare_open(&share, path, SEQSHARE_READ), wanted_to_read);
    seqshare_close(share);
    share = NULL;
    equals(seqshare_open(&share, path, SEQSHARE_WRITE), wanted_to_write);
    seqshare_close(share);
    share = NULL;
    equals(seqshare_attach(&share, fd, SEQSHARE_READ), wanted_to_read);
    seqshare_close(share);
    close(fd);
}

Test(corrupt, truncated_at_any_length)
{
    prepare();
    for (size_t length = 0; length < SIZE; length += 64) {
        write_file(good, length);
        opens(-EBADMSG, -EBADMSG);
    }
    write_file(good, SIZE - 1);
    opens(-EBADMSG, -EBADMSG);
    write_file(good, SIZE);
    opens(0, 0);
}

static void with_field(size_t offset, const void *value, size_t size, int wanted_to_read, int wanted_to_write)
{
    unsigned char bytes[SIZE];

    memcpy(bytes, good, SIZE);
    memcpy(bytes + offset, value, size);
    write_file(bytes, SIZE);
    opens(wanted_to_read, wanted_to_write);
}

static void with_number(size_t offset, uint32_t number, int wanted_to_read, int wanted_to_write)
{
    with_field(offset, &number, sizeof number, wanted_to_read, wanted_to_write);
}

static void with_long(size_t offset, uint64_t number, int wanted)
{
    with_field(offset, &number, sizeof number, wanted, wanted);
}

Test(corrupt, another_magic_or_byte_order)
{
    const size_t order = offsetof(struct layout, header.byte_order);

    prepare();
    for (size_t i = 0; i < 8; i++) {
        unsigned char byte = good[i] ^ 0x20;

        with_field(i, &byte, 1, -EBADMSG, -EBADMSG);
    }
    with_number(order, 0, -EBADMSG, -EBADMSG);
    with_number(order, __builtin_bswap32(LAYOUT_BYTE_ORDER), -EBADMSG, -EBADMSG);
}

/* A newer layout may say that older programs can still read it; writing needs to know all of it. */
Test(corrupt, another_layout)
{
    const size_t layout = offsetof(struct layout, header.layout);
    const size_t readable_by = offsetof(struct layout, header.readable_by);
    const uint32_t newer[2] = {LAYOUT_VERSION + 1, LAYOUT_VERSION + 1};

    prepare();
    equals(readable_by, layout + 4);
    with_field(layout, newer, sizeof newer, -EPROTONOSUPPORT, -EPROTONOSUPPORT);
    with_number(layout, LAYOUT_VERSION + 1, 0, -EPROTONOSUPPORT);
    with_number(layout, UINT32_MAX, 0, -EPROTONOSUPPORT);
    with_number(layout, 0, -EBADMSG, -EBADMSG);
    with_number(readable_by, 0, -EBADMSG, -EBADMSG);
}

Test(corrupt, another_size_of_anything)
{
    const size_t header_size = offsetof(struct layout, header.header_size);
    const size_t capacity = offsetof(struct layout, header.capacity);
    const size_t stride = offsetof(struct layout, header.stride);
    const size_t slots = offsetof(struct layout, header.slots);
    static const uint32_t sizes[] = {
        0, 1, 64, 768, 4095, 4097, 4096 + 64, 8192, 1 << 20, (1 << 20) + 128, 1U << 31, -1U};
    static const uint32_t counts[] = {0, 1, 3, 4, 5, 6, 7, 8, 9, 16, 1U << 16, 1U << 31, -1U};
    static const uint64_t lengths[] = {0,
                                       1,
                                       64,
                                       127,
                                       129,
                                       192,
                                       256,
                                       4096,
                                       UINT64_C(1) << 31,
                                       UINT64_C(1) << 32,
                                       (UINT64_C(1) << 32) + 128,
                                       UINT64_C(1) << 61,
                                       UINT64_C(1) << 62,
                                       UINT64_C(1) << 63,
                                       (UINT64_C(1) << 63) + 128,
                                       UINT64_MAX - 127,
                                       UINT64_MAX};

    prepare();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        with_number(header_size, sizes[i], -EBADMSG, -EBADMSG);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        with_number(slots, counts[i], -EBADMSG, -EBADMSG);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        with_long(stride, lengths[i], -EBADMSG);
        if (lengths[i] == 0 || lengths[i] > LAYOUT_LINE)
            with_long(capacity, lengths[i], -EBADMSG);
    }
}

/* A region that can be opened can be used: errors or wrong values, but no crash and no hang. */
static void use(const char *name)
{
    static unsigned char buffer[CAPACITY];
    struct seqshare_stat stat;
    seqshare *share = NULL;
    seqshare_view view;
    uint64_t version = 2;

    for (int access = SEQSHARE_READ; access <= SEQSHARE_WRITE; access++) {
        if (seqshare_open(&share, name, access) != 0)
            continue;
        if (seqshare_capacity(share) <= sizeof buffer)
            check(seqshare_get(share, buffer, sizeof buffer, NULL) <= (ssize_t)sizeof buffer);
        seqshare_try_get(share, buffer, sizeof buffer, NULL);
        seqshare_length(share, NULL);
        if (seqshare_peek(share, &view) == 0 && view.length <= sizeof buffer)
            memcpy(buffer, view.data, view.length);
        seqshare_stat(share, &stat);
        seqshare_prefault(share);
        seqshare_wait(share, 2, 0);
        seqshare_retired(share);
        if (access == SEQSHARE_WRITE && seqshare_lock_for(share, 0) >= 0) {
            seqshare_set_if(share, &version, "new", 3);
            seqshare_unlock(share);
        }
        seqshare_close(share);
    }
}

Test(corrupt, any_byte_of_the_header)
{
    unsigned char bytes[SIZE];

    prepare();
    for (size_t at = 0; at < sizeof(struct layout); at++) {
        const unsigned char values[] = {0, 0x7f, 0xff, good[at] ^ 1, good[at] ^ 0x80};

        for (size_t i = 0; i < sizeof values; i++) {
            memcpy(bytes, good, SIZE);
            bytes[at] = values[i];
            write_file(bytes, SIZE);
            use(path);
        }
    }
}

Test(corrupt, headers_of_random_bytes_behind_a_good_beginning)
{
    unsigned char bytes[SIZE];

    prepare();
    for (uint64_t seed = 0; seed < 2000; seed++) {
        size_t from = offsetof(struct layout, header) + 40 + seed % 700;

        memcpy(bytes, good, SIZE);
        make_pattern(bytes + from, SIZE - from, seed);
        memcpy(bytes + offsetof(struct layout, header.slots), &(uint32_t){2}, 4);
        write_file(bytes, SIZE);
        use(path);
    }
}
