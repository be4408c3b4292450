/* SPDX-License-Identifier: MIT */
/*
 * What a look at the configuration costs a request when nothing has changed, in nanoseconds: the least of
 * many rounds, for a machine that others use as well; of threads beside each other, the median.
 */
#include <pthread.h>
#include <sched.h>
#include <seqshare/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "numbers.h"

enum { ROUNDS = 40, TIMES = 200000, THREADS = 2 };

static const char text[] = "{\"flags\":{\"dark\":true,\"beta\":false},\"limits\":{\"rate\":100,\"burst\":250,"
                           "\"body\":1048576},\"routes\":[{\"path\":\"/a\",\"to\":\"one\"},"
                           "{\"path\":\"/b\",\"to\":\"two\"}],\"name\":\"shop\"}";

static struct {
    seqshare *share;
    seqshare_cache *cache;
    seqshare_cache_mt *many;
    seqshare_json_pointer *rate;
    const seqshare_json *document;
} scene;

static uint64_t look_at_version(void)
{
    return seqshare_version(scene.share);
}

static uint64_t get_object(void)
{
    return (uintptr_t)seqshare_cache_get(scene.cache);
}

static uint64_t enter_and_leave(void)
{
    seqshare_snapshot snapshot;
    uint64_t result = (uintptr_t)seqshare_cache_mt_enter(scene.many, &snapshot);

    seqshare_cache_mt_leave(scene.many, &snapshot);
    return result;
}

static uint64_t find_value(void)
{
    const seqshare_json *document = seqshare_cache_get(scene.cache);

    return (uint64_t)seqshare_json_integer(seqshare_json_find(document, "/limits/rate"), 0);
}

static uint64_t find_prepared(void)
{
    const seqshare_json *document = seqshare_cache_get(scene.cache);

    return (uint64_t)seqshare_json_integer(seqshare_json_at(document, scene.rate), 0);
}

static uint64_t find_prepared_alone(void)
{
    return (uintptr_t)seqshare_json_at(scene.document, scene.rate);
}

static uint64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time); /* and not of others that have the processor */
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static inline __attribute__((always_inline)) double one_round(uint64_t (*look)(void))
{
    uint64_t from = now();

    for (int i = 0; i < TIMES; i++) {
        uint64_t result = look();

        __asm__ volatile("" : : "r"(result) : "memory");
    }
    return (double)(now() - from) / (double)TIMES;
}

/* Inlined, with `look` known: so it costs what it costs in a program. */
static inline __attribute__((always_inline)) double least(uint64_t (*look)(void))
{
    double best = 1e9;

    for (int round = 0; round < ROUNDS; round++) {
        double each = one_round(look);

        best = each < best ? each : best;
    }
    return best;
}

/* Where threads get into each other's way, the least would be of a round in which they did not. */
static void *enter_in_a_thread(void *result)
{
    double rounds[ROUNDS];

    for (int i = 0; i < ROUNDS; i++)
        rounds[i] = one_round(enter_and_leave);
    *(double *)result = median(rounds, ROUNDS);
    return NULL;
}

static void run_on(pthread_t thread, int processor)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((unsigned)processor, &set);
    pthread_setaffinity_np(thread, sizeof set, &set);
}

static double beside_each_other(void)
{
    pthread_t threads[THREADS];
    double each[THREADS], sum = 0;

    for (int i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, enter_in_a_thread, &each[i]))
            abort();
        run_on(threads[i], i);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        sum += each[i];
    }
    return sum / (double)THREADS;
}

static void row(const char *what, double ns)
{
    printf("%-58s %8.2f ns\n", what, ns);
}

int main(void)
{
    if (seqshare_new(&scene.share, 1 << 20) ||
        seqshare_cache_new(&scene.cache, scene.share, seqshare_json_decode, seqshare_json_destroy, NULL) ||
        seqshare_cache_mt_new(&scene.many, scene.share, seqshare_json_decode, seqshare_json_destroy, NULL) ||
        seqshare_json_prepare(&scene.rate, "/limits/rate") ||
        seqshare_json_publish(scene.share, text, sizeof text - 1, NULL)) {
        fputs("lookups: cannot make its share\n", stderr);
        return 1;
    }
    row("seqshare_version", least(look_at_version));
    row("seqshare_cache_get", least(get_object));
    scene.document = seqshare_cache_get(scene.cache);
    row("seqshare_json_at, prepared /limits/rate", least(find_prepared_alone));
    row("seqshare_cache_get, prepared /limits/rate, integer", least(find_prepared));
    row("seqshare_cache_get, /limits/rate, integer", least(find_value));
    printf("by %s:\n", seqshare_cache_mt_reclamation());
    row("seqshare_cache_mt_enter and leave", least(enter_and_leave));
    row("seqshare_cache_mt_enter and leave, two threads", beside_each_other());
    seqshare_json_release(scene.rate);
    seqshare_cache_mt_close(scene.many);
    seqshare_cache_close(scene.cache);
    seqshare_close(scene.share);
    return 0;
}
