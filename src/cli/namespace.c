/* SPDX-License-Identifier: MIT */
/* Says why this process cannot write a region, and finds one that can. */
#include "namespace.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <seqshare/seqshare.h>

static uint64_t inode_of(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 ? (uint64_t)status.st_ino : 0;
}

const char *namespace_foreign_in_words(int foreign)
{
    switch (foreign) {
    case SEQSHARE_FOREIGN_BOOT:
        return "the region was made before this machine last started";
    case SEQSHARE_FOREIGN_PID_NAMESPACE:
        return "the region was made in another PID namespace (another container)";
    case SEQSHARE_FOREIGN_TIME_NAMESPACE:
        return "the region was made in another time namespace";
    default:
        return "/proc does not tell in which namespaces and boot this process runs, or did not tell the "
               "process that made the region";
    }
}

int namespace_process(uint64_t pid_namespace)
{
    DIR *processes = opendir("/proc");
    struct dirent *entry;
    int found = 0;

    while (processes && !found && (entry = readdir(processes)) != NULL) {
        char path[64];
        int pid = (int)strtol(entry->d_name, NULL, 10); /* 0 for an entry that is not a process */

        snprintf(path, sizeof path, "/proc/%d/ns/pid", pid);
        if (pid > 0 && inode_of(path) == pid_namespace)
            found = pid;
    }
    if (processes)
        closedir(processes);
    return found;
}
