/* SPDX-License-Identifier: MIT */
/*
 * Each allocation of decoding a document is refused in turn: -ENOMEM, nothing kept, never a document that lacks
 * what there was no memory for, and never "not JSON": a cache would not try again. Checking needs no memory.
 *
 * Shows: JSON-3.
 */
#include "threads.h"

#include <seqshare/json.h>
#include <string.h>

/* The C library's own. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void __libc_free(void *block);

static long left = -1; /* allocations until one is refused; -1: none is */
static long blocks;    /* that nobody has freed */

static bool is_refused(void)
{
    return left >= 0 && left-- == 0;
}

static void *counted(void *block)
{
    blocks += block != NULL;
    return block;
}

void *malloc(size_t size)
{
    return is_refused() ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return is_refused() ? NULL : counted(__libc_calloc(count, size));
}

void *realloc(void *block, size_t size)
{
    void *more = is_refused() ? NULL : __libc_realloc(block, size);

    blocks += more && !block;
    return more;
}

void free(void *block)
{
    blocks -= block != NULL;
    __libc_free(block);
}

static const char good[] =
    "{\"list\":[1,-2,18446744073709551615,1e5,\"\\u00e9\\ud83d\\ude00 and a text that is much longer than "
    "the "
    "buffers of thirty-two bytes that json-c has at first\",null,true,{\"\":[]}],"
    "\"a name that is much longer than a name usually is, \\\"quotes\\\" and all\":{\"in\":{\"it\":\"\"}},"
    "\"a\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0,\"f\":0,\"g\":0,\"h\":0,\"i\":0,\"j\":0,\"k\":0,\"l\":0,\"m\":0,"
    "\"n\":0,"
    "\"more\":[0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,42]}";

static void is_whole(const seqshare_json *document)
{
    equals(seqshare_json_integer(seqshare_json_find(document, "/list/1"), 0), -2);
    check(seqshare_json_number(seqshare_json_find(document, "/list/2"), 0) > 1.8e19);
    check(seqshare_json_number(seqshare_json_find(document, "/list/3"), 0) == 1e5);
    equals(strcmp(seqshare_json_string(seqshare_json_find(document, "/list/4"), ""),
                  "\xc3\xa9\xf0\x9f\x98\x80 and a text that is much longer than the buffers of thirty-two "
                  "bytes that "
                  "json-c has at first"),
           0);
    check(seqshare_json_find(document, "/list/7/") != NULL);
    check(seqshare_json_find(document, "/a name that is much longer than a name usually is, \"quotes\" and "
                                       "all/in/it") != NULL);
    for (char name[] = "/a"; name[1] <= 'n'; name[1]++)
        equals(seqshare_json_integer(seqshare_json_find(document, name), -1), 0);
    equals(seqshare_json_integer(seqshare_json_find(document, "/more/40"), 0), 42);
}

static seqshare_json *decode_with(long allocations, const char *text)
{
    static char copy[1 << 15];
    seqshare_json *document;

    check(strlen(text) < sizeof copy);
    strcpy(copy, text);
    left = allocations;
    errno = 0;
    document = seqshare_json_decode(copy, strlen(text), 1, NULL);
    left = -1;
    return document;
}

static void every_refusal_is_no_memory(void)
{
    seqshare_json *document = NULL;
    long allocations = 0;

    for (; !document; allocations++) {
        const long before = blocks;

        document = decode_with(allocations, good);
        if (!document) {
            equals(errno, ENOMEM);
            check(blocks - before <= 1); /* json-c drops the copy of a name for which its table cannot grow */
        }
    }
    check(allocations > 60);
    is_whole(document);
    seqshare_json_destroy(document);
}

/* It reports the fault of the text, as soon as there is memory to come so far. */
static void a_bad_text_is_bad(void)
{
    bool bad = false;

    for (long allocations = 0; !bad; allocations++) {
        const long before = blocks;

        check(decode_with(allocations, "[1,{\"a\":\"text\"},]") == NULL);
        bad = errno == EBADMSG;
        check(bad || errno == ENOMEM);
        equals(blocks, before);
    }
}

static void checking_needs_none(void)
{
    char why[SEQSHARE_JSON_WHY_SIZE];

    left = 0;
    equals(seqshare_json_check(good, strlen(good), why), 0);
    equals(seqshare_json_check("[1,]", 4, why), -EBADMSG);
    equals(left, 0);
    left = -1;
}

/* The C library's buffer for a text begins with 8 KiB: a text must be longer to need memory more than once. */
static const char *long_document(void)
{
    static char text[20000];
    const size_t length = sizeof text - 1;

    for (size_t i = 0; i < length; i++)
        text[i] = (char)('0' + i % 10);
    memcpy(text, "[\"", 2);
    memcpy(text + length - 2, "\"]", 2);
    return text;
}

static void text_of(const char *written)
{
    seqshare_json *document = decode_with(-1, written);
    const seqshare_json_value *all = seqshare_json_find(document, "");
    char *right = NULL, *text = NULL;
    const ssize_t length = seqshare_json_text(all, &right);
    ssize_t got = -ENOMEM;
    long allocations = 0;

    check(length > 400 && strlen(right) == (size_t)length);
    for (; got == -ENOMEM; allocations++) {
        const long before = blocks;

        left = allocations;
        text = NULL;
        got = seqshare_json_text(all, &text);
        left = -1;
        if (got != length) {
            equals(got, -ENOMEM);
            check(text == NULL);
            equals(blocks, before);
        }
    }
    check(allocations > 2);
    equals(strcmp(text, right), 0);
    free(text);
    free(right);
    seqshare_json_destroy(document);
}

int main(void)
{
    alarm(SECONDS_TO_HANG);
    every_refusal_is_no_memory();
    a_bad_text_is_bad();
    checking_needs_none();
    text_of(good);
    text_of(long_document());
    return 0;
}
