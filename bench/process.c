/* SPDX-License-Identifier: MIT */
/* Children, the processors they run on, and folders to work in. */
#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t process_fork(void)
{
    pid_t parent = getpid(), child = fork();

    if (child < 0)
        return -errno;
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGINT, SIG_IGN);
        signal(SIGTERM, SIG_IGN);
        if (getppid() != parent) /* it died before prctl */
            _exit(1);
    }
    return child;
}

void process_kill(pid_t *child)
{
    if (*child > 0) {
        kill(*child, SIGKILL);
        while (waitpid(*child, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    *child = 0;
}

bool process_wait(pid_t child)
{
    int status = -1;

    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- processors ------------------------------------------------------------------------------ */

/* The lowest number of those that share its core: itself where that cannot be known. */
static unsigned first_of_core(unsigned cpu)
{
    unsigned first = cpu;
    char path[96];
    FILE *file;

    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list", cpu);
    file = fopen(path, "re");
    if (file) {
        if (fscanf(file, "%u", &first) != 1)
            first = cpu;
        fclose(file);
    }
    return first;
}

struct processors {
    unsigned count;
    unsigned number[CPU_SETSIZE];
};

/* Those that are the first of their core, or the others, appended. */
static void append(struct processors *list, const cpu_set_t *all, int firsts)
{
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        unsigned first;

        if (!CPU_ISSET(cpu, all))
            continue;
        first = first_of_core(cpu);
        if ((first == cpu || first >= CPU_SETSIZE || !CPU_ISSET(first, all)) == firsts)
            list->number[list->count++] = cpu;
    }
}

static const struct processors *processors(void)
{
    static struct processors list;
    cpu_set_t all;

    if (list.count == 0 && sched_getaffinity(0, sizeof all, &all) == 0) {
        append(&list, &all, 1);
        append(&list, &all, 0);
    }
    return &list;
}

unsigned processor_count(void)
{
    return processors()->count > 0 ? processors()->count : 1;
}

void processor_use(unsigned number)
{
    const struct processors *list = processors();
    cpu_set_t one;

    if (list->count == 0)
        return;
    CPU_ZERO(&one);
    CPU_SET(list->number[number % list->count], &one);
    sched_setaffinity(0, sizeof one, &one);
}

void processor_use_any(void)
{
    const struct processors *list = processors();
    cpu_set_t any;

    CPU_ZERO(&any);
    for (unsigned i = 0; i < list->count; i++)
        CPU_SET(list->number[i], &any);
    if (list->count > 0)
        sched_setaffinity(0, sizeof any, &any);
}

/* In /proc/cpuinfo, of the first processor; "": it has no such line. */
static void processor_says(const char *key, char *value, size_t size)
{
    FILE *file = fopen("/proc/cpuinfo", "re");
    char line[256];

    value[0] = '\0';
    while (file && value[0] == '\0' && fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');

        if (colon && strncmp(line, key, strlen(key)) == 0 && strchr("\t:", line[strlen(key)]))
            snprintf(value, size, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
    }
    if (file)
        fclose(file);
}

/* A virtual machine's name says little: family and model say which one it is. */
void processor_name(char *name, size_t size)
{
    char called[96], family[16], model[16];

    processor_says("model name", called, sizeof called);
    processor_says("cpu family", family, sizeof family);
    processor_says("model", model, sizeof model);
    if (family[0] && model[0])
        snprintf(name, size, "%s, family %s model %s", called, family, model);
    else
        snprintf(name, size, "%s", called[0] ? called : "unknown processor");
}

/* ---- the contender's directory --------------------------------------------------------------- */

int directory_make(char *path, size_t size)
{
    const char *temporary = getenv("TMPDIR");
    const char *parent = access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : temporary ? temporary : "/tmp";

    errno = ENAMETOOLONG;
    if (snprintf(path, size, "%s/seqshare-bench.XXXXXX", parent) < (int)size && mkdtemp(path))
        return 0;
    path[0] = '\0';
    return -errno;
}

void directory_remove(const char *path)
{
    DIR *directory = path[0] ? opendir(path) : NULL;
    const struct dirent *entry;

    if (!directory)
        return;
    while ((entry = readdir(directory)) != NULL)
        unlinkat(dirfd(directory), entry->d_name, 0); /* `.` and `..` refuse */
    closedir(directory);
    rmdir(path);
}
