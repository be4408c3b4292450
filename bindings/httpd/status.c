/* SPDX-License-Identifier: MIT */
/* The page that shows how a share fares. */
#include "mod_seqshare.h"
#include <http_protocol.h>

#include <scoreboard.h>
#include <unistd.h>

#include <json-c/json.h>

/* A path may have any bytes: those that are not UTF-8 are escaped, because JSON cannot have them. */
static const char *utf8(apr_pool_t *pool, const char *text)
{
    const char *quoted = apr_pstrcat(pool, "\"", ap_escape_quotes(pool, text), "\"", NULL);
    char *blank = apr_pstrdup(pool, quoted);

    for (char *c = blank; *c; c++)
        if ((unsigned char)*c < ' ')
            *c = ' ';
    return seqshare_json_check(blank, strlen(blank), NULL) == 0 ? text : ap_escape_logitem(pool, text);
}

static void add_text(struct json_object *to, const char *name, const char *text)
{
    json_object_object_add(to, name, text ? json_object_new_string(text) : NULL);
}

static void add_number(struct json_object *to, const char *name, uint64_t number)
{
    json_object_object_add(to, name, json_object_new_int64((int64_t)number));
}

/* The current value, whether it can be used or not. */
static void describe_value(request_rec *r, struct json_object *to, seqshare *handle)
{
    struct seqshare_stat stat;
    char published[APR_RFC822_DATE_LEN];
    int error = seqshare_pstat(handle, &stat);

    if (error) {
        add_text(to, "trouble", seqshare_strerror(error));
        return;
    }
    add_number(to, "version", stat.version);
    add_number(to, "size", stat.length);
    add_number(to, "capacity", stat.capacity);
    add_number(to, "memory", stat.allocated);
    if (stat.version == 0)
        return;
    apr_rfc822_date(published, stat.published / 1000);
    add_text(to, "published", published);
    json_object_object_add(to, "age",
                           json_object_new_double((double)(apr_time_now() - stat.published / 1000) / 1e6));
    add_text(to, "etag", answer_entity_tag(r->pool, &stat));
}

static void describe_share(request_rec *r, struct json_object *to, const struct web_share *share)
{
    int trouble = __atomic_load_n(&share->journal->trouble, __ATOMIC_RELAXED), error;
    seqshare *handle;

    add_text(to, "share", utf8(r->pool, share->name));
    add_text(to, "made_by", share->created ? "SeqshareCreate" : "SeqshareOpen");
    error = share_borrow(share, SEQSHARE_READ, &handle);
    if (!error) {
        describe_value(r, to, handle);
        share_give_back(share, handle);
    }
    if (error || trouble)
        add_text(to, "trouble", seqshare_strerror(error ? error : trouble));
    add_number(to, "refusals", __atomic_load_n(&share->journal->refusals, __ATOMIC_RELAXED));
    add_number(to, "refused_version", __atomic_load_n(&share->journal->refused_version, __ATOMIC_RELAXED));
}

/* The process that answers. */
static void describe_child(struct json_object *to, const struct web_share *share,
                           const struct document *document)
{
    struct json_object *child = json_object_new_object();
    struct seqshare_cache_stat stat;

    add_number(child, "pid", (uint64_t)getpid());
    add_number(child, "version", document ? document->origin.version : 0);
    if (share->cache && seqshare_cache_mt_stat(share->cache, &stat) == 0)
        add_number(child, "decoded", stat.decoded);
    add_number(child, "failed", __atomic_load_n(&share->refusals, __ATOMIC_RELAXED));
    add_number(child, "moved", __atomic_load_n(&share->moved, __ATOMIC_RELAXED));
    json_object_object_add(child, "may_write", json_object_new_boolean(share->created && share->writer));
    json_object_object_add(to, "this_process", child);
}

/* All children that have had a request, with the version that the last request got. */
static void describe_children(struct json_object *to, const struct web_share *share)
{
    struct json_object *children = json_object_new_array();

    for (int i = 0; i < share->children; i++) {
        const struct served *served = &share->journal->served[i];
        const process_score *place = ap_get_scoreboard_process(i);
        int64_t pid = __atomic_load_n(&served->pid, __ATOMIC_RELAXED);
        struct json_object *child;

        if (pid == 0 || !place || place->pid != pid) /* it has ended, and the next one had no request yet */
            continue;
        child = json_object_new_object();
        add_number(child, "pid", (uint64_t)pid);
        add_number(child, "version", __atomic_load_n(&served->version, __ATOMIC_RELAXED));
        json_object_array_add(children, child);
    }
    json_object_object_add(to, "processes", children);
}

int status_handle(request_rec *r)
{
    const struct web_share *share = request_share(r);
    struct json_object *status;

    if (!r->handler || strcmp(r->handler, "seqshare-status") != 0)
        return DECLINED;
    if (!share)
        return answer_text(r, HTTP_NOT_FOUND, "this server has no share");
    if (r->method_number != M_GET)
        return answer_methods(r, false);
    status = json_object_new_object();
    describe_share(r, status, share);
    describe_child(status, share, request_document(r));
    describe_children(status, share);
    ap_set_content_type(r, "application/json");
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    ap_rprintf(r, "%s\n", json_object_to_json_string_ext(status, JSON_C_TO_STRING_PRETTY));
    json_object_put(status);
    return OK;
}
