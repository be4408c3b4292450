/* SPDX-License-Identifier: MIT */
/*
 * Reads that writers overtake. Exactly when is arranged: the reader's buffer lies on a forbidden page, so the
 * copy faults in its middle, and the handler of the fault is the writer.
 *
 * Shows: READ-1, READ-5.
 */
#include "support.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

TestSuite(outrun, .timeout = 60);

enum { PAGE = 4096, LENGTH = 2 * PAGE + 1 };

static unsigned char *buffer; /* LENGTH bytes in three pages */
static seqshare *target;
static int publications; /* by the handler, for every fault */
static bool for_ever;    /* of the outer two pages one is forbidden at any time: no copy without a fault */

static unsigned char *page(int number)
{
    return buffer - (PAGE - 1) + number * PAGE;
}

static void publish_in_fault(int signal, siginfo_t *info, void *context)
{
    static unsigned char value[LENGTH];
    unsigned char *at = info->si_addr;
    bool first = at < page(1);

    (void)signal, (void)context;
    if (at < page(0) || at >= page(3))
        _exit(3);
    mprotect(page(0), PAGE, first || !for_ever ? PROT_READ | PROT_WRITE : PROT_NONE);
    mprotect(page(2), PAGE, !first || !for_ever ? PROT_READ | PROT_WRITE : PROT_NONE);
    for (int i = 0; i < publications; i++) {
        make_pattern(value, LENGTH, seqshare_version(target) + 1);
        if (seqshare_set(target, value, LENGTH) != 0)
            _exit(4);
    }
}

static void arrange(unsigned slots, int how_many, bool always)
{
    struct sigaction fault = {.sa_sigaction = publish_in_fault, .sa_flags = SA_SIGINFO};
    unsigned char *memory = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    static unsigned char value[LENGTH];

    skip_under_valgrind();
    check(memory != MAP_FAILED && mprotect(memory + PAGE, PAGE, PROT_READ | PROT_WRITE) == 0);
    buffer = memory + PAGE - 1;
    publications = how_many;
    for_ever = always;
    equals(seqshare_new_slots(&target, LENGTH, slots), 0);
    make_pattern(value, LENGTH, 1);
    equals(seqshare_set(target, value, LENGTH), 0);
    check(sigaction(SIGSEGV, &fault, NULL) == 0);
}

static uint64_t retries(void)
{
    struct seqshare_stat stat;

    equals(seqshare_stat(target, &stat), 0);
    return stat.retries;
}

/* The next publication does not touch the slot that is being copied. */
static void survives(unsigned slots, int how_many)
{
    uint64_t version = 0;

    arrange(slots, how_many, false);
    equals(seqshare_try_get(target, buffer, LENGTH, &version), LENGTH);
    equals(version, 1);
    check(is_pattern(buffer, LENGTH, 1));
    equals(seqshare_version(target), 1 + how_many);
    equals(retries(), 0);
    seqshare_close(target);
}

Test(outrun, a_read_overtaken_once_is_whole_with_2_slots)
{
    survives(2, 1);
}

Test(outrun, a_read_overtaken_three_times_is_whole_with_4_slots)
{
    survives(4, 3);
}

Test(outrun, a_read_overtaken_seven_times_is_whole_with_8_slots)
{
    survives(8, 7);
}

static void once_more(unsigned slots)
{
    uint64_t version = 0;

    arrange(slots, (int)slots, false);
    equals(seqshare_try_get(target, buffer, LENGTH, &version), -EAGAIN);
    equals(retries(), 1);
    equals(seqshare_try_get(target, buffer, LENGTH, &version), LENGTH);
    equals(version, 1 + slots);
    check(is_pattern(buffer, LENGTH, version));
    seqshare_close(target);
}

/* Fails with: an acceptance one publication further, and with none. */
Test(outrun, try_get_does_not_try_again)
{
    once_more(2);
    once_more(4);
    once_more(8);
}

Test(outrun, get_tries_again)
{
    uint64_t version = 0;

    arrange(2, 2, false);
    equals(seqshare_get(target, buffer, LENGTH, &version), LENGTH);
    equals(version, 3);
    check(is_pattern(buffer, LENGTH, 3));
    equals(retries(), 1);
    seqshare_close(target);
}

/* A watchdog alone bounds it from above: the machine may be slow. */
Test(outrun, get_gives_up_when_no_attempt_of_a_second_succeeded)
{
    int64_t start = now();
    uint64_t version = 0;

    arrange(2, 2, true);
    equals(seqshare_get(target, buffer, LENGTH, &version), -EAGAIN);
    check(now() - start >= SECONDS);
    check(retries() >= 64);
    seqshare_close(target);
}

Test(outrun, a_read_only_handle_is_outrun_likewise)
{
    struct seqshare_stat stat;
    seqshare *reader;

    arrange(2, 2, true);
    reader = another_handle(target, SEQSHARE_READ);
    equals(seqshare_try_get(reader, buffer, LENGTH, NULL), -EAGAIN);
    equals(seqshare_get(reader, buffer, LENGTH, NULL), -EAGAIN);
    equals(seqshare_stat(reader, &stat), 0);
    check(stat.retries >= 65);
    equals(retries(), 0); /* they are counted by handle */
    seqshare_close(reader);
    seqshare_close(target);
}

/* On pages 0 to 2, whatever the order of the copy: the set reads what it publishes from a page that faults. */
static void get_in_fault(int signal, siginfo_t *info, void *context)
{
    static unsigned char got[LENGTH];
    uint64_t version = 0;

    (void)signal, (void)info, (void)context;
    mprotect(page(0), 3 * PAGE, PROT_READ | PROT_WRITE);
    if (seqshare_get(target, got, LENGTH, &version) != LENGTH || version != 1 || !is_pattern(got, LENGTH, 1))
        _exit(5);
    if (seqshare_set(target, got, LENGTH) != -EBUSY || seqshare_unlock(target) != -EBUSY)
        _exit(6);
}

/* Fails with: a handler's set that fills the slot which is being filled. */
Test(outrun, a_handler_that_interrupts_a_set_reads_the_old_value_and_must_not_write)
{
    struct sigaction fault = {.sa_sigaction = get_in_fault, .sa_flags = SA_SIGINFO};
    static unsigned char got[LENGTH];
    uint64_t version = 0;

    arrange(2, 0, false);
    check(sigaction(SIGSEGV, &fault, NULL) == 0);
    equals(seqshare_set(target, buffer, LENGTH), 0); /* zeros: pages that the handler made accessible */
    equals(seqshare_get(target, got, LENGTH, &version), LENGTH);
    equals(version, 2);
    for (size_t i = 0; i < LENGTH; i++)
        equals(got[i], 0);
    seqshare_close(target);
}

/* ---- a typed read, which is inline: here the slot's page faults, once the header has been read ---- */

struct half {
    uint64_t at[4];
};

SEQSHARE_TYPE(half, struct half)

static const unsigned char *slots;

static void publish_another_type_in_fault(int signal, siginfo_t *info, void *context)
{
    uint64_t value[4] = {666, 666, 666, 666};

    (void)signal, (void)context;
    if ((unsigned char *)info->si_addr < slots || (unsigned char *)info->si_addr >= slots + PAGE)
        _exit(7);
    mprotect((void *)(uintptr_t)slots, PAGE, PROT_READ);
    for (int i = 0; i < publications; i++) {
        if (seqshare_set(target, value, sizeof value) != 0)
            _exit(8);
    }
}

static int typed_read_outrun_by(int how_many, struct half *got)
{
    struct sigaction fault = {.sa_sigaction = publish_another_type_in_fault, .sa_flags = SA_SIGINFO};
    seqshare *reader;
    int result;

    skip_under_valgrind();
    target = new_share(sizeof(struct half));
    equals(half_set(target, &(struct half){{1, 2, 3, 4}}), 0);
    reader = another_handle(target, SEQSHARE_READ);
    slots = reader->bytes;
    publications = how_many;
    equals((uintptr_t)slots % PAGE, 0);
    check(mprotect((void *)(uintptr_t)slots, PAGE, PROT_NONE) == 0);
    check(sigaction(SIGSEGV, &fault, NULL) == 0);
    result = half_get(reader, got);
    equals(seqshare_version(target), 1 + how_many);
    seqshare_close(reader);
    seqshare_close(target);
    return result;
}

/* Fails with: an inline read that does not look at the sequence again. */
Test(outrun, a_typed_read_does_not_take_another_types_bytes)
{
    struct half got = {{7, 7, 7, 7}};

    equals(typed_read_outrun_by(2, &got), -EBADMSG);
    equals(typed_read_outrun_by(1, &got), 0);
    for (uint64_t i = 0; i < 4; i++)
        equals(got.at[i], i + 1);
}

/* ---- long values: the second is over at the first failure after it ---- */

enum { LONG = (32 << 20) + PAGE };

static void take_a_second_in_fault(int signal, siginfo_t *info, void *context)
{
    struct seqshare_head *head = (struct seqshare_head *)(uintptr_t)target->head;

    (void)signal, (void)context;
    /* Bytes of a word may be stored in any order, where they are stored one by one. */
    if ((uintptr_t)info->si_addr - (uintptr_t)buffer >= PAGE)
        _exit(3);
    mprotect(buffer, PAGE, PROT_READ | PROT_WRITE);
    nanosleep(&(struct timespec){1, 100000000}, NULL);
    seqshare_store_release(&head->sequence, seqshare_load_relaxed(&head->sequence) + 4);
}

static void begin_long(void)
{
    struct sigaction fault = {.sa_sigaction = take_a_second_in_fault, .sa_flags = SA_SIGINFO};

    skip_under_valgrind();
    buffer = mmap(NULL, LONG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(buffer != MAP_FAILED);
    equals(seqshare_new(&target, LONG), 0);
    for (int i = 0; i < 2; i++)
        equals(seqshare_set(target, buffer, LONG), 0);
    check(mprotect(buffer, PAGE, PROT_NONE) == 0);
    check(sigaction(SIGSEGV, &fault, NULL) == 0);
}

/* Fails with: a clock that is looked at after so many failures, however long each of them took. */
Test(outrun, a_long_get_keeps_its_second)
{
    begin_long();
    equals(seqshare_get(target, buffer, LONG, NULL), -EAGAIN);
    equals(retries(), 1);
    equals(seqshare_get(target, buffer, LONG, NULL), LONG);
    seqshare_close(target);
}

Test(outrun, a_long_read_keeps_its_second)
{
    seqshare_reading reading = {.size = LONG};

    begin_long();
    reading.bytes = buffer;
    equals(seqshare_read(target, &reading), -EAGAIN);
    equals(retries(), 1);
    equals(seqshare_read(target, &reading), 0);
    equals(reading.length, LONG);
    seqshare_close(target);
}
