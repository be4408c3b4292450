/* SPDX-License-Identifier: MIT */
/* Threads, forks, and what Ruby wants of a thread meanwhile. */
#include "binding.h"

#include <pthread.h>
#include <ruby/thread.h>

static unsigned long forks;
static int forks_error;

static void in_child(void)
{
    forks++;
}

static void begin_to_count(void)
{
    forks_error = -pthread_atfork(NULL, NULL, in_child);
}

int count_forks(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, begin_to_count);
    return forks_error;
}

bool is_of_this_process(const struct thread *thread)
{
    return thread->forks == forks;
}

/* The lock belongs to a native thread, so that is what counts. */
struct thread this_thread(void)
{
    static unsigned long last;
    static _Thread_local unsigned long mine;

    if (mine == 0)
        mine = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED); /* a number, and no more: it orders nothing */
    return (struct thread){mine, forks};
}

bool is_this_thread(const struct thread *thread)
{
    const struct thread me = this_thread();

    return thread->number == me.number && thread->forks == me.forks;
}

static VALUE check(VALUE unused)
{
    rb_thread_check_ints();
    return Qnil;
}

int check_interrupts(void)
{
    int state = 0;

    rb_protect(check, Qnil, &state);
    return state;
}

/* The function is not called while something waits for this thread. */
void call_without_gvl(function_without_gvl *function, void *argument)
{
    while (!rb_thread_call_without_gvl2(function, argument, NULL, NULL))
        rb_thread_check_ints();
}
