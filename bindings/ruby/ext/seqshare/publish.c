/* SPDX-License-Identifier: MIT */
/* Writing, and the writer lock. Whatever may take long goes on without the GVL, in slices. */
#include "binding.h"

#include <errno.h>
#include <ruby/thread.h>
#include <stdlib.h>

static const int64_t SLICE = 100000000; /* how long a wait for the lock keeps Thread#kill waiting */

struct request {
    const char *bytes;
    size_t length;
    uint32_t tag;
    uint64_t *version; /* publish over this version only; NULL: over any */
    int state;         /* not 0: an interrupt must go on */
};

/* ---- who has the lock ------------------------------------------------------------------------- */

struct holder *share_holder(const struct share *share)
{
    struct holder *holder = share->holders;

    while (holder && !is_this_thread(&holder->thread))
        holder = holder->next;
    return holder;
}

static void forget_holder(struct share *share, struct holder *holder)
{
    struct holder **link = &share->holders;

    while (*link != holder)
        link = &(*link)->next;
    *link = holder->next;
    handle_drop(holder->handle);
    free(holder);
}

static int note_holder(struct share *share, struct handle *handle)
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

static void stay_in_this_thread(void)
{
#ifdef HAVE_RB_THREAD_LOCK_NATIVE_THREAD
    rb_thread_lock_native_thread();
#endif
}

/* ---- the region that is written --------------------------------------------------------------- */

/* Of what was done through a handle since cut_begin. */
static int end_writing(struct handle *handle, int error)
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
static int move_writer(struct share *share)
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
static int catch_up(struct share *share)
{
    int error;

    if (!share->name || !share->writer || share_holder(share))
        return 0;
    if (!share->writer->is_cut && seqshare_named(share->writer->share) != 0)
        return 0;
    error = move_writer(share);
    return error == -ENOENT && !share->writer->is_cut ? 0 : error;
}

/* A child of fork has none of its parent's threads that wait. */
static unsigned *askers(struct share *share)
{
    if (!is_of_this_process(&share->asking) || share->asked == 0) {
        share->asking = this_thread();
        share->asked = 0;
    }
    return &share->asked;
}

static int publish(struct handle *handle, const struct request *request)
{
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
        slice->result = publish(slice->handle, slice->request);
        seqshare_unlock(slice->handle->share);
    }
    slice->is_cut = cut_end();
    return NULL;
}

static void unlock_through(struct handle *handle)
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
            unlock_through(handle);
        if (*state)
            return -EINTR;
        if (slice.is_cut)
            return -EBADMSG;
    } while (slice.result == -ETIMEDOUT && exact_time() < until);
    return slice.result;
}

/* Others must not drop this thread's rights meanwhile. */
static int ask(struct share *share, struct handle *handle, const struct request *request, int64_t ns,
               int *state)
{
    int result;

    ++*askers(share);
    result = lock_in_slices(handle, request, ns, state);
    if (*askers(share) > 0) /* a trap may have forked */
        --*askers(share);
    return result;
}

static int try_lock(struct handle *handle)
{
    int result;

    cut_begin();
    result = seqshare_trylock(handle->share);
    return end_writing(handle, result);
}

/* ---- publishing ------------------------------------------------------------------------------- */

/* A lock that is free is taken at once, and a publication under it waits for nobody. */
static int publish_through(struct share *share, struct handle *handle, struct request *request)
{
    int error;

    cut_begin();
    error = seqshare_trylock(handle->share);
    if (error == -EBUSY) {
        cut_end();
        return ask(share, handle, request, -1, &request->state);
    }
    if (error >= 0) {
        error = publish(handle, request);
        seqshare_unlock(handle->share);
    } else if (error == -EDEADLK) {
        error = publish(handle, request);
    }
    return end_writing(handle, error);
}

static int publish_somewhere(struct share *share, struct request *request)
{
    const struct holder *holder = share_holder(share);
    struct handle *handle;
    int error;

    if (!holder && !share->writer)
        return -EROFS;
    handle = handle_use(holder ? holder->handle : share->writer);
    error = publish_through(share, handle, request);
    handle_drop(handle);
    return error;
}

/* A name that was replaced is followed; one that is replaced a hundred times meanwhile is not. */
static int publish_by_name(struct share *share, struct request *request)
{
    int error, moved = catch_up(share);

    if (moved < 0)
        return moved;
    error = publish_somewhere(share, request);
    for (int tries = 0; error == -EIDRM && share->name && !share_holder(share) && moved == 0 && tries < 100;
         tries++) {
        moved = share->is_closed ? -EROFS : move_writer(share);
        if (moved == 0)
            error = publish_somewhere(share, request);
    }
    return moved < 0 ? moved : error;
}

/* 0 or -ESTALE, else it raises. */
static int set_bytes(VALUE self, VALUE bytes, VALUE tag, uint64_t *version)
{
    struct share *share = share_open_of(self);
    struct request request = {.version = version};
    VALUE frozen;
    int error;

    request.tag = to_uint32(tag);
    frozen = rb_str_new_frozen(StringValue(bytes)); /* no other thread changes it meanwhile */
    request.bytes = RSTRING_PTR(frozen);
    request.length = (size_t)RSTRING_LEN(frozen);
    error = publish_by_name(share, &request);
    RB_GC_GUARD(frozen);
    if (request.state)
        rb_jump_tag(request.state);
    if (error < 0)
        share_open_of(self); /* another thread may have closed it meanwhile */
    if (error < 0 && (error != -ESTALE || !version))
        share_fail(self, error);
    return error;
}

VALUE share_set_bytes(VALUE self, VALUE bytes, VALUE tag)
{
    set_bytes(self, bytes, tag, NULL);
    return self;
}

/* [0 or an errno value, the newest version] */
VALUE share_set_bytes_if(VALUE self, VALUE version, VALUE bytes, VALUE tag)
{
    uint64_t expected = to_uint64(version);
    int error = set_bytes(self, bytes, tag, &expected);

    return rb_assoc_new(INT2NUM(-error), ULL2NUM(expected));
}

/* ---- lock ------------------------------------------------------------------------------------- */

static int lock_through(struct share *share, struct handle *handle, int64_t ns, int *state)
{
    int result = try_lock(handle), error = 0;

    if (result == -EBUSY && ns != 0)
        result = ask(share, handle, NULL, ns, state);
    if (result >= 0)
        error = note_holder(share, handle);
    if (error < 0)
        unlock_through(handle);
    return error < 0 ? error : result == -EBUSY ? -ETIMEDOUT : result;
}

static int lock_somewhere(struct share *share, int64_t ns, int *state)
{
    struct handle *handle;
    int result;

    if (!share->writer)
        return -EROFS;
    handle = handle_use(share->writer);
    result = lock_through(share, handle, ns, state);
    handle_drop(handle);
    return result;
}

/* 0, or 1: taken over from an owner that died. */
static int lock(VALUE self, struct share *share, int64_t ns)
{
    int state = 0, result, moved = catch_up(share);

    result = moved < 0 ? moved : lock_somewhere(share, ns, &state);
    for (int tries = 0; result == -EIDRM && share->name && moved == 0 && tries < 100; tries++) {
        moved = share->is_closed ? -EROFS : move_writer(share);
        if (moved == 0)
            result = lock_somewhere(share, ns, &state);
    }
    if (state)
        rb_jump_tag(state);
    if (moved < 0 || result < 0)
        share_fail(self, moved < 0 ? moved : result);
    return result;
}

/* A child of fork that leaves its parent's block has nothing to give back. */
static VALUE unlock(VALUE self)
{
    struct share *share = share_of(self);
    struct holder *holder = share_holder(share);
    int error;

    if (!holder)
        return Qnil;
    cut_begin();
    error = seqshare_unlock(holder->handle->share);
    error = end_writing(holder->handle, error);
    forget_holder(share, holder);
    if (error < 0)
        share_fail(self, error);
    return Qnil;
}

/* Yields whether the lock was taken over. Nothing can come between taking it and the block's protection. */
VALUE share_with_lock(VALUE self, VALUE ns)
{
    const int64_t patience = NUM2LL(ns);
    int recovered;

    rb_need_block();
    stay_in_this_thread();
    recovered = lock(self, share_open_of(self), patience);
    return rb_ensure(rb_yield, recovered ? Qtrue : Qfalse, unlock, self);
}

/* Some thread of this process has the lock, or waits for it. */
static bool is_writing(struct share *share)
{
    const struct holder *holder = share->holders;

    while (holder && !is_of_this_process(&holder->thread))
        holder = holder->next;
    return holder || *askers(share) > 0;
}

VALUE share_drop_write(VALUE self)
{
    struct share *share = share_open_of(self);
    struct handle *writer = share->writer;
    int error = 0;

    if (is_writing(share))
        share_fail(self, -EBUSY);
    /* The handle gives up its rights for good, also where this is the only one: an anonymous share without a
     * descriptor reads through it. */
    if (writer) {
        cut_begin();
        error = end_writing(writer, seqshare_drop_write(writer->share));
    }
    if (error < 0)
        share_fail(self, error);
    share->access = SEQSHARE_READ | (share->access & SEQSHARE_ANY_OWNER);
    if (writer && writer->share != share->reader) {
        share->writer = NULL;
        handle_drop(writer);
    }
    return self;
}

/* A thread that holds the lock gives it back through the handle by which it took it, also when the share is closed. */
void share_end_writing(struct share *share)
{
    handle_drop(share->writer);
    share->writer = NULL;
}

void share_end_locks(struct share *share)
{
    while (share->holders)
        forget_holder(share, share->holders);
}
