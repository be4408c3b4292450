/* SPDX-License-Identifier: MIT */
/*
 * JSON Pointers, and the texts of the values that they lead to. The pointers of the configuration are numbered.
 * Their texts are made when a document is parsed, so that a request finds them ready. Pointers of .htaccess files,
 * and computed ones, are looked up each time.
 */
#include "mod_seqshare.h"

static bool is_control(char c)
{
    return (unsigned char)c < ' ' || c == '\x7f'; /* in any locale: bytes of UTF-8 are none */
}

struct text pointer_value_text(apr_pool_t *pool, const seqshare_json_value *value)
{
    struct text text = {.bytes = NULL};
    char *bytes, *copy;
    ssize_t length = seqshare_json_text(value, &bytes);

    if (length == -ENOMEM)
        ap_abort_on_oom(); /* as httpd does */
    if (length < 0)
        return text;
    copy = apr_pstrmemdup(pool, bytes, (size_t)length);
    text.bytes = copy;
    text.length = (size_t)length;
    text.had_zero = strlen(bytes) < text.length;
    for (size_t i = 0; i < text.length; i++)
        if (is_control(copy[i]))
            copy[i] = ' ';
    free(bytes);
    return text;
}

/* ---- pointers ---- */

struct pointer {
    const char *text;
    seqshare_json_pointer *prepared;
    int number; /* -1: none */
};

static apr_array_header_t *numbered; /* of const struct pointer *; NULL: no more are */
static const apr_array_header_t *known;

void pointer_begin_numbering(apr_pool_t *pool)
{
    known = numbered = apr_array_make(pool, 8, sizeof(const struct pointer *));
}

void pointer_end_numbering(void)
{
    numbered = NULL;
}

static const struct pointer *number_of(int i)
{
    return APR_ARRAY_IDX(known, i, const struct pointer *);
}

static void give_number(struct pointer *pointer)
{
    pointer->number = -1;
    if (!numbered)
        return;
    for (int i = 0; i < known->nelts && pointer->number < 0; i++)
        if (strcmp(number_of(i)->text, pointer->text) == 0)
            pointer->number = i;
    if (pointer->number >= 0)
        return;
    pointer->number = numbered->nelts;
    APR_ARRAY_PUSH(numbered, const struct pointer *) = pointer;
}

const struct text *pointer_make_texts(apr_pool_t *pool, const seqshare_json *json)
{
    struct text *texts = apr_palloc(pool, (size_t)known->nelts * sizeof *texts);

    for (int i = 0; i < known->nelts; i++)
        texts[i] = pointer_value_text(pool, seqshare_json_at(json, number_of(i)->prepared));
    return texts;
}

struct text pointer_text(apr_pool_t *pool, const seqshare_json *json, const struct text *texts,
                         const struct pointer *pointer)
{
    if (pointer->number >= 0)
        return texts[pointer->number];
    return pointer_value_text(pool, seqshare_json_at(json, pointer->prepared));
}

static apr_status_t release_pointer(void *pointer)
{
    seqshare_json_release(pointer);
    return APR_SUCCESS;
}

const char *pointer_prepare(apr_pool_t *pool, const char *text, const struct pointer **result)
{
    struct pointer *pointer = apr_palloc(pool, sizeof *pointer);
    int error = seqshare_json_prepare(&pointer->prepared, text);

    if (error == -EINVAL)
        return apr_psprintf(pool,
                            "'%s' is not a JSON Pointer: it must be empty or begin with a slash, and have 0 "
                            "or 1 after each ~",
                            text);
    if (error)
        return seqshare_strerror(error);
    apr_pool_cleanup_register(pool, pointer->prepared, release_pointer, apr_pool_cleanup_null);
    pointer->text = apr_pstrdup(pool, text);
    give_number(pointer);
    *result = pointer;
    return NULL;
}
