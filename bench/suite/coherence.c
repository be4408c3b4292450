/* SPDX-License-Identifier: MIT */
/*
 * How many cache lines travel between processors: counted, not timed. Each access to shared memory that writes
 * and reads make is recorded: the memory is closed to them, so that each stops, is noted, and steps through.
 * Then a writer and many readers play these accesses, on processors with a cache each: a line is modified in
 * one, or shared by some. A transaction is a load of a line that is not there, or a store to one that is not
 * there alone.
 *
 * The limits: caches are endless and fetch nothing ahead. Readers take turns at random, access by access, but
 * accesses in a row of one reader to one line are one; the writer publishes between their reads, so nobody
 * waits for a lock or begins again. The recorder does not see what the kernel touches: contenders that call it
 * for each read are left out. A place of one reader alone looks like one that all share: so is LMDB left out.
 * What a transaction takes, 20 ns or 200, depends on the processors.
 */
#include "question.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __x86_64__
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "../process.h"

enum {
    LINE = 64,
    READERS_MAX = 64,
    READS = 100,       /* of each reader, a publication */
    PUBLICATIONS = 12, /* that are recorded; values may lie in several places by turns */
    ROUNDS = 4 * PUBLICATIONS,
    LINES_MAX = 1024,
    ACCESSES_MAX = 1024,
    MAPS_MAX = 64
};

struct access {
    unsigned short line;
    bool stores;
};

struct accesses {
    size_t count;
    struct access of[ACCESSES_MAX];
};

/* Made in a child, and read by its parent. */
struct recording {
    struct accesses of[3][PUBLICATIONS]; /* the write, the first read of it, another */
    struct {
        unsigned long inode, at;
    } line[LINES_MAX]; /* a line is a file's, which may be mapped more than once */
    size_t lines;
};

/* ---- the recording --------------------------------------------------------------------------- */

static struct {
    struct recording *recording;
    struct accesses *now; /* what accesses belong to */
    struct map {
        unsigned long begin, end, offset, inode;
        int protection;
    } map[MAPS_MAX];
    size_t maps;
} recorder;

static unsigned short line_of(unsigned long inode, unsigned long at)
{
    struct recording *recording = recorder.recording;
    size_t i = 0;

    while (i < recording->lines && (recording->line[i].inode != inode || recording->line[i].at != at))
        i++;
    if (i == recording->lines && i + 1 < LINES_MAX) {
        recording->line[i].inode = inode;
        recording->line[i].at = at;
        recording->lines++;
    }
    return (unsigned short)i;
}

static void add_access(unsigned short line, bool stores)
{
    struct accesses *to = recorder.now;

    if (to->count > 0 && to->of[to->count - 1].line == line && to->of[to->count - 1].stores >= stores)
        return;
    if (to->count < ACCESSES_MAX)
        to->of[to->count++] = (struct access){.line = line, .stores = stores};
}

static void protect(bool closed)
{
    for (const struct map *map = recorder.map; map < recorder.map + recorder.maps; map++)
        mprotect((void *)map->begin, map->end - map->begin, closed ? PROT_NONE : map->protection);
}

enum { TRAP_FLAG = 0x100, FAULT_WRITES = 2 };

/* The instruction goes on with the memory open, and stops again when it is through. */
static void on_access(int number, siginfo_t *info, void *context)
{
    greg_t *const registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    const unsigned long address = (unsigned long)info->si_addr;

    for (const struct map *map = recorder.map; map < recorder.map + recorder.maps; map++)
        if (address >= map->begin && address < map->end) {
            add_access(line_of(map->inode, (address - map->begin + map->offset) / LINE),
                       registers[REG_ERR] & FAULT_WRITES);
            mprotect((void *)map->begin, map->end - map->begin, map->protection);
            registers[REG_EFL] |= TRAP_FLAG;
            return;
        }
    signal(number, SIG_DFL); /* a fault of the contender's own */
}

static void on_step(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info;
    protect(true);
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)TRAP_FLAG;
}

/* All shared memory but the recording itself. */
static void find_maps(void)
{
    FILE *file = fopen("/proc/self/maps", "re");
    char line[512], access[5];
    struct map map;

    while (file && fgets(line, sizeof line, file) && recorder.maps < MAPS_MAX)
        if (sscanf(line, "%lx-%lx %4s %lx %*s %lu", &map.begin, &map.end, access, &map.offset, &map.inode) ==
                5 &&
            access[0] == 'r' && access[3] == 's' && (unsigned long)recorder.recording != map.begin) {
            map.protection = PROT_READ | (access[1] == 'w' ? PROT_WRITE : 0);
            recorder.map[recorder.maps++] = map;
        }
    if (file)
        fclose(file);
}

static ssize_t watched(struct role *role, int what, unsigned publication)
{
    ssize_t result;

    recorder.now = &recorder.recording->of[what][publication];
    protect(true);
    result = what == 0 ? role->contender->write(role->handle, role->buffer, role->size)
                       : role->contender->read(role->handle, role->buffer, role->size);
    protect(false);
    return what == 0 || result == (ssize_t)role->size ? 0 : -EBADMSG;
}

/* One process both writes and reads; the first times it does so are over. */
static int records(struct role *role)
{
    const struct sigaction access = {.sa_sigaction = on_access, .sa_flags = SA_SIGINFO};
    const struct sigaction step = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};
    ssize_t error = 0;

    for (unsigned i = 0; i < PUBLICATIONS && error == 0; i++) {
        error = role_write(role);
        if (error == 0)
            error = role_warm_up(role);
    }
    recorder.recording = role->scene->extra;
    find_maps();
    sigaction(SIGSEGV, &access, NULL);
    sigaction(SIGTRAP, &step, NULL);
    for (unsigned i = 0; i < PUBLICATIONS; i++)
        for (int what = 0; what < 3 && error == 0; what++)
            error = watched(role, what, i);
    return (int)error;
}

/* ---- the simulation -------------------------------------------------------------------------- */

enum held { NOT_HELD, SHARED, MODIFIED };

struct processors {
    unsigned count;  /* the writer has the first */
    uint64_t random; /* the same numbers each time: so are the figures */
    unsigned char held[LINES_MAX][READERS_MAX + 1];
};

/* Its transactions: 0 or 1. */
static unsigned touch(struct processors *processors, unsigned who, struct access access)
{
    unsigned char *const held = processors->held[access.line];

    if (held[who] == MODIFIED || (held[who] == SHARED && !access.stores))
        return 0;
    for (unsigned i = 0; i < processors->count; i++)
        if (access.stores || held[i] == MODIFIED)
            held[i] = access.stores ? NOT_HELD : SHARED;
    held[who] = access.stores ? MODIFIED : SHARED;
    return 1;
}

static unsigned pick(struct processors *processors, unsigned count)
{
    processors->random = processors->random * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (unsigned)((processors->random >> 33) % count);
}

/* Everybody's reads of one publication: the first may differ from those that find nothing new. */
static uint64_t read_all(const struct recording *recording, unsigned publication,
                         struct processors *processors)
{
    struct {
        unsigned done; /* reads */
        size_t at;     /* access of the one that goes on */
    } reader[READERS_MAX] = {{0, 0}};
    unsigned waiting[READERS_MAX], count = processors->count - 1;
    uint64_t transactions = 0;

    for (unsigned i = 0; i < count; i++)
        waiting[i] = i;
    while (count > 0) {
        const unsigned place = pick(processors, count), who = waiting[place];
        const struct accesses *read = &recording->of[reader[who].done == 0 ? 1 : 2][publication];

        transactions += touch(processors, who + 1, read->of[reader[who].at]);
        if (++reader[who].at < read->count)
            continue;
        reader[who].at = 0;
        if (++reader[who].done == READS)
            waiting[place] = waiting[--count];
    }
    return transactions;
}

static void simulate(const struct recording *recording, struct suite_answer *answer, unsigned readers)
{
    static struct processors processors;
    uint64_t reading = 0, publishing = 0;
    char name[sizeof answer->counter[0].name];

    memset(&processors, 0, sizeof processors);
    processors.count = readers + 1;
    for (unsigned round = 0; round < PUBLICATIONS + ROUNDS; round++) {
        const struct accesses *write = &recording->of[0][round % PUBLICATIONS];

        if (round == PUBLICATIONS)
            reading = publishing = 0; /* from now on caches are warm */
        for (size_t i = 0; i < write->count; i++)
            publishing += touch(&processors, 0, write->of[i]);
        reading += read_all(recording, round % PUBLICATIONS, &processors);
    }
    snprintf(name, sizeof name, "read_%u", readers);
    answer_add(answer, name, (double)reading / (ROUNDS * READS) / readers);
    snprintf(name, sizeof name, "publication_%u", readers);
    answer_add(answer, name, (double)publishing / ROUNDS);
}

static int ask(struct scene *scene)
{
    struct recording *recording = shared_memory(sizeof *recording);
    int error = recording ? scene_begin(scene, 0) : -ENOMEM;

    scene->extra = recording;
    if (error == 0)
        error = scene_enter(scene, 0, CONTENDER_WRITER, records);
    if (error == 0)
        error = scene_stop(scene);
    if (error == 0 && recording->of[2][PUBLICATIONS - 1].count == 0)
        error = -ENODATA;
    for (unsigned readers = 2; readers <= READERS_MAX && error == 0; readers *= readers == 2 ? 4 : 8)
        simulate(recording, scene->answer, readers);
    return error;
}

static void rows(const struct contender *contender, size_t size)
{
    const unsigned cannot = CONTENDER_READ_CALLS | CONTENDER_IN_THREADS;
    const struct row row = {.contender = contender, .ask = ask, .bytes = size};

    if (!(contender->cannot_help & cannot) && strcmp(contender->name, "lmdb") != 0)
        row_add(&row, "coherence", "/bytes:%zu", size);
}
#else
/* A program cannot step through its own instructions on other processors. */
static void rows(const struct contender *contender, size_t size)
{
    (void)contender, (void)size;
}
#endif

const struct question question_coherence = {
    .once = true,
    .sizes = {64},
    .quick_sizes = {64},
    .rows = rows,
};
