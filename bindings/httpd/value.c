/* SPDX-License-Identifier: MIT */
/*
 * Pointers that the configuration names are numbered. Their values' texts are made when a document is parsed, so
 * that a request finds them ready. Pointers of .htaccess files, and those that are computed, are looked up each time.
 */
#include "mod_seqshare.h"

#include <json-c/json.h>

/*
 * As json-c writes it. On a copy: it keeps the text in the value itself, and threads share that.
 */
static const char *json_text(apr_pool_t *pool, const seqshare_json_value *value)
{
    struct json_object *copy = NULL;
    const char *text = NULL;

    if (json_object_deep_copy((struct json_object *)(uintptr_t)value, &copy, NULL) == 0)
        text = json_object_to_json_string_ext(copy, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
    text = apr_pstrdup(pool, text);
    json_object_put(copy);
    return text;
}

/* An integer that int64_t can hold is the same whatever it would be otherwise. */
static const char *integer_text(apr_pool_t *pool, const seqshare_json_value *value)
{
    int64_t number = seqshare_json_integer(value, 0);

    if (number == 0 && seqshare_json_integer(value, 1) != 0)
        return json_text(pool, value);
    return apr_off_t_toa(pool, number);
}

/* Strings are not copied: the request keeps the document. NULL: there is no value, or null. */
static const char *value_text(apr_pool_t *pool, const seqshare_json_value *value)
{
    switch (json_object_get_type(value)) {
    case json_type_null:
        return NULL;
    case json_type_boolean:
        return seqshare_json_bool(value, false) ? "true" : "false";
    case json_type_string:
        return seqshare_json_string(value, NULL);
    case json_type_int:
        return integer_text(pool, value);
    default:
        return json_text(pool, value);
    }
}

/* ---- pointers ---- */

struct pointer {
    const char *text;
    seqshare_json_pointer *prepared;
    int number; /* -1: none */
};

static apr_array_header_t *numbered; /* of const struct pointer *; NULL: no more are */
static const apr_array_header_t *known;

void pointers_begin(apr_pool_t *pool)
{
    known = numbered = apr_array_make(pool, 8, sizeof(const struct pointer *));
}

void pointers_end(void)
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

const char **make_texts(apr_pool_t *pool, const seqshare_json *json)
{
    const char **texts = apr_palloc(pool, (size_t)known->nelts * sizeof *texts);

    for (int i = 0; i < known->nelts; i++)
        texts[i] = value_text(pool, seqshare_json_at(json, number_of(i)->prepared));
    return texts;
}

static const char *text_at(apr_pool_t *pool, const struct document *document, const struct pointer *pointer)
{
    if (pointer->number >= 0)
        return document->texts[pointer->number];
    return value_text(pool, seqshare_json_at(document->json, pointer->prepared));
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
                            "'%s' is not a JSON Pointer: that is empty or begins with a slash, and 0 or 1 "
                            "follows each ~ in it",
                            text);
    if (error)
        return seqshare_strerror(error);
    apr_pool_cleanup_register(pool, pointer->prepared, release_pointer, apr_pool_cleanup_null);
    pointer->text = apr_pstrdup(pool, text);
    give_number(pointer);
    *result = pointer;
    return NULL;
}

/* ---- variables ---- */

void set_variables(request_rec *r, const apr_array_header_t *variables, int from)
{
    const struct document *document;

    if (from >= variables->nelts)
        return;
    document = request_document(r);
    for (int i = from; i < variables->nelts; i++) {
        const struct variable *variable = &APR_ARRAY_IDX(variables, i, const struct variable);
        const char *text = NULL;

        if (document)
            text = text_at(r->pool, document, variable->pointer);
        if (!text)
            text = variable->otherwise;
        if (text)
            apr_table_setn(r->subprocess_env, variable->name, text);
        else
            apr_table_unset(r->subprocess_env, variable->name);
    }
}

/* ---- expressions ---- */

/* `prepared` is NULL where the pointer itself is an expression. To return NULL is the empty string. */
static const char *evaluate(ap_expr_eval_ctx_t *context, const void *prepared, const char *pointer)
{
    const struct document *document = context->r ? request_document(context->r) : NULL;

    if (!document)
        return NULL;
    if (prepared)
        return text_at(context->p, document, prepared);
    return value_text(context->p, seqshare_json_find(document->json, pointer));
}

static const char *evaluate_version(ap_expr_eval_ctx_t *context, const void *data)
{
    const struct document *document = context->r ? request_document(context->r) : NULL;

    (void)data;
    return document ? apr_psprintf(context->p, "%" APR_UINT64_T_FMT, document->version) : NULL;
}

static int find_function(ap_expr_lookup_parms *parms)
{
    const struct pointer *pointer = NULL;

    if (parms->flags & AP_EXPR_FLAG_RESTRICTED) {
        *parms->err = "seqshare: not for pages: what a share holds may be confidential";
        return !OK;
    }
    if (parms->arg)
        *parms->err = pointer_prepare(parms->pool, parms->arg, &pointer);
    if (parms->arg && *parms->err)
        return !OK;
    *parms->func = (const void *)(uintptr_t)evaluate;
    *parms->data = pointer;
    return OK;
}

int expression_lookup(ap_expr_lookup_parms *parms)
{
    if (parms->type == AP_EXPR_FUNC_STRING && ap_cstr_casecmp(parms->name, "seqshare") == 0)
        return find_function(parms);
    if (parms->type != AP_EXPR_FUNC_VAR || ap_cstr_casecmp(parms->name, "SEQSHARE_VERSION") != 0)
        return DECLINED;
    *parms->func = (const void *)(uintptr_t)evaluate_version;
    return OK;
}
