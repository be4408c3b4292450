/* SPDX-License-Identifier: MIT */
/* Finding shares: by name, in a directory, in a process. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "list.h"
#include "raw.h"
#include "target.h"
#include "text.h"

static const char place[] = "/dev/shm";
static const char prefix[] = "seqshare.";

static struct facts *next(struct list *list)
{
    if (list->count == list->room) {
        list->room = list->room ? 2 * list->room : 16;
        list->facts = realloc(list->facts, list->room * sizeof *list->facts);
        if (!list->facts)
            abort();
    }
    return &list->facts[list->count++];
}

void list_add(struct list *list, const char *name)
{
    char *own = strdup(name);

    if (!own)
        abort();
    facts_find(next(list), own);
}

static void drop_last(struct list *list)
{
    facts_free(&list->facts[--list->count]);
}

void list_free(struct list *list)
{
    while (list->count > 0)
        drop_last(list);
    free(list->facts);
    *list = (struct list){0};
}

/* Is it a regular file? Nothing else is even opened. */
static bool is_file(const char *path, bool follow)
{
    struct stat status;

    return (follow ? stat(path, &status) : lstat(path, &status)) == 0 && S_ISREG(status.st_mode);
}

static int by_name(const void *one, const void *other)
{
    return strcmp(((const struct facts *)one)->name, ((const struct facts *)other)->name);
}

/* Hand all entries of a directory to `take`, which adds those that it wants. */
static int each_entry(struct list *list, const char *directory,
                      void (*take)(struct list *list, const char *directory, const char *entry))
{
    DIR *entries = opendir(directory);
    size_t before = list->count;
    const struct dirent *entry;

    if (!entries)
        return -errno;
    while ((entry = readdir(entries)) != NULL)
        take(list, directory, entry->d_name);
    closedir(entries);
    if (list->count > before)
        qsort(list->facts + before, list->count - before, sizeof *list->facts, by_name);
    return 0;
}

/* It has gone since readdir: as if it had not been there. */
static void drop_if(struct list *list, bool unwanted)
{
    if (unwanted || list->facts[list->count - 1].error == -ENOENT)
        drop_last(list);
}

/* A share, sound or damaged, or some other file? */
static bool is_share(const struct facts *facts)
{
    int fd = facts->error ? target_file(facts->name) : -1;
    bool share = !facts->error || (fd >= 0 && raw_has_magic(fd));

    if (fd >= 0)
        close(fd);
    return share;
}

static void take_named(struct list *list, const char *directory, const char *entry)
{
    (void)directory;
    if (strncmp(entry, prefix, strlen(prefix)) != 0 || !entry[strlen(prefix)])
        return;
    list_add(list,
             entry + strlen(prefix)); /* also if it cannot be opened: the name says that it is a share */
    drop_if(list, false);
}

int list_named(struct list *list)
{
    return each_entry(list, place, take_named);
}

static void take_file(struct list *list, const char *directory, const char *entry)
{
    char *path = text_format("%s%s%s", directory, directory[strlen(directory) - 1] == '/' ? "" : "/", entry);

    if (is_file(path, false)) {
        list_add(list, path);
        drop_if(list, !is_share(&list->facts[list->count - 1]));
    }
    free(path);
}

int list_directory(struct list *list, const char *directory)
{
    return each_entry(list, directory, take_file);
}

/* The library has two descriptors of a region: one line for it. */
static bool is_known(const struct list *list, const struct stat *status)
{
    for (size_t i = 0; i + 1 < list->count; i++)
        if (list->facts[i].status.st_dev == status->st_dev && list->facts[i].status.st_ino == status->st_ino)
            return true;
    return false;
}

static void take_descriptor(struct list *list, const char *directory, const char *entry)
{
    char *path = text_format("%s%s%s", directory, "/", entry);
    const struct facts *facts;

    if (is_file(path, true)) {
        list_add(list, path);
        facts = &list->facts[list->count - 1];
        drop_if(list, is_known(list, &facts->status) || !is_share(facts));
    }
    free(path);
}

int list_process(struct list *list, const char *pid)
{
    char *path = text_format("%s%s%s", "/proc/", pid, "/fd");
    int error = each_entry(list, path, take_descriptor);

    free(path);
    return error;
}
