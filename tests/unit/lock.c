/* SPDX-License-Identifier: MIT */
/* The writer lock between the living; for its dead owners see takeover.c. Shows: WRITE-1, WRITE-6, READ-4. */
#include "support.h"

#include <pthread.h>
#include <unistd.h>

TestSuite(lock, .timeout = 120);

/* The common ground of tests and their children; `stage` says how far they are, `number` is theirs. */
struct scene {
    seqshare *share;
    int stage;
    int number;
};

static struct scene *scene_new(void)
{
    struct scene *scene = shared_memory(sizeof *scene);

    equals(seqshare_new(&scene->share, 4096), 0);
    return scene;
}

static void hold(void *context)
{
    struct scene *scene = context;

    equals(seqshare_lock(scene->share), 0);
    set_flag(&scene->stage, 1);
    await_flag(&scene->stage, 2);
    equals(seqshare_unlock(scene->share), 0);
}

/* A child that holds the lock, until the stage is 2. */
static pid_t holder(struct scene *scene)
{
    pid_t child;

    set_flag(&scene->stage, 0);
    child = child_start(hold, scene);
    await_flag(&scene->stage, 1);
    return child;
}

static void let_go(struct scene *scene, pid_t child)
{
    set_flag(&scene->stage, 2);
    equals(child_end(child), 0);
}

Test(lock, taken_and_given_back_again_and_again)
{
    struct scene *scene = scene_new();

    for (int i = 0; i < 1000; i++) {
        equals(seqshare_lock(scene->share), 0);
        equals(seqshare_unlock(scene->share), 0);
        equals(seqshare_trylock(scene->share), 0);
        equals(seqshare_unlock(scene->share), 0);
        equals(seqshare_lock_for(scene->share, i % 2 ? -1 : 0), 0);
        equals(seqshare_unlock(scene->share), 0);
    }
    child_run(lock_is_free, scene->share);
    seqshare_close(scene->share);
}

Test(lock, a_thread_that_locks_twice_is_told_so)
{
    struct scene *scene = scene_new();

    equals(seqshare_lock(scene->share), 0);
    equals(seqshare_lock(scene->share), -EDEADLK);
    equals(seqshare_trylock(scene->share), -EDEADLK);
    equals(seqshare_lock_for(scene->share, 0), -EDEADLK);
    equals(seqshare_lock_for(scene->share, -1), -EDEADLK);
    child_run(lock_is_taken, scene->share);
    equals(seqshare_unlock(scene->share), 0);
    child_run(lock_is_free, scene->share);
    seqshare_close(scene->share);
}

static void unlock_of_anothers(void *context)
{
    struct scene *scene = context;

    equals(seqshare_unlock(scene->share), -EPERM);
    equals(seqshare_abandon(scene->share), -EPERM);
    equals(seqshare_publish(scene->share, 0), -EPERM);
}

static void *unlock_of_anothers_in_thread(void *context)
{
    unlock_of_anothers(context);
    lock_is_taken(((struct scene *)context)->share);
    return NULL;
}

Test(lock, nobody_unlocks_for_another)
{
    struct scene *scene = scene_new();
    pthread_t thread;

    equals(seqshare_lock(scene->share), 0);
    child_run(unlock_of_anothers, scene);
    equals(pthread_create(&thread, NULL, unlock_of_anothers_in_thread, scene), 0);
    equals(pthread_join(thread, NULL), 0);
    child_run(lock_is_taken, scene->share);
    equals(seqshare_unlock(scene->share), 0);
    seqshare_close(scene->share);
}

Test(lock, who_may_not_wait_is_told_that_it_is_taken)
{
    struct scene *scene = scene_new();
    pid_t child = holder(scene);
    int64_t begin = now();

    equals(seqshare_trylock(scene->share), -EBUSY);
    equals(seqshare_lock_for(scene->share, 0), -ETIMEDOUT);
    equals(seqshare_lock_for(scene->share, 1), -ETIMEDOUT);
    equals(seqshare_lock_for(scene->share, 120 * MILLISECONDS), -ETIMEDOUT);
    check(now() - begin >= 120 * MILLISECONDS);
    let_go(scene, child);
    child_run(lock_is_free, scene->share);
    seqshare_close(scene->share);
}

/* An owner from before the mark finds none. All the others must. */
static void lock_until_it_is_replaced(void *context)
{
    struct scene *scene = context;
    int result;

    while ((result = seqshare_lock(scene->share)) == 0)
        equals(seqshare_unlock(scene->share), 0);
    equals(result, -EIDRM);
}

static void replace_it(void *context)
{
    seqshare *share;

    equals(seqshare_replace(&share, context, 64, 0600), 0);
}

Test(lock, who_waits_for_the_lock_learns_that_the_region_was_replaced)
{
    struct scene *scene = shared_memory(sizeof *scene);
    const char *name = temp_name();
    pid_t holding, replacing, waiting[3];

    equals(seqshare_create(&scene->share, name, 64, 0600), 0);
    holding = holder(scene);
    waiting[0] = child_start(lock_until_it_is_replaced, scene);
    child_sleeps(waiting[0]);
    replacing = child_start(replace_it, (void *)(uintptr_t)name);
    child_sleeps(replacing);
    for (int i = 1; i < 3; i++) {
        waiting[i] = child_start(lock_until_it_is_replaced, scene);
        child_sleeps(waiting[i]);
    }
    let_go(scene, holding);
    equals(child_end(replacing), 0);
    for (int i = 0; i < 3; i++)
        equals(child_end(waiting[i]), 0);
    check(seqshare_retired(scene->share));
    seqshare_close(scene->share);
}

Test(lock, its_owner_reads_and_writes)
{
    struct scene *scene = scene_new();
    uint64_t version = 0;
    char got[8];
    void *slot;

    equals(seqshare_lock(scene->share), 0);
    equals(seqshare_get(scene->share, got, sizeof got, NULL), -ENODATA);
    equals(seqshare_set(scene->share, "one", 3), 0);
    equals(seqshare_get(scene->share, got, sizeof got, &version), 3);
    equals(version, 1);
    equals(seqshare_set_if(scene->share, &version, "two", 3), 0);
    equals(version, 2);
    equals(seqshare_fill(scene->share, 5, &slot), 0);
    memcpy(slot, "three", 5);
    equals(seqshare_publish(scene->share, 5), 0);
    child_run(lock_is_taken, scene->share); /* none of these gave it back */
    equals(seqshare_fill(scene->share, 5, &slot), 0);
    equals(seqshare_abandon(scene->share), 0);
    child_run(lock_is_taken, scene->share);
    equals(seqshare_unlock(scene->share), 0);
    equals(seqshare_get(scene->share, got, sizeof got, &version), 5);
    check(version == 3 && memcmp(got, "three", 5) == 0);
    child_run(lock_is_free, scene->share);
    seqshare_close(scene->share);
}

Test(lock, an_error_under_it_does_not_give_it_back)
{
    struct scene *scene = scene_new();
    char bytes[1];
    uint64_t version = 7;

    equals(seqshare_lock(scene->share), 0);
    equals(seqshare_set(scene->share, bytes, 4097), -EMSGSIZE);
    equals(seqshare_set_if(scene->share, &version, bytes, 1), -ESTALE);
    equals(version, 0);
    equals(seqshare_abandon(scene->share), -EPERM);
    equals(seqshare_publish(scene->share, 0), -EPERM);
    equals(seqshare_drop_write(scene->share), -EBUSY);
    child_run(lock_is_taken, scene->share);
    equals(seqshare_unlock(scene->share), 0);
    seqshare_close(scene->share);
}

static void set_two(void *context)
{
    struct scene *scene = context;

    equals(seqshare_set(scene->share, "two", 3), 0);
}

static void fill_two(void *context)
{
    struct scene *scene = context;
    void *slot;

    equals(seqshare_fill(scene->share, 3, &slot), 0);
    memcpy(slot, "two", 3);
    equals(seqshare_publish(scene->share, 3), 0);
}

static void a_writer_waits(void (*writer)(void *))
{
    struct scene *scene = scene_new();
    pid_t child;

    equals(seqshare_set(scene->share, "one", 3), 0);
    equals(seqshare_lock(scene->share), 0);
    child = child_start(writer, scene);
    child_sleeps(child);
    equals(seqshare_version(scene->share), 1);
    usleep(150000); /* longer than any sleep of it: it looks at the owner, and sleeps again */
    equals(seqshare_version(scene->share), 1);
    equals(seqshare_unlock(scene->share), 0);
    equals(child_end(child), 0);
    equals(seqshare_version(scene->share), 2);
    seqshare_close(scene->share);
}

Test(lock, a_set_waits_until_it_is_given_back)
{
    a_writer_waits(set_two);
}

Test(lock, a_fill_waits_until_it_is_given_back)
{
    a_writer_waits(fill_two);
}

static void set_two_under_the_lock(void *context)
{
    struct scene *scene = context;

    equals(seqshare_lock_for(scene->share, INT64_MAX), 0); /* added to a clock this overflows */
    equals(seqshare_set(scene->share, "two", 3), 0);
    equals(seqshare_unlock(scene->share), 0);
}

Test(lock, the_longest_limit_does_not_overflow)
{
    a_writer_waits(set_two_under_the_lock);
}

Test(lock, readers_never_wait_for_it)
{
    struct scene *scene = scene_new();
    seqshare_view view = {0};
    char got[8];
    pid_t child;

    equals(seqshare_set(scene->share, "one", 3), 0);
    child = holder(scene);
    for (int i = 0; i < 1000; i++) {
        equals(seqshare_get(scene->share, got, sizeof got, NULL), 3);
        equals(seqshare_try_get(scene->share, got, sizeof got, NULL), 3);
        equals(seqshare_length(scene->share, NULL), 3);
        equals(seqshare_peek(scene->share, &view), 0);
        check(seqshare_valid(scene->share, &view));
    }
    let_go(scene, child);
    seqshare_close(scene->share);
}

Test(lock, close_gives_it_back)
{
    struct scene *scene = scene_new();
    seqshare *other = another_handle(scene->share, SEQSHARE_WRITE);
    void *slot;

    equals(seqshare_lock(other), 0);
    child_run(lock_is_taken, scene->share);
    seqshare_close(other);
    child_run(lock_is_free, scene->share);

    other = another_handle(scene->share, SEQSHARE_WRITE);
    equals(seqshare_fill(other, 10, &slot), 0);
    child_run(lock_is_taken, scene->share);
    seqshare_close(other);
    child_run(lock_is_free, scene->share);
    equals(seqshare_version(scene->share), 0);

    other = another_handle(scene->share, SEQSHARE_WRITE);
    equals(seqshare_lock(other), 0);
    equals(seqshare_fill(other, 10, &slot), 0);
    seqshare_close(other);
    child_run(lock_is_free, scene->share);
    seqshare_close(scene->share);
}

static void refused(seqshare *share, int error)
{
    equals(seqshare_lock(share), error);
    equals(seqshare_trylock(share), error);
    equals(seqshare_lock_for(share, 0), error);
    equals(seqshare_lock_for(share, -1), error);
}

Test(lock, belongs_to_the_thread_whatever_handle_it_uses)
{
    struct scene *scene = scene_new();
    seqshare *other = another_handle(scene->share, SEQSHARE_WRITE);
    void *slot;

    equals(seqshare_lock(other), 0);
    equals(seqshare_unlock(other), 0);
    equals(seqshare_lock(scene->share), 0);
    refused(other, -EDEADLK);
    equals(seqshare_set(other, "one", 3), 0);
    equals(seqshare_fill(scene->share, 3, &slot), 0);
    equals(seqshare_set(other, "two", 3), -EBUSY);
    equals(seqshare_unlock(other), -EBUSY);
    equals(seqshare_publish(other, 3), -EPERM);
    memcpy(slot, "two", 3);
    equals(seqshare_publish(scene->share, 3), 0);
    seqshare_close(other); /* did not lock it, this time */
    child_run(lock_is_taken, scene->share);
    equals(seqshare_unlock(scene->share), 0);
    equals(seqshare_version(scene->share), 2);
    seqshare_close(scene->share);
}

Test(lock, is_another_for_every_region)
{
    struct scene *scene = scene_new(), *other = scene_new();

    equals(seqshare_lock(scene->share), 0);
    equals(seqshare_lock(other->share), 0);
    equals(seqshare_set(other->share, "x", 1), 0);
    equals(seqshare_unlock(scene->share), 0);
    child_run(lock_is_free, scene->share);
    child_run(lock_is_taken, other->share);
    equals(seqshare_unlock(other->share), 0);
    seqshare_close(scene->share);
    seqshare_close(other->share);
}

/* ---- many at once ---- */

enum { ROUNDS = 2000 };

/* Read, add one, write: nothing is lost if and only if one at a time does it. */
static void *count_up(void *context)
{
    struct scene *scene = context;

    for (int i = 0; i < ROUNDS; i++) {
        uint64_t count;

        equals(seqshare_lock(scene->share), 0);
        equals(__atomic_fetch_add(&scene->number, 1, __ATOMIC_RELAXED), 0); /* how many are inside */
        equals(seqshare_get(scene->share, &count, sizeof count, NULL), sizeof count);
        count++;
        equals(seqshare_set(scene->share, &count, sizeof count), 0);
        __atomic_fetch_sub(&scene->number, 1, __ATOMIC_RELAXED);
        equals(seqshare_unlock(scene->share), 0);
    }
    return NULL;
}

static void count_up_in_child(void *context)
{
    count_up(context);
}

static void counted(const seqshare *share, uint64_t wanted)
{
    uint64_t count;

    equals(seqshare_get(share, &count, sizeof count, NULL), sizeof count);
    equals(count, wanted);
    equals(seqshare_version(share), wanted + 1);
}

Test(lock, threads_exclude_each_other)
{
    struct scene *scene = scene_new();
    pthread_t threads[4];

    equals(seqshare_set(scene->share, &(uint64_t){0}, 8), 0);
    for (int i = 0; i < 4; i++)
        equals(pthread_create(&threads[i], NULL, count_up, scene), 0);
    for (int i = 0; i < 4; i++)
        equals(pthread_join(threads[i], NULL), 0);
    counted(scene->share, 4 * ROUNDS);
    seqshare_close(scene->share);
}

Test(lock, processes_exclude_each_other)
{
    struct scene *scene = scene_new();
    pid_t children[4];

    equals(seqshare_set(scene->share, &(uint64_t){0}, 8), 0);
    for (int i = 0; i < 4; i++)
        children[i] = child_start(count_up_in_child, scene);
    for (int i = 0; i < 4; i++)
        equals(child_end(children[i]), 0);
    counted(scene->share, 4 * ROUNDS);
    seqshare_close(scene->share);
}

enum { SLEEPERS = 16 };

static void take_a_turn(void *context)
{
    struct scene *scene = context;
    int turn;

    equals(seqshare_lock(scene->share), 0);
    turn = scene->number;
    usleep(1000); /* the others are asleep all the while */
    scene->number = turn + 1;
    equals(seqshare_unlock(scene->share), 0);
}

Test(lock, is_handed_on_from_sleeper_to_sleeper)
{
    struct scene *scene = scene_new();
    pid_t children[SLEEPERS];

    for (int round = 0; round < 5; round++) {
        scene->number = 0;
        equals(seqshare_lock(scene->share), 0);
        for (int i = 0; i < SLEEPERS; i++)
            children[i] = child_start(take_a_turn, scene);
        for (int i = 0; i < SLEEPERS; i++)
            child_sleeps(children[i]);
        equals(seqshare_unlock(scene->share), 0);
        for (int i = 0; i < SLEEPERS; i++)
            equals(child_end(children[i]), 0);
        equals(scene->number, SLEEPERS);
    }
    child_run(lock_is_free, scene->share);
    seqshare_close(scene->share);
}

Test(lock, who_stops_waiting_leaves_it_usable)
{
    struct scene *scene = scene_new();
    struct seqshare_stat stat;
    pid_t child = holder(scene);

    for (int i = 0; i < 20; i++)
        equals(seqshare_lock_for(scene->share, MILLISECONDS), -ETIMEDOUT);
    equals(seqshare_stat(scene->share, &stat), 0);
    check(stat.owner == child && stat.owner_alive);
    let_go(scene, child);
    equals(seqshare_stat(scene->share, &stat), 0);
    equals(stat.owner, 0);
    equals(seqshare_lock(scene->share), 0);
    equals(seqshare_stat(scene->share, &stat), 0);
    check(stat.owner == getpid() && stat.owner_alive);
    equals(seqshare_unlock(scene->share), 0);
    child_run(lock_is_free, scene->share);
    seqshare_close(scene->share);
}
