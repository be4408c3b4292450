/* SPDX-License-Identifier: MIT */
/* Complaints and verdicts of both programs. */
#include "kit.h"

#include <errno.h>
#include <seqshare/seqshare.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static unsigned passed, failed, skipped;

_Noreturn void give_up(const char *what, int error)
{
    fprintf(stderr, "torture: %s: %s\n", what, error < 0 ? seqshare_strerror(error) : strerror(error));
    exit(2);
}

void complain(struct complaint *complaint, const char *what, long result)
{
    count(&complaint->errors, 1);
    if (complaint->first[0] == 0)
        snprintf(complaint->first, sizeof complaint->first, "%s: %ld (%s)", what, result,
                 result < 0 ? seqshare_strerror((int)result) : "not expected");
}

void verdict(const char *scenario, const char *what, bool good)
{
    *(good ? &passed : &failed) += 1;
    if (!good)
        printf("FAILED  %s: %s\n", scenario, what);
}

void verdict_skip(const char *scenario, const char *why)
{
    printf("skipped: %s: %s\n", scenario, why);
    skipped++;
}

int verdict_close(void)
{
    printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
    return failed != 0;
}

void *share_memory(uint64_t size, int fd)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);

    if (memory == MAP_FAILED)
        give_up("map shared memory", errno);
    return memory;
}
