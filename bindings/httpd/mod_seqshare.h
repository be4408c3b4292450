/* SPDX-License-Identifier: MIT */
/*
 * mod_seqshare: values of a JSON document in a share, for the requests of Apache httpd.
 *
 *     config.c      the module, its directives, and when httpd calls it
 *     share.c       shares: made or opened in the parent, kept over restarts, inherited by the children
 *     follow.c      what is published in a share, and where its name goes; the last good document, kept for all
 *     log.c         lines of the log about a share: one a minute, over all children
 *     document.c    the last good document, parsed once per child, and the one that a request keeps
 *     value.c       values in it, as texts: for variables and expressions
 *     page.c        the document as a page, to get and to put
 *     status.c      a page that shows how the share fares
 *
 * A document's way: somebody publishes it in the share. The first child that notices reads and checks it, and keeps
 * it in `good`, memory that all children inherit. All children parse and use what is in `good`, and nothing else:
 * so they agree, also while what stands in the share cannot be used, and also those that are born then.
 *
 * The parent may be root, so it parses nothing but the file that it publishes at the start. The share may be another
 * user's file, which that user may cut at any time. So nobody here reads mapped memory of it: it is read by pread.
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

/* The lines of the log of which there is one a minute at most, for each share. */
enum line {
    LINE_REFUSAL,  /* a document that cannot be used */
    LINE_OMISSION, /* a variable that is left out */
    LINE_TROUBLE,  /* with opening, following or reading: of each error one */
    TROUBLES = 128,
    LINES = LINE_TROUBLE + TROUBLES
};

/* A child, as the status shows it. */
struct served {
    int64_t pid;
    uint64_t version; /* of the document that its last request got */
};

/* What children tell each other, and the parent, in memory that they share. Everything in it is atomic. */
struct journal {
    uint64_t said[LINES];     /* see log.c */
    uint64_t refusals;        /* how often a child refused a document, over all of them */
    uint64_t refused_version; /* the last such version */
    int trouble;            /* that was said, and not yet that it is over: a negative errno value; 0: none */
    struct served served[]; /* as many as `children` of the share, by httpd's numbers of them */
};

/* Where a document is from: it tells two publications apart, also those of two regions. */
struct origin {
    unsigned char region_id[16];
    uint64_t version;
    int64_t published;
};

/* A share. The parent has it as long as a configuration names it, whatever else changes there. */
struct share {
    struct share *next;
    const char *name;
    bool created;     /* by SeqshareCreate; else opened by SeqshareOpen */
    bool wanted;      /* by the configuration that is being put in force */
    bool writes;      /* a page that takes documents is configured */
    seqshare *writer; /* created: NULL in children that need not write */
    seqshare
        *source;    /* what documents are read from, by pread; opened: NULL until there is one of that name */
    seqshare *good; /* the last good document: an origin, and then its text */
    struct journal *journal;
    int children; /* how many there can be; kept here, for children may write to the journal */

    /* In a child, for the thread that is looking: */
    struct origin seen; /* what has been dealt with; */
    bool refused;       /* it could not be used, */
    char why[SEQSHARE_JSON_WHY_SIZE];
    int name_trouble;     /* with following the name, and */
    int read_trouble;     /* with what is there: 0, or an error */
    bool had_trouble;     /* when this child last told of it */
    apr_time_t next_look; /* at the name, and at what could not be read */
    bool looking;         /* atomic: a thread is */

    /* In a child, for all threads: */
    seqshare_cache_mt *cache; /* over `good`; NULL: there was no memory for it */
    uint64_t refusals;        /* by this child */
    uint64_t moved;           /* how often it followed the name */
    bool noted;               /* in the journal, which version it served last */
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
    size_t otherwise_length;
};

/* A value as a text. */
struct text {
    const char *bytes; /* without control characters; NULL: there is none */
    size_t length;
    bool had_zero; /* there is a blank where a zero character was */
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
const char *publish_file(struct share *share, const char *file, size_t capacity, apr_pool_t *pool);

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

/* ---- follow.c ---- */

/* Go where the name leads now. After most errors the share keeps what it had. */
int share_follow_name(struct share *share);

/* In the parent: room for the last good document, as much as the share has at least. */
int share_make_good(struct share *share);

/* Keep the document that has just been published through `writer`, and is known to be good. */
int share_keep_published(struct share *share, const char *text, size_t length);

/* In a child, for each request: is there another document? Then it is used from now on, if it can be. */
void share_look(struct share *share, apr_time_t now);

/* ---- log.c ---- */

/* Each is called as often as there is something to say, and says it once over all children, or once a minute. */
void say_trouble(struct share *share, int trouble);
void say_trouble_is_over(struct share *share);
void say_refusal(struct share *share);
void say_omission(request_rec *r, const struct variable *variable, size_t length);

/* In the parent, which has said so itself: the children say it again in a minute. */
void trouble_is_said(struct share *share, int trouble);

/* ---- document.c ---- */

struct document {
    unsigned users;
    struct origin origin;
    seqshare_json *json;
    const struct text *texts; /* of the pointers that the configuration names */
    apr_pool_t *pool;         /* that they are in */
};

/* In a child: make the cache of documents. */
int share_make_cache(struct share *share);

/* Is this the document that this child uses? */
bool share_uses(struct share *share, const struct origin *origin);

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

const struct text *make_texts(apr_pool_t *pool, const seqshare_json *json);

/* A child begins: how much can an environment carry? */
void variables_begin(void);

/* Set variables[from ...] for the request. */
void set_variables(request_rec *r, const apr_array_header_t *variables, int from);

/* %{seqshare:/json/pointer}, which is seqshare(...), and %{SEQSHARE_VERSION} in expressions. */
int expression_lookup(ap_expr_lookup_parms *parms);

/* ---- page.c, status.c ---- */

/* Answer with this status, and one line of text. */
int answer(request_rec *r, int status, const char *why);

/* The method was another one than GET, and PUT if that is allowed. */
int allow(request_rec *r, bool put);

const char *entity_tag(apr_pool_t *pool, const struct seqshare_stat *stat);

int handle_status(request_rec *r);
int handle_document(request_rec *r);

#endif
