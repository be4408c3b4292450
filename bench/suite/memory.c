/* SPDX-License-Identifier: MIT */
/*
 * What a worker's memory grows by when it attaches and reads for the first time: shared, which all workers
 * have together, and its own. Program code that is touched for the first time does not count.
 */
#include "question.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../process.h"

struct memory {
    long shared, private; /* bytes */
};

struct worker {
    struct memory grown;
    int64_t ns; /* attach and the first read */
    int error;
};

/* Of shared mappings what is there; of private ones that can be written what is this process's alone. */
static struct memory memory_now(void)
{
    struct memory memory = {0, 0};
    FILE *file = fopen("/proc/self/smaps", "re");
    char line[512], access[5] = "";

    while (file && fgets(line, sizeof line, file)) {
        long kib;

        if (sscanf(line, "%*x-%*x %4s", access) == 1)
            continue;
        if (access[3] == 's' && sscanf(line, "Rss: %ld", &kib) == 1)
            memory.shared += kib * 1024;
        else if (access[3] == 'p' && access[1] == 'w' && sscanf(line, "Private_%*5c: %ld", &kib) == 1)
            memory.private += kib * 1024;
    }
    if (file)
        fclose(file);
    return memory;
}

/* After fork, the first to touch a page copies it: what is touched here does not show as a contender's. */
static void touch_stack_and_heap(void)
{
    enum { SOME = 64 * 1024 };
    unsigned char stack[SOME];
    unsigned char *heap = malloc(SOME);

    memset(stack, 1, sizeof stack);
    use(stack);
    if (heap)
        memset(heap, 1, SOME);
    use(heap);
    free(heap);
}

static void work(const struct scene *scene, struct worker *worker)
{
    unsigned char *buffer = value_new(scene->size);
    struct memory before, after;
    ssize_t length = -ENOMEM;
    void *handle;
    int64_t began, ended;
    int error;

    touch_stack_and_heap();
    memory_now();
    before = memory_now();
    began = clock_now();
    error = scene->contender->attach(scene->store, CONTENDER_READER, &handle);
    if (error == 0 && buffer)
        length = scene->contender->read(handle, buffer, scene->size);
    ended = clock_now();
    after = memory_now();
    worker->ns = ended - began;
    worker->grown.shared = after.shared - before.shared;
    worker->grown.private = after.private - before.private;
    if (error == 0 && length != (ssize_t)scene->size)
        worker->error = length < 0 ? (int)length : -EBADMSG;
    else
        worker->error = error;
    if (error == 0)
        scene->contender->detach(handle);
    free(buffer);
}

static int start_worker(const struct scene *scene, struct worker *worker)
{
    pid_t child = process_fork();

    if (child < 0)
        return child;
    if (child == 0) {
        work(scene, worker);
        _exit(0);
    }
    return process_wait(child) ? worker->error : -ECHILD;
}

static int ask(struct scene *scene)
{
    struct worker *worker = shared_memory(sizeof *worker);
    int error = worker ? scene_begin(scene, 1) : -ENOMEM;

    if (error == 0)
        error = scene_enter(scene, 0, CONTENDER_WRITER, role_writes);
    if (error == 0)
        error = start_worker(scene, worker);
    if (error != 0)
        return error;
    scene->answer->ns = (double)worker->ns;
    answer_add(scene->answer, "shared", (double)worker->grown.shared);
    answer_add(scene->answer, "private", (double)worker->grown.private);
    return scene_stop(scene);
}

/* A thread has no memory of its own to look at. */
static void rows(const struct contender *contender, size_t size)
{
    const struct row row = {.contender = contender, .ask = ask, .bytes = size, .rate = RATE_IDLE};

    if (!(contender->cannot_help & CONTENDER_IN_THREADS))
        row_add(&row, "memory", "/bytes:%zu", size);
}

const struct question question_memory = {
    .sizes = {4 << 10, 64 << 10},
    .quick_sizes = {4 << 10},
    .rows = rows,
};
