/* SPDX-License-Identifier: MIT */
/* gRPC calls: HTTP/2 requests whose upload libcurl pauses until there is more to send. */
#include "grpc.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- what the peer says of itself ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void grpc_printable(char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            *text = '?';
}

static void copy(char *out, size_t room, const char *text, size_t length)
{
    if (length >= room)
        length = room - 1;
    memcpy(out, text, length);
    out[length] = 0;
    grpc_printable(out);
}

/* gRPC percent-encodes its messages. */
static void decode_percent(char *text)
{
    char *out = text;

    for (; *text; text++) {
        int high = *text == '%' ? hex_digit(text[1]) : -1;
        int low = high >= 0 ? hex_digit(text[2]) : -1;

        if (low >= 0)
            text += 2;
        *out++ = low >= 0 ? (char)(high * 16 + low) : *text;
    }
    *out = 0;
}

/* The value of a header line if it has this name, its length in *length; else NULL. */
static const char *header_value(const char *line, size_t size, const char *name, size_t *length)
{
    size_t prefix = strlen(name);

    if (size <= prefix || strncasecmp(line, name, prefix) != 0 || line[prefix] != ':')
        return NULL;
    line += prefix + 1;
    size -= prefix + 1;
    while (size > 0 && isspace((unsigned char)*line)) {
        line++;
        size--;
    }
    while (size > 0 && isspace((unsigned char)line[size - 1]))
        size--;
    *length = size;
    return line;
}

static int parse_status(const char *text, size_t length)
{
    int status = 0;

    if (length == 0 || length > 4)
        return GRPC_NONE;
    for (size_t i = 0; i < length; i++) {
        if (!isdigit((unsigned char)text[i]))
            return GRPC_NONE;
        status = status * 10 + (text[i] - '0');
    }
    return status;
}

/* Headers and trailers alike: an answer without a message has both in one. */
static size_t on_header(char *line, size_t one, size_t size, void *context)
{
    static const char type[] = "application/grpc";
    struct grpc_call *call = context;
    const char *value;
    size_t length;

    (void)one;
    if ((value = header_value(line, size, "content-type", &length))) {
        call->is_grpc = length >= sizeof(type) - 1 && strncasecmp(value, type, sizeof(type) - 1) == 0;
        copy(call->type, sizeof(call->type), value, length);
    } else if ((value = header_value(line, size, "grpc-status", &length))) {
        call->status = parse_status(value, length);
    } else if ((value = header_value(line, size, "grpc-message", &length))) {
        copy(call->detail, sizeof(call->detail), value, length);
        decode_percent(call->detail);
        grpc_printable(call->detail);
    }
    return size;
}

/* ---- the answer's messages ---- */

static int on_whole(void *context, const uint8_t *message, size_t length)
{
    struct grpc_call *call = context;

    return call->message(call->context, message, length);
}

static size_t on_body(char *piece, size_t one, size_t size, void *context)
{
    struct grpc_call *call = context;
    long code = 0;

    (void)one;
    *call->link->received += size;
    curl_easy_getinfo(call->job.easy, CURLINFO_RESPONSE_CODE, &code);
    if (code != 200 || !call->is_grpc)
        return size + 1; /* an error page, or worse: no more of it */
    call->fault = grpc_frames_take(&call->frames, (const uint8_t *)piece, size, on_whole, call);
    return call->fault == 0 ? size : size + 1;
}

/* ---- what is sent ---- */

static size_t on_upload(char *room, size_t one, size_t count, void *context)
{
    struct grpc_call *call = context;
    size_t size = one * count, left = call->out_size - call->out_at;

    if (left == 0 && !call->last) {
        call->paused = true;
        return CURL_READFUNC_PAUSE;
    }
    if (left < size)
        size = left;
    if (size == 0)
        return 0;
    memcpy(room, call->out + call->out_at, size);
    explicit_bzero(call->out + call->out_at, size); /* it may have been a password */
    call->out_at += size;
    return size;
}

/* Put a message behind what is still to be sent. */
static int append(struct grpc_call *call, const ProtobufCMessage *message)
{
    size_t length = protobuf_c_message_get_packed_size(message), left = call->out_size - call->out_at;
    uint8_t *out = length < UINT32_MAX ? malloc(left + GRPC_FRAMES_HEADER + length) : NULL;

    if (!out)
        return -ENOMEM;
    if (left > 0) {
        memcpy(out, call->out + call->out_at, left);
        explicit_bzero(call->out + call->out_at, left);
    }
    grpc_frames_header(out + left, (uint32_t)length);
    protobuf_c_message_pack(message, out + left + GRPC_FRAMES_HEADER);
    free(call->out);
    call->out = out;
    call->out_at = 0;
    call->out_size = left + GRPC_FRAMES_HEADER + length;
    return 0;
}

int grpc_send(struct grpc_call *call, const ProtobufCMessage *message)
{
    int rc = append(call, message);

    if (rc == 0 && call->paused) {
        call->paused = false;
        curl_easy_pause(call->job.easy, CURLPAUSE_CONT);
    }
    return rc;
}

/* ---- how it ends ---- */

static const char *code_name(int status)
{
    static const char *const names[] = {
        "ok",        "cancelled",      "unknown",           "invalid argument",   "deadline exceeded",
        "not found", "already exists", "permission denied", "resource exhausted", "failed precondition",
        "aborted",   "out of range",   "unimplemented",     "internal",           "unavailable",
        "data loss", "unauthenticated"};

    return status >= 0 && (size_t)status < sizeof(names) / sizeof(*names) ? names[status] : "unknown code";
}

static void word(struct grpc_call *call, CURLcode code)
{
    long http = 0;

    curl_easy_getinfo(call->job.easy, CURLINFO_RESPONSE_CODE, &http);
    if (call->fault == -EMSGSIZE)
        snprintf(call->why, sizeof(call->why), "the answer is larger than the %zu bytes that may be gathered",
                 call->link->gather.limit);
    else if (call->fault != 0)
        snprintf(call->why, sizeof(call->why), "the answer is not what its method answers");
    else if (http != 0 && (http != 200 || !call->is_grpc))
        snprintf(call->why, sizeof(call->why),
                 "the peer does not speak gRPC: HTTP status %ld, content type %s", http,
                 call->type[0] ? call->type : "none");
    else if (call->status >= 0 && call->status != GRPC_OK)
        snprintf(call->why, sizeof(call->why), "%s",
                 call->detail[0] ? call->detail : code_name(call->status));
    else if (code != CURLE_OK)
        snprintf(call->why, sizeof(call->why), "%s", transfer_why(&call->job, code));
    else
        snprintf(call->why, sizeof(call->why), "the answer was cut short");
}

static void on_done(void *context, CURLcode code)
{
    struct grpc_call *call = context;
    long http = 0, version = 0;

    curl_easy_getinfo(call->job.easy, CURLINFO_RESPONSE_CODE, &http);
    curl_easy_getinfo(call->job.easy, CURLINFO_HTTP_VERSION, &version);
    call->link->is_http2 |= version == CURL_HTTP_VERSION_2_0;
    if (call->fault != 0 || http != 200 || !call->is_grpc || grpc_frames_amid(&call->frames))
        call->status = GRPC_NONE;
    word(call, code);
    call->running = false;
    call->ended(call->context);
}

/* ---- calls ---- */

static bool add_header(struct curl_slist **headers, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*headers, line);

    if (longer)
        *headers = longer;
    return longer != NULL;
}

static bool add_headers(struct curl_slist **headers, const char *const *metadata)
{
    bool fine = add_header(headers, "content-type: application/grpc") &&
                add_header(headers, "te: trailers") && add_header(headers, "accept:") &&
                add_header(headers, "expect:");

    for (; fine && *metadata; metadata++)
        fine = add_header(headers, *metadata);
    return fine;
}

/*
 * Without TLS nothing negotiates the version, so it must be known. libcurl 7.88 (curl#10643, mended in 8.0) takes
 * that as an order to switch to HTTP/2 within the HTTP/2 of a connection that stands: there it must not be said again.
 */
static long http_version(const struct grpc_link *link)
{
    unsigned known = curl_version_info(CURLVERSION_NOW)->version_num;
    bool once = known >= 0x075800 && known < 0x080000;

    if (link->peer.config->tls || (once && link->is_http2))
        return CURL_HTTP_VERSION_2TLS;
    return CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
}

/* false: no memory. */
static bool set_options(struct grpc_call *call, const char *method)
{
    CURL *easy = call->job.easy;
    char *url;

    if (asprintf(&url, "%s%s", call->link->base, method) < 0)
        return false;
    if (curl_easy_setopt(easy, CURLOPT_URL, url) != CURLE_OK) {
        free(url);
        return false;
    }
    free(url);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, http_version(call->link));
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "seqshare-feed");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    /*
     * With a length, libcurl ends the upload in the frame of its last byte. Without, it does so later, and a server
     * that has answered by then resets the stream: libcurl 7.88 drops the answer with it.
     */
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     call->last ? (curl_off_t)call->out_size : (curl_off_t)-1);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_upload);
    curl_easy_setopt(easy, CURLOPT_READDATA, call);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    return true;
}

int grpc_start(struct grpc_call *call, struct grpc_link *link, const char *method,
               const char *const *metadata, const ProtobufCMessage *message, bool last)
{
    grpc_stop(call);
    call->link = link;
    call->frames.gather = &link->gather;
    call->status = GRPC_NONE;
    call->fault = 0;
    call->why[0] = call->detail[0] = call->type[0] = 0;
    call->paused = call->is_grpc = false;
    call->last = last;
    call->job.done = on_done;
    call->job.context = call;
    if (append(call, message) != 0 || !transfer_easy(&call->job, &link->peer) ||
        !add_headers(&call->headers, metadata) || !set_options(call, method) ||
        transfer_start(&link->transfer, &call->job) != 0) {
        grpc_stop(call);
        return -ENOMEM;
    }
    call->running = true;
    return 0;
}

void grpc_stop(struct grpc_call *call)
{
    if (!call->link)
        return;
    transfer_stop(&call->link->transfer, &call->job);
    curl_slist_free_all(call->headers);
    call->headers = NULL;
    if (call->out)
        explicit_bzero(call->out, call->out_size);
    free(call->out);
    call->out = NULL;
    call->out_size = call->out_at = 0;
    grpc_frames_clear(&call->frames);
    call->running = false;
}

/* ---- the link ---- */

int grpc_open(struct grpc_link *link, struct loop *loop, const char *host, unsigned port)
{
    bool six = strchr(host, ':') != NULL;

    grpc_close(link);
    link->peer.direct = true; /* a proxy of the environment's is for HTTP */
    if (asprintf(&link->base, "%s://%s%s%s:%u", link->peer.config->tls ? "https" : "http", six ? "[" : "",
                 host, six ? "]" : "", port) < 0) {
        link->base = NULL;
        return -ENOMEM;
    }
    return transfer_open(&link->transfer, loop);
}

void grpc_close(struct grpc_link *link)
{
    transfer_close(&link->transfer);
    link->is_http2 = false;
    free(link->base);
    link->base = NULL;
}

bool grpc_is_open(const struct grpc_link *link)
{
    return link->transfer.multi != NULL;
}
