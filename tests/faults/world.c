/* SPDX-License-Identifier: MIT */
/* The resources of a process, as a text: it must be the same before and after. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faults.h"

static void list_descriptors(FILE *text)
{
    struct stat status;

    for (int fd = 0; fd < 64; fd++)
        if (fstat(fd, &status) == 0)
            fprintf(text, "descriptor %d: file %ju:%ju, flags %x\n", fd, (uintmax_t)status.st_dev,
                    (uintmax_t)status.st_ino, (unsigned)fcntl(fd, F_GETFL));
}

/* The library's are all shared, and nobody else's are; what touches and is alike counts as one. */
static void list_mappings(FILE *text)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512], permissions[5], was[5] = "";
    uintptr_t from, to, begin = 0, end = 0;

    check(maps != NULL);
    while (fgets(line, sizeof line, maps)) {
        equals(sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s", &from, &to, permissions), 3);
        if (permissions[3] != 's')
            continue;
        if (from != end || strcmp(permissions, was) != 0) {
            if (end)
                fprintf(text, "mapping %" PRIxPTR "-%" PRIxPTR " %s\n", begin, end, was);
            begin = from;
        }
        end = to;
        memcpy(was, permissions, sizeof was);
    }
    if (end)
        fprintf(text, "mapping %" PRIxPTR "-%" PRIxPTR " %s\n", begin, end, was);
    fclose(maps);
}

static void list_files(FILE *text, const char *directory)
{
    struct dirent **entries;
    struct stat status;
    char path[512];
    int number = scandir(directory, &entries, NULL, alphasort);

    check(number >= 0);
    for (int i = 0; i < number; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);
        if (strcmp(entries[i]->d_name, ".") != 0 && strcmp(entries[i]->d_name, "..") != 0 &&
            lstat(path, &status) == 0)
            fprintf(text, "file %s: %ju, mode %o, %ju links, %jd bytes\n", entries[i]->d_name,
                    (uintmax_t)status.st_ino, (unsigned)status.st_mode, (uintmax_t)status.st_nlink,
                    (intmax_t)status.st_size);
        free(entries[i]);
    }
    free(entries);
}

char *snapshot(const char *directory)
{
    char *bytes;
    size_t size;
    FILE *text = open_memstream(&bytes, &size);

    check(text != NULL);
    list_descriptors(text);
    list_mappings(text);
    list_files(text, directory);
    fprintf(text, "%ld blocks on the heap\n", heap_blocks());
    equals(fclose(text), 0);
    return bytes;
}

void permissions_of(const void *address, char text[5])
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    uintptr_t from, to;

    check(maps != NULL);
    while (fgets(line, sizeof line, maps)) {
        equals(sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s", &from, &to, text), 3);
        if (from <= (uintptr_t)address && (uintptr_t)address < to)
            break;
        text[0] = 0;
    }
    fclose(maps);
}

/*
 * A descriptor that fstat cannot vouch for is rather lost than closed: it could be a stranger's. A temporary
 * name that unlinkat refuses to remove has to stay. Nothing else may.
 */
void remove_what_may_be_left(const struct fault *fault, const char *before, const char *directory)
{
    char line[64], path[512];
    struct dirent *entry;
    DIR *files;

    for (int i = 0; i < REFUSED_MAX; i++) {
        snprintf(line, sizeof line, "descriptor %d:", fault->fds[i]);
        if (fault->fds[i] >= 0 && !strstr(before, line))
            close(fault->fds[i]); /* (may be closed already) */
    }
    if (fault->call != &unlinkat_call)
        return;
    files = opendir(directory);
    check(files != NULL);
    while ((entry = readdir(files))) {
        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        if (strncmp(entry->d_name, ".seqshare-", 10) == 0)
            equals(unlink(path), 0);
    }
    closedir(files);
}
