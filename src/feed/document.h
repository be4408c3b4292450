/* SPDX-License-Identifier: MIT */
/* A document: the bytes that a share gets, and the revision of the source that they are of. */
#ifndef SEQSHARE_FEED_DOCUMENT_H
#define SEQSHARE_FEED_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DOCUMENT_DIGEST = 32 };

struct document {
    char *bytes; /* NULL: there is no document; a zero byte behind them */
    size_t length;
    unsigned char digest[DOCUMENT_DIGEST]; /* SHA-256 of the bytes */
    uint64_t revision, term;               /* the source's */
    int64_t time;                          /* ns since 1970: when it was seen there */
    bool empty;                            /* the source had no key, or one without bytes */
};

/* A copy of the bytes, with their digest; the rest is 0. -ENOMEM. */
int document_make(struct document *document, const void *bytes, size_t length);

/* Take over bytes from malloc, with room for a zero byte behind them. */
void document_adopt(struct document *document, char *bytes, size_t length);

void document_free(struct document *document);

/* Give *from to *to, whose own bytes are freed. */
void document_move(struct document *to, struct document *from);

bool document_same(const struct document *one, const struct document *other);

void document_digest(const void *bytes, size_t length, unsigned char digest[DOCUMENT_DIGEST]);

#endif
