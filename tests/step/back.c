/* SPDX-License-Identifier: MIT */
/*
 * A name has gone to another region when a handle is reopened, and comes back before or behind one of its system
 * calls. The handle ends at one of the two, and maps nothing else.
 *
 * Shows: NAME-8.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "step.h"

enum { CAPACITY = 2000, MODE = 0600 };

static char directory[64], path[128], aside[128];
static seqshare *handle; /* the stepped process has a copy */

static void run_reopen(const void *unused)
{
    (void)unused;
    tracee_mark();
    stage->result = seqshare_reopen(handle);
    stage->over = true;
    tracee_mark();
}

/* Of files in our directory. One that is mapped in parts counts once, by its beginning. */
static unsigned mapped_by(pid_t pid)
{
    char name[64], line[512];
    unsigned count = 0;
    FILE *maps;

    snprintf(name, sizeof name, "/proc/%d/maps", (int)pid);
    maps = fopen(name, "r");
    if (!maps)
        die("cannot read the mappings of the stepped process");
    while (fgets(line, sizeof line, maps)) {
        unsigned long offset;

        count += strstr(line, directory) && sscanf(line, "%*s %*s %lx", &offset) == 1 && offset == 0;
    }
    fclose(maps);
    return count;
}

static void make_region(void)
{
    seqshare *made;

    if (seqshare_create(&made, path, CAPACITY, MODE) != 0)
        die("cannot make a region in %s", directory);
    seqshare_close(made);
}

/* The handle's region stands aside, and another one has the name. */
static void move_away(void)
{
    make_region();
    if (seqshare_open(&handle, path, SEQSHARE_READ) != 0 || rename(path, aside) != 0)
        die("cannot move the region's name");
    make_region();
}

static bool run_round(size_t point)
{
    bool came_back = false;
    pid_t pid;

    report_alive();
    move_away();
    stage->over = false;
    pid = tracee_start(run_reopen, NULL);
    for (size_t i = 0; i <= point; i++)
        if (!tracee_to_system_call(pid))
            break;
    if (!stage->over) {
        came_back = rename(aside, path) == 0;
        tracee_continue(pid);
    }
    if (stage->result != 0 && stage->result != 1)
        report_wrong("point %zu: reopen ends with %ld", point, stage->result);
    if (mapped_by(pid) != 1)
        report_wrong("point %zu: reopen ends with %ld, and %u regions are mapped", point, stage->result,
                     mapped_by(pid));
    tracee_kill(pid);
    tracee_reap(pid);
    seqshare_close(handle);
    unlink(path);
    unlink(aside);
    return came_back;
}

static void remove_directory(void)
{
    unlink(path);
    unlink(aside);
    rmdir(directory);
}

void test_back(void)
{
    size_t points = 0;

    snprintf(directory, sizeof directory, "/dev/shm/seqshare-step-XXXXXX");
    if (!mkdtemp(directory))
        die("cannot make a directory in /dev/shm");
    snprintf(path, sizeof path, "%s/name", directory);
    snprintf(aside, sizeof aside, "%s/aside", directory);
    report_clean_up(remove_directory);
    report_check("during a reopen the name comes back");
    while (run_round(points))
        points++;
    all_rounds += points;
    report_done("%zu stops around system calls", points);
    report_clean_up(NULL);
    remove_directory();
}
