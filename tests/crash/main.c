/* SPDX-License-Identifier: MIT */
/* Somebody is killed or stopped at every instruction, and everybody else goes on. */
#include <stdio.h>

#include "crash.h"

unsigned long kills, stops;

int main(int argc, char **argv)
{
    const char *impossible = tracee_impossible();

    if (impossible) {
        printf("skipped: %s\n0 passed, 0 failed, 1 skipped\n", impossible);
        return 0;
    }
    report_open(argc, argv);
    stage = stage_new();
    test_killed_writers();
    test_killed_readers();
    test_stopped_writers();
    test_names();
    printf("%lu killed, %lu stopped, %lu steps in all\n", kills, stops, tracee_steps);
    return report_close();
}
