/* SPDX-License-Identifier: MIT */
/*
 * mod_seqshare: values of a JSON document in a share, for the requests of Apache httpd.
 *
 *     config.c      the module, its directives, and when httpd calls it
 *     share.c       shares: made or opened in the parent, kept over restarts, inherited by the children
 *     document.c    the document of a child, parsed once per version, and the one that a request keeps
 *     value.c       values in it, as texts: for variables and expressions
 *     page.c        the document as a page, to get and to put
 *     status.c      a page that shows how the share fares
 *
 * The parent may be root, so it parses nothing but the file that it publishes at the start: children do, as the
 * server's user. Of other documents it only keeps the bytes.
 */
#ifndef MOD_SEQSHARE_H
#define MOD_SEQSHARE_H

#include <seqshare/json.h>

#include <ap_expr.h>
#include <apr_strings.h>
#include <httpd.h>

#include <http_config.h>
#include <http_log.h>
#include <http_main.h>

extern module AP_MODULE_DECLARE_DATA seqshare_module;
APLOG_USE_MODULE(seqshare);

/*
 * What children tell each other, and the parent, in memory of their own. What one has said in the log, others need
 * not repeat.
 */
struct journal {
    uint64_t good;            /* the version that a child parsed last */
    uint64_t refusals;        /* how often a child refused a document, over all of them */
    uint64_t refused_version; /* the last such version */
    int trouble;              /* with opening, following or reading: a negative errno value; 0: none */
};

/* A share. The parent has it as long as a configuration names it, whatever else changes there. */
struct share {
    struct share *next;
    const char *name;
    bool created;     /* by SeqshareCreate; else opened by SeqshareOpen */
    bool wanted;      /* by the configuration that is being put in force */
    bool writes;      /* a page that takes documents is configured */
    seqshare *writer; /* created: NULL in children that need not write */
    seqshare *reader; /* opened: NULL until there is one of that name; a child's belongs to its cache */
    struct journal *journal;
    struct {
        void *bytes; /* malloc'ed; NULL: none yet */
        size_t length;
        uint64_t version;
    } good; /* a document that children could use: for one that is born when the newest cannot be used */

    /* In a child: */
    seqshare_cache_mt *cache;   /* NULL as long as reader is */
    struct document *inherited; /* used as long as the cache has none */
    uint64_t refusals;          /* by this child */
    uint64_t unread;            /* values for which there was no time or memory */
    int trouble;
    apr_time_t next_look; /* when its state is looked at next, */
    bool looking;         /* by one thread */
};

/* What SeqshareCreate or SeqshareOpen says. */
struct declaration {
    const char *name;
    bool created;
    size_t capacity;
    const char *file; /* initial document; NULL: none */
    struct share *share;
};

/* Of a server; virtual hosts inherit it. */
struct server_config {
    struct declaration *declaration; /* NULL: no share */
    bool writes;
};

struct pointer;

struct variable {
    const char *name;
    const struct pointer *pointer;
    const char *otherwise; /* NULL: not set then */
};

/* Of a place. Variables of an outer place come first. */
struct place_config {
    apr_array_header_t *variables; /* of struct variable */
    int writes;                    /* -1: not said here */
};

/* ---- share.c ---- */

/* Is there a share already whose value will be kept? Then the initial document is not needed. */
bool share_has_value(const struct declaration *declaration);

/* Publish the initial document, or only check it: NULL, or what is wrong with it. share NULL: check. */
const char *publish_file(seqshare *share, const char *file, size_t capacity, apr_pool_t *pool);

/* In the parent: make, open or find again what is declared; let go of what is not any more. */
int shares_put_in_force(server_rec *main_server, const apr_array_header_t *declarations, apr_pool_t *pool);

/* In the parent, now and then: follow names. */
void shares_look_after(void);

/* In a new child. */
void shares_inherit(void);

/*
 * For a page: a handle that sees the newest region. It must be given back. Errors: those of seqshare_open; -EROFS
 * this child may not write.
 */
int share_borrow(const struct share *share, int access, seqshare **handle);
void share_give_back(const struct share *share, seqshare *handle);

/* ---- document.c ---- */

struct document {
    unsigned users;
    uint64_t version;
    seqshare_json *json;
    const char **texts; /* of the pointers that the configuration names */
    apr_pool_t *pool;   /* that they are in */
};

/* Make the child's cache of what there is to read from, and parse what stands there. */
int share_make_cache(struct share *share);

/*
 * The document for this request: the newest at its first use, and then the same for all that belongs to the
 * request (subrequests, internal redirects) until it has been logged. NULL: there is none.
 */
const struct document *request_document(request_rec *r);

struct share *request_share(const request_rec *r);

/* ---- value.c ---- */

/* Prepare a JSON Pointer, as long as the pool lives: NULL, or what is wrong with it. */
const char *pointer_prepare(apr_pool_t *pool, const char *text, const struct pointer **pointer);

/* A configuration begins; it has all its pointers. */
void pointers_begin(apr_pool_t *pool);
void pointers_end(void);

const char **make_texts(apr_pool_t *pool, const seqshare_json *json);

/* Set variables[from ...] for the request. */
void set_variables(request_rec *r, const apr_array_header_t *variables, int from);

/* %{seqshare:/json/pointer}, which is seqshare(...), and %{SEQSHARE_VERSION} in expressions. */
int expression_lookup(ap_expr_lookup_parms *parms);

/* ---- page.c, status.c ---- */

/* Answer with this status, and one line of text. */
int answer(request_rec *r, int status, const char *why);

/* The method was another one than GET, and PUT if that is allowed. */
int allow(request_rec *r, bool put);

const char *entity_tag(apr_pool_t *pool, seqshare *share, uint64_t version);

int handle_status(request_rec *r);
int handle_document(request_rec *r);

#endif
