/* SPDX-License-Identifier: MIT */
/* The region that is fought over: makes it, kills writers in it, and checks it. */
#include "ground.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

seqshare *share, *reader;
struct stage *stage;

/*
 * The library's own calls come here. The coarse clock stands, so that a call takes the same way whenever it is
 * made, unless the test lets it go on.
 */
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
int __real_clock_gettime(clockid_t clock, struct timespec *time);

int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
    if (clock != CLOCK_REALTIME_COARSE)
        return __real_clock_gettime(clock, time);
    *time = (struct timespec){.tv_sec = 1700000000 + (time_t)stage->ticks};
    return 0;
}

void ground_begin(int argc, char **argv)
{
    const char *impossible = tracee_impossible();

    if (impossible) {
        printf("skipped: %s\n0 passed, 0 failed, 1 skipped\n", impossible);
        exit(0);
    }
    report_open(argc, argv);
    stage = stage_new();
}

void fresh_region(struct kind kind, unsigned slots)
{
    int fd, error;

    seqshare_close(share);
    seqshare_close(reader);
    error = seqshare_new_slots(&share, kind.size, slots);
    if (error)
        die("new: %s", seqshare_strerror(error));
    fd = seqshare_fd(share, SEQSHARE_READ);
    error = seqshare_attach(&reader, fd, SEQSHARE_READ);
    close(fd);
    if (error || value_set(share, kind, new_key()) != 0)
        die("no region to fight over");
}

const unsigned char *map_region(size_t *size)
{
    int fd = seqshare_fd(reader, SEQSHARE_READ);
    struct stat status;
    void *bytes = MAP_FAILED;

    if (fd >= 0 && fstat(fd, &status) == 0) {
        *size = (size_t)status.st_size;
        bytes = mmap(NULL, *size, PROT_READ, MAP_SHARED, fd, 0);
    }
    if (bytes == MAP_FAILED)
        die("cannot look at the region");
    close(fd);
    return bytes;
}

uint64_t new_key(void)
{
    static uint64_t key;

    return ++key;
}

uint64_t new_key_less(unsigned bytes)
{
    uint64_t key = new_key();

    while (key % 3 != bytes)
        key = new_key();
    return key;
}
