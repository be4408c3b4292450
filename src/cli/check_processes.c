/* SPDX-License-Identifier: MIT */
/*
 * Which processes have the region mapped, and which have one that was the name's before? A region that was replaced
 * keeps no name, only its folder: so the second is a guess, and the text says so.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "check.h"
#include "facts.h"
#include "maps.h"
#include "target.h"
#include "text.h"

enum { SHOWN_MOST = 10 };

/* The region's file as /proc/PID/maps shows it: on some file systems with another device number than stat's. */
struct wanted {
    const void *start; /* of a mapping of our own, which is never touched */
    unsigned major, minor;
    uint64_t inode;
    bool nameless; /* a memfd, or a file that lost its name: what other processes have says nothing of it */
    char *path;
    const char *base;
};

/* One process. */
struct seen {
    const struct wanted *wanted;
    bool maps_it, writes, had_name, lost_name;
    char library[64]; /* the file of its libseqshare; "" if it has none of its own */
    bool library_gone;
};

struct survey {
    int mapping, writing, hidden, earlier, outdated;
};

/* ---- the file ------------------------------------------------------------------------------------------ */

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void take_own(void *context, const struct mapping *mapping)
{
    struct wanted *wanted = context;

    if (mapping->start != (uintptr_t)wanted->start)
        return;
    wanted->major = mapping->major;
    wanted->minor = mapping->minor;
    wanted->inode = mapping->inode;
    wanted->nameless = mapping->deleted;
    wanted->path = strdup(mapping->path);
}

static bool find_wanted(struct wanted *wanted, int fd)
{
    void *start = mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0);

    if (start == MAP_FAILED)
        return false;
    *wanted = (struct wanted){.start = start};
    maps_each("self", take_own, wanted);
    munmap(start, 1);
    if (!wanted->path)
        return false;
    wanted->base = base_of(wanted->path);
    return true;
}

/* ---- a process ----------------------------------------------------------------------------------------- */

static bool same_folder(const struct wanted *wanted, const char *path)
{
    size_t length = (size_t)(base_of(path) - path);

    return length == (size_t)(wanted->base - wanted->path) && strncmp(path, wanted->path, length) == 0;
}

/* The name that a region gets just before it loses its last one: name_choose_temporary. */
static bool is_temporary(const char *base)
{
    static const char prefix[] = ".seqshare-";

    return strncmp(base, prefix, sizeof prefix - 1) == 0 &&
           strspn(base + sizeof prefix - 1, "0123456789abcdef") == 16 && strlen(base) == sizeof prefix + 15;
}

static void take_region(struct seen *seen, const struct mapping *mapping)
{
    const struct wanted *wanted = seen->wanted;
    const char *base = base_of(mapping->path);

    if (mapping->major != wanted->major || mapping->minor != wanted->minor)
        return;
    if (mapping->inode == wanted->inode) {
        seen->maps_it = true;
        seen->writes |= mapping->writable;
    } else if (mapping->deleted && !wanted->nameless && same_folder(wanted, mapping->path)) {
        seen->had_name |= strcmp(base, wanted->base) == 0;
        seen->lost_name |= is_temporary(base);
    }
}

static void take_mapping(void *context, const struct mapping *mapping)
{
    struct seen *seen = context;
    const char *base = base_of(mapping->path);

    take_region(seen, mapping);
    if (strncmp(base, "libseqshare.so", 14) != 0)
        return;
    snprintf(seen->library, sizeof seen->library, "%s", base);
    seen->library_gone |= mapping->deleted;
}

/* "process 4711 (gunicorn)"; the caller frees it. */
static char *process_in_words(const char *pid)
{
    char word[WORD_SIZE], *program = text_printable(facts_program((int)strtol(pid, NULL, 10), word));
    char *words = text_format("process %s (%s)", pid, program);

    free(program);
    return words;
}

static void report_earlier(struct check *check, struct survey *survey, const struct seen *seen,
                           const char *pid)
{
    char *who;

    if (seen->maps_it || !(seen->had_name || seen->lost_name) || ++survey->earlier > SHOWN_MOST)
        return;
    who = process_in_words(pid);
    if (seen->had_name)
        report_add(&check->report, NOTE, "old region", "%s has a file mapped that had this name before", who);
    else
        report_add(
            &check->report, NOTE, "old region",
            "%s has a region mapped that was replaced or removed in this folder: of this name, or another",
            who);
    free(who);
}

static void report_outdated(struct check *check, struct survey *survey, const struct seen *seen,
                            const char *pid)
{
    char *who;

    if (!seen->library_gone || !(seen->maps_it || seen->had_name) || ++survey->outdated > SHOWN_MOST)
        return;
    who = process_in_words(pid);
    report_add(&check->report, NOTE, "old library", "%s runs %s, which has been replaced or removed since",
               who, seen->library);
    free(who);
}

/* ---- all of them --------------------------------------------------------------------------------------- */

/* Threads of the kernel have no command line. */
static bool is_of_the_kernel(const char *pid)
{
    char *path = text_format("/proc/%s/cmdline", pid);
    FILE *file = fopen(path, "re");
    bool empty = !file || fgetc(file) == EOF;

    free(path);
    if (file)
        fclose(file);
    return empty;
}

static void look_at(struct check *check, struct survey *survey, const struct wanted *wanted, const char *pid)
{
    struct seen seen = {.wanted = wanted};
    int error = maps_each(pid, take_mapping, &seen);

    if (error == -EACCES || error == -EPERM)
        survey->hidden += !is_of_the_kernel(pid);
    survey->mapping += seen.maps_it;
    survey->writing += seen.writes;
    report_earlier(check, survey, &seen, pid);
    report_outdated(check, survey, &seen, pid);
}

static void advise(const struct survey *survey)
{
    if (survey->earlier > SHOWN_MOST)
        report_advise("and %d more", survey->earlier - SHOWN_MOST);
    if (survey->earlier > 0)
        report_advise(
            "a program moves on when it next asks its name (seqshare_reopen; a cache within a second); "
            "start it again if it does not");
    if (survey->outdated > SHOWN_MOST)
        report_advise("and %d more", survey->outdated - SHOWN_MOST);
    if (survey->outdated > 0)
        report_advise("old and new libraries work together; start these programs again to use the new one");
}

static void summarize(struct check *check, const struct survey *survey)
{
    char hidden[128] = "";

    if (survey->hidden > 0)
        snprintf(hidden, sizeof hidden, "; %d could not be looked at: %s", survey->hidden,
                 geteuid() == 0 ? "this root lacks the privileges"
                                : "only root can look at those of other users");
    report_add(&check->report, FINE, "processes", "%d %s the region mapped, %d of them for writing%s",
               survey->mapping, survey->mapping == 1 ? "has" : "have", survey->writing, hidden);
}

void check_processes(struct check *check)
{
    DIR *processes = opendir("/proc");
    struct survey survey = {0};
    struct wanted wanted;
    const struct dirent *entry;

    if (!processes || !find_wanted(&wanted, check->fd)) {
        report_add(&check->report, FINE, "processes", "not known: /proc does not show them");
        if (processes)
            closedir(processes);
        return;
    }
    while ((entry = readdir(processes)) != NULL)
        if (isdigit((unsigned char)entry->d_name[0]))
            look_at(check, &survey, &wanted, entry->d_name);
    closedir(processes);
    free(wanted.path);
    advise(&survey);
    summarize(check, &survey);
}
