/* SPDX-License-Identifier: MIT */
/* A handle follows its name to another region. Shows: NAME-8. */
#include "support.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(reopen, .timeout = 120);

Test(reopen, follows_the_name)
{
    const char *name = temp_name();
    seqshare *writer = named_share(name, "old", 0600), *reader = NULL, *next;

    equals(seqshare_open(&reader, name, SEQSHARE_READ), 0);
    equals(seqshare_reopen(writer), 0);
    equals(seqshare_reopen(reader), 0);

    equals(seqshare_unlink(name), 0);
    equals(seqshare_reopen(writer), -ENOENT);
    equals(seqshare_reopen(reader), -ENOENT);
    says(writer, "old"); /* as they were */
    says(reader, "old");
    equals(seqshare_set(writer, "older", 5), 0);
    says(reader, "older");

    next = named_share(name, "new", 0600);
    equals(seqshare_set(next, "newer", 5), 0);
    equals(seqshare_set(next, "newest", 6), 0);
    equals(seqshare_reopen(writer), 1);
    equals(seqshare_reopen(reader), 1);
    equals(seqshare_reopen(reader), 0);
    check(!seqshare_retired(reader) && !seqshare_retired(writer));
    equals(seqshare_version(reader), 3);
    says(reader, "newest");
    equals(seqshare_set(reader, "x", 1), -EROFS); /* the same access as before */
    equals(seqshare_set(writer, "by the old handle", 17), 0);
    says(next, "by the old handle");
    seqshare_close(next);
    seqshare_close(reader);
    seqshare_close(writer);
}

static void copy_file(const char *from, const char *to)
{
    unsigned char bytes[4096 + 2 * 128];
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0600);

    check(read(in, bytes, sizeof bytes) == sizeof bytes);
    check(write(out, bytes, sizeof bytes) == sizeof bytes);
    close(in);
    close(out);
}

/* As a backup that is put back. It is another region, though it says that it is the same. */
Test(reopen, follows_to_a_copy_of_the_file)
{
    const char *path = format("%s/region", temp_directory("/tmp")), *copy = format("%s.copy", path);
    seqshare *share = NULL, *other = NULL;

    equals(seqshare_create(&share, path, 100, 0600), 0);
    equals(seqshare_set(share, "old", 3), 0);
    copy_file(path, copy);
    check(rename(copy, path) == 0);
    equals(seqshare_open(&other, path, SEQSHARE_WRITE), 0);
    equals(seqshare_set(other, "new", 3), 0);
    says(share, "old");
    equals(seqshare_reopen(share), 1);
    says(share, "new");
    equals(seqshare_reopen(share), 0);
    equals(seqshare_unlink(path), 0);
    seqshare_close(other);
    seqshare_close(share);
}

Test(reopen, stays_read_only_after_drop_write)
{
    const char *name = temp_name();
    seqshare *share = named_share(name, "old", 0600), *next;

    equals(seqshare_drop_write(share), 0);
    equals(seqshare_unlink(name), 0);
    next = named_share(name, "new", 0600);
    equals(seqshare_reopen(share), 1);
    says(share, "new");
    equals(seqshare_set(share, "x", 1), -EROFS);
    equals(seqshare_lock(share), -EROFS);
    seqshare_close(next);
    seqshare_close(share);
}

Test(reopen, of_a_share_without_a_name_or_while_it_is_locked)
{
    const char *name = temp_name();
    seqshare *share = new_share(100), *attached;
    void *slot;

    equals(seqshare_reopen(share), -EINVAL);
    seqshare_close(share);

    share = named_share(name, "value", 0600);
    attached = another_handle(share, SEQSHARE_WRITE);
    equals(seqshare_reopen(attached), -EINVAL);
    equals(seqshare_lock(share), 0);
    equals(seqshare_reopen(share), -EBUSY);
    equals(seqshare_unlock(share), 0);
    equals(seqshare_fill(share, 10, &slot), 0);
    equals(seqshare_reopen(share), -EBUSY);
    equals(seqshare_abandon(share), 0);
    equals(seqshare_reopen(share), 0);
    seqshare_close(attached);
    seqshare_close(share);
}

Test(reopen, keeps_the_handle_when_the_name_is_no_share_now)
{
    const char *directory = temp_directory("/tmp"), *name = format("%s/name", directory);
    seqshare *share = named_share(name, "value", 0600);

    check(unlink(name) == 0 && close(open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)) == 0);
    equals(seqshare_reopen(share), -EBADMSG);
    check(unlink(name) == 0 && symlink("elsewhere", name) == 0);
    equals(seqshare_reopen(share), -ELOOP);
    check(unlink(name) == 0 && mkfifo(name, 0600) == 0);
    equals(seqshare_reopen(share), -EBADMSG);
    says(share, "value");
    equals(seqshare_set(share, "works", 5), 0);
    says(share, "works");
    seqshare_close(share);
}

/* ---- a thread that is cancelled while it changes a handle ---- */

/* Each of these opens, closes or reads something, and so could end a thread that has been cancelled. */
static void *change_handles(void *context)
{
    seqshare **shares = context;

    check(pthread_cancel(pthread_self()) == 0);
    equals(seqshare_reopen(shares[0]), 1);
    equals(seqshare_drop_write(shares[0]), 0);
    equals(seqshare_wait(shares[0], 0, 0), 0);
    seqshare_close(shares[1]);
    shares[1] = NULL;
    pthread_testcancel();
    return NULL;
}

/* Fails with: a handle whose old region is gone, and which has not got the new one; descriptors that stay. */
Test(reopen, a_cancelled_thread_leaves_no_handle_torn)
{
    const char *name = temp_name();
    seqshare *shares[2] = {named_share(name, "old", 0600), new_share(100)}, *next = NULL;
    int before = entries("/proc/self/fd");
    pthread_t thread;
    void *result;

    equals(seqshare_replace(&next, name, 100, 0600), 0);
    equals(seqshare_set(next, "new", 3), 0);
    seqshare_close(next);
    check(pthread_create(&thread, NULL, change_handles, shares) == 0);
    check(pthread_join(thread, &result) == 0);
    check(result == PTHREAD_CANCELED && shares[1] == NULL);
    says(shares[0], "new");
    equals(seqshare_set(shares[0], "x", 1), -EROFS);
    equals(entries("/proc/self/fd"), before - 3); /* what drop_write and close give up */
    seqshare_close(shares[0]);
}
