/* SPDX-License-Identifier: MIT */
/* The report of a test: one line for each check, at the end the sums. */
#ifndef REPORT_H
#define REPORT_H

/*
 * `--first` on the command line: end at the first check that failed. A check that takes longer than two
 * minutes without a sign of life (report_alive) has failed, and ends the program.
 */
void report_open(int argc, char **argv);

/* Called also when the program ends early; NULL: nothing. */
void report_clean_up(void (*clean)(void));

void report_check(const char *name);
void report_alive(void);

/* The check has failed, and why. Said some times, counted always. */
void report_wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* End of the check: "ok" or "FAILED", and what was done. */
void report_done(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The closing line; the exit status. */
int report_close(void);

/* The test itself cannot go on. */
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
