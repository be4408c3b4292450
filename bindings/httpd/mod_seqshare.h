/* SPDX-License-Identifier: MIT */
/*
 * mod_seqshare: values of a JSON document in a share, for the requests of Apache httpd.
 *
 * From the top down; each file uses only those below it:
 *
 *     config.c      the module, its directives, and when httpd calls it
 *     page.c        the document as a page; put.c takes another, body.c reads it in
 *     status.c      a page that shows how the share fares
 *     expression.c  values of the document in expressions
 *     variable.c    values of the document in environment variables
 *     share.c       shares: made or opened in the parent, kept over restarts, inherited by the children
 *     request.c     a request's share, and the one document that the whole request uses
 *     follow.c      follows a share: its documents and its name
 *     document.c    the last good document, parsed once per child
 *     good.c        the last good document, kept for all children
 *     origin.c      where a document is from
 *     pointer.c     JSON Pointers, and the texts of their values
 *     log.c         lines of the log about a share: one a minute, over all children
 *     answer.c      the answers of the pages
 *
 * The way of a document: somebody publishes it in the share. The first child that notices reads it, checks it, and
 * keeps it in `good`, memory that all children inherit. All children parse and use the document in `good`, and nothing
 * else. So they agree, even while the current value of the share cannot be used, and children that start then agree
 * too.
 *
 * The parent may be root, so it parses nothing but the file that it publishes at the start. The share may be another
 * user's file, which that user may cut at any time. So nobody here reads its mapped memory: all use pread.
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

/* The kinds of lines in the log. Each share has at most one of each kind a minute. */
enum line {
    LINE_REFUSAL,  /* a document that cannot be used */
    LINE_OMISSION, /* a variable that is left out */
    LINE_TROUBLE,  /* with opening, following or reading: one for each error */
    TROUBLES = 128,
    LINES = LINE_TROUBLE + TROUBLES
};

/* A child, as the status shows it. */
struct served {
    int64_t pid;
    uint64_t version; /* of the document that its last request got */
};

/* Children tell each other and the parent these things, in memory that they share. Everything in it is atomic. */
struct journal {
    uint64_t said[LINES];     /* see log.c */
    uint64_t refusals;        /* how often a child refused a document, over all of them */
    uint64_t refused_version; /* the last such version */
    int trouble;              /* reported, and not yet over: a negative errno value; 0: none */
    struct served served[];   /* as many as `children` of the share, by httpd's numbers of them */
};

/* Where a document is from: it differs between two publications, even of two regions. */
struct origin {
    unsigned char region_id[16];
    uint64_t version;
    int64_t published;
};

/* A share. The parent has it as long as a configuration names it. */
struct web_share {
    struct web_share *next;
    const char *name;
    bool created;     /* by SeqshareCreate; else opened by SeqshareOpen */
    bool wanted;      /* by the new configuration */
    bool writes;      /* a page that takes documents is configured */
    seqshare *writer; /* of a created share: NULL in children that need not write */
    seqshare *source; /* documents are read from it, by pread; if opened: NULL until there is such a name */
    seqshare *good;   /* the last good document: an origin, and then its text */
    struct journal *journal;
    int children; /* how many there can be; kept here, because children may write to the journal */

    /* In a child, for the thread that looks: */
    struct origin seen; /* the last document that was used or refused; */
    bool refused;       /* it could not be used, */
    char why[SEQSHARE_JSON_WHY_SIZE];
    int name_trouble;      /* with following the name, and */
    int read_trouble;      /* with the document: 0, or an error */
    bool had_trouble;      /* when this child last reported it */
    apr_time_t next_check; /* of the name, and of what could not be read */
    bool updating;         /* atomic: a thread is */

    /* In a child, for all threads: */
    seqshare_cache_mt *cache; /* of the document in `good`; NULL: there was no memory for it */
    uint64_t refusals;        /* by this child */
    uint64_t moved;           /* how often it followed the name */
    bool noted;               /* in the journal: the version that it served last */
};

/* A line SeqshareCreate or SeqshareOpen. */
struct declaration {
    const char *name;
    bool created;
    size_t capacity;
    const char *file; /* initial document; NULL: none */
    struct web_share *share;
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

/* ---- answer.c ---- */

/* Answer with this status, and one line of text. */
int answer_text(request_rec *r, int status, const char *why);

/* Answer with what the library's error means in HTTP. Errors of the server go to the log as well. */
int answer_error(request_rec *r, const struct web_share *share, int error);

/* Answer for any method but GET, and PUT if that is allowed. */
int answer_methods(request_rec *r, bool put);

const char *answer_entity_tag(apr_pool_t *pool, const struct seqshare_stat *stat);

/*
 * OK, or the answer: of the current version, whose tag is among the headers (0: there is none). Its date is not,
 * so that conditions on dates are none (RFC 9110, 13.1).
 */
int answer_conditions(request_rec *r, uint64_t version);

/* ---- log.c ---- */

/* Callers report as often as they like; the line is written once over all children, or once a minute. */
void log_trouble(struct web_share *share, int trouble);
void log_trouble_over(struct web_share *share);
void log_refusal(struct web_share *share);
void log_omission(request_rec *r, const struct web_share *share, const struct variable *variable,
                  size_t length);

/* In the parent, which has written the line itself: the children repeat it in a minute. */
void log_said_by_parent(struct web_share *share, int trouble);

/* ---- pointer.c ---- */

/* Prepare a JSON Pointer, as long as the pool lives: NULL, or what is wrong with it. */
const char *pointer_prepare(apr_pool_t *pool, const char *text, const struct pointer **pointer);

/* A configuration begins; it has all its pointers. */
void pointer_begin_numbering(apr_pool_t *pool);
void pointer_end_numbering(void);

/* The texts of all numbered pointers' values. */
const struct text *pointer_make_texts(apr_pool_t *pool, const seqshare_json *json);

/* The text of a pointer's value, from `texts` if it is numbered. */
struct text pointer_text(apr_pool_t *pool, const seqshare_json *json, const struct text *texts,
                         const struct pointer *pointer);

/*
 * By the library's one rule. But a line end in a header would begin another header, or turn the answer into an error,
 * and variables get into headers too (`%{ENV:...}`, `reqenv`). So no text here has control characters.
 */
struct text pointer_value_text(apr_pool_t *pool, const seqshare_json_value *value);

/* ---- origin.c ---- */

/* Where the current document of `source` is from. */
int origin_read(const seqshare *source, struct origin *origin);

bool origin_is_same(const struct origin *one, const struct origin *other);
bool origin_is_of_same_region(const struct origin *one, const struct origin *other);

/* ---- good.c ---- */

/* In the parent: room for the last good document, at least as much as the share has. */
int good_make(struct web_share *share);

/* Keep a document that is known to be good, if it is newer than the one that is kept. */
int good_keep(const struct web_share *share, const struct origin *origin, const char *text, size_t length);

/* Keep the document that was just published through `writer`, and is known to be good. */
int good_keep_published(struct web_share *share, const char *text, size_t length);

/* ---- document.c ---- */

struct document {
    unsigned users;
    struct origin origin;
    seqshare_json *json;
    const struct text *texts; /* of the pointers that the configuration names */
    apr_pool_t *pool;         /* the document of these values */
};

/* In a child: make the cache of documents. */
int document_make_cache(struct web_share *share);

/* Is this the document that this child uses? */
bool document_is_used(struct web_share *share, const struct origin *origin);

/* The newest one, or NULL. The caller is its user until document_release, which any thread may call. */
struct document *document_newest(struct web_share *share);
apr_status_t document_release(void *document);

/* ---- follow.c ---- */

/* Go where the name leads now. After most errors the share keeps what it had. */
int follow_name(struct web_share *share);

/* In a child, for each request: if there is another document, and it is good, use it from now on. */
void follow_update(struct web_share *share, apr_time_t now);

/* ---- request.c ---- */

/*
 * The document for this request: the newest at its first use, and then the same for all that belongs to the
 * request (subrequests, internal redirects) until it has been logged. NULL: there is none.
 */
const struct document *request_document(request_rec *r);

struct web_share *request_share(const request_rec *r);

/* ---- share.c ---- */

/* Is there a share already, whose value stays? Then the initial document is not needed. */
bool share_has_value(const struct declaration *declaration);

/* Publish the initial document, or only check it: NULL, or what is wrong with it. share NULL: check. */
const char *share_publish_file(struct web_share *share, const char *file, size_t capacity, apr_pool_t *pool);

/* In the parent: make, open or find again the declared shares; let go of the others. */
int share_put_in_force(server_rec *main_server, const apr_array_header_t *declarations, apr_pool_t *pool);

/* In the parent, now and then: follow names. */
void share_follow_all(void);

/* In a new child. */
void share_inherit_all(void);

/*
 * For a page: a handle that sees the newest region. It must be given back. Errors: those of seqshare_open; -EROFS
 * this child may not write.
 */
int share_borrow(const struct web_share *share, int access, seqshare **handle);
void share_give_back(const struct web_share *share, seqshare *handle);

/* ---- variable.c ---- */

/* A child begins: how much can an environment carry? */
void variable_begin_child(void);

/* Set variables[from ...] for the request. */
void variable_set_all(request_rec *r, const apr_array_header_t *variables, int from);

/* ---- expression.c ---- */

/* %{seqshare:/json/pointer}, which is seqshare(...), and %{SEQSHARE_VERSION} in expressions. */
int expression_look_up(ap_expr_lookup_parms *parms);

/* ---- body.c ---- */

struct body {
    char *bytes;
    size_t length;
    size_t room;
    size_t most;
};

/* OK, or a status: 413 as soon as it is clear that the body will not fit in `most`; the rest is not read. */
int body_read(request_rec *r, struct body *body);

/* ---- put.c ---- */

int put_document(request_rec *r, const struct web_share *share);

/* ---- page.c, status.c: handlers of httpd ---- */

int page_handle(request_rec *r);
int status_handle(request_rec *r);

#endif
