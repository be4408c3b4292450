/* SPDX-License-Identifier: MIT */
/*
 * libcurl on the agent's loop. A struct transfer holds the connections of one attempt: closing it closes them all, so
 * that no later request can go over one that is half dead.
 */
#ifndef SEQSHARE_FEED_TRANSFER_H
#define SEQSHARE_FEED_TRANSFER_H

#include <curl/curl.h>
#include <stdbool.h>

#include "config.h"
#include "loop.h"

/* One request. It lies in the struct of its owner, and stays there until done() or transfer_stop. */
struct transfer_job {
    CURL *easy;
    /* It has ended. Called from the loop, never from inside of libcurl: all may be called here. */
    void (*done)(void *context, CURLcode code);
    void *context;
    char error[CURL_ERROR_SIZE]; /* libcurl's own words, or empty */
};

/* The peer that the requests go to. */
struct transfer_peer {
    const struct config *config;
    struct curl_slist *addresses; /* for CURLOPT_RESOLVE: resolve_list */
    bool unresolved;              /* a name without addresses is among those that may be needed */
    bool loopback_only;           /* a secret goes over a connection that is not encrypted */
    bool direct;                  /* never by a proxy of the environment */
};

struct transfer_socket;

/* Zeroed before its first use. */
struct transfer {
    struct loop *loop;
    CURLM *multi; /* NULL: closed */
    struct loop_timer timer;
    struct transfer_socket *sockets;
};

/* Errors: -ENOMEM. */
int transfer_open(struct transfer *transfer, struct loop *loop);

/* All jobs must have been stopped or done. One that is closed is fine. */
void transfer_close(struct transfer *transfer);

/* A handle with the options that every request needs; the caller adds its own. NULL: no memory. */
CURL *transfer_easy(struct transfer_job *job, const struct transfer_peer *peer);

/* The handle is the job's until it is stopped. Errors: -ENOMEM. */
int transfer_start(struct transfer *transfer, struct transfer_job *job);

/* Give it up, or clear away what is done; frees the handle. One without a handle is fine. */
void transfer_stop(struct transfer *transfer, struct transfer_job *job);

/* Why a job failed, in words. Valid as long as the job. */
const char *transfer_why(const struct transfer_job *job, CURLcode code);

#endif
