/* SPDX-License-Identifier: MIT */
/* Documents, and their SHA-256 by libcrypto. */
#include "document.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

void document_digest(const void *bytes, size_t length, unsigned char digest[DOCUMENT_DIGEST])
{
    unsigned size = 0;

    if (EVP_Digest(bytes, length, digest, &size, EVP_sha256(), NULL) != 1 || size != DOCUMENT_DIGEST)
        memset(digest, 0,
               DOCUMENT_DIGEST); /* equal digests are not relied upon: document_same looks at the bytes */
}

void document_adopt(struct document *document, char *bytes, size_t length)
{
    *document = (struct document){.bytes = bytes, .length = length};
    bytes[length] = 0;
    document_digest(bytes, length, document->digest);
}

int document_make(struct document *document, const void *bytes, size_t length)
{
    char *copy = malloc(length + 1);

    if (!copy)
        return -ENOMEM;
    if (length)
        memcpy(copy, bytes, length);
    document_adopt(document, copy, length);
    return 0;
}

void document_free(struct document *document)
{
    free(document->bytes);
    *document = (struct document){0};
}

void document_move(struct document *to, struct document *from)
{
    free(to->bytes);
    *to = *from;
    *from = (struct document){0};
}

bool document_same(const struct document *one, const struct document *other)
{
    return one->bytes && other->bytes && one->length == other->length &&
           memcmp(one->bytes, other->bytes, one->length) == 0;
}
