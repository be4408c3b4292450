/* SPDX-License-Identifier: MIT */
/*
 * Reading. The handle `reader` is the cache's, which moves it when the share's name moves: it is only used with the
 * GVL. The cache keeps a version's checked text; Ruby's objects are made of it outside of the cache, because that may
 * raise.
 */
#include "binding.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const int TRIES = 1000; /* while publishers overtake each copy */

/* ---- what the cache does ----------------------------------------------------------------------- */

static bool is_json(uint32_t tag)
{
    return tag == 0 || tag == SEQSHARE_TAG_JSON || tag == SEQSHARE_TAG("perl.JSON");
}

/* True; or `why` says what is wrong with the value. */
static bool check_value(struct share *share, const char *bytes, size_t length, uint32_t tag)
{
    if (share->kind == KIND_BYTES)
        return true;
    if (share->kind == KIND_PACK && tag == share->tag && length == share->size)
        return true;
    if (share->kind == KIND_JSON && is_json(tag))
        return grammar_walk(bytes, length, NULL, NULL, share->why) == 0;
    snprintf(share->why, sizeof share->why,
             "%zu bytes with the type tag %08lx are not what this share is opened for", length,
             (unsigned long)tag);
    return false;
}

static struct text *new_text(struct share *share, const char *bytes, size_t length)
{
    struct text *text = malloc(sizeof *text + length + 1);

    if (!text)
        return NULL;
    text->number = ++share->texts;
    text->length = length;
    memcpy(text->bytes, bytes, length);
    text->bytes[length] = 0;
    return text;
}

static void *decode(void *bytes, size_t length, uint64_t version, void *context)
{
    struct share *share = context;
    const struct seqshare_head *head = share->reader->head;
    const uint32_t tag = seqshare_read_tag(head, share->reader->mask, version);
    struct text *text;

    share->unchanged = NULL; /* snapshot looks closer, and reports */
    /* The copy is of that version; is the tag? If not, there is a newer version already, which look_closer tries. */
    share->is_overtaken = !seqshare_read_accept(head, share->reader->mask, version);
    if (share->is_overtaken) {
        errno = EAGAIN;
        return NULL;
    }
    if (!check_value(share, bytes, length, tag)) {
        errno = EBADMSG;
        return NULL;
    }
    text = new_text(share, bytes, length);
    if (!text)
        errno = ENOMEM;
    share->why[0] = 0;
    return text;
}

int share_begin_reading(struct share *share)
{
    int error;

    cut_begin();
    error = seqshare_cache_new(&share->cache, share->reader, decode, free, share);
    return cut_end() && error == 0 ? -EBADMSG : error;
}

void share_end_reading(struct share *share)
{
    seqshare_cache *cache = share->cache;

    share->cache = NULL;
    share->unchanged = NULL;
    seqshare_cache_close(cache);
}

uint64_t share_moves(const struct share *share)
{
    struct seqshare_cache_stat stat = {.moved = 0};

    seqshare_cache_stat(share->cache, &stat);
    return share->earlier_moves + stat.moved;
}

/* ---- a file that was cut ------------------------------------------------------------------------ */

static int open_reader(const struct share *share, seqshare **reader)
{
    int error;

    cut_begin();
    if (share->name)
        error = seqshare_open(reader, share->name, SEQSHARE_READ | (share->access & SEQSHARE_ANY_OWNER));
    else
        error = seqshare_reader(reader, share->reader);
    if (!cut_end() || error < 0)
        return error;
    seqshare_close(*reader);
    return -EBADMSG;
}

/* The mapping has pages that are not the file's. Read through another one, if the file is whole again. */
static int open_again(struct share *share)
{
    const uint64_t moves = share_moves(share);
    seqshare *reader;
    int error = open_reader(share, &reader);

    if (error < 0)
        return error;
    share_end_reading(share);
    if (!share->writer || share->reader != share->writer->share)
        seqshare_close(share->reader);
    share->reader = reader;
    share->earlier_moves = moves + 1;
    share->told = 0;
    return share_begin_reading(share);
}

bool share_mend(struct share *share)
{
    const int64_t now = coarse_time();

    if (now < share->next_look && share->next_look - now <= SECOND)
        return false;
    share->next_look = now + SECOND;
    share->is_cut = open_again(share) < 0;
    return !share->is_cut;
}

/* ---- the name --------------------------------------------------------------------------------- */

static void report(VALUE self, VALUE sentence)
{
    rb_funcall(self, rb_intern("report"), 1, sentence);
}

static bool is_time_for_a_word(struct share *share)
{
    const int64_t now = coarse_time();

    if (now < share->next_word && share->next_word - now <= 60 * SECOND)
        return false;
    share->next_word = now + 60 * SECOND;
    return true;
}

static VALUE describe_failure(const struct share *share, const struct seqshare_cache_stat *stat)
{
    const char *why =
        stat->failed_error == -EBADMSG && share->why[0] ? share->why : seqshare_strerror(stat->failed_error);

    return rb_sprintf("version %llu is not used: %s", (unsigned long long)stat->failed_version, why);
}

/*
 * A bad value once; why the name cannot be followed once a minute. A name that is gone may come back, and is not
 * reported. Nor is a lack of memory, or a writer in the way: that is tried again.
 */
void share_tell(VALUE self)
{
    struct share *share = share_of(self);
    struct seqshare_cache_stat stat;

    if (share->is_cut && is_time_for_a_word(share))
        report(self, rb_sprintf("its file was cut: %s", seqshare_strerror(-EBADMSG)));
    if (seqshare_cache_stat(share->cache, &stat) != 0)
        return;
    if (stat.failed != share->told) {
        share->told = stat.failed;
        if (stat.failed_error == -EBADMSG && !share->is_cut)
            report(self, describe_failure(share, &stat));
    }
    if (stat.follow_error != 0 && stat.follow_error != -ENOENT && is_time_for_a_word(share))
        report(self, rb_sprintf("the name cannot be followed: %s", seqshare_strerror(stat.follow_error)));
}

int share_look(struct share *share)
{
    int moved;

    cut_begin();
    moved = seqshare_cache_look(share->cache);
    if (cut_end())
        share->is_cut = true;
    if (moved == 1)
        share->is_cut = false;
    return moved;
}

/*
 * Ask the name at once when the region has a new mark, else once a second: for what reads without the cache. More than a
 * second off, `next_look` is of another clock: a child of fork may be in another time namespace.
 */
static void follow(VALUE self, struct share *share)
{
    uint32_t marks;
    int64_t now;

    if (!share->name)
        return;
    cut_begin();
    marks = __atomic_load_n(&share->reader->head->retired, __ATOMIC_RELAXED); /* orders nothing */
    if (cut_end())
        share->is_cut = true;
    now = coarse_time();
    if (marks == share->marks && now < share->next_look && share->next_look - now <= SECOND)
        return;
    share_look(share);
    share->marks = marks;
    share->next_look = now + SECOND;
    share_tell(self);
}

/* Where the caller reads: where it holds the lock, else where the name leads. */
const seqshare *share_reading(VALUE self)
{
    struct share *share = share_open_of(self);
    const struct holder *holder = share_holder(share);

    if (holder && holder->handle->is_cut)
        share_fail(self, -EBADMSG);
    if (holder)
        return holder->handle->share;
    if (share->is_cut)
        share_mend(share);
    else
        follow(self, share);
    share_open_of(self); /* what follow reports to may close it */
    if (share->is_cut)
        share_fail(self, -EBADMSG);
    return share->reader;
}

/* After a read: what it found means nothing if a page was missing. */
void share_check_reading(VALUE self, int error)
{
    struct share *share = share_of(self);

    if (cut_end()) {
        share->is_cut = true;
        share->next_look = 0;
        if (share_holder(share))
            share_holder(share)->handle->is_cut = true;
        error = -EBADMSG;
    }
    if (error < 0)
        share_fail(self, error);
}

VALUE share_reopen(VALUE self)
{
    struct share *share = share_open_of(self);
    int moved;

    if (!share->name)
        share_fail(self, -EINVAL);
    moved = share_look(share);
    share_tell(self);
    if (moved < 0)
        share_fail(self, moved);
    return moved ? Qtrue : Qfalse;
}

VALUE share_moves_(VALUE self)
{
    return ULL2NUM(share_moves(share_open_of(self)));
}

/* ---- snapshot --------------------------------------------------------------------------------- */

NORETURN(static void no_snapshot(VALUE self, struct share *share));

static void no_snapshot(VALUE self, struct share *share)
{
    struct seqshare_cache_stat stat;

    seqshare_cache_stat(share->cache, &stat);
    if (!share->is_cut && stat.failed_error == 0)
        share_fail(self, -ENODATA);
    if (!share->is_cut && stat.failed_error == -EBADMSG)
        rb_exc_raise(rb_funcall(self, rb_intern("bad_document"), 1, describe_failure(share, &stat)));
    share_fail(self, share->is_cut ? -EBADMSG : stat.failed_error);
}

/* Ruby's own code may run meanwhile. It has a copy of the text, because the cache may let go of it. */
static VALUE make_objects(VALUE self, const struct share *share, const struct text *text)
{
    VALUE bytes;

    if (share->kind == KIND_JSON)
        return document_build(text->bytes, text->length);
    bytes = rb_str_freeze(rb_str_new(text->bytes, (long)text->length));
    if (share->kind == KIND_BYTES)
        return bytes;
    return rb_funcall(self, rb_intern("unpack"), 2, bytes, share->format);
}

static const struct text *newest_text(const struct share *share)
{
    return share->cache->object;
}

/* The document of a text that the cache has. */
static VALUE make_document(VALUE self, struct share *share, const struct text *text)
{
    const uint64_t number = text->number;
    VALUE document = make_objects(self, share, text);

    share_open_of(self);
    if (!newest_text(share) ||
        newest_text(share)->number != number) /* another thread has been here meanwhile */
        return document;
    RB_OBJ_WRITE(self, &share->document, document);
    share->made = number;
    return document;
}

static void get_again(struct share *share)
{
    cut_begin();
    seqshare_cache_get(share->cache);
    share->is_cut = cut_end();
}

/* Something has changed, or it was time to look. */
static VALUE look_closer(VALUE self, struct share *share)
{
    const struct text *text;

    if (share->is_cut && share_mend(share))
        get_again(share);
    for (int tries = 0; share->is_overtaken && tries < TRIES; tries++) {
        share->is_overtaken = false;
        get_again(share);
    }
    share_tell(self);
    share_open_of(self);
    text = newest_text(share);
    if (!text && share->document == Qundef)
        no_snapshot(self, share);
    if (text && text->number != share->made)
        return make_document(self, share, text);
    if (!share->is_cut)
        share->unchanged = text;
    return share->document;
}

static inline struct share *quick_share_of(VALUE self)
{
    if (RB_LIKELY(RB_TYPE_P(self, T_DATA) && RTYPEDDATA_P(self) && RTYPEDDATA_TYPE(self) == &share_type))
        return RTYPEDDATA_DATA(self);
    return share_of(self);
}

/*
 * The cache counts a call down, if it looked at nothing but the version and the marks. So `calls` tells whether it asked
 * the clock, and decode says whether there was a value.
 */
VALUE share_snapshot(VALUE self)
{
    struct share *share = quick_share_of(self);
    seqshare_cache *cache = share->cache;
    const void *text;
    uint32_t calls;

    if (RB_UNLIKELY(!cache))
        share_open_of(self); /* raises */
    calls = cache->calls;
    cut_begin();
    text = seqshare_cache_get(cache);
    if (RB_UNLIKELY(cut_end())) {
        share->is_cut = true;
        share->unchanged = NULL;
        share->next_look = 0;
    }
    if (RB_LIKELY(cache->calls < calls && text == share->unchanged && text))
        return share->document;
    return look_closer(self, share);
}
