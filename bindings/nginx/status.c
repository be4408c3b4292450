/* SPDX-License-Identifier: MIT */
/* The page that shows how a share fares: in JSON, as mod_seqshare's, or in Prometheus' text. */
#include "ngx_http_seqshare.h"

#include <json-c/json.h>

/* What both forms say. */
struct report {
    const struct web_share *share;
    struct seqshare_stat stat;
    int error;   /* 0, or why there is no stat */
    int trouble; /* 0, or an error that stands */
    uint64_t refusals, refused_version;
    ngx_int_t workers;
};

static struct report make_report(const struct web_share *share)
{
    const ngx_core_conf_t *core = (const ngx_core_conf_t *)ngx_get_conf(ngx_cycle->conf_ctx, ngx_core_module);
    struct report report = {.share = share, .workers = core->worker_processes};
    seqshare *handle;

    report.trouble = __atomic_load_n(&share->journal->trouble, __ATOMIC_RELAXED);
    report.refusals = __atomic_load_n(&share->journal->refusals, __ATOMIC_RELAXED);
    report.refused_version = __atomic_load_n(&share->journal->refused_version, __ATOMIC_RELAXED);
    report.error = seqshare_open(&handle, share->path, SEQSHARE_READ);
    if (!report.error) {
        report.error = seqshare_pstat(handle, &report.stat);
        seqshare_close(handle);
    }
    if (report.error)
        report.trouble = report.error;
    return report;
}

/* Of a worker that has had a request: true, and the version that the last one got. */
static bool read_worker(const struct report *report, ngx_int_t number, int64_t *pid, uint64_t *version)
{
    const struct served *served = &report->share->journal->served[number];

    *pid = __atomic_load_n(&served->pid, __ATOMIC_RELAXED);
    *version = __atomic_load_n(&served->version, __ATOMIC_RELAXED);
    return *pid != 0;
}

static double seconds_now(void)
{
    const ngx_time_t *now = ngx_timeofday();

    return (double)now->sec + (double)now->msec / 1e3;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void add_text(struct json_object *to, const char *name, const char *text, size_t length)
{
    json_object_object_add(to, name, json_object_new_string_len(text, (int)length));
}

static void add_number(struct json_object *to, const char *name, uint64_t number)
{
    json_object_object_add(to, name, json_object_new_int64((int64_t)number));
}

/* The current value, whether it can be used or not. */
static void describe_value(struct json_object *to, const struct seqshare_stat *stat, ngx_pool_t *pool)
{
    u_char published[sizeof "Mon, 28 Sep 1970 06:00:00 GMT"];
    ngx_str_t tag = answer_tag_text(pool, stat);

    add_number(to, "version", stat->version);
    add_number(to, "size", stat->length);
    add_number(to, "capacity", stat->capacity);
    add_number(to, "memory", stat->allocated);
    if (stat->version == 0)
        return;
    add_text(to, "published", (char *)published,
             (size_t)(ngx_http_time(published, (time_t)(stat->published / 1000000000)) - published));
    json_object_object_add(to, "age", json_object_new_double(seconds_now() - (double)stat->published / 1e9));
    add_text(to, "etag", (char *)tag.data, tag.len);
}

/* The worker that answers. It has the share for reading only, and opens it for each PUT. */
static void describe_worker(struct json_object *to, const struct web_share *share,
                            const struct document *document)
{
    struct json_object *worker = json_object_new_object();
    struct seqshare_cache_stat stat;

    add_number(worker, "pid", (uint64_t)ngx_pid);
    add_number(worker, "version", document ? document->origin.version : 0);
    if (share->cache && seqshare_cache_stat(share->cache, &stat) == 0)
        add_number(worker, "decoded", stat.decoded);
    add_number(worker, "failed", share->refusals);
    add_number(worker, "moved", share->moved);
    json_object_object_add(worker, "may_write", json_object_new_boolean(false));
    json_object_object_add(to, "this_process", worker);
}

static void describe_workers(struct json_object *to, const struct report *report)
{
    struct json_object *workers = json_object_new_array();

    for (ngx_int_t i = 0; i < report->workers; i++) {
        struct json_object *worker;
        uint64_t version;
        int64_t pid;

        if (!read_worker(report, i, &pid, &version))
            continue;
        worker = json_object_new_object();
        add_number(worker, "pid", (uint64_t)pid);
        add_number(worker, "version", version);
        json_object_array_add(workers, worker);
    }
    json_object_object_add(to, "processes", workers);
}

static struct json_object *describe(ngx_pool_t *pool, const struct report *report,
                                    const struct document *document)
{
    struct json_object *status = json_object_new_object();

    add_text(status, "share", (char *)report->share->name.data, report->share->name.len);
    add_text(status, "made_by", "seqshare", sizeof "seqshare" - 1);
    if (!report->error)
        describe_value(status, &report->stat, pool);
    if (report->trouble) {
        const char *why = seqshare_strerror(report->trouble);

        add_text(status, "trouble", why, strlen(why));
    }
    add_number(status, "refusals", report->refusals);
    add_number(status, "refused_version", report->refused_version);
    describe_worker(status, report->share, document);
    describe_workers(status, report);
    return status;
}

static ngx_str_t in_json(ngx_pool_t *pool, const struct report *report, const struct document *document)
{
    struct json_object *status = describe(pool, report, document);
    size_t length;
    const char *text = json_object_to_json_string_length(status, JSON_C_TO_STRING_PRETTY, &length);
    ngx_str_t copy = {.data = ngx_pnalloc(pool, length + 1)};

    if (copy.data) {
        *ngx_cpymem(copy.data, text, length) = '\n';
        copy.len = length + 1;
    }
    json_object_put(status);
    return copy;
}

/* ---- Prometheus ------------------------------------------------------------------------------ */

/* Text that grows in one buffer, which has room for all of it. */
static u_char *head(u_char *at, const char *name, const char *type, const char *help)
{
    return ngx_sprintf(at, "# HELP seqshare_%s %s\n# TYPE seqshare_%s %s\n", name, help, name, type);
}

static u_char *metric(u_char *at, const struct report *report, const char *name, const char *type,
                      const char *help, double number)
{
    at = head(at, name, type, help);
    at = ngx_sprintf(at, "seqshare_%s{share=\"%V\"} ", name, &report->share->name);
    return at + sprintf((char *)at, "%.17g\n", number);
}

static u_char *metrics_of_workers(u_char *at, const struct report *report)
{
    at = head(at, "worker_version", "gauge", "Version that the last request of each worker got.");
    for (ngx_int_t i = 0; i < report->workers; i++) {
        uint64_t version;
        int64_t pid;

        if (read_worker(report, i, &pid, &version))
            at = ngx_sprintf(at, "seqshare_worker_version{share=\"%V\",worker=\"%i\"} %uL\n",
                             &report->share->name, i, version);
    }
    return at;
}

static ngx_str_t in_prometheus(ngx_pool_t *pool, const struct report *report)
{
    enum { METRICS = 10, METRIC_MOST = 256 };
    const size_t name = report->share->name.len;
    const size_t room = (METRICS + (size_t)report->workers) * (METRIC_MOST + name);
    const struct seqshare_stat *stat = &report->stat; /* zeros if there is none */
    ngx_str_t text = {.data = ngx_pnalloc(pool, room)};
    u_char *at = text.data;

    if (!at)
        return text;
    at = metric(at, report, "version", "gauge", "Version of the current value.", (double)stat->version);
    at = metric(at, report, "size_bytes", "gauge", "Length of the current value.", (double)stat->length);
    at = metric(at, report, "capacity_bytes", "gauge", "The most that a value may have.",
                (double)stat->capacity);
    at = metric(at, report, "memory_bytes", "gauge", "What the region takes.", (double)stat->allocated);
    at = metric(at, report, "published_timestamp_seconds", "gauge", "When the current value was published.",
                (double)stat->published / 1e9);
    at = metric(
        at, report, "trouble", "gauge",
        "1 while the share cannot be opened, followed or read, and requests keep the last good document.",
        report->trouble != 0);
    at = metric(at, report, "refusals_total", "counter", "How often a worker could not use a document.",
                (double)report->refusals);
    at = metric(at, report, "refused_version", "gauge", "The last version that a worker could not use.",
                (double)report->refused_version);
    at = metrics_of_workers(at, report);
    text.len = (size_t)(at - text.data);
    return text;
}

/* ---- the page -------------------------------------------------------------------------------- */

ngx_int_t status_handle(ngx_http_request_t *r)
{
    const struct place_config *config = ngx_http_get_module_loc_conf(r, ngx_http_seqshare_module);
    const struct document *document;
    struct report report;
    ngx_str_t text;

    if (!(r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD)))
        return answer_methods(r, false);
    document = request_document(r, config->status);
    report = make_report(config->status);
    text = config->prometheus ? in_prometheus(r->pool, &report) : in_json(r->pool, &report, document);
    if (!text.data || answer_header(r, "Cache-Control", (ngx_str_t)ngx_string("no-store")) != NGX_OK)
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    return answer_bytes(r, NGX_HTTP_OK, config->prometheus ? "text/plain; version=0.0.4" : "application/json",
                        text);
}
