/* SPDX-License-Identifier: MIT */
/*
 * seqshare_read, and the same by pread: bytes, length, version and tag of one publication; and files that are
 * cut while a process that must not die looks at them.
 *
 * Shows: READ-1, READ-10, WRITE-3.
 */
#include "support.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(reading, .timeout = 120);

typedef int read_call(const seqshare *share, seqshare_reading *reading);

static read_call *const ways[] = {seqshare_read, seqshare_pread};
enum { WAYS = sizeof ways / sizeof *ways };

static void reads(const seqshare *share, read_call *read, const char *text, uint64_t version, uint32_t tag)
{
    seqshare_reading reading = {0};

    equals(read(share, &reading), 0);
    equals(reading.length, strlen(text));
    check(memcmp(reading.bytes, text, strlen(text)) == 0);
    equals(reading.version, version);
    equals(reading.tag, tag);
    equals(reading.writer, getpid());
    check(reading.published > 0);
    free(reading.bytes);
}

static void all_is_read(seqshare *share)
{
    struct seqshare_stat stat, pstat;
    uint64_t version = 77;

    equals(seqshare_pversion(share, &version), 0);
    equals(version, 0);
    for (int i = 0; i < WAYS; i++)
        equals(ways[i](share, &(seqshare_reading){0}), -ENODATA);
    equals(seqshare_set(share, "one", 3), 0);
    for (int i = 0; i < WAYS; i++)
        reads(share, ways[i], "one", 1, 0);
    equals(seqshare_set_typed(share, "another", 7, 77), 0);
    for (int i = 0; i < WAYS; i++)
        reads(share, ways[i], "another", 2, 77);
    equals(seqshare_set(share, NULL, 0), 0);
    for (int i = 0; i < WAYS; i++)
        reads(share, ways[i], "", 3, 0);
    equals(seqshare_stat(share, &stat), 0);
    equals(seqshare_pstat(share, &pstat), 0);
    check(memcmp(&stat, &pstat, sizeof stat) == 0);
    equals(seqshare_pversion(share, &version), 0);
    equals(version, 3);
}

Test(reading, all_that_belongs_to_a_version_is_read)
{
    seqshare *anonymous = new_share(1000), *named = named_share(temp_name(), NULL, 0600);

    all_is_read(anonymous);
    all_is_read(named);
    seqshare_close(anonymous);
    seqshare_close(named);
}

Test(reading, a_callers_buffer_is_filled_or_its_size_is_told)
{
    seqshare *share = new_share(1000);
    char buffer[8];

    equals(seqshare_set(share, "twelve bytes", 12), 0);
    for (int i = 0; i < WAYS; i++) {
        seqshare_reading reading = {.bytes = buffer, .size = sizeof buffer};

        equals(ways[i](share, &reading), -ENOBUFS);
        equals(reading.length, 12);
        check(reading.bytes == buffer && reading.size == sizeof buffer);
    }
    equals(seqshare_set_typed(share, "8 bytes!", 8, 5), 0);
    for (int i = 0; i < WAYS; i++) {
        seqshare_reading reading = {.bytes = buffer, .size = sizeof buffer};

        memset(buffer, 0, sizeof buffer);
        equals(ways[i](share, &reading), 0);
        check(memcmp(buffer, "8 bytes!", 8) == 0);
        equals(reading.version, 2);
        equals(reading.tag, 5);
    }
    seqshare_close(share);
}

Test(reading, bad_input_is_refused)
{
    seqshare *share = new_share(10), *reader = NULL;
    struct seqshare_stat stat;
    uint64_t version;

    for (int i = 0; i < WAYS; i++) {
        equals(ways[i](NULL, &(seqshare_reading){0}), -EINVAL);
        equals(ways[i](share, NULL), -EINVAL);
    }
    equals(seqshare_pstat(NULL, &stat), -EINVAL);
    equals(seqshare_pstat(share, NULL), -EINVAL);
    equals(seqshare_pversion(NULL, &version), -EINVAL);
    equals(seqshare_pversion(share, NULL), -EINVAL);
    equals(seqshare_reader(NULL, share), -EINVAL);
    equals(seqshare_reader(&reader, NULL), -EINVAL);
    seqshare_close(share);
}

/* Version v has tag v and v % 100 bytes of v: what is mixed differs in one of them. */
static void *publish_often(void *share)
{
    unsigned char bytes[100];

    for (uint64_t version = 1; version < 50000; version++) {
        memset(bytes, (int)version, sizeof bytes);
        equals(seqshare_set_typed(share, bytes, version % 100, (uint32_t)version), 0);
        if (version % 16 == 0)
            usleep(1); /* beside a writer who never pauses no pread succeeds */
    }
    return NULL;
}

/* Fails with: an acceptance that is forgotten, or made before the bytes were read. */
Test(reading, what_is_read_is_of_one_version)
{
    seqshare *share = new_share(100);
    pthread_t thread;

    check(pthread_create(&thread, NULL, publish_often, share) == 0);
    for (int round = 0; round < 20000; round++) {
        seqshare_reading reading = {0};
        int error = ways[round % WAYS](share, &reading);

        if (error == -ENODATA || error == -EAGAIN)
            continue;
        equals(error, 0);
        equals(reading.tag, (uint32_t)reading.version);
        equals(reading.length, reading.version % 100);
        for (size_t i = 0; i < reading.length; i++)
            equals(((unsigned char *)reading.bytes)[i], (unsigned char)reading.version);
        free(reading.bytes);
    }
    pthread_join(thread, NULL);
    seqshare_close(share);
}

/* ---- a process that must not die ---- */

enum { LONG = 3 * 4096 };

static void look_at_a_cut_file(void *context)
{
    const char *name = context;
    struct seqshare_stat stat;
    seqshare *share = NULL;
    seqshare_reading reading = {0};
    uint64_t version;

    equals(seqshare_open(&share, name, SEQSHARE_READ), 0);
    for (off_t size = 4096 + LONG; size >= 0; size -= 2048) { /* into the value, into the header */
        check(truncate(name, size) == 0);
        equals(seqshare_pread(share, &reading), -EBADMSG);
        equals(seqshare_pstat(share, &stat), -EBADMSG);
        equals(seqshare_pversion(share, &version), size > 0 ? 0 : -EBADMSG);
    }
    seqshare_close(share);
}

Test(reading, a_file_that_is_cut_is_an_error_and_no_signal)
{
    const char *name = format("%s/name", temp_directory("/tmp"));
    static unsigned char bytes[LONG];
    seqshare *share = NULL;

    make_pattern(bytes, LONG, 1);
    equals(seqshare_create(&share, name, LONG, 0600), 0);
    equals(seqshare_set(share, bytes, LONG), 0);
    seqshare_close(share);
    child_run(look_at_a_cut_file, (void *)(uintptr_t)name);
}

/* Is the page there in this process's own table? As of a file that nobody has touched yet, it is not. */
static bool has_been_touched(const void *address)
{
    uintptr_t page = (uintptr_t)address / (uintptr_t)sysconf(_SC_PAGESIZE);
    int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    uint64_t entry = 0;

    if (fd < 0)
        _exit(NOT_POSSIBLE);
    check(pread(fd, &entry, sizeof entry, (off_t)(page * sizeof entry)) == sizeof entry);
    close(fd);
    return entry >> 63;
}

static void open_between_two_cuts(void *context)
{
    const char *name = context;
    seqshare *share = NULL;

    equals(seqshare_open(&share, name, SEQSHARE_READ), 0);
    check(!has_been_touched(share->head));
    seqshare_close(share);
    equals(seqshare_open(&share, name, SEQSHARE_WRITE), 0);
    check(!has_been_touched(share->head));
    seqshare_version(share);
    check(has_been_touched(share->head)); /* and this tells */
    check(truncate(name, 0) == 0);
    equals(seqshare_pread(share, &(seqshare_reading){0}), -EBADMSG);
    seqshare_close(share);
}

/* Fails with: open, or close, that touches mapped memory. */
Test(reading, opening_and_closing_touch_no_mapped_memory)
{
    const char *name = format("%s/name", temp_directory("/tmp"));

    seqshare_close(named_share(name, "value", 0600));
    try_in_child(open_between_two_cuts, (void *)(uintptr_t)name);
}

static void close_all_and_read(void *nothing)
{
    seqshare *anonymous = new_share(100), *named = named_share(temp_name(), "named", 0600);
    struct seqshare_stat stat;
    uint64_t version;

    (void)nothing;
    equals(seqshare_set(anonymous, "anonymous", 9), 0);
    for (int fd = 3; fd < 1000; fd++)
        close(fd);
    reads(anonymous, seqshare_pread, "anonymous", 1, 0);
    equals(seqshare_pstat(anonymous, &stat), 0);
    equals(stat.version, 1);
    equals(seqshare_pversion(anonymous, &version), 0);
    equals(version, 1);
    equals(seqshare_pversion(named, &version), -EBADF);
    equals(seqshare_pread(named, &(seqshare_reading){0}), -EBADF);
    equals(seqshare_pstat(named, &stat), -EBADF);
    reads(named, seqshare_read, "named", 1, 0);
    seqshare_close(anonymous);
    seqshare_close(named);
}

Test(reading, without_the_librarys_descriptor_only_what_nobody_can_cut_is_read)
{
    child_run(close_all_and_read, NULL);
}

/* ---- a second handle ---- */

Test(reading, a_reader_is_a_handle_of_its_own)
{
    seqshare *share = named_share(temp_name(), "value", 0600), *reader = NULL;

    equals(seqshare_reader(&reader, share), 0);
    holds(reader, "value", 1);
    equals(seqshare_set(reader, "x", 1), -EROFS);
    equals(seqshare_reopen(reader), -EINVAL);
    equals(seqshare_set(share, "next", 4), 0);
    seqshare_close(share);
    holds(reader, "next", 2);
    seqshare_close(reader);
}

/* ---- types ---- */

Test(reading, a_typed_value_is_published_only_over_the_version_that_is_named)
{
    seqshare *share = new_share(100);
    uint64_t version = 0;

    equals(seqshare_set_if_typed(share, &version, "one", 3, 11), 0);
    equals(version, 1);
    version = 7;
    equals(seqshare_set_if_typed(share, &version, "two", 3, 22), -ESTALE);
    equals(version, 1);
    reads(share, seqshare_read, "one", 1, 11);
    equals(seqshare_set_if_typed(share, &version, "two", 3, 22), 0);
    reads(share, seqshare_read, "two", 2, 22);
    equals(seqshare_set_if_typed(share, NULL, "two", 3, 22), -EINVAL);
    seqshare_close(share);
}

/* As docs/format.md has them. */
Test(reading, the_tags_of_serialisations_are_constants)
{
    equals(SEQSHARE_TAG_JSON, SEQSHARE_TAG("json"));
    equals(SEQSHARE_TAG_CBOR, SEQSHARE_TAG("cbor"));
    equals(SEQSHARE_TAG("json"), UINT32_C(0xd86fc7a3));
    equals(SEQSHARE_TAG("perl.Storable"), seqshare_tag("perl.Storable", 13, 0));
}
