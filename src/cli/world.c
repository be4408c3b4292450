/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t inode_of(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 ? (uint64_t)status.st_ino : 0;
}

static void read_boot_id(uint8_t id[16])
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    char digits[3] = "";
    int character, have = 0, bytes = 0;

    while (file && bytes < 16 && (character = getc(file)) != EOF) {
        if (character == '-')
            continue;
        digits[have++] = (char)character;
        if (have == 2) {
            id[bytes++] = (uint8_t)strtoul(digits, NULL, 16);
            have = 0;
        }
    }
    if (file)
        fclose(file);
}

void world_of_this_process(struct world *world)
{
    memset(world, 0, sizeof *world);
    read_boot_id(world->boot_id);
    world->pid_namespace = inode_of("/proc/self/ns/pid");
    world->time_namespace = inode_of("/proc/self/ns/time");
    if (world->time_namespace == 0 && world->pid_namespace != 0)
        world->time_namespace = 1; /* a kernel without them; what the library writes there, too */
}

void world_of_region(struct world *world, const struct header *header)
{
    memcpy(world->boot_id, header->boot_id, sizeof world->boot_id);
    world->pid_namespace = header->pid_namespace;
    world->time_namespace = header->time_namespace;
}

static bool equals(const struct world *one, const struct world *other)
{
    return memcmp(one->boot_id, other->boot_id, sizeof one->boot_id) == 0 &&
           one->pid_namespace == other->pid_namespace && one->time_namespace == other->time_namespace;
}

long read_layout(int fd, struct layout *layout)
{
    ssize_t got;

    memset(layout, 0, sizeof *layout);
    do
        got = pread(fd, layout, sizeof *layout, 0);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

bool has_magic(int fd)
{
    struct layout layout;

    return read_layout(fd, &layout) >= (long)sizeof layout.header.magic &&
           memcmp(layout.header.magic, LAYOUT_MAGIC, sizeof layout.header.magic) == 0;
}

bool is_foreign(int fd)
{
    struct layout layout;
    struct world here, there;

    if (read_layout(fd, &layout) < (long)sizeof layout.header)
        return false;
    world_of_this_process(&here);
    world_of_region(&there, &layout.header);
    return !equals(&here, &there);
}

int process_in(uint64_t pid_namespace)
{
    DIR *processes = opendir("/proc");
    struct dirent *entry;
    int found = 0;

    while (processes && !found && (entry = readdir(processes)) != NULL) {
        char path[64];
        int pid = atoi(entry->d_name); /* 0 for what is no process */

        snprintf(path, sizeof path, "/proc/%d/ns/pid", pid);
        if (pid > 0 && inode_of(path) == pid_namespace)
            found = pid;
    }
    if (processes)
        closedir(processes);
    return found;
}
