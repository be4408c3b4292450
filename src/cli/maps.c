/* SPDX-License-Identifier: MIT */
/* Reads /proc/PID/maps. */
#include "maps.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static const char mark[] = " (deleted)";

/* The number that *at begins with, and the one byte behind it are taken away. */
static unsigned long long take_number(char **at, int base)
{
    unsigned long long number = strtoull(*at, at, base);

    if (**at)
        ++*at;
    return number;
}

/* A line is: start-end rights offset major:minor inode path. The path may be missing. */
static void parse(struct mapping *mapping, char *line)
{
    size_t length;

    line[strcspn(line, "\n")] = 0;
    mapping->start = (uintptr_t)take_number(&line, 16);
    take_number(&line, 16);
    mapping->writable = line[0] && line[1] == 'w';
    line += strcspn(line, " ");
    take_number(&line, 16);
    mapping->major = (unsigned)take_number(&line, 16);
    mapping->minor = (unsigned)take_number(&line, 16);
    mapping->inode = take_number(&line, 10);
    mapping->path = line + strspn(line, " ");
    length = strlen(mapping->path);
    mapping->deleted = length >= sizeof mark && strcmp(mapping->path + length - (sizeof mark - 1), mark) == 0;
    if (mapping->deleted)
        mapping->path[length - (sizeof mark - 1)] = 0;
}

int maps_each(const char *pid, void (*take)(void *context, const struct mapping *mapping), void *context)
{
    char *path = text_format("/proc/%s/maps", pid), *line = NULL;
    FILE *file = fopen(path, "re");
    size_t room = 0;

    free(path);
    if (!file)
        return -errno;
    while (getline(&line, &room, file) > 0) {
        struct mapping mapping;

        parse(&mapping, line);
        take(context, &mapping);
    }
    free(line);
    fclose(file);
    return 0;
}
