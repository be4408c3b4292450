/* SPDX-License-Identifier: MIT */
/* libcurl on the agent's loop: its sockets are watched there, its one timer runs there, and nothing in it blocks. */
#include "transfer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct transfer_socket {
    struct transfer *transfer;
    struct loop_watch watch;
    struct transfer_socket *next;
};

enum { CONNECT_MS = 3000 };

/* ---- jobs that have ended ---- */

/* done() may close the transfer, so look whether it is still open each time. */
static void collect(struct transfer *transfer)
{
    while (transfer->multi) {
        int left;
        CURLMsg *message = curl_multi_info_read(transfer->multi, &left);
        struct transfer_job *job;
        CURLcode code;

        if (!message)
            return;
        if (message->msg != CURLMSG_DONE)
            continue;
        code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&job);
        job->done(job->context, code);
    }
}

/* ---- sockets and the timer ---- */

static void on_ready(void *context, short events)
{
    struct transfer_socket *one = context;
    struct transfer *transfer = one->transfer;
    int fd = one->watch.fd; /* libcurl may forget it in the call */
    int what = 0, running;

    if (events & (POLLIN | POLLHUP))
        what |= CURL_CSELECT_IN;
    if (events & POLLOUT)
        what |= CURL_CSELECT_OUT;
    if (events & (POLLERR | POLLNVAL))
        what |= CURL_CSELECT_ERR;
    curl_multi_socket_action(transfer->multi, fd, what, &running);
    collect(transfer);
}

static void on_time(void *context)
{
    struct transfer *transfer = context;
    int running;

    curl_multi_socket_action(transfer->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(transfer);
}

static int set_timer(CURLM *multi, long ms, void *context)
{
    struct transfer *transfer = context;

    (void)multi;
    if (ms < 0)
        loop_cancel(transfer->loop, &transfer->timer);
    else
        loop_after(transfer->loop, &transfer->timer, ms * LOOP_MILLISECOND);
    return 0;
}

static struct transfer_socket *add_socket(struct transfer *transfer, curl_socket_t fd)
{
    struct transfer_socket *one = calloc(1, sizeof(*one));

    if (!one)
        return NULL;
    one->transfer = transfer;
    one->watch = (struct loop_watch){.fd = fd, .ready = on_ready, .context = one};
    one->next = transfer->sockets;
    transfer->sockets = one;
    curl_multi_assign(transfer->multi, fd, one);
    return one;
}

static void remove_socket(struct transfer *transfer, struct transfer_socket *one)
{
    struct transfer_socket **at = &transfer->sockets;

    while (*at != one)
        at = &(*at)->next;
    *at = one->next;
    loop_forget(transfer->loop, &one->watch);
    free(one);
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *known)
{
    struct transfer *transfer = context;
    struct transfer_socket *one = known;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (one)
            remove_socket(transfer, one);
        return 0;
    }
    if (!one)
        one = add_socket(transfer, fd);
    if (!one)
        return -1;
    one->watch.events = (short)((what & CURL_POLL_IN ? POLLIN : 0) | (what & CURL_POLL_OUT ? POLLOUT : 0));
    loop_watch(transfer->loop, &one->watch);
    return 0;
}

/* ---- the whole ---- */

int transfer_open(struct transfer *transfer, struct loop *loop)
{
    static bool initialised;

    if (!initialised && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return -ENOMEM;
    initialised = true;
    transfer->loop = loop;
    transfer->timer.due = on_time;
    transfer->timer.context = transfer;
    transfer->multi = curl_multi_init();
    if (!transfer->multi)
        return -ENOMEM;
    curl_multi_setopt(transfer->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
    curl_multi_setopt(transfer->multi, CURLMOPT_SOCKETDATA, transfer);
    curl_multi_setopt(transfer->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(transfer->multi, CURLMOPT_TIMERDATA, transfer);
    /* One connection: a probe must see what the watch beside it would see. */
    curl_multi_setopt(transfer->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, 1L);
    return 0;
}

void transfer_close(struct transfer *transfer)
{
    if (!transfer->multi)
        return;
    curl_multi_cleanup(transfer->multi);
    transfer->multi = NULL;
    while (transfer->sockets) /* those that libcurl closed without a word */
        remove_socket(transfer, transfer->sockets);
    loop_cancel(transfer->loop, &transfer->timer);
}

int transfer_start(struct transfer *transfer, struct transfer_job *job)
{
    curl_easy_setopt(job->easy, CURLOPT_PRIVATE, job);
    return curl_multi_add_handle(transfer->multi, job->easy) == CURLM_OK ? 0 : -ENOMEM;
}

void transfer_stop(struct transfer *transfer, struct transfer_job *job)
{
    if (!job->easy)
        return;
    if (transfer->multi)
        curl_multi_remove_handle(transfer->multi, job->easy);
    curl_easy_cleanup(job->easy);
    job->easy = NULL;
}

const char *transfer_why(const struct transfer_job *job, CURLcode code)
{
    return job->error[0] ? job->error : curl_easy_strerror(code);
}

/* ---- options that every request needs ---- */

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)address;

        return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    }
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)address;

        return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
    }
    return false;
}

/* The place where every address passes, also one that a name server made up. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    const struct transfer_peer *peer = context;

    (void)purpose;
    if (peer->loopback_only && !is_loopback(&address->addr))
        return CURL_SOCKET_BAD;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* libcurl must never ask a name server: it would wait for the answer when the request is given up. */
static int never_resolve(void *state, void *reserved, void *context)
{
    const struct transfer_peer *peer = context;

    (void)state;
    (void)reserved;
    return peer->unresolved; /* else whatever is looked for is an address itself, and nobody is asked */
}

static void set_tls(CURL *easy, const struct config *config)
{
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L); /* else an old CA is good for a day */
    if (config->tls_ca) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, config->tls_ca);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* else the system's are good as well */
    }
    if (config->tls_cert) {
        curl_easy_setopt(easy, CURLOPT_SSLCERT, config->tls_cert);
        curl_easy_setopt(easy, CURLOPT_SSLKEY, config->tls_key);
        curl_easy_setopt(easy, CURLOPT_KEYPASSWD, ""); /* else OpenSSL asks the terminal, and waits */
    }
}

CURL *transfer_easy(struct transfer_job *job, const struct transfer_peer *peer)
{
    CURL *easy = curl_easy_init();

    job->easy = easy;
    job->error[0] = 0;
    if (!easy)
        return NULL;
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, job->error);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, peer);
    curl_easy_setopt(easy, CURLOPT_RESOLVER_START_FUNCTION, never_resolve);
    curl_easy_setopt(easy, CURLOPT_RESOLVER_START_DATA, peer);
    curl_easy_setopt(easy, CURLOPT_RESOLVE, peer->addresses);
    if (peer->direct)
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    set_tls(easy, peer->config);
    return easy;
}
