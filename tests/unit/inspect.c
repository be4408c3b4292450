/* SPDX-License-Identifier: MIT */
/* stat, which looks at a share from outside and never waits; and how errors are worded. Shows: READ-9. */
#include "support.h"

#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

TestSuite(inspect, .timeout = 60);

static struct seqshare_stat stat_of(const seqshare *share)
{
    struct seqshare_stat stat;

    memset(&stat, 0xff, sizeof stat); /* what is not filled in shows */
    equals(seqshare_stat(share, &stat), 0);
    return stat;
}

/* The clock of stat is coarse: it may be late by a tick. */
static int64_t clock_before(void)
{
    struct timespec time;

    clock_gettime(CLOCK_REALTIME, &time);
    return time.tv_sec * SECONDS + time.tv_nsec - SECONDS;
}

static bool is_now(int64_t time, int64_t before)
{
    return time >= before && time <= clock_before() + SECONDS;
}

Test(inspect, a_new_share)
{
    static const uint8_t zeros[16];
    int64_t before = clock_before();
    seqshare *share = new_share(1234), *other = new_share(1234);
    struct seqshare_stat stat = stat_of(share), second = stat_of(other);

    equals(stat.version, 0);
    equals(stat.length, 0);
    equals(stat.capacity, 1234);
    check(stat.allocated > 0 && stat.allocated <= 12 << 10);
    check(is_now(stat.created, before));
    equals(stat.published, 0);
    equals(stat.retries, 0);
    equals(stat.tag, 0);
    equals(stat.slots, 2);
    equals(stat.writer, 0);
    equals(stat.owner, 0);
    check(!stat.owner_alive && !stat.retired && !stat.replaced && !stat.unlinked && stat.writable);
    equals(stat.foreign, 0);
    for (size_t i = 0; i < sizeof stat.reserved; i++)
        equals(stat.reserved[i], 0); /* a later version will give them a meaning */
    check(memcmp(stat.region_id, zeros, 16) != 0);
    check(memcmp(stat.region_id, second.region_id, 16) != 0);
    seqshare_close(other);
    seqshare_close(share);

    equals(seqshare_new_slots(&share, 10, 8), 0);
    equals(stat_of(share).slots, 8);
    seqshare_close(share);
}

static void set_here(void *share)
{
    equals(seqshare_set_typed(share, "12345678", 8, 77), 0);
    equals(stat_of(share).writer, getpid());
}

Test(inspect, who_published_what_and_when)
{
    int64_t before = clock_before();
    seqshare *share = new_share(1 << 20);
    static char value[1 << 20];
    struct seqshare_stat stat;
    pid_t child;

    equals(seqshare_set(share, value, 5), 0);
    stat = stat_of(share);
    equals(stat.version, 1);
    equals(stat.length, 5);
    equals(stat.tag, 0);
    equals(stat.writer, getpid());
    check(is_now(stat.published, before));

    child = child_start(set_here, share);
    equals(child_end(child), 0);
    stat = stat_of(share);
    equals(stat.version, 2);
    equals(stat.length, 8);
    equals(stat.tag, 77);
    equals(stat.writer, child);
    check(is_now(stat.published, before));

    equals(seqshare_set(share, value, sizeof value), 0);
    stat = stat_of(share);
    equals(stat.length, sizeof value);
    check(stat.allocated >= sizeof value);
    equals(stat.tag, 0);
    seqshare_close(share);
}

static void look_read_only(void *context)
{
    seqshare *share = context, *reader = another_handle(share, SEQSHARE_READ);
    struct seqshare_stat stat = stat_of(share), again = stat_of(reader);

    check(!again.writable);
    again.writable = true;
    equals(memcmp(&stat, &again, sizeof stat), 0); /* the same, by whom and through what it is seen */
    seqshare_close(reader);
    equals(seqshare_drop_write(share), 0);
    check(!stat_of(share).writable);
}

Test(inspect, is_the_same_through_every_handle_but_for_writable)
{
    seqshare *share = new_share(100);

    equals(seqshare_set(share, "x", 1), 0);
    child_run(look_read_only, share);
    check(stat_of(share).writable);
    seqshare_close(share);
}

static void lock_and_sleep(void *share)
{
    equals(seqshare_lock(share), 0);
    pause();
}

static void fill_and_sleep(void *share)
{
    void *slot;

    equals(seqshare_fill(share, 50, &slot), 0);
    memset(slot, 'x', 50);
    pause();
}

/* It must not wait for the lock, or the fill, of one that lives, is stopped, or has died. */
static void sees_owner(void (*own)(void *share))
{
    seqshare *share = new_share(100);
    struct seqshare_stat stat;
    pid_t owner;

    equals(seqshare_set(share, "value", 5), 0);
    owner = child_start(own, share);
    child_sleeps(owner);
    stat = stat_of(share);
    equals(stat.owner, owner);
    check(stat.owner_alive);
    equals(stat.version, 1);
    equals(stat.length, 5);

    check(kill(owner, SIGSTOP) == 0);
    child_sleeps(owner);
    check(stat_of(share).owner_alive);

    child_kill(owner);
    stat = stat_of(share);
    equals(stat.owner, owner);
    check(!stat.owner_alive);
    equals(stat.version, 1);
    equals(seqshare_lock(share), 1);
    stat = stat_of(share);
    equals(stat.owner, gettid());
    check(stat.owner_alive);
    equals(seqshare_unlock(share), 0);
    stat = stat_of(share);
    equals(stat.owner, 0);
    check(!stat.owner_alive);
    seqshare_close(share);
}

Test(inspect, owner_of_the_lock_and_whether_it_lives)
{
    sees_owner(lock_and_sleep);
}

Test(inspect, owner_in_the_middle_of_a_fill)
{
    sees_owner(fill_and_sleep);
}

Test(inspect, replaced_and_unlinked)
{
    const char *name = temp_name();
    seqshare *share = NULL, *next = NULL;
    struct seqshare_stat stat;

    equals(seqshare_create(&share, name, 100, 0600), 0);
    equals(seqshare_set(share, "x", 1), 0);
    equals(seqshare_replace(&next, name, 200, 0600), 0);
    stat = stat_of(share);
    check(stat.retired && stat.replaced && !stat.unlinked);
    equals(stat.version, 1);
    stat = stat_of(next);
    check(!stat.retired && !stat.replaced && !stat.unlinked);
    equals(stat.capacity, 200);
    equals(stat.version, 1);
    equals(seqshare_unlink(name), 0);
    stat = stat_of(next);
    check(stat.retired && !stat.replaced && stat.unlinked);
    seqshare_close(share);
    seqshare_close(next);
}

/* ---- the words for errors ---- */

static const int documented[] = {
    0,         EINVAL,          ENOMEM,     EFBIG,  EMSGSIZE, ENOSPC,    ENAMETOOLONG, ENODATA,
    ENOBUFS,   EAGAIN,          EIDRM,      EROFS,  EBUSY,    EPERM,     EEXIST,       ENOENT,
    EBADMSG,   EPROTONOSUPPORT, ELOOP,      EBADF,  EACCES,   EOVERFLOW, ESTALE,       EDEADLK,
    ETIMEDOUT, EINTR,           EOPNOTSUPP, EMFILE, ENOTDIR,  EISDIR,    EIO,          EDQUOT,
};

Test(inspect, every_error_has_a_sentence_of_its_own)
{
    enum { COUNT = sizeof documented / sizeof *documented };

    for (int i = 0; i < COUNT; i++) {
        const char *text = seqshare_strerror(-documented[i]);

        check(text != NULL && strlen(text) > 3);
        check(text == seqshare_strerror(-documented[i]));   /* static */
        check(strcmp(text, seqshare_strerror(-4095)) != 0); /* what is said of an unknown one */
        check(documented[i] == 0 || strcmp(text, strerror(documented[i])) != 0); /* in the library's terms */
        for (int k = 0; k < i; k++)
            check(strcmp(text, seqshare_strerror(-documented[k])) != 0);
    }
}

Test(inspect, any_number_has_a_sentence)
{
    static const int numbers[] = {-EIO, -ENOTTY, 1, 2, EINVAL, -1000, -4095, 4096, INT32_MAX, INT32_MIN};

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const char *text = seqshare_strerror(numbers[i]);

        check(text != NULL && strlen(text) > 3);
    }
}
