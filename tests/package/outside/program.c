/* SPDX-License-Identifier: MIT */
/*
 * A program as somebody outside would write it: it knows what is installed, and nothing else of seqshare.
 * C11 and C++11 alike. A child sets, the parent reads in every way; says how it went.
 */
#include <seqshare/seqshare.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct limits {
    uint64_t requests;
    uint32_t seconds;
    char zone[20];
};
SEQSHARE_TYPE(limits, struct limits)

static int failures;

static void expect(const char *what, long long got, long long wanted)
{
    if (got == wanted)
        return;
    printf("%s: %lld instead of %lld (%s)\n", what, got, wanted, got < 0 ? seqshare_strerror((int)got) : "");
    failures++;
}

static void set_in_child(seqshare *share, const struct limits *value)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0)
        _exit(limits_set(share, value) == 0 ? 0 : 1);
    expect("waitpid", waitpid(child, &status, 0), child);
    expect("status of the child", status, 0);
}

static void read_typed(const seqshare *share, const struct limits *wanted)
{
    struct limits got;

    memset(&got, 0, sizeof got);
    expect("limits_get", limits_get(share, &got), 0);
    expect("requests", (long long)got.requests, (long long)wanted->requests);
    expect("zone", strcmp(got.zone, wanted->zone), 0);
}

static void read_in_place(const seqshare *share, const struct limits *wanted)
{
    seqshare_view view = {NULL, 0, 0};

    expect("seqshare_peek", seqshare_peek(share, &view), 0);
    if (!view.data)
        return;
    expect("length", (long long)view.length, (long long)sizeof *wanted);
    expect("bytes", memcmp(view.data, wanted, sizeof *wanted), 0);
    expect("seqshare_valid", seqshare_valid(share, &view), 1);
}

int main(void)
{
    struct limits limits = {1000, 60, "everywhere"};
    struct seqshare_stat stat;
    seqshare *share = NULL;
    uint64_t version = 0;
    char text[8];

    expect("seqshare_new", seqshare_new(&share, 1 << 20), 0);
    if (!share)
        return 1;
    expect("limits_get before the first set", limits_get(share, &limits), -ENODATA);
    set_in_child(share, &limits);
    read_typed(share, &limits);
    read_in_place(share, &limits);

    expect("seqshare_set", seqshare_set(share, "untyped", 8), 0);
    expect("limits_get of another type", limits_get(share, &limits), -EBADMSG);
    expect("seqshare_get", seqshare_get(share, text, sizeof text, &version), 8);
    expect("version", (long long)version, 2);
    expect("seqshare_stat", seqshare_stat(share, &stat), 0);
    expect("stat.version", (long long)stat.version, 2);
    expect("stat.capacity", (long long)stat.capacity, 1 << 20);
    seqshare_close(share);

    printf("program of %d.%d.%d: %d failures\n", SEQSHARE_VERSION_MAJOR, SEQSHARE_VERSION_MINOR,
           SEQSHARE_VERSION_PATCH, failures);
    return failures != 0;
}
