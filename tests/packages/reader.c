/* SPDX-License-Identifier: MIT */
/*
 * A program that follows a share, while the library that it runs with is upgraded: a line for each version.
 * Shows: no promise of the library, but what a distribution expects of it.
 */
#include <stdio.h>

#include <seqshare/seqshare.h>

int main(int argc, char **argv)
{
    seqshare *share;
    uint64_t version = 0;

    if (argc != 2 || seqshare_open(&share, argv[1], SEQSHARE_READ) != 0)
        return 1;
    while (seqshare_wait(share, version, INT64_MAX) == 0) {
        char value[64];
        ssize_t length = seqshare_get(share, value, sizeof value, &version);

        printf("%.*s\n", (int)length, value);
        fflush(stdout);
    }
    return 1;
}
