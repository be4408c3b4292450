/* SPDX-License-Identifier: MIT */
/* The extension seqshare/seqshare: Ruby's class Seqshare::Share, and functions that need no share. */
#include "binding.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- helpers of all files --------------------------------------------------------------------- */

void share_fail(VALUE self, int error)
{
    rb_exc_raise(rb_funcall(self, rb_intern("failure"), 1, INT2NUM(-error)));
}

struct share *share_of(VALUE self)
{
    return rb_check_typeddata(self, &share_type);
}

struct share *share_open_of(VALUE self)
{
    struct share *share = share_of(self);

    if (!share->cache || share->is_closed)
        rb_exc_raise(rb_funcall(self, rb_intern("closed_failure"), 0));
    return share;
}

uint64_t to_uint64(VALUE number)
{
    number = rb_to_int(number);
    if (RTEST(rb_funcall(number, '<', 1, INT2FIX(0))))
        rb_raise(rb_eRangeError, "a version or a tag is not negative");
    return NUM2ULL(number);
}

uint32_t to_uint32(VALUE number)
{
    const uint64_t value = to_uint64(number);

    if (value > UINT32_MAX)
        rb_raise(rb_eRangeError, "the number has more than 32 bits");
    return (uint32_t)value;
}

static int64_t time_of(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

int64_t coarse_time(void)
{
    return time_of(CLOCK_MONOTONIC_COARSE);
}

int64_t exact_time(void)
{
    return time_of(CLOCK_MONOTONIC);
}

/* ---- the object ------------------------------------------------------------------------------- */

static void share_mark(void *pointer)
{
    const struct share *share = pointer;

    rb_gc_mark_movable(share->document);
    rb_gc_mark_movable(share->format);
}

static void share_compact(void *pointer)
{
    struct share *share = pointer;

    share->document = rb_gc_location(share->document);
    share->format = rb_gc_location(share->format);
}

static void share_free(void *pointer)
{
    struct share *share = pointer;

    share_let_go(share);
    share_end_locks(share);
    free(share->name);
    xfree(share);
}

static size_t share_size(const void *pointer)
{
    const struct share *share = pointer;

    return sizeof *share + (share->name ? strlen(share->name) + 1 : 0);
}

const rb_data_type_t share_type = {
    .wrap_struct_name = "Seqshare::Share",
    .function = {.dmark = share_mark, .dfree = share_free, .dsize = share_size, .dcompact = share_compact},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static VALUE share_allocate(VALUE class)
{
    struct share *share;
    VALUE self = TypedData_Make_Struct(class, struct share, &share_type, share);

    share->document = Qundef;
    share->format = Qnil;
    return self;
}

void share_let_go(struct share *share)
{
    seqshare *reader = share->reader;

    share->is_closed = true;
    share->reader = NULL;
    if (reader && share->writer && reader == share->writer->share)
        reader = NULL; /* the handle's */
    share_end_writing(share);
    share_end_waiting(share);
    share_end_reading(share);
    share->document = Qundef;
    seqshare_close(reader);
}

/* ---- small methods ---------------------------------------------------------------------------- */

static VALUE share_close(VALUE self)
{
    share_let_go(share_of(self));
    return Qnil;
}

static VALUE share_is_closed(VALUE self)
{
    return share_of(self)->is_closed ? Qtrue : Qfalse;
}

static VALUE share_is_writable(VALUE self)
{
    const struct share *share = share_of(self);

    return share->writer && (share->access & SEQSHARE_WRITE) ? Qtrue : Qfalse;
}

static VALUE share_capacity(VALUE self)
{
    return SIZET2NUM(seqshare_capacity(share_open_of(self)->reader));
}

static VALUE share_descriptor(VALUE self, VALUE writable)
{
    const struct share *share = share_open_of(self);
    int fd;

    if (RTEST(writable) && !share->writer)
        share_fail(self, -EROFS);
    fd = RTEST(writable) ? seqshare_fd(share->writer->share, SEQSHARE_WRITE)
                         : seqshare_fd(share->reader, SEQSHARE_READ);
    if (fd < 0)
        share_fail(self, fd);
    return INT2NUM(fd);
}

static VALUE share_prefault(VALUE self)
{
    const struct share *share = share_open_of(self);
    int error;

    cut_begin();
    error = seqshare_prefault(share->reader);
    if (cut_end())
        error = -EBADMSG;
    if (error < 0)
        share_fail(self, error);
    return self;
}

/* ---- functions -------------------------------------------------------------------------------- */

static VALUE module_strerror(VALUE module, VALUE error)
{
    return rb_utf8_str_new_cstr(seqshare_strerror(-NUM2INT(error)));
}

/* nil, or what is wrong with a JSON document. */
static VALUE module_check_json(VALUE module, VALUE text)
{
    char why[JSON_WHY_SIZE];

    StringValue(text);
    if (grammar_walk(RSTRING_PTR(text), (size_t)RSTRING_LEN(text), NULL, NULL, why) == 0)
        return Qnil;
    return rb_utf8_str_new_cstr(why);
}

/* A JSON document as frozen objects; nil: it is none. */
static VALUE module_decode_json(VALUE module, VALUE text)
{
    VALUE document, bytes;

    StringValue(text);
    bytes =
        rb_str_new(RSTRING_PTR(text), RSTRING_LEN(text)); /* ends with a zero byte, at which numbers end */
    document = document_build(RSTRING_PTR(bytes), (size_t)RSTRING_LEN(bytes));
    RB_GC_GUARD(bytes);
    return document == Qundef ? Qnil : document;
}

static VALUE module_tag(VALUE module, VALUE name, VALUE size)
{
    StringValue(name);
    return UINT2NUM(seqshare_tag(RSTRING_PTR(name), (size_t)RSTRING_LEN(name), NUM2SIZET(size)));
}

struct unlinking {
    const char *name;
    int error;
};

static void *unlink_name(void *argument)
{
    struct unlinking *unlinking = argument;

    cut_begin();
    unlinking->error = seqshare_unlink(unlinking->name);
    cut_end();
    return argument;
}

/* 0, or an errno value. */
static VALUE module_unlink(VALUE module, VALUE name)
{
    struct unlinking unlinking = {StringValueCStr(name), 0};

    call_without_gvl(unlink_name, &unlinking);
    RB_GC_GUARD(name);
    return INT2NUM(-unlinking.error);
}

static void define_share(VALUE module)
{
    VALUE class = rb_define_class_under(module, "Share", rb_cObject);

    rb_define_alloc_func(class, share_allocate);
    rb_undef_method(class, "initialize_copy");
    rb_define_private_method(class, "set_up", share_set_up, 4);
    rb_define_method(class, "snapshot", share_snapshot, 0);
    rb_define_method(class, "bytes", share_bytes, 0);
    rb_define_private_method(class, "read_all", share_read, 0);
    rb_define_method(class, "version", share_version, 0);
    rb_define_private_method(class, "snapshot_age", share_age, 0);
    rb_define_method(class, "stat", share_stat, 0);
    rb_define_method(class, "reopen", share_reopen, 0);
    rb_define_private_method(class, "moves", share_moves_, 0);
    rb_define_private_method(class, "publish", share_set_bytes, 2);
    rb_define_private_method(class, "publish_if", share_set_bytes_if, 3);
    rb_define_private_method(class, "with_lock", share_with_lock, 1);
    rb_define_private_method(class, "wait_for", share_wait, 2);
    rb_define_private_method(class, "give_up_writing", share_drop_write, 0);
    rb_define_private_method(class, "descriptor", share_descriptor, 1);
    rb_define_method(class, "prefault", share_prefault, 0);
    rb_define_method(class, "capacity", share_capacity, 0);
    rb_define_method(class, "writable?", share_is_writable, 0);
    rb_define_method(class, "closed?", share_is_closed, 0);
    rb_define_method(class, "close", share_close, 0);
}

RUBY_FUNC_EXPORTED void Init_seqshare(void);

void Init_seqshare(void)
{
    VALUE module = rb_define_module("Seqshare"), native = rb_define_module_under(module, "Native");
    int error = count_forks();

    rb_ext_ractor_safe(true);
    if (error == 0)
        error = cut_prepare();
    if (error < 0)
        rb_raise(rb_eRuntimeError, "seqshare cannot begin: %s", seqshare_strerror(error));
    define_share(module);
    rb_define_const(native, "CAN_STAY", can_stay_in_this_thread() ? Qtrue : Qfalse);
    rb_define_module_function(native, "strerror", module_strerror, 1);
    rb_define_module_function(native, "check_json", module_check_json, 1);
    rb_define_module_function(native, "decode_json", module_decode_json, 1);
    rb_define_module_function(native, "tag", module_tag, 2);
    rb_define_module_function(native, "unlink", module_unlink, 1);
}
