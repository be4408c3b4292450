/* SPDX-License-Identifier: MIT */
/*
 * A writer is stepped through every way to write. At every instruction everything that reads does so, and
 * succeeds at once, with the old value until some instruction and with the new one from there on.
 *
 * Shows: READ-1, READ-2, READ-4, WRITE-2.
 */
#include <stdio.h>

#include "step.h"

struct tally {
    unsigned long points;
    size_t instructions, published; /* the first point at which readers had the new value */
};

static void walk(const struct writing *writing, struct tally *tally)
{
    struct published allowed[2];
    pid_t pid = writing_start(writing, allowed);
    int newest = 0;
    size_t k = 0;

    for (;; k++) {
        int seen = values_read(reader, writing->kind, allowed, 1 + writing->publishes);

        report_alive();
        tally->points++;
        if (seen < newest)
            report_wrong("point %zu: %s", k, seen < 0 ? "a reader fails" : "the old value after the new one");
        if (seen > newest)
            tally->published = k;
        newest = seen > newest ? seen : newest;
        if (stage->over)
            break;
        if (!tracee_step(pid))
            die("the call ended without saying so");
    }
    if (newest != writing->publishes || stage->result != writing->result)
        report_wrong("it was through with %ld, and %s value stands", stage->result,
                     newest ? "the new" : "the old");
    tally->instructions = k;
    tracee_kill(pid);
    tracee_reap(pid);
    if (writing->afterwards)
        writing->afterwards();
}

void test_writers(void)
{
    for (const struct writing *writing = writings; writing->name; writing++) {
        struct tally tally = {0, 0, 0};
        unsigned long before = tracee_steps;
        char name[128];

        if (writing->sleeps)
            continue;
        snprintf(name, sizeof name, "read at every instruction of %s", writing->name);
        report_check(name);
        fresh_region(writing->kind, 2);
        walk(writing, &tally);
        all_rounds += tally.points;
        if (writing->publishes)
            report_done("%zu instructions, published by the %zuth, %lu steps", tally.instructions,
                        tally.published, tracee_steps - before);
        else
            report_done("%zu instructions, %lu steps", tally.instructions, tracee_steps - before);
    }
}
