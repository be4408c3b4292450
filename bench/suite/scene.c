/* SPDX-License-Identifier: MIT */
/* Starts the processes of one measurement, and collects their answers. */
#include "scene.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../process.h"

/* So long waits nobody but who hangs, whatever else the machine is busy with. */
#define USUAL_PATIENCE (10 * (int64_t)SECOND)

void *shared_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

/* ---- the roles ------------------------------------------------------------------------------- */

int role_write(struct role *role)
{
    struct shared *shared = role->scene->shared;
    int error;

    role->version = atomic_load_explicit(&shared->issued, memory_order_relaxed) + 1;
    atomic_store_explicit(&shared->issued, role->version, memory_order_relaxed);
    value_stamp(role->buffer, role->size, role->version);
    atomic_store_explicit(&shared->writing, true, memory_order_relaxed);
    error = role->contender->write(role->handle, role->buffer, role->size);
    atomic_store_explicit(&shared->writing, false, memory_order_relaxed);
    return error;
}

int role_check(struct role *role, ssize_t length)
{
    uint64_t version;

    if (length < 0)
        return (int)length;
    if ((size_t)length != role->size)
        return -EBADMSG;
    version = value_version(role->buffer, role->size);
    if (version == 0 || version < role->version)
        atomic_fetch_add_explicit(&role->log->torn, 1, memory_order_relaxed);
    else
        role->version = version;
    return 0;
}

static int look(struct role *role)
{
    ssize_t length = role->contender->read(role->handle, role->buffer, role->size);

    use(role->buffer);
    return role_check(role, length);
}

int role_warm_up(struct role *role)
{
    int64_t until = clock_now() + 5 * MILLISECOND;
    int error = 0;

    while (error == 0 && clock_now() < until)
        error = look(role);
    return error;
}

static int first_deed(struct role *role)
{
    int64_t before = clock_now();
    int error = role->number == 0 ? role_write(role) : look(role);

    role->log->ns = clock_now() - before;
    return error;
}

/* How long this thread has waited for a processor in its life; 0 where the kernel does not say. */
static int64_t waited(void)
{
    FILE *file = fopen("/proc/thread-self/schedstat", "re");
    long long ns = 0;

    if (file) {
        if (fscanf(file, "%*d %lld", &ns) != 1)
            ns = 0;
        fclose(file);
    }
    return ns;
}

static int play_watched(struct role *role)
{
    int64_t before = waited(), began = clock_now();
    int error = role->play(role);

    role->log->held_up = (double)(waited() - before) / (double)(clock_now() - began);
    return error;
}

static int attached(struct role *role)
{
    int error = role->contender->attach(role->scene->store, role->access, &role->handle);

    if (error != 0)
        return error;
    error = first_deed(role);
    if (error == 0) {
        atomic_store(&role->log->ready, true);
        while (!atomic_load(&role->scene->shared->go))
            clock_sleep(MILLISECOND / 10);
        error = play_watched(role);
    }
    role->contender->detach(role->handle);
    return error;
}

static void *perform(void *context)
{
    struct role *role = context;
    int error = -ENOMEM;

    processor_use(role->processor);
    role->buffer = value_new(role->size + BUFFER_PLACES * BUFFER_PLACES_APART);
    if (role->buffer)
        error = attached(role);
    free(role->buffer);
    atomic_store(&role->log->error, error);
    atomic_store(&role->log->ended, true);
    return NULL;
}

/* ---- the writer ------------------------------------------------------------------------------ */

/*
 * A thousand a second are slept for; a hundred thousand are 10 us apart, which is more than falling asleep
 * and waking up: there it watches the clock. A process that was held up does not make up for it.
 */
static void wait_for_turn(const struct role *role, int64_t *next)
{
    const int64_t apart = SECOND / role->scene->rate;
    int64_t now = clock_now();

    *next += apart;
    if (now > *next + 10 * apart)
        *next = now;
    else if (apart >= MILLISECOND / 10)
        clock_sleep_until(*next);
    else
        while (clock_now() < *next && role_goes_on(role))
            ;
}

int role_writes(struct role *role)
{
    int64_t next = clock_now(), began = next;
    uint64_t done = 0;
    int error = 0;

    while (role_goes_on(role) && error == 0) {
        if (role->scene->rate == RATE_IDLE) {
            clock_sleep(MILLISECOND);
            continue;
        }
        error = role_write(role);
        done++;
        if (role->scene->rate != RATE_FREE)
            wait_for_turn(role, &next);
    }
    atomic_store(&role->log->done, done);
    role->log->ns = clock_now() - began;
    return error;
}

/* ---- directing ------------------------------------------------------------------------------- */

int scene_begin(struct scene *scene, unsigned readers)
{
    const struct contender_setup setup = {
        .capacity = scene->size, .readers = readers, .directory = scene->directory};
    size_t mapped;
    int error;

    scene->roles = readers + 1;
    if (scene->patience == 0)
        scene->patience = USUAL_PATIENCE;
    mapped = sizeof(struct shared) + scene->roles * sizeof(struct log);
    scene->shared = shared_memory(mapped);
    if (!scene->shared)
        return -ENOMEM;
    scene->shared->mapped = mapped;
    scene->role = aligned_alloc(_Alignof(struct role), scene->roles * sizeof *scene->role);
    if (!scene->role)
        return -ENOMEM;
    for (unsigned i = 0; i < scene->roles; i++)
        scene->role[i] = (struct role){.scene = scene,
                                       .contender = scene->contender,
                                       .number = i,
                                       .processor = i,
                                       .log = &scene->shared->log[i],
                                       .size = scene->size};
    error =
        scene->contender->create(&setup, &scene->store); /* before moving: servers may go where they like */
    processor_use(0); /* away from the first reader, also when this process wakes up */
    return error;
}

static bool is_thread(const struct role *role)
{
    return role->contender->cannot_help & CONTENDER_IN_THREADS;
}

static int start(struct role *role)
{
    if (is_thread(role))
        return -pthread_create(&role->thread, NULL, perform, role);
    role->process = process_fork();
    if (role->process == 0) {
        perform(role);
        _exit(0);
    }
    return role->process < 0 ? role->process : 0;
}

/* Does it live, without having ended? */
static bool is_playing(struct role *role)
{
    if (atomic_load(&role->log->ended))
        return false;
    if (is_thread(role) || (role->process > 0 && waitpid(role->process, NULL, WNOHANG) == 0))
        return true;
    role->process = 0;
    return false;
}

int scene_enter(struct scene *scene, unsigned number, enum contender_access access, role_play *play)
{
    struct role *role = &scene->role[number];
    int64_t deadline = clock_now() + scene->patience;
    int error;

    role->access = access;
    role->play = play;
    atomic_store(&role->log->ready, false);
    atomic_store(&role->log->ended, false);
    error = start(role);
    while (error == 0 && !atomic_load(&role->log->ready)) {
        if (!is_playing(role))
            error = atomic_load(&role->log->error) != 0 ? atomic_load(&role->log->error) : -ECHILD;
        else if (clock_now() > deadline)
            error = -ETIMEDOUT;
        clock_sleep(MILLISECOND / 10);
    }
    return error;
}

bool scene_has_left(struct scene *scene, unsigned number)
{
    return !is_playing(&scene->role[number]);
}

void scene_go(struct scene *scene)
{
    atomic_store(&scene->shared->go, true);
}

int scene_stop(struct scene *scene)
{
    int64_t deadline = clock_now() + scene->patience;
    int error = 0;

    atomic_store(&scene->shared->stop, true);
    scene_go(scene); /* who waits for it may leave */
    for (unsigned i = 0; i < scene->roles; i++) {
        struct role *role = &scene->role[i];

        if (!role->play)
            continue;
        while (is_playing(role) && clock_now() < deadline)
            clock_sleep(MILLISECOND / 10);
        if (error == 0)
            error = is_playing(role)                 ? -ETIMEDOUT
                    : atomic_load(&role->log->ended) ? atomic_load(&role->log->error)
                                                     : -ECHILD;
    }
    return error;
}

void scene_end(struct scene *scene)
{
    for (unsigned i = 0; scene->role && i < scene->roles; i++) {
        struct role *role = &scene->role[i];

        if (!is_thread(role))
            process_kill(&role->process);
        else if (role->play && atomic_load(&role->log->ended))
            pthread_join(role->thread, NULL);
    }
    if (scene->store)
        scene->contender->destroy(scene->store);
    if (scene->shared)
        munmap(scene->shared, scene->shared->mapped);
    free(scene->role);
}

/* A value that was torn although its contender cannot help being whole, is an error and no figure. */
static int judge(const struct scene *scene)
{
    if (scene->contender->cannot_help & CONTENDER_CAN_TEAR)
        return 0;
    for (unsigned i = 1; i < scene->roles; i++)
        if (atomic_load(&scene->shared->log[i].torn) != 0)
            return -EILSEQ;
    return 0;
}

static void answer_held_up(const struct scene *scene)
{
    double most = 0;

    if (scene->roles > processor_count())
        return;
    for (unsigned i = 0; i < scene->roles; i++)
        if (scene->shared->log[i].held_up > most)
            most = scene->shared->log[i].held_up;
    answer_add(scene->answer, "held_up", most);
}

int scene_play(struct scene *scene, role_play *writer, unsigned readers, role_play *reader, int64_t ns)
{
    int stopped, error = scene_begin(scene, readers);

    if (error != 0)
        return error;
    error = scene_enter(scene, 0, CONTENDER_WRITER, writer);
    for (unsigned i = 1; i <= readers && error == 0; i++)
        error = scene_enter(scene, i, CONTENDER_READER, reader);
    if (error == 0) {
        scene_go(scene);
        clock_sleep(ns);
    }
    stopped = scene_stop(scene);
    if (error == 0)
        error = stopped;
    if (error == 0)
        answer_held_up(scene);
    return error ? error : judge(scene);
}

/* ---- answers --------------------------------------------------------------------------------- */

void answer_add(struct suite_answer *answer, const char *name, double value)
{
    const size_t room = sizeof answer->counter / sizeof answer->counter[0];

    if (answer->counters == room)
        return;
    snprintf(answer->counter[answer->counters].name, sizeof answer->counter[0].name, "%s", name);
    answer->counter[answer->counters++].value = value;
}

void answer_add_scene(const struct scene *scene)
{
    const struct log *writer = &scene->shared->log[0];
    uint64_t torn = 0;

    for (unsigned i = 1; i < scene->roles; i++)
        torn += atomic_load(&scene->shared->log[i].torn);
    if (writer->ns > 0)
        answer_add(scene->answer, "writes_per_second",
                   (double)atomic_load(&writer->done) * (double)SECOND / (double)writer->ns);
    if (scene->contender->cannot_help & CONTENDER_CAN_TEAR)
        answer_add(scene->answer, "torn", (double)torn);
}
