/* SPDX-License-Identifier: MIT */
/* This program, executed again: it does one job with a share, and ends with 0 if all was as it must be. */
#ifndef SEQSHARE_TEST_EXEC_H
#define SEQSHARE_TEST_EXEC_H

/* `fd`: of the region, not close-on-exec. Never returns. The jobs are in exec.c. */
__attribute__((noreturn)) void execute_again(const char *job, int fd);

enum { WAS_HELD = 20 }; /* how the job `settled` ends where the thread has its lock still */

#endif
