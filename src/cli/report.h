/* SPDX-License-Identifier: MIT */
/* The lines of `check`: one for each finding. */
#ifndef SEQSHARE_CLI_REPORT_H
#define SEQSHARE_CLI_REPORT_H

enum level { FINE, NOTE, WRONG };

struct report {
    int wrong, notes; /* lines so far */
};

__attribute__((format(printf, 4, 5))) void report_add(struct report *report, enum level level,
                                                      const char *subject, const char *format, ...);

/* Advice about the line before. */
__attribute__((format(printf, 1, 2))) void report_advise(const char *format, ...);

/* The last line: how many things are wrong. */
void report_conclude(const struct report *report);

#endif
