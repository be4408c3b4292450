/* SPDX-License-Identifier: MIT */
/* The source etcd: user and password go to the store, and a token comes back. At most once a minute: it costs etcd. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "etcd.h"
#include "secret.h"

static const int64_t answer_within = 5 * LOOP_SECOND;

int64_t etcd_login_wait(const struct etcd *etcd)
{
    return backoff_limit_wait(&etcd->login.often, loop_now());
}

bool etcd_login_needed(const struct etcd *etcd)
{
    return etcd->source.config->user && !etcd->login.line && !etcd->login.no_need;
}

void etcd_login_forget(struct etcd *etcd)
{
    secret_wipe(etcd->login.line);
    etcd->login.line = NULL;
}

/* A token becomes a line of a header, so it must be of plain characters. */
static bool is_plain(const char *token)
{
    size_t length = strlen(token);

    for (size_t i = 0; i < length; i++)
        if (token[i] <= ' ' || token[i] > '~')
            return false;
    return length > 0 && length < SECRET_SIZE;
}

static int on_message(void *context, const uint8_t *bytes, size_t length)
{
    struct etcd *etcd = context;
    ProtobufCAllocator allocator = gather_allocator(&etcd->link.gather);
    Etcd__AuthenticateResponse *answer = etcd__authenticate_response__unpack(&allocator, length, bytes);
    int rc = -EPROTO;

    if (!answer)
        return rc;
    if (is_plain(answer->token) && !etcd->login.line)
        rc = asprintf(&etcd->login.line, "token: %s", answer->token) < 0 ? -ENOMEM : 0;
    if (rc == -ENOMEM)
        etcd->login.line = NULL;
    explicit_bzero(answer->token, strlen(answer->token));
    etcd__authenticate_response__free_unpacked(answer, &allocator);
    return rc;
}

static void fail(struct etcd *etcd, const char *why)
{
    char text[ETCD_WHY_SIZE];

    snprintf(text, sizeof(text), "login as %s: %s", etcd->source.config->user, why);
    etcd_away(etcd, etcd_login_wait(etcd), text);
}

/* A peer that could not be reached, or that knows no users, had no work with it. */
static void count(struct etcd *etcd)
{
    backoff_limit_count(&etcd->login.often, loop_now());
    etcd->source.counts.logins++;
}

static void on_ended(void *context)
{
    struct etcd *etcd = context;
    struct grpc_call *call = &etcd->login.call;

    loop_cancel(etcd->source.loop, &etcd->login.limit);
    etcd->login.no_need =
        call->status == GRPC_FAILED_PRECONDITION && strstr(call->detail, "authentication is not enabled");
    if (call->status != GRPC_NONE && !etcd->login.no_need)
        count(etcd);
    if (!etcd->login.no_need && (call->status != GRPC_OK || !etcd->login.line)) {
        fail(etcd, etcd_words(call->detail, call->why));
        return;
    }
    grpc_stop(call);
    etcd_go_on(etcd);
}

static void on_limit(void *context)
{
    struct etcd *etcd = context;

    count(etcd);
    fail(etcd, "no answer within 5 s");
}

void etcd_login_open(struct etcd *etcd)
{
    etcd->login.often.most = 1;
    etcd->login.call.message = on_message;
    etcd->login.call.ended = on_ended;
    etcd->login.call.context = etcd;
    etcd->login.limit.due = on_limit;
    etcd->login.limit.context = etcd;
}

/* The request has the password in it: libcurl gets it, and the buffer is wiped as it is sent. */
static int send_password(struct etcd *etcd, char *password)
{
    static const char *const nothing[] = {NULL};
    Etcd__AuthenticateRequest request = ETCD__AUTHENTICATE_REQUEST__INIT;

    request.name = etcd->source.config->user;
    request.password = password;
    return grpc_start(&etcd->login.call, &etcd->link, "/etcdserverpb.Auth/Authenticate", nothing,
                      &request.base, true);
}

void etcd_login_start(struct etcd *etcd)
{
    char *password;
    int rc;

    etcd->login.tried = true;
    if (etcd_login_wait(etcd) > 0) {
        fail(etcd, "at most once a minute");
        return;
    }
    rc = secret_read(etcd->source.config->password_file, &password);
    if (rc != 0) {
        fail(etcd, secret_why(rc));
        return;
    }
    rc = send_password(etcd, password);
    secret_wipe(password);
    if (rc != 0)
        fail(etcd, strerror(-rc));
    else
        loop_after(etcd->source.loop, &etcd->login.limit, answer_within);
}

void etcd_login_stop(struct etcd *etcd)
{
    grpc_stop(&etcd->login.call);
    loop_cancel(etcd->source.loop, &etcd->login.limit);
}
