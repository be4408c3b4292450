/* SPDX-License-Identifier: MIT */
/*
 * Waiting among threads: nobody misses a publication, through a writable mapping or a read-only one.
 *
 * Shows: WAIT-1.
 */
#include "threads.h"

enum { WAITERS = 4, PUBLICATIONS = 2000, ROUNDS = 2000 };

static struct {
    seqshare *share, *back;
} scene;

static void *wait_for_all(void *context)
{
    seqshare *share = context;
    uint64_t version = 0;

    while (version < PUBLICATIONS) {
        uint64_t count = 0, before = version;

        equals(seqshare_wait(share, before, -1), 0);
        equals(seqshare_get(share, &count, sizeof count, &version), 8);
        check(version > before && count == version);
    }
    return NULL;
}

static void *publish_all(void *context)
{
    (void)context;
    for (uint64_t i = 1; i <= PUBLICATIONS; i++) {
        equals(seqshare_set(scene.share, &i, sizeof i), 0);
        if (i % 8 == 0)
            usleep(100); /* lets them fall asleep */
    }
    return NULL;
}

static void many_waiters(void)
{
    struct team team = {.size = 0};
    seqshare *reader;

    equals(seqshare_new(&scene.share, 8), 0);
    reader = another_handle(scene.share, SEQSHARE_READ);
    for (int i = 0; i < WAITERS; i++)
        team_add(&team, wait_for_all, i % 2 ? reader : scene.share);
    team_add(&team, publish_all, NULL);
    team_join(&team);
    equals(seqshare_wait(scene.share, PUBLICATIONS, 1000000), -ETIMEDOUT);
    seqshare_close(reader);
    seqshare_close(scene.share);
}

/* One publishes what the other waits for, to and fro: were wake-ups lost, this would take half an hour. */
static void *answer(void *context)
{
    (void)context;
    for (uint64_t i = 0; i < ROUNDS; i++) {
        equals(seqshare_wait(scene.share, i, -1), 0);
        equals(seqshare_set(scene.back, &i, sizeof i), 0);
    }
    return NULL;
}

static void to_and_fro(void)
{
    struct team team = {.size = 0};

    equals(seqshare_new(&scene.share, 8), 0);
    equals(seqshare_new(&scene.back, 8), 0);
    team_add(&team, answer, NULL);
    for (uint64_t i = 0; i < ROUNDS; i++) {
        equals(seqshare_set(scene.share, &i, sizeof i), 0);
        equals(seqshare_wait(scene.back, i, -1), 0);
    }
    team_join(&team);
    seqshare_close(scene.share);
    seqshare_close(scene.back);
}

int main(void)
{
    alarm(SECONDS_TO_HANG);
    many_waiters();
    to_and_fro();
    return 0;
}
