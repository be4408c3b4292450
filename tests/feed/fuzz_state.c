/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer over what a state folder may have in a document's place. Shows: FEED-8.
 *
 * The first byte says what is done to the rest: taken as it is; or its last lines of the header are made true, so that
 * the fuzzer gets behind the SHA-256.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"

static void demand(int condition)
{
    if (!condition)
        abort();
}

static void try_parse(const char *text, size_t length, bool must)
{
    const struct config config = {.identity = (char *)(uintptr_t) "file:/a", .form = CONFIG_JSON};
    struct document document;
    char why[STATE_WHY] = "";
    int error = state_parse(&config, text, length, &document, why);

    demand(!must || error == 0);
    if (error) {
        demand(why[0] && !document.bytes);
        return;
    }
    demand(document.length <= length && document.bytes[document.length] == 0);
    demand(document.time >= 0);
    document_free(&document);
}

/* A file that is sound, with these bytes in it. */
static void try_sound(const char *bytes, size_t length)
{
    struct document document;
    char digest[2 * DOCUMENT_DIGEST + 1], *text = malloc(length + 512);
    int header;

    demand(text && document_make(&document, bytes, length) == 0);
    for (size_t i = 0; i < DOCUMENT_DIGEST; i++)
        snprintf(digest + 2 * i, 3, "%02x", document.digest[i]);
    header = snprintf(
        text, 512,
        "seqshare-feed 1\nsource file:/a\nform json\nrevision 1\nterm 0\ntime 5\nlength %zu\nsha256 %s\n\n",
        length, digest);
    memcpy(text + header, document.bytes, length);
    try_parse(text, (size_t)header + length, true);
    document_free(&document);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;

    if (size == 0)
        return 0;
    if (data[0] & 1)
        try_sound(bytes + 1, size - 1);
    else
        try_parse(bytes + 1, size - 1, false);
    return 0;
}
