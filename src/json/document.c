/* SPDX-License-Identifier: MIT */
/* Documents: check them, publish them, decode them for a cache. */
#include "document.h"

#include <stdlib.h>

#include "build.h"

_Static_assert(SEQSHARE_JSON_WHY_SIZE == (int)JSON_WHY_SIZE, "reasons have room in what users give");

int seqshare_json_check(const char *text, size_t length, char why[SEQSHARE_JSON_WHY_SIZE])
{
    char unwanted[JSON_WHY_SIZE];

    if (why)
        *why = 0;
    if (!text)
        return -EINVAL;
    return grammar_walk(text, length, NULL, NULL, why ? why : unwanted);
}

int seqshare_json_publish(seqshare *share, const char *text, size_t length, char why[SEQSHARE_JSON_WHY_SIZE])
{
    int error = seqshare_json_check(text, length, why);

    return error ? error : seqshare_set_typed(share, text, length, SEQSHARE_TAG_JSON);
}

int seqshare_json_publish_if(seqshare *share, uint64_t *version, const char *text, size_t length,
                             char why[SEQSHARE_JSON_WHY_SIZE])
{
    int error = seqshare_json_check(text, length, why);

    return error ? error : seqshare_set_if_typed(share, version, text, length, SEQSHARE_TAG_JSON);
}

/* An address cannot identify a document: the next one gets that of one that was freed. */
static uint64_t next_number(void)
{
    static seqshare_word last;

    /* Relaxed: a number orders nothing; it only must differ each time. */
    return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}

void *seqshare_json_decode(void *bytes, size_t length, uint64_t version, void *context)
{
    seqshare_json *document = malloc(sizeof *document);
    char why[JSON_WHY_SIZE];
    int error = document ? build_document(&document->root, bytes, length, why) : -ENOMEM;

    (void)version, (void)context;
    if (!error) {
        document->number = next_number();
        return document;
    }
    free(document);
    errno = -error;
    return NULL;
}

void seqshare_json_destroy(void *opaque)
{
    seqshare_json *document = opaque;

    if (document)
        json_object_put(document->root);
    free(document);
}
