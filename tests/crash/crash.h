/* SPDX-License-Identifier: MIT */
/* Who is killed or stopped at which instruction, and what everybody else sees: the parts of the test. */
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
