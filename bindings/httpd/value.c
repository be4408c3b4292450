/* SPDX-License-Identifier: MIT */
/*
 * Pointers that the configuration names are numbered. Their values' texts are made when a document is parsed, so
 * that a request finds them ready. Pointers of .htaccess files, and those that are computed, are looked up each time.
 */
#include "mod_seqshare.h"

#include <unistd.h>

static bool is_control(char c)
{
    return (unsigned char)c < ' ' || c == '\x7f'; /* in any locale: bytes of UTF-8 are none */
}

/*
 * By the library's one rule. But a line end in a header would begin another header, or turn the answer into an error,
 * and variables get into headers, too (`%{ENV:...}`, `reqenv`): so no text here has control characters.
 */
static struct text value_text(apr_pool_t *pool, const seqshare_json_value *value)
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

const struct text *make_texts(apr_pool_t *pool, const seqshare_json *json)
{
    struct text *texts = apr_palloc(pool, (size_t)known->nelts * sizeof *texts);

    for (int i = 0; i < known->nelts; i++)
        texts[i] = value_text(pool, seqshare_json_at(json, number_of(i)->prepared));
    return texts;
}

static struct text text_at(apr_pool_t *pool, const struct document *document, const struct pointer *pointer)
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

/* Linux executes no program with a longer `NAME=value`, its zero byte included. */
static const size_t VARIABLE_MOST = 32 * 4096;

/*
 * All variables of a request together: half of what Linux lets a program be executed with, which is never more
 * than 6 MiB. The other half is for the variables of the client's headers, and of others.
 */
static size_t variables_most = 1 << 16;

void variables_begin(void)
{
    const long most = 6 << 20, allowed = sysconf(_SC_ARG_MAX);

    variables_most = (size_t)(allowed > 0 && allowed < most ? allowed : most) / 2;
}

/* As Linux counts: NAME, =, value, a zero byte, and a pointer. */
static size_t cost(const struct variable *variable, size_t length)
{
    return strlen(variable->name) + length + 2 + sizeof(char *);
}

static bool can_carry(const struct variable *variable, const struct text *text, size_t used)
{
    size_t needed = cost(variable, text->length);

    return !text->had_zero && needed - sizeof(char *) <= VARIABLE_MOST && used + needed <= variables_most;
}

/* What the variable is set to, without bytes if it is not set. */
static struct text variable_text(request_rec *r, const struct document *document,
                                 const struct variable *variable, size_t used, bool tell)
{
    struct text text = {0};

    if (document)
        text = text_at(r->pool, document, variable->pointer);
    if (text.bytes && !can_carry(variable, &text, used)) {
        if (tell)
            say_omission(r, variable, text.length);
        text.bytes = NULL;
    }
    if (!text.bytes)
        text = (struct text){.bytes = variable->otherwise, .length = variable->otherwise_length};
    return text;
}

void set_variables(request_rec *r, const apr_array_header_t *variables, int from)
{
    const struct document *document;
    size_t used = 0;

    if (from >= variables->nelts)
        return;
    document = request_document(r);
    for (int i = 0; i < variables->nelts; i++) { /* those before `from` are set, and take room */
        const struct variable *variable = &APR_ARRAY_IDX(variables, i, const struct variable);
        struct text text = variable_text(r, document, variable, used, i >= from);

        if (text.bytes)
            used += cost(variable, text.length);
        if (i < from)
            continue;
        if (text.bytes)
            apr_table_setn(r->subprocess_env, variable->name, text.bytes);
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
        return text_at(context->p, document, prepared).bytes;
    return value_text(context->p, seqshare_json_find(document->json, pointer)).bytes;
}

static const char *evaluate_version(ap_expr_eval_ctx_t *context, const void *data)
{
    const struct document *document = context->r ? request_document(context->r) : NULL;

    (void)data;
    return document ? apr_psprintf(context->p, "%" APR_UINT64_T_FMT, document->origin.version) : NULL;
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
