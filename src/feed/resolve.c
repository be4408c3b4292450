/* SPDX-License-Identifier: MIT */
/*
 * Names of hosts, by glibc's getaddrinfo_a: a thread of its own asks, and a timer looks whether it has the answer. A
 * question cannot always be taken back, so it owns all that the thread may touch.
 */
#include "resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct resolve_question {
    struct gaicb request;
    struct addrinfo hints;
    char host[];
};

static const int64_t first_look = LOOP_MILLISECOND, longest_look = 50 * LOOP_MILLISECOND,
                     longest_wait = 2 * LOOP_SECOND;

enum { ADDRESSES = 16, ADDRESS_SIZE = INET6_ADDRSTRLEN + 3 };

/* ---- the answer ---- */

/* One address as text at `out`; its length, 0 if it is of another family. */
static size_t print_address(const struct sockaddr *address, char *out)
{
    char text[INET6_ADDRSTRLEN];

    if (address->sa_family == AF_INET) {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr, text,
                  sizeof(text));
        return (size_t)sprintf(out, "%s", text);
    }
    if (address->sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, text,
                  sizeof(text));
        return (size_t)sprintf(out, "[%s]", text);
    }
    return 0;
}

/* NULL: none, or no memory. */
static char *print_addresses(const struct addrinfo *info)
{
    char *text = calloc(ADDRESSES, ADDRESS_SIZE);
    size_t at = 0;

    for (unsigned n = 0; text && info && n < ADDRESSES; n++, info = info->ai_next) {
        size_t comma = at > 0 ? 1 : 0;
        size_t length = print_address(info->ai_addr, text + at + comma);

        if (length == 0)
            continue;
        if (comma)
            text[at] = ',';
        at += comma + length;
    }
    if (at > 0)
        return text;
    free(text);
    return NULL;
}

/* The question has been answered: keep the addresses, if it has any; else those of the answer before. */
static void take_answer(struct resolve *resolve)
{
    struct resolve_question *question = resolve->question;

    resolve->error = gai_error(&question->request);
    if (resolve->error == 0) {
        char *addresses = print_addresses(question->request.ar_result);

        if (addresses) {
            free(resolve->addresses);
            resolve->addresses = addresses;
        }
        freeaddrinfo(question->request.ar_result);
    }
    free(question);
    resolve->question = NULL;
}

/* ---- waiting for it ---- */

static void tell(struct resolve *resolve)
{
    if (!resolve->asked)
        return;
    resolve->asked = false;
    resolve->done(resolve->context);
}

/* Look more and more seldom. Goes on when nobody waits, for the next who asks. */
static void look(void *context)
{
    struct resolve *resolve = context;
    int64_t waited = loop_now() - resolve->since;

    if (resolve->question && gai_error(&resolve->question->request) != EAI_INPROGRESS)
        take_answer(resolve);
    if (resolve->question) {
        int64_t next = waited < first_look ? first_look : waited;

        loop_after(resolve->loop, &resolve->timer, next > longest_look ? longest_look : next);
        if (waited < longest_wait)
            return;
    }
    tell(resolve);
}

static int begin(struct resolve *resolve)
{
    size_t size = strlen(resolve->host) + 1;
    struct resolve_question *question = calloc(1, sizeof(*question) + size);
    struct gaicb *list[1];
    int rc;

    if (!question)
        return EAI_MEMORY;
    memcpy(question->host, resolve->host, size);
    question->hints.ai_socktype = SOCK_STREAM;
    question->request.ar_name = question->host;
    question->request.ar_request = &question->hints;
    list[0] = &question->request;
    rc = getaddrinfo_a(GAI_NOWAIT, list, 1, NULL);
    if (rc == 0)
        resolve->question = question;
    else
        free(question);
    return rc;
}

void resolve_ask(struct resolve *resolve)
{
    resolve->asked = true;
    resolve->since = loop_now();
    if (!resolve->literal && !resolve->question)
        resolve->error = begin(resolve);
    loop_after(resolve->loop, &resolve->timer, 0);
}

void resolve_stop(struct resolve *resolve)
{
    resolve->asked = false;
}

/* ---- the host ---- */

static bool is_literal(const char *host)
{
    struct in6_addr address;

    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

int resolve_open(struct resolve *resolve, struct loop *loop, const char *host)
{
    *resolve = (struct resolve){.loop = loop, .host = host, .literal = is_literal(host)};
    resolve->timer.due = look;
    resolve->timer.context = resolve;
    if (!resolve->literal)
        return 0;
    resolve->addresses = strdup(host);
    return resolve->addresses ? 0 : -ENOMEM;
}

void resolve_close(struct resolve *resolve)
{
    struct resolve_question *question = resolve->question;

    if (resolve->loop)
        loop_cancel(resolve->loop, &resolve->timer);
    free(resolve->addresses);
    resolve->addresses = NULL;
    resolve->question = NULL;
    if (!question)
        return;
    if (gai_cancel(&question->request) == EAI_NOTCANCELED)
        return; /* a thread has it now, and nobody can say when it lets go: the question must stay */
    if (gai_error(&question->request) == 0)
        freeaddrinfo(question->request.ar_result);
    free(question);
}

bool resolve_list(const struct resolve *resolve, unsigned port, struct curl_slist **list)
{
    struct curl_slist *longer;
    char *line;

    if (!resolve->addresses)
        return false;
    if (strchr(resolve->host, ':'))
        return true; /* an address of IPv6: libcurl needs no help, and could not take it */
    if (asprintf(&line, "%s:%u:%s", resolve->host, port, resolve->addresses) < 0)
        return false;
    longer = curl_slist_append(*list, line);
    free(line);
    if (longer)
        *list = longer;
    return longer != NULL;
}

const char *resolve_why(const struct resolve *resolve)
{
    if (resolve->question)
        return "no name server answers";
    return resolve->error ? gai_strerror(resolve->error) : "it has no address";
}
