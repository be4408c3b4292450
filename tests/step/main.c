/* SPDX-License-Identifier: MIT */
/* Something happens at every instruction of somebody else. */
#include <stdio.h>
#include <string.h>

#include "step.h"

unsigned long all_rounds;

struct published stand(struct kind kind, uint64_t key, unsigned parity)
{
    int error = 0;

    while (!error && (seqshare_version(share) + 1) % 2 != parity)
        error = value_set(share, kind, new_key());
    if (!error)
        error = value_set(share, kind, key);
    if (error)
        report_wrong("set: %s", seqshare_strerror(error));
    return (struct published){seqshare_version(share), key};
}

void make_half(struct kind kind)
{
    void *slot;
    int error = seqshare_fill(share, kind.size, &slot);

    if (error)
        report_wrong("fill: %s", seqshare_strerror(error));
    else
        memset(slot, 0xee, (kind.size + 1) / 2);
}

int main(int argc, char **argv)
{
    ground_begin(argc, argv);
    test_readers();
    test_writers();
    test_interleaved();
    test_rivals();
    test_names();
    test_back();
    printf("%lu rounds, %lu steps in all\n", all_rounds, tracee_steps);
    return report_close();
}
