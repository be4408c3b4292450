/* SPDX-License-Identifier: MIT */
/* The region that is written, and its lock. Whatever may take long goes on without the GVL, in slices. */
#include "binding.h"

#include <errno.h>
#include <ruby/thread.h>
#include <stdlib.h>

static const int64_t SLICE = 100000000; /* how long a wait for the lock keeps Thread#kill waiting */

/* ---- who has the lock ------------------------------------------------------------------------- */

struct holder *share_holder(const struct share *share)
{
    struct holder *holder = share->holders;

    while (holder && !is_this_thread(&holder->thread))
        holder = holder->next;
    return holder;
}

void holder_forget(struct share *share, struct holder *holder)
{
    struct holder **link = &share->holders;

    while (*link != holder)
        link = &(*link)->next;
    *link = holder->next;
    handle_drop(holder->handle);
    free(holder);
}

int holder_note(struct share *share, struct handle *handle)
{
    struct holder *holder = malloc(sizeof *holder);

    if (!holder)
        return -ENOMEM;
    *holder = (struct holder){this_thread(), handle_use(handle), share->holders};
    share->holders = holder;
    return 0;
}

/*
 * The lock belongs to a native thread, and Ruby from 3.3 on may move threads between those: of a Ractor, or all of them
 * with RUBY_MN_THREADS. From 3.4 on a thread can ask to stay. (Share#update knows what to do without.)
 */
bool can_stay_in_this_thread(void)
{
#ifdef HAVE_RB_THREAD_LOCK_NATIVE_THREAD
    return true;
#else
    return false;
#endif
}

void stay_in_this_thread(void)
{
#ifdef HAVE_RB_THREAD_LOCK_NATIVE_THREAD
    rb_thread_lock_native_thread();
#endif
}

/* ---- the region that is written --------------------------------------------------------------- */

/* Of what was done through a handle since cut_begin. */
int writer_end(struct handle *handle, int error)
{
    if (!cut_end())
        return error;
    handle->is_cut = true;
    return -EBADMSG;
}

static int open_writer(const struct share *share, seqshare **writer)
{
    int error;

    cut_begin();
    error = seqshare_open(writer, share->name, SEQSHARE_WRITE | (share->access & SEQSHARE_ANY_OWNER));
    if (!cut_end() || error < 0)
        return error;
    seqshare_close(*writer);
    return -EBADMSG;
}

/* The region was replaced: open the one that has the name now, beside the old one, which others may still use. */
int writer_move(struct share *share)
{
    struct handle *old = share->writer, *handle;
    seqshare *writer;
    int error;

    if (!old) /* another thread has dropped it meanwhile */
        return -EROFS;
    error = open_writer(share, &writer);
    if (error < 0)
        return error;
    handle = handle_new(writer);
    if (!handle)
        return -ENOMEM;
    share->writer = handle;
    handle_drop(old);
    share->next_look = 0; /* and those that read look, too */
    return 0;
}

/*
 * A file that was swapped underneath the name has no mark: ask the name, at the price of a system call. A region
 * without a name stays as it is. A file that was cut is opened again.
 */
int writer_catch_up(struct share *share)
{
    int error;

    if (!share->name || !share->writer || share_holder(share))
        return 0;
    if (!share->writer->is_cut && seqshare_named(share->writer->share) != 0)
        return 0;
    error = writer_move(share);
    return error == -ENOENT && !share->writer->is_cut ? 0 : error;
}

/* A child of fork has none of its parent's threads that wait. */
unsigned *writer_askers(struct share *share)
{
    if (!is_of_this_process(&share->asking) || share->asked == 0) {
        share->asking = this_thread();
        share->asked = 0;
    }
    return &share->asked;
}

/* Under the lock. Publishing into a file that was cut would make it longer again. */
int writer_publish(struct handle *handle, const struct request *request)
{
    if (cut_met())
        return -EBADMSG;
    if (request->version)
        return seqshare_set_if_typed(handle->share, request->version, request->bytes, request->length,
                                     request->tag);
    return seqshare_set_typed(handle->share, request->bytes, request->length, request->tag);
}

struct slice {
    struct handle *handle;
    const struct request *request; /* NULL: keep the lock */
    int64_t ns;
    int result;
    bool is_cut;
};

/* A publication ends here, because a thread of Ruby 3.3 may go on in another native one. */
static void *lock_for_a_slice(void *argument)
{
    struct slice *slice = argument;

    cut_begin();
    slice->result = seqshare_lock_for(slice->handle->share, slice->ns);
    if (slice->result >= 0 && slice->request) {
        slice->result = writer_publish(slice->handle, slice->request);
        seqshare_unlock(slice->handle->share);
    }
    slice->is_cut = cut_end();
    return NULL;
}

void writer_unlock(struct handle *handle)
{
    cut_begin();
    seqshare_unlock(handle->share);
    cut_end();
}

/*
 * Wait for the lock, and publish or keep it. What Ruby has for this thread comes through: *state is then not 0, and the
 * lock is not kept.
 */
static int lock_in_slices(struct handle *handle, const struct request *request, int64_t ns, int *state)
{
    const int64_t until = ns < 0 ? INT64_MAX : exact_time() + ns;
    struct slice slice = {.handle = handle, .request = request};

    do {
        const int64_t left = until - exact_time();

        slice.ns = left < 0 ? 0 : left < SLICE ? left : SLICE;
        slice.result = -ETIMEDOUT; /* should it not be called at all */
        rb_thread_call_without_gvl2(lock_for_a_slice, &slice, NULL, NULL);
        handle->is_cut |= slice.is_cut;
        *state = check_interrupts();
        if ((*state || slice.is_cut) && slice.result >= 0 && !request)
            writer_unlock(handle);
        if (*state)
            return -EINTR;
        if (slice.is_cut)
            return -EBADMSG;
    } while (slice.result == -ETIMEDOUT && exact_time() < until);
    return slice.result;
}

/* Others must not drop this thread's rights meanwhile. */
int writer_ask(struct share *share, struct handle *handle, const struct request *request, int64_t ns,
               int *state)
{
    int result;

    ++*writer_askers(share);
    result = lock_in_slices(handle, request, ns, state);
    if (*writer_askers(share) > 0) /* a trap may have forked */
        --*writer_askers(share);
    return result;
}

int writer_try_lock(struct handle *handle)
{
    int result;

    cut_begin();
    result = seqshare_trylock(handle->share);
    return writer_end(handle, result);
}
