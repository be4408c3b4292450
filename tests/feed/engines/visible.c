/* SPDX-License-Identifier: MIT */
/* Waits for each version of a share, and says when it saw which value: feed-visible SHARE. For measure.py. */
#include <seqshare/seqshare.h>
#include <stdio.h>
#include <time.h>

int main(int argc, char **argv)
{
    static char value[1 << 20];
    seqshare *share;
    uint64_t version = 0;

    if (argc != 2 || seqshare_open(&share, argv[1], SEQSHARE_WRITE) != 0)
        return 1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (;;) {
        struct timespec now;
        ssize_t length;

        seqshare_wait(share, version, -1);
        clock_gettime(CLOCK_REALTIME, &now);
        length = seqshare_get(share, value, sizeof(value), &version);
        if (length < 0)
            return 1;
        printf("%lld.%09ld %.*s\n", (long long)now.tv_sec, now.tv_nsec, (int)length, value);
    }
}
