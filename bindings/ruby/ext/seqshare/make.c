/* SPDX-License-Identifier: MIT */
/* How a share comes to be: by opening, attaching, creating, replacing, or without a name. */
#include "binding.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The arguments of the C functions that make a share. */
struct making {
    const char *how;
    const char *name;
    int wanted; /* READ or WRITE; 0: for writing if that is allowed */
    int trust;  /* ANY_OWNER, or 0 */
    int fd;
    int flags;
    size_t capacity;
    unsigned slots;
    mode_t mode;
    const struct seqshare_reading *first;
    seqshare *share;
    int access; /* how it was opened */
    int error;
};

static bool means_read_only(int error)
{
    return error == -EACCES || error == -EROFS || error == -EPERM;
}

/* For writing if that was asked for, or, where the caller leaves it open, if it is allowed. */
static int find(struct making *making, int access)
{
    if (making->name)
        return seqshare_open(&making->share, making->name, access | making->trust);
    return seqshare_attach(&making->share, making->fd, access | making->trust);
}

static int find_as_wanted(struct making *making)
{
    int error = -EACCES;

    making->access = SEQSHARE_WRITE | making->trust;
    if (making->wanted != SEQSHARE_READ)
        error = find(making, SEQSHARE_WRITE);
    if (error == 0 || making->wanted == SEQSHARE_WRITE || !means_read_only(error))
        return error;
    making->access = SEQSHARE_READ | making->trust;
    return find(making, SEQSHARE_READ);
}

/* Without the GVL: replacing a name waits for the old region's lock. */
static void *make_share(void *argument)
{
    struct making *making = argument;

    cut_begin();
    making->access = SEQSHARE_WRITE | making->trust;
    if (strcmp(making->how, "open") == 0 || strcmp(making->how, "attach") == 0)
        making->error = find_as_wanted(making);
    else if (strcmp(making->how, "new") == 0)
        making->error = seqshare_new_slots(&making->share, making->capacity, making->slots);
    else if (strcmp(making->how, "create") == 0)
        making->error =
            seqshare_create_with(&making->share, making->name, making->capacity, making->mode, making->first);
    else
        making->error = seqshare_replace_with(&making->share, making->name, making->capacity, making->mode,
                                              making->first, making->flags);
    if (cut_end() && making->error == 0) {
        seqshare_close(making->share);
        making->error = -EBADMSG;
    }
    return argument;
}

/* The handle that is read: a second one, so that it can move without disturbing writers. */
static int make_reader(struct share *share, seqshare *made)
{
    int error;

    if ((share->access & SEQSHARE_WRITE) == 0) {
        share->reader = made;
        return 0;
    }
    share->writer = handle_new(made);
    if (!share->writer)
        return -ENOMEM;
    if (share->name)
        return seqshare_open(&share->reader, share->name,
                             SEQSHARE_READ | (share->access & SEQSHARE_ANY_OWNER));
    error = seqshare_reader(&share->reader, made);
    if (error == -EOPNOTSUPP) { /* there is no descriptor here: this handle never moves */
        share->reader = made;
        error = 0;
    }
    return error;
}

static const char *name_of(VALUE name)
{
    return NIL_P(name) ? NULL : StringValueCStr(name);
}

static VALUE option(VALUE options, const char *name)
{
    return rb_hash_fetch(options, ID2SYM(rb_intern(name)));
}

static void read_options(struct making *making, VALUE options)
{
    const VALUE write = option(options, "write");

    making->wanted = NIL_P(write) ? 0 : RTEST(write) ? SEQSHARE_WRITE : SEQSHARE_READ;
    making->trust = RTEST(option(options, "any_owner")) ? SEQSHARE_ANY_OWNER : 0;
    making->fd = NUM2INT(option(options, "fd"));
    making->flags = NUM2INT(option(options, "flags"));
    making->capacity = NUM2SIZET(option(options, "size"));
    making->slots = to_uint32(option(options, "slots"));
    making->mode = to_uint32(option(options, "mode"));
}

/* What this share publishes: json, bytes, or values of a format of String#unpack with that size and tag. */
static void read_kind(VALUE self, struct share *share, VALUE options)
{
    const VALUE format = option(options, "format");

    share->tag = to_uint32(option(options, "tag"));
    share->size = NUM2SIZET(option(options, "value_size"));
    share->kind = !NIL_P(format) ? KIND_PACK : share->tag == 0 ? KIND_BYTES : KIND_JSON;
    RB_OBJ_WRITE(self, &share->format, format);
}

/*
 * set_up(how, name, first, options): how is "open", "new", "create", "replace" or "attach"; first: the bytes of the
 * first value, or nil. The hash has everything else.
 */
VALUE share_set_up(VALUE self, VALUE how, VALUE name, VALUE first, VALUE options)
{
    struct share *share = share_of(self);
    struct seqshare_reading value = {.bytes = NULL};
    struct making making = {.how = StringValueCStr(how), .name = name_of(name)};
    int error;

    if (share->reader || share->name || share->is_closed)
        rb_raise(rb_eArgError, "the share is open already, or closed");
    read_options(&making, options);
    read_kind(self, share, options);
    if (!NIL_P(first)) {
        value = (struct seqshare_reading){
            .bytes = RSTRING_PTR(first), .length = (size_t)RSTRING_LEN(first), .tag = share->tag};
        making.first = &value;
    }
    if (making.name && !(share->name = strdup(making.name)))
        rb_memerror();
    call_without_gvl(make_share, &making);
    RB_GC_GUARD(how), RB_GC_GUARD(name), RB_GC_GUARD(first);
    share->access = making.access;
    error = making.error;
    if (error == 0)
        error = make_reader(share, making.share);
    if (error == 0)
        error = share_begin_reading(share);
    if (error < 0)
        share_fail(self, error);
    return self;
}
