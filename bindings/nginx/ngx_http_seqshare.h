/* SPDX-License-Identifier: MIT */
/*
 * ngx_http_seqshare_module: values of a JSON document in a share, for the requests of nginx.
 *
 * From the top down; each file uses only those below it:
 *
 *     ngx_http_seqshare_module.c   the module, its directives, and when nginx calls it
 *     page.c        the document as a page; put.c takes another, body.c reads it in
 *     status.c      a page that shows how the share fares
 *     request.c     a request's variables, and the one document that the whole request uses
 *     share.c       shares: opened in the master, inherited by the workers
 *     follow.c      follows a share: its documents and its name
 *     document.c    the last good document, decoded once per worker
 *     setting.c     a variable's pointer and type, and the text of its value
 *     good.c        the last good document, kept for all workers
 *     log.c         lines of the log about a share: one a minute, over all workers
 *     answer.c      the answers of the pages
 *
 * The way of a document: somebody publishes it in the share. The first worker that notices reads it, checks it, and
 * keeps it in `good`, memory that all workers inherit. All workers decode and use the document in `good`, and nothing
 * else. So they agree, even while the current value of the share cannot be used, and workers that start then agree
 * too. A reload finds `good` in the configuration before it, and a new binary (USR2) in the old master.
 *
 * A worker that dies takes all its connections with it. The share may be another user's file, which that user may cut
 * at any time. So nobody here reads its mapped memory: all use pread. And a worker waits for nobody, or for two
 * milliseconds at most: it tries a lock, and tries again later.
 */
#ifndef NGX_HTTP_SEQSHARE_H
#define NGX_HTTP_SEQSHARE_H

#include <ngx_config.h> /* first: it says which system's functions there are */

#include <ngx_core.h>
#include <ngx_http.h>

#include <stdbool.h>

#include <seqshare/feed.h>
#include <seqshare/json.h>

extern ngx_module_t ngx_http_seqshare_module;

/* nginx loads modules with RTLD_GLOBAL: names of ours must not meet those of another. */
#pragma GCC visibility push(hidden)

/* The kinds of lines in the log. Each share has at most one of each kind a minute. */
enum line {
    LINE_REFUSAL,  /* a document that cannot be used */
    LINE_OMISSION, /* a variable that keeps its default because its value is not fit */
    LINE_TROUBLE,  /* with opening, following or reading: one for each error */
    TROUBLES = 128,
    LINES = LINE_TROUBLE + TROUBLES
};

/* A worker, as the status shows it. */
struct served {
    int64_t pid;
    uint64_t version; /* of the document that its last request got */
};

/* Workers tell each other and the master these things, in memory that they share. Everything in it is atomic. */
struct journal {
    uint64_t said[LINES];                    /* see log.c */
    uint64_t refusals;                       /* how often a worker refused a document, over all of them */
    uint64_t refused_version;                /* the last such version */
    int trouble;                             /* reported, and not yet over: a negative errno value; 0: none */
    struct served served[NGX_MAX_PROCESSES]; /* by nginx's numbers of them */
};

/* Where a document is from: it differs between two publications, even of two regions. */
struct origin {
    unsigned char region_id[16];
    uint64_t version;
    int64_t published;
};

/* The last good document, as it is kept. */
struct kept {
    struct origin origin;
    char text[];
};

/* A share of one configuration. */
struct web_share {
    ngx_str_t name;       /* in the configuration, the log and the status */
    const char *path;     /* that the library opens: a name, or a path */
    size_t most;          /* bytes of the longest document that is used */
    ngx_uint_t number;    /* among the shares of the configuration */
    ngx_array_t settings; /* of struct setting * */
    seqshare *source;     /* documents are read from it, by pread; NULL until there is such a name */
    seqshare *good;       /* the last good document: an origin, and then its text */
    int good_fd;          /* by which the next configuration finds it; -1: none */
    struct journal *journal;
    int trouble_at_start; /* 0, or why the share could not be opened */

    /* In a worker: */
    struct origin seen; /* the last document that was used or refused; */
    bool refused;       /* it could not be used, */
    char why[SEQSHARE_JSON_WHY_SIZE];
    int name_trouble;      /* with following the name, and */
    int read_trouble;      /* with the document: 0, or an error */
    bool had_trouble;      /* when this worker last reported it */
    bool busy;             /* another worker was keeping a document when this one looked last, */
    unsigned busy_ticks;   /* and at so many ticks in a row */
    ngx_msec_t looked;     /* when it last asked for the version */
    ngx_event_t tick;      /* once a second */
    seqshare_cache *cache; /* of the document in `good`; NULL: not made yet, or there was no memory for it */
    uint64_t refusals;     /* by this worker */
    uint64_t moved;        /* how often it followed the name */
    bool has_feed;         /* `seqshare feed` keeps the share up to date, and said this: */
    struct seqshare_feed_1 feed;
};

/* What values a variable takes. */
enum kind { KIND_TEXT, KIND_STRING, KIND_INTEGER, KIND_FLAG, KIND_SIZE };

/* A line seqshare_set. */
struct setting {
    struct web_share *share;
    ngx_uint_t number;   /* among the settings of the share */
    ngx_str_t variable;  /* without its $ */
    const char *pointer; /* a JSON Pointer */
    seqshare_json_pointer *prepared;
    enum kind kind;
    size_t most;         /* bytes of the longest value */
    ngx_str_t otherwise; /* data NULL: no default */
};

struct main_config {
    ngx_array_t shares; /* of struct web_share * */
};

struct place_config {
    struct web_share *page; /* seqshare_page; NULL: none */
    bool put;
    struct web_share *status; /* seqshare_status; NULL: none */
    bool prometheus;
};

/* ---- answer.c ---- */

/* Answer with this status, and one line of text. */
ngx_int_t answer_text(ngx_http_request_t *r, ngx_uint_t status, const char *why);

/* Answer with what the library's error means in HTTP. Errors of the server go to the log as well. */
ngx_int_t answer_error(ngx_http_request_t *r, const struct web_share *share, int error);

/* Answer for any method but GET and HEAD, and PUT if that is allowed. */
ngx_int_t answer_methods(ngx_http_request_t *r, bool put);

/* Answer with these bytes, which last as long as the request. The type "": there are none. */
ngx_int_t answer_bytes(ngx_http_request_t *r, ngx_uint_t status, const char *type, ngx_str_t bytes);

ngx_int_t answer_header(ngx_http_request_t *r, const char *name, ngx_str_t value);

/* Make the entity tag of what `stat` describes a header of the answer. */
ngx_int_t answer_entity_tag(ngx_http_request_t *r, const struct seqshare_stat *stat);
ngx_str_t answer_tag_text(ngx_pool_t *pool, const struct seqshare_stat *stat);

/*
 * NGX_OK, or the answer: of the current version, whose tag is among the headers (0: there is none). Its date is not,
 * so that conditions on dates are none (RFC 9110, 13.1).
 */
ngx_int_t answer_conditions(const ngx_http_request_t *r, uint64_t version);

/* ---- log.c ---- */

/* Callers report as often as they like; the line is written once over all workers, or once a minute. */
void log_trouble(struct web_share *share, int trouble);
void log_trouble_over(struct web_share *share);
void log_refusal(struct web_share *share);
void log_omission(const struct setting *setting, const struct origin *origin, const char *why);

/* In the master, which has written the line itself: the workers repeat it in a minute. */
void log_said_by_master(struct web_share *share, int trouble);

/* ---- good.c ---- */

/* Where the current document of `source` is from, and how long it is. */
int origin_read(const seqshare *source, struct origin *origin, uint64_t *length);

bool origin_is_same(const struct origin *one, const struct origin *other);
bool origin_is_of_same_region(const struct origin *one, const struct origin *other);

/* In the master: room for the last good document; and the document that the configuration before had. */
int good_make(struct web_share *share, ngx_cycle_t *cycle);

/* In the master: say in the environment of a new binary where it finds the last good documents. */
ngx_int_t good_hand_over(ngx_conf_t *cf, const ngx_array_t *shares);

/* Under its lock: is this the document that is kept? */
bool good_has(const struct web_share *share, const struct origin *origin);

/* Under its lock: keep a document that is known to be good. */
int good_keep(const struct web_share *share, struct kept *kept, const struct origin *origin, size_t length);

/* ---- setting.c ---- */

/* By its name in the configuration; -1: there is no such type. */
int setting_kind(const ngx_str_t *name);
extern const char SETTING_KINDS[];

/* Does the default fit the type? NULL, or what is wrong with it. */
const char *setting_check_default(const struct setting *setting);

/*
 * The text of its value in the document, without control characters; data NULL: there is none. NGX_DECLINED: it is
 * not fit, and `why` says why. NGX_ERROR: no memory.
 */
ngx_int_t setting_text(ngx_pool_t *pool, const struct setting *setting, const seqshare_json *json,
                       ngx_str_t *text, const char **why);

/* ---- document.c ---- */

struct document {
    unsigned users;
    struct origin origin;
    ngx_pool_t *pool;
    ngx_str_t *texts; /* of the share's settings, in their order; data NULL: the default */
};

/* In a worker: make the cache of documents. */
int document_make_cache(struct web_share *share);

/* Is this the document that this worker uses? */
bool document_is_used(struct web_share *share, const struct origin *origin);

/* The newest one, or NULL. The caller is its user until document_release. */
struct document *document_newest(struct web_share *share);
void document_release(struct document *document);

/* ---- follow.c ---- */

/* Go where the name leads now. After most errors the share keeps what it had. */
int follow_name(struct web_share *share);

/* In a worker, for each request: if there is another document, and it is good, use it from now on. */
void follow_look(struct web_share *share);

/* In a worker, once a second, and when it begins: look at everything, and say what is wrong. */
void follow_tick(struct web_share *share);

/* ---- feed.c ---- */

/* In a worker, once a second: what does the share's feed say, if it has one? */
void feed_look(struct web_share *share);

/* ---- share.c ---- */

/* While the configuration is read: a share, which is closed when nginx lets go of the configuration. */
struct web_share *share_add(ngx_conf_t *cf, const ngx_str_t *name, const char *path, size_t most);
struct web_share *share_find(const ngx_array_t *shares, const ngx_str_t *name);

/* When the configuration has been read. */
ngx_int_t share_make_ready(ngx_conf_t *cf, const ngx_array_t *shares);

/* In the master, before it has workers. */
void share_say_troubles(const ngx_array_t *shares);

/* In a worker; again and again, if there was no memory. */
void share_begin_worker(struct web_share *share);

/* ---- request.c ---- */

/*
 * The document for this request: the newest at its first use, and then the same for all that belongs to the
 * request (subrequests, internal redirects) until it has been logged. NULL: there is none.
 */
const struct document *request_document(ngx_http_request_t *r, struct web_share *share);

/* The body that the request is reading. */
struct body;
ngx_int_t request_set_body(ngx_http_request_t *r, struct body *body);
struct body *request_body(ngx_http_request_t *r);

/* Variables of nginx. */
ngx_int_t request_get_setting(ngx_http_request_t *r, ngx_http_variable_value_t *value, uintptr_t setting);
ngx_int_t request_get_version(ngx_http_request_t *r, ngx_http_variable_value_t *value, uintptr_t share);
ngx_int_t request_get_age(ngx_http_request_t *r, ngx_http_variable_value_t *value, uintptr_t share);

/* ---- body.c ---- */

/*
 * The whole body is there: NGX_OK; or a status: 413 as soon as it is clear that the body does not fit; nobody keeps the
 * rest then. Returns the answer; or NGX_AGAIN: it comes later.
 */
typedef ngx_int_t body_done(ngx_http_request_t *r, struct body *body, ngx_int_t status);

struct body {
    u_char *bytes; /* malloc'ed, as long as the request */
    size_t length;
    size_t room;
    size_t most;
    body_done *done;
};

/* What a handler of nginx returns that reads a body. */
ngx_int_t body_read(ngx_http_request_t *r, struct body *body);

/* ---- put.c ---- */

ngx_int_t put_document(ngx_http_request_t *r, struct web_share *share);

/* ---- page.c, status.c: handlers of nginx ---- */

ngx_int_t page_handle(ngx_http_request_t *r);
ngx_int_t status_handle(ngx_http_request_t *r);

#pragma GCC visibility pop

#endif
