/* SPDX-License-Identifier: MIT */
/* Takes the URL of a source apart. libcurl knows what a host and a port are; that there may be several, with commas
 * between them, is our own. */
#include "config_url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

static const char no_memory[] = "there is no memory left";

static const struct scheme {
    const char *name;
    uint16_t port;
    bool tls, keys;
} schemes[] = {{"etcd", 2379, false, true},
               {"etcds", 2379, true, true},
               {"http", 80, false, false},
               {"https", 443, true, false}};

static const struct scheme *find_scheme(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (strlen(schemes[i].name) == length && strncmp(schemes[i].name, name, length) == 0)
            return &schemes[i];
    return NULL;
}

/* ---- endpoints ------------------------------------------------------------------------------- */

/* The host without the brackets of IPv6. */
static char *bare_host(const char *host)
{
    size_t length = strlen(host);

    if (length > 2 && host[0] == '[' && host[length - 1] == ']')
        return strndup(host + 1, length - 2);
    return strdup(host);
}

static const char *add_endpoint(struct config *config, CURLU *url, uint16_t port)
{
    struct config_endpoint *more = realloc(config->endpoints, (config->endpoint_count + 1) * sizeof *more);
    char *host = NULL, *number = NULL;
    const char *wrong = NULL;

    if (!more)
        return no_memory;
    config->endpoints = more;
    if (curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK || !host || !host[0])
        wrong = "an endpoint of source has no host";
    else if (curl_url_get(url, CURLUPART_PORT, &number, 0) == CURLUE_OK)
        port = (uint16_t)strtoul(number, NULL, 10);
    if (!wrong) {
        more[config->endpoint_count].host = bare_host(host);
        more[config->endpoint_count].port = port;
        wrong = more[config->endpoint_count].host ? NULL : no_memory;
        config->endpoint_count += !wrong;
    }
    curl_free(host);
    curl_free(number);
    return wrong;
}

/* One of HOST or HOST:PORT. */
static const char *take_endpoint(struct config *config, const struct scheme *scheme, const char *text)
{
    const unsigned flags = CURLU_NON_SUPPORT_SCHEME | CURLU_DISALLOW_USER;
    char full[512];
    const char *wrong;
    CURLU *url = curl_url();

    if (!url)
        return no_memory;
    if (strchr(text, '@'))
        wrong = "source must not have a user or a password in it: give user and password-file";
    else if (strpbrk(text, "?# \t") ||
             (size_t)snprintf(full, sizeof full, "http://%s/", text) >= sizeof full ||
             curl_url_set(url, CURLUPART_URL, full, flags) != CURLUE_OK)
        wrong = "an endpoint of source is not HOST or HOST:PORT";
    else
        wrong = add_endpoint(config, url, scheme->port);
    curl_url_cleanup(url);
    return wrong;
}

/* All of them, `list` being the caller's to spoil. */
static const char *take_endpoints(struct config *config, const struct scheme *scheme, char *list)
{
    const char *wrong = NULL;
    char *next = list;

    while (!wrong && next) {
        char *one = strsep(&next, ",");

        wrong = one[0] ? take_endpoint(config, scheme, one) : "an endpoint of source is empty";
    }
    if (!wrong && !scheme->keys && config->endpoint_count > 1)
        wrong = "a source over HTTP has one host";
    return wrong;
}

static bool is_loopback(const char *host)
{
    struct in_addr four;

    if (inet_pton(AF_INET, host, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0;
}

bool config_url_is_loopback(const struct config *config)
{
    for (size_t i = 0; i < config->endpoint_count; i++)
        if (!is_loopback(config->endpoints[i].host))
            return false;
    return true;
}

/* ---- the path -------------------------------------------------------------------------------- */

/* A percent sign must begin a byte: libcurl would leave others as they are. */
static bool is_encoded(const char *path)
{
    for (const char *at = strchr(path, '%'); at; at = strchr(at + 1, '%'))
        if (strspn(at + 1, "0123456789abcdefABCDEF") < 2)
            return false;
    return true;
}

static const char *take_key(struct config *config)
{
    int length;
    char *key;

    if (!is_encoded(config->path))
        return "a percent sign in source has no two hexadecimal digits behind it";
    key = curl_easy_unescape(NULL, config->path, 0, &length);
    if (!key)
        return no_memory;
    if (!config->key) { /* a line `key` goes before it */
        config->key = malloc((size_t)length + 1);
        if (config->key) {
            memcpy(config->key, key, (size_t)length + 1);
            config->key_length = (size_t)length;
        }
    }
    curl_free(key);
    return config->key ? NULL : no_memory;
}

static const char *take_file(struct config *config, const char *path)
{
    if (strncmp(path, "///", 3) == 0) /* file:///PATH is usual, too */
        path += 2;
    if (path[0] != '/' || path[1] == '/')
        return "source must be file:/PATH";
    config->scheme = strdup("file");
    config->path = strdup(path);
    return config->scheme && config->path ? NULL : no_memory;
}

const char *config_url_take(struct config *config, const char *url)
{
    const char *colon = strchr(url, ':'), *slash, *wrong;
    const struct scheme *scheme;
    char *endpoints;

    if (strncmp(url, "file:", 5) == 0)
        return take_file(config, url + 5);
    scheme = colon ? find_scheme(url, (size_t)(colon - url)) : NULL;
    if (!scheme || strncmp(colon, "://", 3) != 0)
        return "source must begin with etcd://, etcds://, http://, https:// or file:/";
    slash = strchr(colon + 3, '/');
    endpoints = strndup(colon + 3, slash ? (size_t)(slash - colon - 3) : strlen(colon + 3));
    config->scheme = strdup(scheme->name);
    config->path = strdup(slash ? slash : "/");
    config->tls = scheme->tls;
    if (!endpoints || !config->scheme || !config->path)
        wrong = no_memory;
    else
        wrong = take_endpoints(config, scheme, endpoints);
    free(endpoints);
    if (!wrong && scheme->keys)
        wrong = take_key(config);
    return wrong;
}
