/* SPDX-License-Identifier: MIT */
/* The lines in which `check` says what it has found. */
#ifndef SEQSHARE_CLI_REPORT_H
#define SEQSHARE_CLI_REPORT_H

enum level { FINE, NOTE, WRONG };

struct report {
    int wrong, notes; /* lines so far */
};

__attribute__((format(printf, 4, 5))) void report_add(struct report *report, enum level level,
                                                      const char *subject, const char *format, ...);

/* What to do about the line before. */
__attribute__((format(printf, 1, 2))) void report_advise(const char *format, ...);

/* The last line: how many things are wrong. */
void report_conclude(const struct report *report);

#endif
