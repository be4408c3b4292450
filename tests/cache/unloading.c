/* SPDX-License-Identifier: MIT */
/*
 * A plugin with a share is loaded and unloaded. Threads that have used it end afterwards. And a process that
 * loads it again and again does not grow (but for what a static library keeps).
 *
 * Shows: CACHE-6.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin.h"

enum { FIRST_LOADS = 10, LOADS = 100 };

static struct {
    void *library;
    int (*begin)(void);
    void (*request)(void);
    void (*end)(void);
} plugin;

static void check(int condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "not so: %s\n", what);
    exit(1);
}

/* As POSIX has it, though ISO C has no such conversion. */
static void find(void *function, const char *name)
{
    *(void **)function = dlsym(plugin.library, name);
    check(*(void **)function != NULL, name);
}

static void load(const char *path)
{
    plugin.library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!plugin.library)
        fprintf(stderr, "%s\n", dlerror());
    check(plugin.library != NULL, "the plugin is loaded");
    find(&plugin.begin, "plugin_begin");
    find(&plugin.request, "plugin_request");
    find(&plugin.end, "plugin_end");
    check(plugin.begin() == 0, "the plugin begins");
}

static void unload(void)
{
    plugin.end();
    check(dlclose(plugin.library) == 0, "the plugin is unloaded");
}

static pthread_barrier_t step;

static void *server_thread(void *unused)
{
    plugin.request();
    pthread_barrier_wait(&step); /* used */
    pthread_barrier_wait(&step); /* unloaded */
    return unused;
}

static void a_thread_ends_later(const char *path)
{
    pthread_t thread;

    pthread_barrier_init(&step, NULL, 2);
    load(path);
    check(pthread_create(&thread, NULL, server_thread, NULL) == 0, "a thread is started");
    pthread_barrier_wait(&step);
    unload();
    pthread_barrier_wait(&step);
    check(pthread_join(thread, NULL) == 0, "it ends");
}

/* Of address space. */
static long pages(void)
{
    FILE *statm = fopen("/proc/self/statm", "r");
    long size = 0;

    check(statm && fscanf(statm, "%ld", &size) == 1, "the process's size can be had");
    fclose(statm);
    return size;
}

static void load_and_unload(const char *path, int times)
{
    while (times-- > 0) {
        load(path);
        plugin.request();
        unload();
    }
}

static void the_process_does_not_grow(const char *path)
{
    long before, after;

    load_and_unload(path, FIRST_LOADS);
    before = pages();
    load_and_unload(path, LOADS);
    after = pages();
    printf("%ld pages, then %ld\n", before, after);
    check(after < before + LOADS / 2, "the process does not grow");
}

int main(int argc, char **argv)
{
    check(argc == 3, "usage: cache-unloading alone|shared|static PLUGIN");
    if (strcmp(argv[1], "static") != 0)
        the_process_does_not_grow(argv[2]);
    a_thread_ends_later(argv[2]);
    return 0;
}
