/* SPDX-License-Identifier: MIT */
/*
 * gRPC over libcurl: calls with one answer, and streams in both directions, over the one HTTP/2 connection of a
 * link. Messages are protobuf-c's when they are sent, and bytes when they come.
 */
#ifndef SEQSHARE_FEED_GRPC_H
#define SEQSHARE_FEED_GRPC_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gather.h"
#include "grpc_frames.h"
#include "transfer.h"

/* gRPC's codes that somebody here looks at. */
enum grpc_code {
    GRPC_OK = 0,
    GRPC_INVALID_ARGUMENT = 3,
    GRPC_PERMISSION_DENIED = 7,
    GRPC_FAILED_PRECONDITION = 9,
    GRPC_OUT_OF_RANGE = 11,
    GRPC_UNAVAILABLE = 14,
    GRPC_UNAUTHENTICATED = 16,
    GRPC_NONE = -1 /* there was no answer, or none of gRPC */
};

/* The connection to one peer. */
struct grpc_link {
    struct transfer transfer;
    struct transfer_peer peer;
    char *base;           /* https://host:port */
    struct gather gather; /* what comes over it is counted here */
    uint64_t *received;   /* bytes, counted for the metrics */
    bool is_http2;        /* a call over its connection has ended, and was HTTP/2 */
};

enum { GRPC_DETAIL_SIZE = 160, GRPC_WHY_SIZE = 400 };

/* One call. Zeroed before its first use; it can be used again after grpc_stop. */
struct grpc_call {
    /* The caller's. A message, whole: called from inside of libcurl, where no grpc function may be called. It may
     * end the call by an error, which `fault` then is. */
    int (*message)(void *context, const uint8_t *bytes, size_t length);
    /* It has ended, by itself: status and why are set. Called from the loop. */
    void (*ended)(void *context);
    void *context;

    /* The answer. */
    int status; /* enum grpc_code, or another of gRPC's */
    int fault;  /* what took the message apart answered, or -EMSGSIZE: longer than may be gathered */
    char why[GRPC_WHY_SIZE];
    char detail[GRPC_DETAIL_SIZE]; /* the peer's own words, printable; they may say anything */

    /* grpc.c's own. */
    struct grpc_link *link;
    struct transfer_job job;
    struct curl_slist *headers;
    struct grpc_frames frames;
    uint8_t *out; /* what is still to be sent is out[out_at] to out[out_size - 1] */
    size_t out_size, out_at;
    bool last, paused; /* nothing more will be sent; libcurl waits for more */
    bool is_grpc;      /* by its content type */
    char type[64];     /* another content type, for the error */
    bool running;
};

/* Errors: -ENOMEM. A link that is open is closed first; its calls must have been stopped. */
int grpc_open(struct grpc_link *link, struct loop *loop, const char *host, unsigned port);
void grpc_close(struct grpc_link *link);
bool grpc_is_open(const struct grpc_link *link);

/*
 * Begin a call of `method` (/package.Service/Method) with its first message. `last`: it is the only one. `metadata`:
 * lines "name: value" that are sent before it, NULL behind them. Errors: -ENOMEM.
 */
int grpc_start(struct grpc_call *call, struct grpc_link *link, const char *method,
               const char *const *metadata, const ProtobufCMessage *message, bool last);

/* Send another message. Errors: -ENOMEM. */
int grpc_send(struct grpc_call *call, const ProtobufCMessage *message);

/* Give it up, or clear away what has ended. One that does not run is fine. */
void grpc_stop(struct grpc_call *call);

/* Replace what would disturb a log. */
void grpc_printable(char *text);

#endif
