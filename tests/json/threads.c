/* SPDX-License-Identifier: MIT */
/*
 * Threads look values up while documents change: two values of one document always belong together.
 *
 * Shows: JSON-2, CACHE-2.
 */
#include "threads.h"

#include <seqshare/json.h>
#include <string.h>

enum { READERS = 3, ROUNDS = 2000 };

static struct {
    seqshare_cache_mt *cache;
    seqshare_json_pointer *number;
    seqshare_json *other; /* a document that stays, beside those that change */
    int stop;
} scene;

static void look(void)
{
    seqshare_snapshot snapshot;
    const seqshare_json *document = seqshare_cache_mt_enter(scene.cache, &snapshot);
    int64_t number = seqshare_json_integer(seqshare_json_at(document, scene.number), -1);
    char text[32];

    check(document != NULL && number > 0);
    snprintf(text, sizeof text, "%lld", (long long)number);
    equals(strcmp(seqshare_json_string(seqshare_json_find(document, "/list/1/text"), ""), text), 0);
    check(seqshare_json_number(seqshare_json_find(document, "/half"), 0) == (double)number / 2);
    check(seqshare_json_at(document, scene.number) == seqshare_json_find(document, "/number"));
    check(seqshare_json_at(scene.other, scene.number) == seqshare_json_find(scene.other, "/number"));
    check(seqshare_json_bool(seqshare_json_find(document, "/odd"), number % 2 == 0) == (number % 2 == 1));
    seqshare_cache_mt_leave(scene.cache, &snapshot);
}

static void *reader(void *context)
{
    (void)context;
    while (!__atomic_load_n(&scene.stop, __ATOMIC_ACQUIRE))
        look();
    return NULL;
}

static void publish(seqshare *share, int number)
{
    char text[200];

    snprintf(text, sizeof text, "{\"number\":%d,\"odd\":%s,\"half\":%d.%d,\"list\":[0,{\"text\":\"%d\"}]}",
             number, number % 2 ? "true" : "false", number / 2, number % 2 * 5, number);
    equals(seqshare_json_publish(share, text, strlen(text), NULL), 0);
}

static seqshare_json *stays(void)
{
    char text[] = "{\"number\":0}";

    return seqshare_json_decode(text, strlen(text), 1, NULL);
}

int main(void)
{
    struct team team = {.size = 0};
    seqshare *share;

    alarm(SECONDS_TO_HANG);
    equals(seqshare_new(&share, 4096), 0);
    equals(seqshare_json_prepare(&scene.number, "/number"), 0);
    scene.other = stays();
    check(scene.other != NULL);
    publish(share, 1);
    equals(seqshare_cache_mt_new(&scene.cache, share, seqshare_json_decode, seqshare_json_destroy, NULL), 0);
    for (int i = 0; i < READERS; i++)
        team_add(&team, reader, NULL);
    for (int i = 2; i < ROUNDS; i++) {
        publish(share, i);
        if (i % 7 == 0)
            equals(seqshare_set(share, "{\"number\":", 10), 0); /* past the check */
        usleep(100);
    }
    __atomic_store_n(&scene.stop, 1, __ATOMIC_RELEASE);
    team_join(&team);
    seqshare_cache_mt_close(scene.cache);
    seqshare_json_destroy(scene.other);
    seqshare_json_release(scene.number);
    seqshare_close(share);
    return 0;
}
