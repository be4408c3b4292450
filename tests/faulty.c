/* SPDX-License-Identifier: MIT */
/*
 * One planted fault of each kind, for the checkers to find: a check that lets this pass would let all pass.
 * A child commits it, and the status does not tell: as it is in the unit tests.
 */
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int shared;

/* Compilers would see through a plain pointer, and warn. */
static void address(void)
{
    volatile int *volatile numbers = malloc(4 * sizeof *numbers);

    if (numbers)
        numbers[4] = 1;
}

static void undefined(void)
{
    volatile int most = INT_MAX;

    most = most + 1;
}

static void uninitialised(void)
{
    volatile int *volatile value = malloc(sizeof *value);

    if (value && *value == 42)
        puts("42");
}

static void *increment(void *nothing)
{
    for (int i = 0; i < 100000; i++)
        shared++;
    return nothing;
}

static void race(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, increment, NULL) == 0) {
        increment(NULL);
        pthread_join(thread, NULL);
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*commit)(void);
    } faults[] = {
        {"address", address}, {"undefined", undefined}, {"uninitialised", uninitialised}, {"race", race}};
    pid_t child;

    for (size_t i = 0; argc == 2 && i < sizeof faults / sizeof *faults; i++) {
        if (strcmp(argv[1], faults[i].name) != 0)
            continue;
        child = fork();
        if (child == 0) {
            faults[i].commit();
            _exit(0);
        }
        return child > 0 && waitpid(child, NULL, 0) == child ? 0 : 2;
    }
    fputs("usage: faulty address|undefined|uninitialised|race\n", stderr);
    return 2;
}
