/* SPDX-License-Identifier: MIT */
/* One process, nobody else: what the calls themselves cost. */
#include "costs.h"

#include "contender.h"

struct pair {
    uint64_t word[2];
};

struct line {
    uint64_t word[8];
};

SEQSHARE_TYPE(pair, struct pair)
SEQSHARE_TYPE(line, struct line)

struct subject {
    seqshare *share;
    const unsigned char *value; /* what is published */
    const void *slot;           /* where that is */
    unsigned char *buffer;      /* the reader's own */
    unsigned char *target;      /* as a slot is for a writer */
    size_t size;
    const struct contender *contender;
    void *handle;
};

static void loop_memcpy(void *context, size_t times)
{
    const struct subject *subject = context;
    costs_memcpy *copy = costs_opaque_memcpy();

    for (size_t i = 0; i < times; i++) {
        copy(subject->buffer, subject->slot, subject->size);
        costs_use(subject->buffer);
    }
}

static void loop_memcpy_in(void *context, size_t times)
{
    const struct subject *subject = context;
    costs_memcpy *copy = costs_opaque_memcpy();

    for (size_t i = 0; i < times; i++) {
        copy(subject->target, subject->buffer, subject->size);
        costs_use(subject->target);
    }
}

static void loop_get(void *context, size_t times)
{
    const struct subject *subject = context;

    for (size_t i = 0; i < times; i++) {
        seqshare_get(subject->share, subject->buffer, subject->size, NULL);
        costs_use(subject->buffer);
    }
}

static void loop_set(void *context, size_t times)
{
    const struct subject *subject = context;

    for (size_t i = 0; i < times; i++)
        seqshare_set(subject->share, subject->buffer, subject->size);
}

static void loop_get_pair(void *context, size_t times)
{
    const struct subject *subject = context;
    struct pair mine;

    for (size_t i = 0; i < times; i++) {
        pair_get(subject->share, &mine);
        costs_use(&mine);
    }
}

static void loop_get_line(void *context, size_t times)
{
    const struct subject *subject = context;
    struct line mine;

    for (size_t i = 0; i < times; i++) {
        line_get(subject->share, &mine);
        costs_use(&mine);
    }
}

static void loop_version(void *context, size_t times)
{
    const struct subject *subject = context;

    for (size_t i = 0; i < times; i++) {
        uint64_t version = seqshare_version(subject->share);

        __asm__ volatile("" : : "r"(version) : "memory");
    }
}

/* Peek, look at the first word, ask whether that was valid. */
static void loop_peek(void *context, size_t times)
{
    const struct subject *subject = context;
    uint64_t sum = 0;

    for (size_t i = 0; i < times; i++) {
        seqshare_view view;

        if (seqshare_peek(subject->share, &view) == 0) {
            uint64_t word = seqshare_load_relaxed(view.data);

            if (seqshare_valid(subject->share, &view))
                sum += word;
        }
        __asm__ volatile("" : : "r"(sum) : "memory");
    }
}

static void loop_lock(void *context, size_t times)
{
    const struct subject *subject = context;

    for (size_t i = 0; i < times; i++) {
        seqshare_lock(subject->share);
        seqshare_unlock(subject->share);
    }
}

static void loop_contender(void *context, size_t times)
{
    const struct subject *subject = context;

    for (size_t i = 0; i < times; i++) {
        subject->contender->read(subject->handle, subject->buffer, COSTS_LONGEST);
        costs_use(subject->buffer);
    }
}

/* The value that was published last, and of the subject's size: measure with the buffer in several places. */
static struct costs_pair compare_places(struct subject *subject, costs_loop *own)
{
    struct costs_pair pairs[COSTS_PLACES];
    unsigned char *buffer = subject->buffer;
    seqshare_view view = {.data = NULL};

    costs_must(seqshare_peek(subject->share, &view) == 0 && view.length == subject->size, "seqshare_peek");
    subject->slot = view.data;
    for (size_t i = 0; i < COSTS_PLACES; i++, subject->buffer += COSTS_PLACES_APART)
        pairs[i] = costs_compare(loop_memcpy, own, subject);
    subject->buffer = buffer;
    return costs_middle(pairs, COSTS_PLACES);
}

static struct costs_wanted wanted_of_get(size_t size)
{
    if (size <= 256)
        return (struct costs_wanted){WANTED_MORE, 1.5};
    if (size <= 1024)
        return (struct costs_wanted){WANTED_MORE, 2.5};
    return (struct costs_wanted){WANTED_TIMES, size <= 16 * 1024 ? 1.07 : 1.03};
}

static void rows_of_get(struct subject *subject)
{
    static const size_t sizes[] = {8, 16, 64, 256, 512, 1 << 10, 4 << 10, 16 << 10, 64 << 10, COSTS_LONGEST};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        subject->size = sizes[i];
        costs_must(seqshare_set(subject->share, subject->value, subject->size) == 0, "seqshare_set");
        costs_must(seqshare_get(subject->share, subject->buffer, subject->size, NULL) ==
                       (ssize_t)subject->size,
                   "seqshare_get");
        costs_row("get", subject->size, compare_places(subject, loop_get), wanted_of_get(subject->size));
    }
}

static void rows_of_typed_get(struct subject *subject)
{
    const struct costs_wanted wanted = {WANTED_AT_MOST, 2.5};
    struct pair small = {{1, 2}};
    struct line large = {{1, 2, 3, 4, 5, 6, 7, 8}};

    subject->size = sizeof small;
    costs_must(pair_set(subject->share, &small) == 0 && pair_get(subject->share, &small) == 0, "typed get");
    costs_row("typed get, inline", subject->size, compare_places(subject, loop_get_pair), wanted);
    subject->size = sizeof large;
    costs_must(line_set(subject->share, &large) == 0 && line_get(subject->share, &large) == 0, "typed get");
    costs_row("typed get, inline", subject->size, compare_places(subject, loop_get_line), wanted);
    costs_row_alone("version, inline", costs_measure(loop_version, subject),
                    (struct costs_wanted){WANTED_AT_MOST, 0.6});
}

static void rows_of_peek(struct subject *subject)
{
    static const size_t sizes[] = {64, 64 << 10};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        subject->size = sizes[i];
        costs_must(seqshare_set(subject->share, subject->value, subject->size) == 0, "seqshare_set");
        costs_row("peek + valid, inline", subject->size, compare_places(subject, loop_peek),
                  (struct costs_wanted){WANTED_AT_MOST, 2});
    }
}

static void rows_of_set(struct subject *subject)
{
    static const size_t sizes[] = {8, 64, 256, 1 << 10, 4 << 10};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        subject->size = sizes[i];
        costs_row("set", subject->size, costs_compare(loop_memcpy_in, loop_set, subject),
                  (struct costs_wanted){WANTED_MORE, 25});
    }
    costs_row_alone("lock + unlock", costs_measure(loop_lock, subject),
                    (struct costs_wanted){WANTED_NOTHING, 0});
}

/* The locks of others, through the contenders' interface, which adds a call. */
static void rows_of_contenders(struct subject *subject)
{
    static const char *const names[] = {"seqshare", "mutex", "mutex-robust", "rwlock", "semaphore"};
    const struct contender_setup setup = {.capacity = COSTS_LONGEST, .readers = 1, .directory = ""};

    subject->size = 64;
    costs_must(seqshare_set(subject->share, subject->value, subject->size) == 0, "seqshare_set");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        void *store;

        subject->contender = contender_find(names[i]);
        costs_must(subject->contender->create(&setup, &store) == 0, "a contender's create");
        costs_must(subject->contender->attach(store, CONTENDER_WRITER, &subject->handle) == 0 &&
                       subject->contender->write(subject->handle, subject->value, subject->size) == 0,
                   "a contender's write");
        costs_row(names[i], subject->size, compare_places(subject, loop_contender),
                  (struct costs_wanted){WANTED_NOTHING, 0});
        subject->contender->detach(subject->handle);
        subject->contender->destroy(store);
    }
}

void costs_alone(void)
{
    struct subject subject = {.value = costs_buffer(), .buffer = costs_buffer(), .target = costs_buffer()};

    costs_must(seqshare_new(&subject.share, COSTS_LONGEST) == 0, "seqshare_new");
    costs_heading("One process               value          ns     memcpy        more   ratio  wanted");
    rows_of_get(&subject);
    rows_of_typed_get(&subject);
    rows_of_peek(&subject);
    rows_of_set(&subject);
    costs_heading("For scale: a read under nobody's load");
    rows_of_contenders(&subject);
    seqshare_close(subject.share);
}
