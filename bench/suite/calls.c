/* SPDX-License-Identifier: MIT */
/*
 * seqshare alone: what its other calls cost one process that nobody disturbs, in batches. With libseqshare-json
 * also what a look at a configuration costs that is decoded once per version.
 */
#include "batch.h"
#include "question.h"

#include <errno.h>
#include <string.h>

#include <seqshare/seqshare.h>
#ifdef BENCH_HAVE_JSON
#include <seqshare/json.h>
#endif

enum { LASTS = 50 * MILLISECOND };

static struct {
    seqshare *share;
#ifdef BENCH_HAVE_JSON
    seqshare_cache *cache;
    seqshare_cache_mt *many;
    seqshare_json_pointer *rate;
    const seqshare_json *document;
#endif
} subject;

static int make_share(struct role *role)
{
    int error = seqshare_new(&subject.share, role->size);

    return error ? error : seqshare_set(subject.share, role->buffer, role->size);
}

static int loop_version(struct role *role, size_t times)
{
    (void)role;
    for (size_t i = 0; i < times; i++) {
        uint64_t version = seqshare_version(subject.share);

        __asm__ volatile("" : : "r"(version) : "memory");
    }
    return 0;
}

/* Peek, look at the first word, ask whether that was valid. */
static int loop_peek(struct role *role, size_t times)
{
    uint64_t sum = 0;

    (void)role;
    for (size_t i = 0; i < times; i++) {
        seqshare_view view;

        if (seqshare_peek(subject.share, &view) == 0) {
            uint64_t word = seqshare_load_relaxed(view.data);

            if (seqshare_valid(subject.share, &view))
                sum += word;
        }
        __asm__ volatile("" : : "r"(sum) : "memory");
    }
    return 0;
}

static int loop_lock(struct role *role, size_t times)
{
    int error = 0;

    (void)role;
    for (size_t i = 0; i < times && error == 0; i++) {
        error = seqshare_lock(subject.share);
        if (error == 0)
            error = seqshare_unlock(subject.share);
    }
    return error;
}

static int loop_set(struct role *role, size_t times)
{
    int error = 0;

    for (size_t i = 0; i < times && error == 0; i++)
        error = seqshare_set(subject.share, role->buffer, role->size);
    return error;
}

static int loop_set_held(struct role *role, size_t times)
{
    int error = seqshare_lock(subject.share);

    if (error == 0)
        error = loop_set(role, times);
    return error ? error : seqshare_unlock(subject.share);
}

static int loop_lock_set_unlock(struct role *role, size_t times)
{
    int error = 0;

    for (size_t i = 0; i < times && error == 0; i++)
        error = loop_set_held(role, 1);
    return error;
}

#ifdef BENCH_HAVE_JSON
static int make_document(struct role *role)
{
    static const char text[] =
        "{\"flags\":{\"dark\":true,\"beta\":false},\"limits\":{\"rate\":100,\"burst\":250,\"body\":1048576},"
        "\"routes\":[{\"path\":\"/a\",\"to\":\"one\"},{\"path\":\"/b\",\"to\":\"two\"}],\"name\":\"shop\"}";
    int error = seqshare_new(&subject.share, 1 << 20);

    (void)role;
    if (error == 0)
        error = seqshare_json_publish(subject.share, text, sizeof text - 1, NULL);
    if (error == 0)
        error = seqshare_cache_new(&subject.cache, subject.share, seqshare_json_decode, seqshare_json_destroy,
                                   NULL);
    if (error == 0)
        error = seqshare_cache_mt_new(&subject.many, subject.share, seqshare_json_decode,
                                      seqshare_json_destroy, NULL);
    if (error == 0)
        error = seqshare_json_prepare(&subject.rate, "/limits/rate");
    if (error == 0)
        subject.document = seqshare_cache_get(subject.cache);
    return error;
}

static int loop_cache(struct role *role, size_t times)
{
    (void)role;
    for (size_t i = 0; i < times; i++)
        use(seqshare_cache_get(subject.cache));
    return 0;
}

static int loop_cache_mt(struct role *role, size_t times)
{
    (void)role;
    for (size_t i = 0; i < times; i++) {
        seqshare_snapshot snapshot;

        use(seqshare_cache_mt_enter(subject.many, &snapshot));
        seqshare_cache_mt_leave(subject.many, &snapshot);
    }
    return 0;
}

static int loop_prepared(struct role *role, size_t times)
{
    (void)role;
    for (size_t i = 0; i < times; i++)
        use(seqshare_json_at(subject.document, subject.rate));
    return 0;
}

static int loop_cache_prepared(struct role *role, size_t times)
{
    int64_t sum = 0;

    (void)role;
    for (size_t i = 0; i < times; i++)
        sum += seqshare_json_integer(seqshare_json_at(seqshare_cache_get(subject.cache), subject.rate), 0);
    return sum == 100 * (int64_t)times ? 0 : -EBADMSG;
}

static int loop_cache_find(struct role *role, size_t times)
{
    int64_t sum = 0;

    (void)role;
    for (size_t i = 0; i < times; i++)
        sum +=
            seqshare_json_integer(seqshare_json_find(seqshare_cache_get(subject.cache), "/limits/rate"), 0);
    return sum == 100 * (int64_t)times ? 0 : -EBADMSG;
}
#endif

static const struct call {
    const char *name;
    int (*make)(struct role *role);
    batch_loop *loop;
} calls[] = {
    {"version", make_share, loop_version},
    {"peek", make_share, loop_peek},
    {"lock-unlock", make_share, loop_lock},
    {"set-while-locked", make_share, loop_set_held},
    {"lock-set-unlock", make_share, loop_lock_set_unlock},
#ifdef BENCH_HAVE_JSON
    {"cache-get", make_document, loop_cache},
    {"cache-mt-enter-leave", make_document, loop_cache_mt},
    {"json-prepared", make_document, loop_prepared},
    {"cache-get-json-prepared", make_document, loop_cache_prepared},
    {"cache-get-json-find", make_document, loop_cache_find},
#endif
};

/* On objects of its own: the process ends after the round, and they with it. */
static int calls_it(struct role *role)
{
    const struct call *call = &calls[role->scene->number];
    int error = call->make(role);

    return error ? error : batch_measure(role, call->loop);
}

static int ask(struct scene *scene)
{
    return scene_play(scene, calls_it, 0, NULL, LASTS);
}

static void rows(const struct contender *contender, size_t size)
{
    if (strcmp(contender->name, "seqshare") != 0)
        return;
    for (unsigned i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        const struct row row = {.contender = contender, .ask = ask, .bytes = size, .number = i};

        row_add(&row, "calls", "/call:%s", calls[i].name);
    }
}

const struct question question_calls = {
    .sizes = {64},
    .quick_sizes = {64},
    .rows = rows,
};
