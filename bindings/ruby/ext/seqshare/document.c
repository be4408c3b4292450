/* SPDX-License-Identifier: MIT */
/*
 * JSON documents as Ruby objects that nobody can change. The library's own grammar walks through the text, so that Ruby
 * takes exactly what every other language takes: JSON.parse also takes comments, and its limits are a program's to
 * set. Names are interned, which makes looking them up faster.
 */
#include "binding.h"

#include <locale.h>
#include <ruby/encoding.h>
#include <stdlib.h>
#include <string.h>

#include "json/unquote.h"

struct builder {
    const char *text;
    size_t length;
    VALUE root;
    size_t depth;
    VALUE open[JSON_DEEPEST];  /* hashes and arrays, the outermost first */
    VALUE names[JSON_DEEPEST]; /* of the member that comes next in an object; Qundef: its name comes next */
};

static VALUE new_string(const char *word, size_t length)
{
    VALUE buffer, string;
    char *meaning;

    if (!memchr(word, '\\', length))
        return rb_enc_interned_str(word + 1, (long)length - 2, rb_utf8_encoding());
    meaning = rb_alloc_tmp_buffer(&buffer, (long)length);
    string = rb_enc_interned_str(meaning, (long)unquote_string(meaning, word, length), rb_utf8_encoding());
    rb_free_tmp_buffer(&buffer);
    return string;
}

/* Exactly, and with a point, whatever locale the program sets. */
static VALUE new_float(const char *word)
{
    static locale_t c_locale; /* two threads may make it at once, which costs some memory */

    if (!c_locale)
        c_locale = newlocale(LC_ALL_MASK, "C", NULL);
    if (!c_locale)
        rb_memerror();
    return DBL2NUM(strtod_l(word, NULL, c_locale));
}

/* The text goes on behind the number: functions that read a number stop there. */
static VALUE new_number(const char *word, size_t length)
{
    VALUE digits;

    for (size_t i = 0; i < length; i++) {
        if (word[i] == '.' || word[i] == 'e' || word[i] == 'E')
            return new_float(word);
    }
    if (length < 19)
        return LL2NUM(strtoll(word, NULL, 10));
    digits = rb_str_new(word, (long)length);
    return rb_str_to_inum(digits, 10, 1);
}

static VALUE new_word(const char *word, size_t length)
{
    switch (*word) {
    case '"':
        return new_string(word, length);
    case 't':
    case 'f':
        return *word == 't' ? Qtrue : Qfalse;
    case 'n':
        return Qnil;
    default:
        return new_number(word, length);
    }
}

/* `value` goes to where the walk is. */
static void add(struct builder *builder, VALUE value)
{
    const size_t top = builder->depth - 1;

    if (builder->depth == 0) {
        builder->root = value;
    } else if (builder->names[top] != Qundef) { /* of two members with one name, the last stays */
        rb_hash_aset(builder->open[top], builder->names[top], value);
        builder->names[top] = Qundef;
    } else {
        rb_ary_push(builder->open[top], value);
    }
}

static void open_container(struct builder *builder, VALUE container)
{
    builder->names[builder->depth] = Qundef;
    builder->open[builder->depth++] = container;
}

static void close_container(struct builder *builder)
{
    VALUE container = builder->open[--builder->depth];

    add(builder, rb_obj_freeze(container));
}

static bool wants_name(const struct builder *builder)
{
    return builder->depth > 0 && RB_TYPE_P(builder->open[builder->depth - 1], T_HASH) &&
           builder->names[builder->depth - 1] == Qundef;
}

static int take(void *context, const char *word, size_t length)
{
    struct builder *builder = context;

    switch (*word) {
    case '{':
        open_container(builder, rb_hash_new());
        return 0;
    case '[':
        open_container(builder, rb_ary_new());
        return 0;
    case '}':
    case ']':
        close_container(builder);
        return 0;
    case ',':
    case ':':
        return 0;
    case '"':
        if (wants_name(builder)) {
            builder->names[builder->depth - 1] = new_string(word, length);
            return 0;
        }
        break;
    default:
        break;
    }
    add(builder, new_word(word, length));
    return 0;
}

/*
 * The builder is on the stack, where Ruby looks for objects in use. When memory is short, NoMemoryError jumps out of the
 * walk, which holds nothing.
 */
VALUE document_build(const char *text, size_t length)
{
    struct builder builder = {.root = Qnil};
    char why[JSON_WHY_SIZE];

    if (grammar_walk(text, length, take, &builder, why) != 0)
        return Qundef;
    RB_GC_GUARD(builder.root);
    return builder.root;
}
