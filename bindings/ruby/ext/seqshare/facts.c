/* SPDX-License-Identifier: MIT */
/* Bytes, versions and facts of a share, read where its name leads. */
#include "binding.h"

#include <stdlib.h>

/* ---- bytes ------------------------------------------------------------------------------------ */

VALUE share_bytes(VALUE self)
{
    const seqshare *share = share_reading(self);
    char small[4096];
    void *bytes = small;
    ssize_t length;
    VALUE result;

    cut_begin();
    length = seqshare_get(share, small, sizeof small, NULL);
    if (length == -ENOBUFS)
        length = seqshare_get_alloc(share, &bytes, NULL);
    share_check_reading(self, length < 0 ? (int)length : 0);
    result = rb_str_new(bytes, length);
    if (bytes != small)
        free(bytes);
    return result;
}

/* [bytes, version, tag, published, writer] of one read. */
VALUE share_read(VALUE self)
{
    const seqshare *share = share_reading(self);
    struct seqshare_reading found = {.bytes = NULL};
    VALUE bytes;
    int error;

    cut_begin();
    error = seqshare_read(share, &found);
    share_check_reading(self, error);
    bytes = rb_str_new(found.bytes, (long)found.length);
    free(found.bytes);
    return rb_ary_new_from_args(5, bytes, ULL2NUM(found.version), UINT2NUM(found.tag),
                                LL2NUM(found.published), INT2NUM(found.writer));
}

/* ---- facts ------------------------------------------------------------------------------------ */

VALUE share_version(VALUE self)
{
    const seqshare *share = share_reading(self);
    uint64_t version;

    cut_begin();
    version = seqshare_version(share);
    share_check_reading(self, 0);
    return ULL2NUM(version);
}

/* Nanoseconds since the version was published that snapshot shows. */
VALUE share_age(VALUE self)
{
    int64_t age;

    share_snapshot(self);
    age = seqshare_cache_age(share_open_of(self)->cache);
    if (age < 0)
        share_fail(self, (int)age);
    return LL2NUM(age);
}

static void put(VALUE hash, const char *name, VALUE value)
{
    rb_hash_aset(hash, ID2SYM(rb_intern(name)), value);
}

static VALUE boolean(bool value)
{
    return value ? Qtrue : Qfalse;
}

static void put_share_facts(VALUE hash, const struct seqshare_stat *stat)
{
    put(hash, "version", ULL2NUM(stat->version));
    put(hash, "length", ULL2NUM(stat->length));
    put(hash, "capacity", ULL2NUM(stat->capacity));
    put(hash, "allocated", ULL2NUM(stat->allocated));
    put(hash, "created", LL2NUM(stat->created));
    put(hash, "published", LL2NUM(stat->published));
    put(hash, "retries", ULL2NUM(stat->retries));
    put(hash, "region_id", rb_str_new((const char *)stat->region_id, sizeof stat->region_id));
    put(hash, "tag", UINT2NUM(stat->tag));
    put(hash, "slots", UINT2NUM(stat->slots));
    put(hash, "writer", INT2NUM(stat->writer));
    put(hash, "owner", INT2NUM(stat->owner));
    put(hash, "owner_alive", boolean(stat->owner_alive));
    put(hash, "retired", boolean(stat->retired));
    put(hash, "replaced", boolean(stat->replaced));
    put(hash, "unlinked", boolean(stat->unlinked));
    put(hash, "foreign", INT2NUM(stat->foreign));
}

static void put_cache_facts(VALUE hash, const struct share *share)
{
    struct seqshare_cache_stat stat;

    seqshare_cache_stat(share->cache, &stat);
    put(hash, "snapshot_version", ULL2NUM(stat.version));
    put(hash, "decoded", ULL2NUM(stat.decoded));
    put(hash, "failed", ULL2NUM(stat.failed));
    put(hash, "failed_version", ULL2NUM(stat.failed_version));
    put(hash, "failed_error", INT2NUM(-stat.failed_error));
    put(hash, "follow_error", INT2NUM(-stat.follow_error));
    put(hash, "moved", ULL2NUM(share_moves(share)));
}

VALUE share_stat(VALUE self)
{
    const seqshare *share = share_reading(self);
    struct seqshare_stat stat;
    VALUE hash;
    int error;

    cut_begin();
    error = seqshare_stat(share, &stat);
    share_check_reading(self, error);
    hash = rb_hash_new();
    put_share_facts(hash, &stat);
    put_cache_facts(hash, share_of(self));
    return hash;
}
