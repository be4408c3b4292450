/* SPDX-License-Identifier: MIT */
/* Limits as a C struct, in a share that a worker inherits by fork. */
#include <seqshare/seqshare.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

struct limits {
    uint32_t requests_per_second, burst;
};
SEQSHARE_TYPE(limits, struct limits) /* limits_set() and an inline limits_get() */

int main(void)
{
    struct limits now = {100, 20}, mine;
    seqshare *config;

    if (seqshare_new(&config, sizeof now) != 0) /* anonymous: every worker inherits it by fork */
        return 1;
    limits_set(config, &now);                          /* any process, at any time */
    if (fork() == 0 && limits_get(config, &mine) == 0) /* on every request: a few loads, no lock */
        return printf("a worker: %u requests a second\n", mine.requests_per_second) < 0;
    return wait(NULL) < 0;
}
