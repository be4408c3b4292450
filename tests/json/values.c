/* SPDX-License-Identifier: MIT */
/* What is found in a document, and as what. */
#include "support.h"

#include <seqshare/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static seqshare_json *document_of(const char *text)
{
    char *bytes = strdup(text);
    seqshare_json *document = seqshare_json_decode(bytes, strlen(bytes), 1, NULL);

    check(document != NULL);
    free(bytes);
    return document;
}

/* Both ways of finding, which must agree. */
static const seqshare_json_value *found(const seqshare_json *document, const char *pointer)
{
    const seqshare_json_value *value = seqshare_json_find(document, pointer);
    seqshare_json_pointer *prepared = NULL;

    equals(seqshare_json_prepare(&prepared, pointer), 0);
    check(seqshare_json_at(document, prepared) == value);
    seqshare_json_release(prepared);
    return value;
}

static int64_t integer(const seqshare_json *document, const char *pointer)
{
    return seqshare_json_integer(found(document, pointer), -1);
}

/* The very document of RFC 6901, section 5. */
Test(values, pointers_of_the_rfc)
{
    seqshare_json *document = document_of("{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,"
                                          "\"g|h\":4,\"i\\\\j\":5,\"k\\\"l\":6,\" \":7,\"m~n\":8}");

    check(found(document, "") != NULL);
    check(seqshare_json_find(found(document, "") ? document : NULL, "/foo") != NULL);
    equals(strcmp(seqshare_json_string(found(document, "/foo/0"), ""), "bar"), 0);
    equals(strcmp(seqshare_json_string(found(document, "/foo/1"), ""), "baz"), 0);
    equals(integer(document, "/"), 0);
    equals(integer(document, "/a~1b"), 1);
    equals(integer(document, "/c%d"), 2);
    equals(integer(document, "/e^f"), 3);
    equals(integer(document, "/g|h"), 4);
    equals(integer(document, "/i\\j"), 5);
    equals(integer(document, "/k\"l"), 6);
    equals(integer(document, "/ "), 7);
    equals(integer(document, "/m~0n"), 8);
    seqshare_json_destroy(document);
}

Test(values, deep_and_odd)
{
    seqshare_json *document = document_of("{\"a\":{\"b\":[[1,2],{\"c\":3}]},\"~1\":4,\"0\":5,\"\":{\"\":6}}");

    equals(integer(document, "/a/b/0/1"), 2);
    equals(integer(document, "/a/b/1/c"), 3);
    equals(integer(document, "/~01"), 4); /* not a slash */
    equals(integer(document, "/0"), 5);
    equals(integer(document, "//"), 6);
    seqshare_json_destroy(document);
    document = document_of("42");
    equals(integer(document, ""), 42);
    equals(integer(document, "/"), -1);
    seqshare_json_destroy(document);
}

Test(values, what_is_not_there)
{
    static const char *const missing[] = {
        "/b",     "/a/",   "/a/-",  "/a/2",  "/a/00",
        "/a/01",  "/a/1x", "/a/-1", "/a/+1", "/a/18446744073709551617",
        "/a/0/x", "/n",    "/n/x",  "/s/0",  "/A",
    };
    seqshare_json *document = document_of("{\"a\":[1,2],\"n\":null,\"s\":\"text\"}");

    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        check(found(document, missing[i]) == NULL);
    check(seqshare_json_find(NULL, "/a") == NULL);
    check(seqshare_json_at(document, NULL) == NULL);
    seqshare_json_destroy(document);
    seqshare_json_destroy(NULL);
}

Test(values, wrong_syntax)
{
    static const char *const wrong[] = {"a", " /a", "/~", "/a~", "/~2", "/a/~x/b", "#/a"};
    seqshare_json *document = document_of("{\"a\":1,\"~\":2}");
    seqshare_json_pointer *prepared = NULL;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        equals(seqshare_json_prepare(&prepared, wrong[i]), -EINVAL);
        check(prepared == NULL);
        check(seqshare_json_find(document, wrong[i]) == NULL);
    }
    equals(seqshare_json_prepare(NULL, "/a"), -EINVAL);
    equals(seqshare_json_prepare(&prepared, NULL), -EINVAL);
    seqshare_json_release(NULL);
    seqshare_json_destroy(document);
}

Test(values, types_are_not_converted)
{
    seqshare_json *document = document_of(
        "{\"true\":true,\"int\":3,\"double\":2.5,\"text\":\"4\",\"array\":[],\"object\":{},\"null\":null}");
    static const char *const names[] = {"/true",  "/int",    "/double", "/text",
                                        "/array", "/object", "/null",   "/no"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const seqshare_json_value *value = found(document, names[i]);

        equals(seqshare_json_bool(value, false), i == 0);
        equals(seqshare_json_bool(value, true), true);
        equals(seqshare_json_integer(value, -9), i == 1 ? 3 : -9);
        equals(seqshare_json_number(value, -9) * 2, i == 1 ? 6 : i == 2 ? 5 : -18);
        equals(strcmp(seqshare_json_string(value, "?"), i == 3 ? "4" : "?"), 0);
    }
    check(seqshare_json_string(NULL, NULL) == NULL);
    seqshare_json_destroy(document);
}

Test(values, the_ends_of_integers)
{
    seqshare_json *document = document_of("[9223372036854775807,-9223372036854775808,9223372036854775808,"
                                          "18446744073709551615,0,-0,18446744073709551616,"
                                          "-9223372036854775809,1000000000000000000000000000000]");

    check(seqshare_json_integer(found(document, "/0"), 5) == INT64_MAX);
    check(seqshare_json_integer(found(document, "/1"), 5) == INT64_MIN);
    equals(seqshare_json_integer(found(document, "/2"), 5), 5);
    equals(seqshare_json_integer(found(document, "/3"), 5), 5);
    equals(seqshare_json_integer(found(document, "/4"), 5), 0);
    equals(seqshare_json_integer(found(document, "/5"), 5), 0);
    check(seqshare_json_number(found(document, "/3"), 5) > 1.8e19);
    for (size_t i = 6; i < 9; i++) /* beyond 64 bits */
        equals(seqshare_json_integer(found(document, format("/%zu", i)), 5), 5);
    check(seqshare_json_number(found(document, "/6"), 5) == 18446744073709551616.0);
    check(seqshare_json_number(found(document, "/7"), 5) < -9.2e18);
    check(seqshare_json_number(found(document, "/8"), 5) == 1e30);
    seqshare_json_destroy(document);
}

Test(values, a_long_key)
{
    static char text[5000], pointer[3000];
    seqshare_json *document;

    memset(pointer, 'k', sizeof pointer - 1);
    pointer[0] = '/';
    snprintf(text, sizeof text, "{\"%s\":7}", pointer + 1);
    document = document_of(text);
    equals(integer(document, pointer), 7);
    seqshare_json_destroy(document);
}
