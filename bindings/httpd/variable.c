/* SPDX-License-Identifier: MIT */
/* Environment variables of a request, set from values of its document. */
#include "mod_seqshare.h"

#include <unistd.h>

/* Linux executes no program with a longer `NAME=value`, its zero byte included. */
static const size_t VARIABLE_MOST = 32 * 4096;

/*
 * All variables of a request together: half of what Linux lets a program be executed with, which is never more
 * than 6 MiB. The other half is for the variables of the client's headers, and for other modules' variables.
 */
static size_t variables_most = 1 << 16;

void variable_begin_child(void)
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

/* The value of the variable, without bytes if it is not set. */
static struct text variable_text(request_rec *r, const struct document *document,
                                 const struct variable *variable, size_t used, bool tell)
{
    struct text text = {0};

    if (document)
        text = pointer_text(r->pool, document->json, document->texts, variable->pointer);
    if (text.bytes && !can_carry(variable, &text, used)) {
        if (tell)
            log_omission(r, request_share(r), variable, text.length);
        text.bytes = NULL;
    }
    if (!text.bytes)
        text = (struct text){.bytes = variable->otherwise, .length = variable->otherwise_length};
    return text;
}

void variable_set_all(request_rec *r, const apr_array_header_t *variables, int from)
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
