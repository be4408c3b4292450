/* SPDX-License-Identifier: MIT */
/* Values of a request's document in httpd's expressions. */
#include "mod_seqshare.h"

/* `prepared` is NULL if the pointer itself is an expression. NULL means the empty string. */
static const char *evaluate(ap_expr_eval_ctx_t *context, const void *prepared, const char *pointer)
{
    const struct document *document = context->r ? request_document(context->r) : NULL;

    if (!document)
        return NULL;
    if (prepared)
        return pointer_text(context->p, document->json, document->texts, prepared).bytes;
    return pointer_value_text(context->p, seqshare_json_find(document->json, pointer)).bytes;
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
        *parms->err = "seqshare: not allowed in pages: a share's contents may be confidential";
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

int expression_look_up(ap_expr_lookup_parms *parms)
{
    if (parms->type == AP_EXPR_FUNC_STRING && ap_cstr_casecmp(parms->name, "seqshare") == 0)
        return find_function(parms);
    if (parms->type != AP_EXPR_FUNC_VAR || ap_cstr_casecmp(parms->name, "SEQSHARE_VERSION") != 0)
        return DECLINED;
    *parms->func = (const void *)(uintptr_t)evaluate_version;
    return OK;
}
