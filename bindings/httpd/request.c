/* SPDX-License-Identifier: MIT */
/* The share of a request's server, and the one document that the whole request uses. */
#include "mod_seqshare.h"

#include <mpm_common.h>
#include <unistd.h>

/* httpd's number of this child; -1: the parent has not written it down yet. */
static int number_of_child(void)
{
    static int known = -1;
    int number = __atomic_load_n(&known, __ATOMIC_RELAXED); /* every thread finds the same number */
    apr_proc_t self = {.pid = getpid()};

    if (number >= 0)
        return number;
    number = ap_find_child_by_pid(&self);
    __atomic_store_n(&known, number, __ATOMIC_RELAXED);
    return number;
}

/* For the status, which any child may show. Relaxed: it is a record, and orders nothing. */
static void note_served(struct web_share *share, uint64_t version)
{
    int number = number_of_child();
    struct served *served;

    if (number < 0 || number >= share->children)
        return;
    served = &share->journal->served[number];
    if (__atomic_load_n(&served->version, __ATOMIC_RELAXED) == version &&
        __atomic_load_n(&share->noted, __ATOMIC_RELAXED))
        return; /* the line stays where it is */
    __atomic_store_n(&share->noted, true, __ATOMIC_RELAXED);
    __atomic_store_n(&served->pid, getpid(), __ATOMIC_RELAXED);
    __atomic_store_n(&served->version, version, __ATOMIC_RELAXED);
}

/* A request's document, in a place of its own: if there is none, that must stay so for the whole request. */
struct snapshot {
    struct document *document;
};

static const request_rec *first_request(const request_rec *r)
{
    while (r->main || r->prev)
        r = r->main ? r->main : r->prev;
    return r;
}

struct web_share *request_share(const request_rec *r)
{
    const struct server_config *config = ap_get_module_config(r->server->module_config, &seqshare_module);

    return config->declaration ? config->declaration->share : NULL;
}

const struct document *request_document(request_rec *r)
{
    const request_rec *first = first_request(r);
    struct snapshot *snapshot = ap_get_module_config(first->request_config, &seqshare_module);
    struct web_share *share;

    if (snapshot)
        return snapshot->document;
    snapshot = apr_pcalloc(first->pool, sizeof *snapshot);
    ap_set_module_config(first->request_config, &seqshare_module, snapshot);
    share = request_share(first);
    if (!share)
        return NULL;
    follow_update(share, first->request_time);
    snapshot->document = document_newest(share);
    note_served(share, snapshot->document ? snapshot->document->origin.version : 0);
    if (snapshot->document)
        apr_pool_cleanup_register(first->pool, snapshot->document, document_release, apr_pool_cleanup_null);
    return snapshot->document;
}
