/* SPDX-License-Identifier: MIT */
/* The parts of the test: a process is killed or stopped at an instruction, and all others go on. */
#ifndef CRASH_H
#define CRASH_H

#include "../ptrace/ground.h"

/* For the report. */
extern unsigned long kills, stops;

void test_killed_writers(void);
void test_killed_readers(void);
void test_stopped_writers(void);
void test_names(void);

#endif
