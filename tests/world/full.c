/* SPDX-License-Identifier: MIT */
/*
 * Full and read-only file systems. A reader never notices them, by a signal least of all. A writer gets an error, and the
 * old value stands; as soon as there is room again, there is no trace of it.
 *
 * Shows: READ-7, WRITE-8.
 */
#include "world.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

TestSuite(full, .timeout = 120);

static char bytes[BYTES_MOST];

static void mount_tmpfs(const char *directory, const char *options)
{
    own_mounts();
    check(mount("none", directory, "tmpfs", 0, options) == 0);
}

/* The last page of it, and every file with room for more is cut off from it. */
static int use_up_room(const char *directory)
{
    int fd = open(format("%s/ballast", directory), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    check(fd >= 0);
    while (write(fd, bytes, 4096) > 0)
        ;
    equals(errno, ENOSPC);
    return fd;
}

struct small {
    char bytes[64];
};
SEQSHARE_TYPE(small, struct small)

struct place {
    const char *name;
    size_t length;
};

/* Every read there is, through a mapping that has not touched a page yet. */
static void read_all(const struct place *place, int access)
{
    seqshare *share = NULL;
    struct small small;
    struct seqshare_stat stat;
    seqshare_view view = {0};
    static char copy[sizeof bytes];

    equals(seqshare_open(&share, place->name, access), 0);
    equals(seqshare_stat(share, &stat), 0);
    equals(stat.length, place->length);
    equals(seqshare_prefault(share), 0);
    equals(seqshare_get(share, copy, sizeof copy, NULL), place->length);
    check(memcmp(copy, bytes, place->length) == 0);
    equals(small_get(share, &small), place->length == sizeof small ? 0 : -EBADMSG);
    equals(seqshare_peek(share, &view), 0);
    check(memcmp(view.data, bytes, view.length) == 0 && seqshare_valid(share, &view));
    equals(seqshare_wait(share, seqshare_version(share), MILLISECONDS), -ETIMEDOUT);
    equals(seqshare_reopen(share), 0);
    equals(seqshare_drop_write(share), 0);
    equals(seqshare_get(share, copy, sizeof copy, NULL), place->length);
    seqshare_close(share);
}

static void reads(void *context)
{
    read_all(context, SEQSHARE_READ);
    read_all(context, SEQSHARE_WRITE);
}

static void fill_and_read(void *context)
{
    const char *directory = context;
    static const size_t lengths[] = {1, 63, 64, 65, 4000, 4096, 100000};

    mount_tmpfs(directory, "size=512k,mode=0755");
    memset(bytes, 'b', sizeof bytes);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct place place = {format("%s/name", directory), lengths[i]};
        seqshare *share = NULL;

        equals(seqshare_create(&share, place.name, sizeof bytes, 0600), 0);
        if (place.length == sizeof(struct small))
            equals(small_set(share, (const struct small *)(const void *)bytes), 0);
        else
            equals(seqshare_set(share, bytes, place.length), 0);
        close(use_up_room(directory)); /* the other slot has no memory at all */
        child_run(reads, &place);
        equals(seqshare_set(share, bytes, sizeof bytes), -ENOSPC);
        child_run(reads, &place);
        check(unlink(format("%s/ballast", directory)) == 0);
        equals(seqshare_set(share, "value", 5), 0);
        reads_everything(share, "value");
        seqshare_close(share);
        equals(seqshare_unlink(place.name), 0);
    }
}

/* Fails with: a read that touches a hole. */
Test(full, file_systems_are_read_without_sigbus)
{
    skip_unless_admin();
    try_in_child(fill_and_read, (void *)(uintptr_t)temp_directory("/tmp"));
}

/* ---- writers ---- */

/* Every way to write what there is no room for. */
static void no_room_for(seqshare *share, size_t length)
{
    uint64_t version = seqshare_version(share), was = version;
    struct seqshare_stat stat;
    void *slot;

    equals(seqshare_set(share, bytes, length), -ENOSPC);
    equals(seqshare_set_if(share, &version, bytes, length), -ENOSPC);
    equals(version, was);
    equals(seqshare_set_typed(share, bytes, length, 7), -ENOSPC);
    equals(seqshare_fill(share, length, &slot), -ENOSPC);
    equals(seqshare_publish(share, 0), -EPERM);
    child_run(lock_is_free, share);
    equals(seqshare_lock(share), 0); /* also under the own lock, which stays */
    equals(seqshare_set(share, bytes, length), -ENOSPC);
    equals(seqshare_fill(share, length, &slot), -ENOSPC);
    equals(seqshare_unlock(share), 0);
    equals(seqshare_version(share), was);
    equals(seqshare_stat(share, &stat), 0);
    equals(stat.owner, 0);
}

static void set_until_full(void *directory)
{
    seqshare *share = NULL;
    uint64_t version = 0;

    mount_tmpfs(directory, "size=256k,mode=0755");
    equals(seqshare_create(&share, format("%s/name", (char *)directory), BYTES_MOST, 0600), 0);
    for (size_t length = 1000; length < 100000; length += 10000) {
        sets_bytes(share, length);
        has_bytes(share, length, ++version);
    }
    no_room_for(share, 1 << 20);
    has_bytes(share, 91000, version);
    no_room_for(share, BYTES_MOST);
    no_room_for(share, 260 << 10);
    for (int i = 0; i < 3; i++) { /* as long as what was there needs no more room */
        sets_bytes(share, 91000);
        has_bytes(share, 91000, ++version);
        sets_bytes(share, 10);
        has_bytes(share, 10, ++version);
    }
}

/* Fails with: a store into a hole (SIGBUS), and with an allocation after the sequence was made odd. */
Test(full, a_full_tmpfs_is_an_error_and_the_old_value_stands)
{
    skip_unless_admin();
    try_in_child(set_until_full, (void *)(uintptr_t)temp_directory("/tmp"));
}

static void fill_up_and_free(void *directory)
{
    seqshare *share = NULL;
    int ballast;

    mount_tmpfs(directory, "size=256k,mode=0755");
    equals(seqshare_create(&share, format("%s/name", (char *)directory), BYTES_MOST, 0600), 0);
    sets_bytes(share, 10);
    ballast = use_up_room(directory);
    no_room_for(share, 100000);
    has_bytes(share, 10, 1);
    check(ftruncate(ballast, 0) == 0);
    sets_bytes(share, 100000);
    has_bytes(share, 100000, 2);
    sets_bytes(share, 100000);
    has_bytes(share, 100000, 3);
}

Test(full, works_again_when_there_is_room_again)
{
    skip_unless_admin();
    try_in_child(fill_up_and_free, (void *)(uintptr_t)temp_directory("/tmp"));
}

static void make_where_it_is_full(void *directory)
{
    const char *old = format("%s/old", (char *)directory), *new = format("%s/new", (char *)directory);
    seqshare *share = NULL, *next = NULL;
    int ballast;

    mount_tmpfs(directory, "size=256k,mode=0755");
    equals(seqshare_create(&share, old, BYTES_MOST, 0600), 0);
    sets_bytes(share, 50000);
    ballast = use_up_room(directory);
    equals(seqshare_create(&next, new, 100, 0600), -ENOSPC);
    equals(seqshare_replace(&next, new, 100, 0600), -ENOSPC);
    equals(seqshare_replace(&next, old, BYTES_MOST, 0600), -ENOSPC);
    check(next == NULL);
    equals(entries(directory), 2); /* the old share and the ballast */
    check(!seqshare_retired(share));
    has_bytes(share, 50000, 1);

    check(ftruncate(ballast, lseek(ballast, 0, SEEK_CUR) - 8192) ==
          0); /* room for a header, not for the value */
    equals(seqshare_replace(&next, old, BYTES_MOST, 0600), -ENOSPC);
    equals(entries(directory), 2);
    check(!seqshare_retired(share));
    check(ftruncate(ballast, 0) == 0);
    sets_bytes(share, 60000);
    equals(seqshare_replace(&next, old, BYTES_MOST, 0600), 0);
    has_bytes(next, 60000, 2);
    equals(entries(directory), 2);
}

Test(full, create_and_replace_on_a_full_tmpfs_leave_nothing_behind)
{
    skip_unless_admin();
    try_in_child(make_where_it_is_full, (void *)(uintptr_t)temp_directory("/tmp"));
}

/* ---- lengths that an enemy stores ---- */

enum { ROOMY = 64 << 20 }; /* the capacity: more than the file system has */

struct hostile {
    const char *name;
    bool closed; /* the library's descriptors */
};

/* Every read, of a length that only holes could fill. One in each process: who fills the file system dies. */
static void read_holes(void *context)
{
    const struct hostile *hostile = context;
    seqshare_reading reading = {0};
    seqshare *share = NULL;
    struct small small;
    seqshare_view view;
    static char copy[ROOMY];
    void *allocated;

    equals(seqshare_open(&share, hostile->name, SEQSHARE_READ), 0);
    for (int fd = 3; hostile->closed && fd < 1000; fd++)
        close(fd);
    equals(seqshare_get(share, copy, sizeof copy, NULL), -EBADMSG);
    equals(seqshare_try_get(share, copy, sizeof copy, NULL), -EBADMSG);
    equals(seqshare_get_alloc(share, &allocated, NULL), -EBADMSG);
    equals(seqshare_read(share, &reading), -EBADMSG);
    equals(seqshare_pread(share, &reading), hostile->closed ? -EBADF : -EBADMSG);
    equals(seqshare_length(share, NULL), -EBADMSG);
    equals(seqshare_peek(share, &view), -EBADMSG);
    equals(seqshare_get_typed(share, copy, sizeof copy, 0), -EBADMSG);
    equals(small_get(share, &small), -EBADMSG);
    equals(seqshare_prefault(share), 0);
    seqshare_close(share);
}

static void store_lengths(void *context)
{
    const char *directory = context;
    struct hostile open = {format("%s/name", directory), false}, closed = {open.name, true};
    const uint64_t length = ROOMY;
    struct seqshare_stat before, after;
    seqshare *share = NULL;
    int fd;

    mount_tmpfs(directory, "size=8m,mode=0755");
    equals(seqshare_create(&share, open.name, ROOMY, 0644), 0);
    equals(seqshare_set(share, "hello", 5), 0);
    equals(seqshare_stat(share, &before), 0);
    fd = seqshare_fd(share, SEQSHARE_WRITE);
    equals(pwrite(fd, &length, sizeof length, 128 + 16 + 16), sizeof length); /* version 1 is in slot 1 */
    child_run(read_holes, &open);
    equals(pwrite(fd, &(uint64_t){5}, sizeof length, 128 + 16 + 16), sizeof length);
    equals(seqshare_stat(share, &after), 0);
    equals(after.allocated, before.allocated);
    reads_everything(share, "hello");
    equals(pwrite(fd, &length, sizeof length, 128 + 16 + 16), sizeof length);
    child_run(read_holes, &closed); /* it may fill the file system then, as its writers may */
}

/* Fails with: a length within the capacity that is believed, and a reader that dies of it. */
Test(full, a_length_that_names_a_hole_is_an_error)
{
    skip_unless_root();
    try_in_child(store_lengths, (void *)(uintptr_t)temp_directory("/tmp"));
}

static void use_up_files(void *context)
{
    const char *directory = context, *name = format("%s/name", directory);
    seqshare *share, *other = NULL;

    mount_tmpfs(directory, "nr_inodes=2,mode=0755"); /* the directory is one */
    share = share_with(name, 100, "value");
    equals(seqshare_create(&other, format("%s/other", directory), 100, 0600), -ENOSPC);
    equals(seqshare_replace(&other, name, 100, 0600), -ENOSPC);
    check(other == NULL && !seqshare_retired(share));
    equals(entries(directory), 1);
    writes_everything(share, "value");
    reads_everything(share, "value");
}

Test(full, of_files)
{
    skip_unless_admin();
    try_in_child(use_up_files, (void *)(uintptr_t)temp_directory("/tmp"));
}

/* A volume that a container has read-only: it reads, learns of new values, and can change nothing. */
static void live_read_only(void *context)
{
    const char *directory = context, *name = format("%s/name", directory);
    seqshare *writer = share_with(name, 100, "value"), *share = NULL;
    uint64_t version = 0;

    own_mounts();
    check(mount(directory, directory, NULL, MS_BIND, NULL) == 0);
    check(mount(NULL, directory, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0);
    equals(seqshare_open(&share, name, SEQSHARE_WRITE), -EROFS);
    equals(seqshare_create(&share, format("%s/other", directory), 100, 0600), -EROFS);
    equals(seqshare_replace(&share, name, 100, 0600), -EROFS);
    equals(seqshare_unlink(name), -EROFS);
    check(share == NULL);
    equals(seqshare_open(&share, name, SEQSHARE_READ), 0);
    reads_everything(share, "value");
    writes_nothing(share, -EROFS);
    version = seqshare_version(share);
    equals(seqshare_set(writer, "newer", 5), 0);
    equals(seqshare_wait(share, version, SECONDS_TO_HANG * SECONDS), 0);
    reads_everything(share, "newer");
    equals(seqshare_reopen(share), 0);
}

Test(full, read_only_volumes_are_read)
{
    skip_unless_admin();
    try_in_child(live_read_only, (void *)(uintptr_t)temp_directory("/tmp"));
}
