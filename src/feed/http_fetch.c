/* SPDX-License-Identifier: MIT */
/* One document over HTTP(S): see http_fetch.h. The peer may be anybody's, so everything that it says is bounded. */
#include "http_fetch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "backoff.h"
#include "secret.h"

enum { REDIRECTS_MOST = 5, FIRST_ROOM = 4096 };

static const int64_t all_within = 30 * LOOP_SECOND, longest_wait = 3600 * LOOP_SECOND;

/* ---- how it ends ---- */

/* The job and its connection; the result stays. */
static void end_job(struct http_fetch *fetch)
{
    transfer_stop(&fetch->transfer, &fetch->job);
    curl_slist_free_all(fetch->headers);
    fetch->headers = NULL;
}

static void disconnect(struct http_fetch *fetch)
{
    end_job(fetch);
    transfer_close(&fetch->transfer);
    loop_cancel(fetch->loop, &fetch->timeout);
    resolve_stop(&fetch->hosts[fetch->endpoint]);
    if (fetch->proxy_url)
        resolve_stop(&fetch->proxy);
    fetch->running = false;
}

static void forget_body(struct http_fetch *fetch)
{
    free(fetch->body);
    fetch->body = NULL;
    fetch->size = fetch->room = 0;
}

static void end(struct http_fetch *fetch, enum http_outcome outcome)
{
    fetch->outcome = outcome;
    disconnect(fetch);
    fetch->done(fetch->context);
    forget_body(fetch);
}

static void fail(struct http_fetch *fetch, const char *why)
{
    snprintf(fetch->why, sizeof(fetch->why), "%s", why);
    end(fetch, HTTP_FAILED);
}

static void on_timeout(void *context)
{
    fail(context, "no whole answer within 30 s");
}

/* ---- what the peer sends ---- */

static bool has_name(const char *line, size_t size, const char *name)
{
    size_t length = strlen(name);

    return size > length && strncasecmp(line, name, length) == 0;
}

/* The words between blanks, without those around them. */
static void trim(const char **value, size_t *size)
{
    while (*size > 0 && (unsigned char)**value <= ' ') {
        ++*value;
        --*size;
    }
    while (*size > 0 && (unsigned char)(*value)[*size - 1] <= ' ')
        --*size;
}

/* A packed body was not asked for: nothing would show that one was cut, and a small one may be large. */
static bool is_plain(const char *value, size_t size)
{
    static const char plain[] = "identity";

    trim(&value, &size);
    return size == sizeof(plain) - 1 && strncasecmp(plain, value, size) == 0;
}

static void take_etag(struct http_fetch *fetch, const char *value, size_t size)
{
    trim(&value, &size);
    fetch->etag[0] = 0;
    if (size >= sizeof(fetch->etag))
        return; /* then it is asked for without one */
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)value[i] < ' ' || value[i] == 0x7f)
            return;
    memcpy(fetch->etag, value, size);
    fetch->etag[size] = 0;
}

static size_t on_header(char *line, size_t one, size_t size, void *context)
{
    struct http_fetch *fetch = context;

    (void)one;
    if (has_name(line, size, "http/")) { /* another answer begins, after one of a proxy or a 1xx */
        fetch->etag[0] = 0;
        fetch->chunked = fetch->packed = false;
    } else if (has_name(line, size, "etag:")) {
        take_etag(fetch, line + 5, size - 5);
    } else if (has_name(line, size, "transfer-encoding:")) {
        fetch->chunked = true; /* libcurl takes no other kind */
    } else if (has_name(line, size, "content-encoding:") && !is_plain(line + 17, size - 17)) {
        fetch->packed = true;
        return size + 1;
    }
    return size;
}

/* Room for `size` bytes and a zero byte, counted before it is allocated. */
static bool make_room(struct http_fetch *fetch, size_t size)
{
    size_t room = fetch->room ? fetch->room : FIRST_ROOM;
    char *larger;

    if (size > fetch->limit) {
        fetch->over = true;
        return false;
    }
    while (room <= size)
        room *= 2;
    if (room > fetch->limit + 1)
        room = fetch->limit + 1;
    if (fetch->body && room == fetch->room)
        return true;
    larger = realloc(fetch->body, room);
    if (!larger)
        return false;
    fetch->body = larger;
    fetch->room = room;
    return true;
}

static size_t on_body(char *piece, size_t one, size_t size, void *context)
{
    struct http_fetch *fetch = context;

    (void)one;
    *fetch->received += size;
    if (size > fetch->limit - fetch->size) {
        fetch->over = true;
        return size + 1;
    }
    if (!make_room(fetch, fetch->size + size))
        return size + 1;
    memcpy(fetch->body + fetch->size, piece, size);
    fetch->size += size;
    fetch->body[fetch->size] = 0;
    return size;
}

/* ---- the answer ---- */

static void take_document(struct http_fetch *fetch)
{
    curl_off_t length = -1;
    long version = 0;

    curl_easy_getinfo(fetch->job.easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    curl_easy_getinfo(fetch->job.easy, CURLINFO_HTTP_VERSION, &version);
    if (length < 0 && !fetch->chunked && version < CURL_HTTP_VERSION_2_0)
        fail(fetch, "the answer does not say how long it is, so it may have been cut short");
    else
        end(fetch, fetch->size > 0 ? HTTP_BODY : HTTP_NOTHING);
}

static void begin_job(struct http_fetch *fetch);

/* The same scheme, host and port? */
static bool is_same_place(const char *one, const char *other)
{
    static const CURLUPart parts[] = {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT};
    CURLU *urls[2] = {curl_url(), curl_url()};
    bool same = urls[0] && urls[1] && curl_url_set(urls[0], CURLUPART_URL, one, 0) == CURLUE_OK &&
                curl_url_set(urls[1], CURLUPART_URL, other, 0) == CURLUE_OK;

    for (size_t i = 0; same && i < sizeof(parts) / sizeof(*parts); i++) {
        char *a = NULL, *b = NULL;

        same = curl_url_get(urls[0], parts[i], &a, CURLU_DEFAULT_PORT) == CURLUE_OK &&
               curl_url_get(urls[1], parts[i], &b, CURLU_DEFAULT_PORT) == CURLUE_OK && strcasecmp(a, b) == 0;
        curl_free(a);
        curl_free(b);
    }
    curl_url_cleanup(urls[0]);
    curl_url_cleanup(urls[1]);
    return same;
}

static void redirect(struct http_fetch *fetch)
{
    char *target = NULL, *url;

    curl_easy_getinfo(fetch->job.easy, CURLINFO_REDIRECT_URL, &target);
    if (!target) {
        fail(fetch, "a redirect to nowhere");
        return;
    }
    if (++fetch->redirects > REDIRECTS_MOST) {
        fail(fetch, "more than 5 redirects");
        return;
    }
    if (!is_same_place(fetch->url, target)) {
        fail(fetch, "a redirect to another scheme, host or port");
        return;
    }
    url = strdup(target);
    if (!url) {
        fail(fetch, strerror(ENOMEM));
        return;
    }
    free(fetch->url);
    fetch->url = url;
    end_job(fetch);
    begin_job(fetch);
}

static void refuse(struct http_fetch *fetch, long status)
{
    curl_off_t wait = 0;
    char why[64];

    curl_easy_getinfo(fetch->job.easy, CURLINFO_RETRY_AFTER, &wait);
    if (wait > 0)
        fetch->wait = wait < longest_wait / LOOP_SECOND ? wait * LOOP_SECOND : longest_wait;
    snprintf(why, sizeof(why), "HTTP status %ld", status);
    fail(fetch, why);
}

static void take_answer(struct http_fetch *fetch)
{
    long status = 0;

    curl_easy_getinfo(fetch->job.easy, CURLINFO_RESPONSE_CODE, &status);
    switch (status) {
    case 200:
        take_document(fetch);
        break;
    case 204:
    case 404:
    case 410:
        end(fetch, HTTP_NOTHING);
        break;
    case 304:
        if (fetch->known)
            end(fetch, HTTP_SAME);
        else
            fail(fetch, "HTTP status 304, and nothing was known yet");
        break;
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
        redirect(fetch);
        break;
    default:
        refuse(fetch, status);
    }
}

static void on_done(void *context, CURLcode code)
{
    struct http_fetch *fetch = context;
    long status = 0;

    curl_easy_getinfo(fetch->job.easy, CURLINFO_RESPONSE_CODE, &status);
    if (fetch->packed)
        fail(fetch, "the body is packed, which was not asked for");
    else if (fetch->over && status == 200)
        end(fetch, HTTP_TOO_LONG);
    else if (code != CURLE_OK)
        fail(fetch, transfer_why(&fetch->job, code));
    else
        take_answer(fetch);
}

/* ---- asking ---- */

static bool add_header(struct http_fetch *fetch, const char *name, const char *value)
{
    struct curl_slist *longer = NULL;
    char *line;

    if (asprintf(&line, "%s: %s", name, value) < 0)
        return false;
    longer = curl_slist_append(fetch->headers, line);
    secret_wipe(line);
    if (longer)
        fetch->headers = longer;
    return longer != NULL;
}

/* 0, or what secret_read says. */
static int add_bearer(struct http_fetch *fetch)
{
    char *token, *value;
    int rc = secret_read(fetch->config->token_file, &token);

    if (rc != 0)
        return rc;
    rc = asprintf(&value, "Bearer %s", token) < 0 ? -ENOMEM : 0;
    secret_wipe(token);
    if (rc != 0)
        return rc;
    rc = add_header(fetch, "authorization", value) ? 0 : -ENOMEM;
    secret_wipe(value);
    return rc;
}

static int add_password(struct http_fetch *fetch)
{
    char *password;
    int rc = secret_read(fetch->config->password_file, &password);

    if (rc != 0)
        return rc;
    curl_easy_setopt(fetch->job.easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    curl_easy_setopt(fetch->job.easy, CURLOPT_USERNAME, fetch->config->user);
    curl_easy_setopt(fetch->job.easy, CURLOPT_PASSWORD, password);
    secret_wipe(password);
    return 0;
}

static int add_secrets(struct http_fetch *fetch)
{
    int rc = 0;

    if (fetch->config->token_file)
        rc = add_bearer(fetch);
    if (rc == 0 && fetch->config->user)
        rc = add_password(fetch);
    return rc;
}

static void set_options(struct http_fetch *fetch)
{
    CURL *easy = fetch->job.easy;

    curl_easy_setopt(easy, CURLOPT_URL, fetch->url);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "seqshare-feed");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fetch->headers);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    if (fetch->proxy_url)
        curl_easy_setopt(easy, CURLOPT_PROXY, fetch->proxy_url);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, fetch);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch);
}

static void begin_job(struct http_fetch *fetch)
{
    int rc = fetch->config->tls_key ? secret_check(fetch->config->tls_key) : 0;

    forget_body(fetch);
    fetch->over = fetch->chunked = fetch->packed = false;
    fetch->job.done = on_done;
    fetch->job.context = fetch;
    if (rc != 0) {
        fail(fetch, secret_why(rc));
        return;
    }
    if (!transfer_easy(&fetch->job, &fetch->peer) ||
        (fetch->known && !add_header(fetch, "if-none-match", fetch->known)))
        rc = -ENOMEM;
    if (rc == 0)
        rc = add_secrets(fetch);
    if (rc != 0) {
        fail(fetch, secret_why(rc));
        return;
    }
    set_options(fetch);
    if (transfer_start(&fetch->transfer, &fetch->job) != 0)
        fail(fetch, strerror(ENOMEM));
}

static char *make_url(const struct http_fetch *fetch)
{
    const struct config *config = fetch->config;
    const struct config_endpoint *endpoint = &config->endpoints[fetch->endpoint];
    bool six = strchr(endpoint->host, ':') != NULL;
    char *url;

    if (asprintf(&url, "%s://%s%s%s:%u%s", config->scheme, six ? "[" : "", endpoint->host, six ? "]" : "",
                 endpoint->port, config->path) < 0)
        return NULL;
    return url;
}

static void connect_to(struct http_fetch *fetch)
{
    const struct resolve *host = &fetch->hosts[fetch->endpoint];
    bool known, proxy_known = true;
    char why[HTTP_WHY_SIZE];

    curl_slist_free_all(fetch->peer.addresses);
    fetch->peer.addresses = NULL;
    known = resolve_list(host, fetch->config->endpoints[fetch->endpoint].port, &fetch->peer.addresses);
    if (fetch->proxy_url)
        proxy_known = resolve_list(&fetch->proxy, fetch->proxy_port, &fetch->peer.addresses);
    if (!proxy_known || (!known && !fetch->proxy_url)) {
        host = proxy_known ? host : &fetch->proxy;
        snprintf(why, sizeof(why), "no address for the name %s: %s", host->host, resolve_why(host));
        fail(fetch, why);
        return;
    }
    fetch->peer.unresolved = !known;
    free(fetch->url);
    fetch->url = make_url(fetch);
    if (!fetch->url || transfer_open(&fetch->transfer, fetch->loop) != 0) {
        fail(fetch, strerror(ENOMEM));
        return;
    }
    ++*fetch->connects;
    begin_job(fetch);
}

static void on_resolved(void *context)
{
    struct http_fetch *fetch = context;

    if (!fetch->running)
        return;
    if (!fetch->hosts[fetch->endpoint].asked && !(fetch->proxy_url && fetch->proxy.asked))
        connect_to(fetch);
}

void http_fetch_start(struct http_fetch *fetch, const char *etag)
{
    disconnect(fetch);
    forget_body(fetch);
    fetch->running = true;
    fetch->known = etag;
    fetch->redirects = 0;
    fetch->wait = 0;
    fetch->why[0] = 0;
    loop_after(fetch->loop, &fetch->timeout, all_within);
    if (fetch->proxy_url)
        resolve_ask(&fetch->proxy);
    resolve_ask(&fetch->hosts[fetch->endpoint]);
}

void http_fetch_stop(struct http_fetch *fetch)
{
    disconnect(fetch);
    forget_body(fetch);
}

void http_fetch_turn(struct http_fetch *fetch)
{
    fetch->endpoint = (fetch->endpoint + 1) % fetch->config->endpoint_count;
}

/* ---- open and close ---- */

/* As libcurl looks: the name in capitals is not for plain HTTP, where a server may have set it from a header. */
static const char *environment_proxy(const struct config *config)
{
    const char *names[] = {config->tls ? "https_proxy" : "http_proxy",
                           config->tls ? "HTTPS_PROXY" : "http_proxy", "all_proxy", "ALL_PROXY"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        const char *url = getenv(names[i]);

        if (url && *url)
            return url;
    }
    return NULL;
}

enum { PROXY_PORT = 1080 }; /* libcurl's, when the URL has none */

/* The proxy's own name is looked up beside the loop like every other. Errors: -EINVAL, -ENOMEM. */
static int open_proxy(struct http_fetch *fetch)
{
    const char *url = environment_proxy(fetch->config);
    CURLU *parts = url && !fetch->peer.direct ? curl_url() : NULL;
    char *host = NULL, *port = NULL;
    int rc = -EINVAL;

    if (!url || fetch->peer.direct)
        return 0;
    if (parts &&
        curl_url_set(parts, CURLUPART_URL, url, CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
        curl_url_get(parts, CURLUPART_PORT, &port, 0);
        fetch->proxy_port = port ? (unsigned)strtoul(port, NULL, 10) : PROXY_PORT;
        fetch->proxy_host = strdup(host);
        fetch->proxy_url = strdup(url);
        rc = fetch->proxy_host && fetch->proxy_url
                 ? resolve_open(&fetch->proxy, fetch->loop, fetch->proxy_host)
                 : -ENOMEM;
        fetch->proxy.done = on_resolved;
        fetch->proxy.context = fetch;
    }
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(parts);
    return rc;
}

int http_fetch_open(struct http_fetch *fetch)
{
    const struct config *config = fetch->config;

    fetch->timeout.due = on_timeout;
    fetch->timeout.context = fetch;
    fetch->limit = config_gather_limit(config) / 2; /* the body, and the set of keys that it goes into */
    fetch->peer.config = config;
    fetch->peer.loopback_only = !config->tls && (config->user || config->token_file);
    fetch->peer.direct = fetch->peer.loopback_only; /* a proxy would read the secret */
    fetch->hosts = calloc(config->endpoint_count, sizeof(*fetch->hosts));
    if (!fetch->hosts)
        return -ENOMEM;
    for (size_t i = 0; i < config->endpoint_count; i++) {
        if (resolve_open(&fetch->hosts[i], fetch->loop, config->endpoints[i].host) != 0)
            return -ENOMEM;
        fetch->hosts[i].done = on_resolved;
        fetch->hosts[i].context = fetch;
    }
    fetch->endpoint = (size_t)(backoff_chance() * (double)config->endpoint_count) % config->endpoint_count;
    return open_proxy(fetch);
}

void http_fetch_close(struct http_fetch *fetch)
{
    if (!fetch->hosts)
        return;
    http_fetch_stop(fetch);
    for (size_t i = 0; i < fetch->config->endpoint_count; i++)
        resolve_close(&fetch->hosts[i]);
    free(fetch->hosts);
    fetch->hosts = NULL;
    resolve_close(&fetch->proxy);
    free(fetch->proxy_host);
    free(fetch->proxy_url);
    free(fetch->url);
    curl_slist_free_all(fetch->peer.addresses);
}
