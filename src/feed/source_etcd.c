/* SPDX-License-Identifier: MIT */
/* The source etcd: connect to a member, log in, then list, or compare and watch. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "etcd.h"
#include "secret.h"

static const int64_t answer_within = 5 * LOOP_SECOND;

/* ---- reports ---- */

static void stop_calls(struct etcd *etcd)
{
    etcd_login_stop(etcd);
    etcd_read_stop(etcd);
    etcd_watch_stop(etcd);
}

static void disconnect(struct etcd *etcd)
{
    stop_calls(etcd);
    grpc_close(&etcd->link);
    resolve_stop(&etcd->members[etcd->member]);
    loop_cancel(etcd->source.loop, &etcd->step);
    etcd->compared = false;
    etcd->login.no_need = false;
    etcd->aim = ETCD_NOTHING;
}

void etcd_away(struct etcd *etcd, int64_t wait, const char *why)
{
    const struct config_endpoint *member = &etcd->source.config->endpoints[etcd->member];
    char copy[ETCD_WHY_SIZE]; /* `why` may lie in a call that ends here */

    snprintf(copy, sizeof(copy), "%s", why);
    disconnect(etcd);
    etcd->member = (etcd->member + 1) % etcd->source.config->endpoint_count;
    source_away(&etcd->source, wait, "%s:%u: %s", member->host, member->port, copy);
}

void etcd_lost(struct etcd *etcd, const char *why)
{
    char copy[ETCD_WHY_SIZE];

    snprintf(copy, sizeof(copy), "%s", why);
    stop_calls(etcd);
    etcd->aim = ETCD_NOTHING;
    source_lost(&etcd->source, "%s", copy);
}

const char *etcd_words(const char *theirs, const char *ours)
{
    static const char *const begins[] = {"etcdserver: ", "rpc error: code = ", "mvcc: "};

    for (size_t i = 0; i < sizeof(begins) / sizeof(*begins); i++)
        if (strncmp(theirs, begins[i], strlen(begins[i])) == 0)
            return theirs;
    return ours;
}

/* ---- rights ---- */

bool etcd_is_refusal(const struct grpc_call *call)
{
    if (call->status == GRPC_UNAUTHENTICATED || call->status == GRPC_PERMISSION_DENIED)
        return true;
    return call->status == GRPC_INVALID_ARGUMENT &&
           (strstr(call->detail, "user name is empty") || strstr(call->detail, "auth store is old") ||
            strstr(call->detail, "invalid auth token"));
}

void etcd_refused(struct etcd *etcd, const char *why)
{
    if (!etcd->source.config->user || etcd->login.tried || etcd_login_wait(etcd) > 0) {
        etcd_away(etcd, 0, why);
        return;
    }
    etcd->login.no_need = false;
    etcd_login_forget(etcd);
    loop_after(etcd->source.loop, &etcd->step, 0);
}

void etcd_metadata(const struct etcd *etcd, const char *other, const char *lines[3])
{
    size_t count = 0;

    if (etcd->login.line)
        lines[count++] = etcd->login.line;
    if (other)
        lines[count++] = other;
    lines[count] = NULL;
}

/* ---- connecting ---- */

static void connect_to(struct etcd *etcd)
{
    const struct config *config = etcd->source.config;
    const struct config_endpoint *endpoint = &config->endpoints[etcd->member];
    struct resolve *member = &etcd->members[etcd->member];
    char why[ETCD_WHY_SIZE];
    int rc;

    curl_slist_free_all(etcd->link.peer.addresses);
    etcd->link.peer.addresses = NULL;
    if (!resolve_list(member, endpoint->port, &etcd->link.peer.addresses)) {
        snprintf(why, sizeof(why), "no address for this name: %s", resolve_why(member));
        etcd_away(etcd, 0, why);
        return;
    }
    rc = config->tls_key ? secret_check(config->tls_key) : 0;
    if (rc != 0) {
        snprintf(why, sizeof(why), "%s: %s", config->tls_key, secret_why(rc));
        etcd_away(etcd, 0, why);
        return;
    }
    if (grpc_open(&etcd->link, etcd->source.loop, endpoint->host, endpoint->port) != 0) {
        etcd_away(etcd, 0, strerror(ENOMEM));
        return;
    }
    etcd_watch_reset(etcd);
    etcd->source.counts.connects++;
    etcd_go_on(etcd);
}

static void on_resolved(void *context)
{
    struct etcd *etcd = context;

    if (etcd->aim != ETCD_NOTHING)
        connect_to(etcd);
}

/* ---- the order of the steps ---- */

void etcd_go_on(struct etcd *etcd)
{
    if (etcd->aim == ETCD_NOTHING)
        return;
    if (!grpc_is_open(&etcd->link))
        resolve_ask(&etcd->members[etcd->member]);
    else if (etcd_login_needed(etcd))
        etcd_login_start(etcd);
    else if (etcd->aim == ETCD_LIST)
        etcd_read_start(etcd, ETCD_READ_LIST, answer_within);
    else if (!etcd->compared ||
             etcd->watch.created) /* with a watch: a probe was refused, and is tried again */
        etcd_read_start(etcd, ETCD_READ_PROBE, answer_within);
    else
        etcd_watch_start(etcd);
}

static void on_step(void *context)
{
    etcd_go_on(context);
}

static struct etcd *etcd_of(struct source *source)
{
    return (struct etcd *)source; /* its first member */
}

static void begin(struct etcd *etcd, enum etcd_aim aim)
{
    stop_calls(etcd);
    etcd->aim = aim;
    etcd->login.tried = false;
    loop_after(etcd->source.loop, &etcd->step, 0);
}

static void etcd_list(struct source *source)
{
    begin(etcd_of(source), ETCD_LIST);
}

static void etcd_follow(struct source *source)
{
    begin(etcd_of(source), ETCD_FOLLOW);
}

static void etcd_prove(struct source *source)
{
    etcd_watch_ask(etcd_of(source));
}

/* ---- open and close ---- */

static int set_place(struct etcd *etcd)
{
    const struct config *config = etcd->source.config;
    size_t length = config->key_length;

    if (length == 0)
        return -EINVAL;
    etcd->place =
        (struct etcd_place){.key = config->key, .length = length, .prefix = config->key[length - 1] == '/'};
    etcd->range_end = malloc(length);
    if (!etcd->range_end)
        return -ENOMEM;
    memcpy(etcd->range_end, config->key, length);
    etcd->range_end[length - 1]++; /* the byte behind the slash */
    return 0;
}

static int open_members(struct etcd *etcd)
{
    const struct config *config = etcd->source.config;

    etcd->members = calloc(config->endpoint_count, sizeof(*etcd->members));
    if (!etcd->members)
        return -ENOMEM;
    for (size_t i = 0; i < config->endpoint_count; i++) {
        int rc = resolve_open(&etcd->members[i], etcd->source.loop, config->endpoints[i].host);

        etcd->members[i].done = on_resolved;
        etcd->members[i].context = etcd;
        if (rc != 0)
            return rc;
    }
    /* Each agent begins with a member by chance, so that a fleet spreads over all. */
    etcd->member = (size_t)(backoff_chance() * (double)config->endpoint_count) % config->endpoint_count;
    return 0;
}

static int etcd_open(struct source *source)
{
    struct etcd *etcd = etcd_of(source);
    const struct config *config = source->config;
    int rc;

    etcd->step.due = on_step;
    etcd->step.context = etcd;
    etcd->link.peer.config = config;
    etcd->link.peer.loopback_only = !config->tls && config->user;
    etcd->link.gather.limit = config_gather_limit(config);
    etcd->link.received = &source->counts.received_bytes;
    etcd_login_open(etcd);
    etcd_read_open(etcd);
    etcd_watch_open(etcd);
    etcd_watch_reset(etcd);
    rc = set_place(etcd);
    return rc ? rc : open_members(etcd);
}

static void etcd_close(struct source *source)
{
    struct etcd *etcd = etcd_of(source);

    if (etcd->members)
        disconnect(etcd);
    for (size_t i = 0; etcd->members && i < source->config->endpoint_count; i++)
        resolve_close(&etcd->members[i]);
    free(etcd->members);
    etcd->members = NULL;
    curl_slist_free_all(etcd->link.peer.addresses);
    etcd->link.peer.addresses = NULL;
    etcd_login_forget(etcd);
    free(etcd->range_end);
    etcd->range_end = NULL;
}

static const char *const schemes[] = {"etcd", "etcds", NULL};

const struct source_type source_etcd = {
    .schemes = schemes,
    .size = sizeof(struct etcd),
    .open = etcd_open,
    .list = etcd_list,
    .follow = etcd_follow,
    .prove = etcd_prove,
    .close = etcd_close,
};
