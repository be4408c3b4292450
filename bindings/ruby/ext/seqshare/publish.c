/* SPDX-License-Identifier: MIT */
/* Publishing, and the writer lock while a block runs. */
#include "binding.h"

#include <errno.h>

/* ---- publishing ------------------------------------------------------------------------------- */

/* A lock that is free is taken at once, and a publication under it waits for nobody. */
static int publish_through(struct share *share, struct handle *handle, struct request *request)
{
    int error;

    cut_begin();
    error = seqshare_trylock(handle->share);
    if (error == -EBUSY) {
        cut_end();
        return writer_ask(share, handle, request, -1, &request->state);
    }
    if (error >= 0) {
        error = writer_publish(handle, request);
        seqshare_unlock(handle->share);
    } else if (error == -EDEADLK) {
        error = writer_publish(handle, request);
    }
    return writer_end(handle, error);
}

static int publish_somewhere(struct share *share, struct request *request)
{
    const struct holder *holder = share_holder(share);
    struct handle *handle;
    int error;

    if (!holder && !share->writer)
        return -EROFS;
    handle = handle_use(holder ? holder->handle : share->writer);
    error = handle->is_cut ? -EBADMSG : publish_through(share, handle, request);
    handle_drop(handle);
    return error;
}

/* A name that was replaced is followed; one that is replaced a hundred times meanwhile is not. */
static int publish_by_name(struct share *share, struct request *request)
{
    int error, moved = writer_catch_up(share);

    if (moved < 0)
        return moved;
    error = publish_somewhere(share, request);
    for (int tries = 0; error == -EIDRM && share->name && !share_holder(share) && moved == 0 && tries < 100;
         tries++) {
        moved = share->is_closed ? -EROFS : writer_move(share);
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
    int result = writer_try_lock(handle), error = 0;

    if (result == -EBUSY && ns != 0)
        result = writer_ask(share, handle, NULL, ns, state);
    if (result >= 0)
        error = holder_note(share, handle);
    if (error < 0)
        writer_unlock(handle);
    return error < 0 ? error : result == -EBUSY ? -ETIMEDOUT : result;
}

static int lock_somewhere(struct share *share, int64_t ns, int *state)
{
    struct handle *handle;
    int result;

    if (!share->writer)
        return -EROFS;
    handle = handle_use(share->writer);
    result = handle->is_cut ? -EBADMSG : lock_through(share, handle, ns, state);
    handle_drop(handle);
    return result;
}

/* 0, or 1: taken over from an owner that died. */
static int lock(VALUE self, struct share *share, int64_t ns)
{
    int state = 0, result, moved = writer_catch_up(share);

    result = moved < 0 ? moved : lock_somewhere(share, ns, &state);
    for (int tries = 0; result == -EIDRM && share->name && moved == 0 && tries < 100; tries++) {
        moved = share->is_closed ? -EROFS : writer_move(share);
        if (moved == 0)
            result = lock_somewhere(share, ns, &state);
    }
    if (state)
        rb_jump_tag(state);
    if (moved < 0 || result < 0)
        share_fail(self, moved < 0 ? moved : result);
    return result;
}

/*
 * A child of fork that leaves its parent's block has nothing to give back. Nor does the lock of a file that was cut
 * matter to anybody; what the block raised for that goes on.
 */
static VALUE unlock(VALUE self)
{
    struct share *share = share_of(self);
    struct holder *holder = share_holder(share);
    int error;

    if (!holder)
        return Qnil;
    cut_begin();
    error = seqshare_unlock(holder->handle->share);
    error = writer_end(holder->handle, error);
    if (holder->handle->is_cut)
        error = 0;
    holder_forget(share, holder);
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
    return holder || *writer_askers(share) > 0;
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
        error = writer_end(writer, seqshare_drop_write(writer->share));
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
        holder_forget(share, share->holders);
}
