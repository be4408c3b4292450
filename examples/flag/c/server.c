/* SPDX-License-Identifier: MIT */
/*
 * A prefork server whose workers look at a flag and a limit on every request. The document is in the share `shop`, or
 * in that of the name that it is given.
 */
#include <seqshare/json.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 4 };

static void answer_request(const seqshare_json *config, const seqshare_json_pointer *rate)
{
    bool dark = seqshare_json_bool(seqshare_json_find(config, "/flags/dark"), false);
    long limit = (long)seqshare_json_integer(seqshare_json_at(config, rate), 10);

    printf("worker %d: %s, %ld a second\n", (int)getpid(), dark ? "dark" : "light", limit);
    fflush(stdout);
}

/* The last good document stays in use, and grows old: say so. */
static void say_trouble(const seqshare_cache *cache)
{
    static time_t next;
    struct seqshare_cache_stat stat;

    seqshare_cache_stat(cache, &stat);
    if (stat.follow_error == 0 || time(NULL) < next)
        return;
    next = time(NULL) + 60;
    fprintf(stderr, "worker %d: the share cannot be followed: %s\n", (int)getpid(),
            seqshare_strerror(stat.follow_error));
}

static void work(seqshare_cache *cache, const seqshare_json_pointer *rate)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    for (;;) {
        usleep(100000); /* here, a request arrives */
        answer_request(seqshare_cache_get(cache), rate);
        say_trouble(cache);
    }
}

/* Without it, the first process of a container would not end by SIGTERM. */
static void end(int number)
{
    (void)number;
    _exit(0);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "shop";
    seqshare *share;
    seqshare_cache *cache;
    seqshare_json_pointer *rate;
    int error = seqshare_open(&share, name, SEQSHARE_READ);

    if (!error)
        error = seqshare_cache_new(&cache, share, seqshare_json_decode, seqshare_json_destroy, NULL);
    if (!error)
        error = seqshare_json_prepare(&rate, "/limits/rate");
    if (error) {
        fprintf(stderr, "%s: %s\n", name, seqshare_strerror(error));
        return 1;
    }
    signal(SIGTERM, end);
    for (int i = 0; i < WORKERS; i++)
        if (fork() == 0)
            work(cache, rate);
    while (wait(NULL) > 0)
        ;
    return 0;
}
