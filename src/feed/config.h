/* SPDX-License-Identifier: MIT */
/* The configuration of one feed: its file, read once at start. docs/feed.md explains every key. */
#ifndef SEQSHARE_FEED_CONFIG_H
#define SEQSHARE_FEED_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum config_form { CONFIG_JSON_TREE, CONFIG_TEXT_TREE, CONFIG_JSON, CONFIG_BYTES };
enum config_answer { CONFIG_HOLD, CONFIG_ALLOW }; /* of empty, of back */
enum config_drift { CONFIG_KEEP, CONFIG_REVERT };

struct config_endpoint {
    char *host; /* a name, or an address; IPv6 without brackets */
    uint16_t port;
};

struct config {
    char *name; /* of the file, without folder and .conf */
    /* source */
    char *scheme; /* "etcd", "etcds", "file", "http", "https" */
    bool tls;     /* etcds, https */
    struct config_endpoint *endpoints;
    size_t endpoint_count; /* file: 0 */
    char *path;            /* of the URL, as it stands, with its query; file: the path */
    char *key;             /* etcd: the key, percent-decoded (or `key =`): a prefix if it ends in / ... */
    size_t key_length;     /* ... which a tree needs, and the other forms must not have */
    char *identity;        /* the source without its endpoints, for the state files: scheme and key or path */
    /* what comes of it */
    char *share;
    mode_t mode;
    enum config_form form;
    size_t max_size;
    unsigned max_depth;
    unsigned max_shrink;  /* percent */
    char **check;         /* argv, NULL behind it; NULL: none */
    int64_t check_within; /* all times in nanoseconds */
    enum config_answer empty, back;
    int64_t splay, stale;
    enum config_drift drift;
    char *state;   /* folder */
    char *metrics; /* a file for Prometheus' textfile collector; NULL: none */
    /* how to reach it; NULL: not given. Files are read when they are needed, by secret_read. */
    char *tls_ca, *tls_cert, *tls_key;
    char *user, *password_file, *token_file;
    int64_t interval; /* HTTP */
};

/*
 * Read a file. 0; -EINVAL a fault, after a line on `errors`: file, line, sentence; another errno value, said as
 * well, where the file cannot be read or is not safe. The caller releases it in any case.
 */
int config_read(struct config *config, const char *path, FILE *errors);
void config_release(struct config *config);

/* The most bytes that may be gathered from a source before its answer is refused: 4 * max-size + 4 MiB. */
size_t config_gather_limit(const struct config *config);

#endif
