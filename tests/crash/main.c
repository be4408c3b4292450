/* SPDX-License-Identifier: MIT */
/* Somebody is killed or stopped at every instruction, and everybody else goes on. */
#include <stdio.h>

#include "crash.h"

unsigned long kills, stops;

int main(int argc, char **argv)
{
    ground_begin(argc, argv);
    test_killed_writers();
    test_killed_readers();
    test_stopped_writers();
    test_names();
    printf("%lu killed, %lu stopped, %lu steps in all\n", kills, stops, tracee_steps);
    return report_close();
}
