/* SPDX-License-Identifier: MIT */
/*
 * The values that are found in a document, and their types.
 *
 * Shows: no promise of its own, but what docs/json.md says of pointers and types.
 */
#include "support.h"

#include <locale.h>
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

/* As a text, and what that is must be JSON again where the value is not a string. */
static void has_text(const seqshare_json *document, const char *pointer, const char *wanted, size_t length)
{
    char *text = NULL;
    ssize_t got = seqshare_json_text(found(document, pointer), &text);

    if (got != (ssize_t)length || !text || memcmp(text, wanted, length) != 0 || text[length] != 0)
        cr_assert_fail("%s is %s, not %s", pointer, text ? text : "nothing", wanted);
    if (wanted[0] == '[' || wanted[0] == '{')
        equals(seqshare_json_check(text, length, NULL), 0);
    free(text);
}

Test(values, as_text)
{
    static const char object[] = "{\"b\":[1.0,null,true,{},[]],\"a\":\"\\u0000\\u001f\\\\/"
                                 "\\b\\t\\n\\u000b\\f\\r\xc3\xa9\xf0\x9f\x98\x80\","
                                 "\"\\\"\":-0.0}";
    seqshare_json *document = document_of(
        "{\"s\":\"it's \\\"so\\\" \\u00e9\",\"z\":\"a\\u0000b\\r\\n\",\"e\":\"\",\"t\":true,\"f\":false,"
        "\"i\":-9223372036854775808,\"u\":18446744073709551615,\"b\":18446744073709551616,\"d\":1.50,"
        "\"x\":1E+2,\"p\":0.1000000000000000055511151231257827,\"n\":null,"
        "\"o\":{\"b\" : [ 1.0 , null,true ,{ }, [ ] ], "
        "\"a\":\"\\u0000\\u001f\\\\/\\b\\t\\n\\u000b\\f\\r\\u00e9\\ud83d\\ude00\","
        "\"\\\"\":-0.0}}");
    char *text = (char *)1;

    has_text(document, "/s", "it's \"so\" \xc3\xa9", 12);
    has_text(document, "/z", "a\0b\r\n", 5);
    has_text(document, "/e", "", 0);
    has_text(document, "/t", "true", 4);
    has_text(document, "/f", "false", 5);
    has_text(document, "/i", "-9223372036854775808", 20);
    has_text(document, "/u", "18446744073709551615", 20);
    has_text(document, "/b", "18446744073709551616", 20);
    has_text(document, "/d", "1.50", 4);
    has_text(document, "/x", "1E+2", 4);
    has_text(document, "/p", "0.1000000000000000055511151231257827", 36);
    has_text(document, "/o/b", "[1.0,null,true,{},[]]", 21);
    has_text(document, "/o", object, sizeof object - 1);
    equals(seqshare_json_text(found(document, "/n"), &text), -ENODATA);
    check(text == NULL);
    equals(seqshare_json_text(NULL, &text), -ENODATA);
    equals(seqshare_json_text(found(document, "/t"), NULL), -EINVAL);
    seqshare_json_destroy(document);
}

Test(values, length_of_a_string)
{
    seqshare_json *document = document_of("[\"a\\u0000b\",\"\",\"\\u00e9\",5,null]");

    equals(seqshare_json_string_length(found(document, "/0")), 3);
    equals(memcmp(seqshare_json_string(found(document, "/0"), ""), "a\0b", 4), 0);
    equals(seqshare_json_string_length(found(document, "/1")), 0);
    equals(seqshare_json_string_length(found(document, "/2")), 2);
    equals(seqshare_json_string_length(found(document, "/3")), 0);
    equals(seqshare_json_string_length(NULL), 0);
    seqshare_json_destroy(document);
}

Test(values, of_two_with_one_name_the_last_counts)
{
    seqshare_json *document = document_of(
        "{\"a\":1,\"b\":{\"c\":[1]},\"a\":2,\"b\":[3],\"\\u0061\":{\"x\":4,\"x\":null,\"y\":1,\"y\":5}}");

    equals(integer(document, "/a/y"), 5);
    check(found(document, "/a/x") == NULL);
    equals(integer(document, "/b/0"), 3);
    check(found(document, "/b/c") == NULL);
    seqshare_json_destroy(document);
}

Test(values, escapes_are_characters)
{
    seqshare_json *document = document_of("[\"\\u0001\\u007f\\u0080\\u07FF\\u0800\\ud7ff\\ue000\\uffff\","
                                          "\"\\ud800\\udc00\\uD83d\\uDe00\\udbff\\udfff\","
                                          "\"\\\"\\\\\\/\\b\\f\\n\\r\\tx\"]");

    has_text(document, "/0", "\x01\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf", 18);
    has_text(document, "/1", "\xf0\x90\x80\x80\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf", 12);
    has_text(document, "/2", "\"\\/\b\f\n\r\tx", 9);
    seqshare_json_destroy(document);
}

/* Numbers do not depend on where the program thinks that it is. */
Test(values, in_a_country_with_decimal_commas)
{
    seqshare_json *document;

    if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "de_DE"))
        cr_skip_test("needs the locale de_DE");
    document = document_of("[1.5,1e2,[2.25]]");
    check(seqshare_json_number(found(document, "/0"), 0) == 1.5);
    check(seqshare_json_number(found(document, "/1"), 0) == 100);
    has_text(document, "/2", "[2.25]", 6);
    seqshare_json_destroy(document);
}

/* A prepared pointer remembers a place of one document, and not of the next, to which malloc gives its address. */
Test(values, a_prepared_pointer_knows_its_document_by_no_address)
{
    seqshare_json_pointer *pointer = NULL;

    equals(seqshare_json_prepare(&pointer, "/a"), 0);
    for (int i = 1; i <= 1000; i++) {
        seqshare_json *document =
            document_of(i % 3 ? format("{\"a\":%d,\"%040d\":0}", i, 0)
                              : "{\"b\":\"a text, longer than the box of a document\"}");
        const int64_t wanted = i % 3 ? i : -1;

        for (int times = 0; times < 3; times++)
            equals(seqshare_json_integer(seqshare_json_at(document, pointer), -1), wanted);
        seqshare_json_destroy(document);
    }
    seqshare_json_release(pointer);
}

/* One pointer, and documents of several shares. */
Test(values, a_prepared_pointer_asked_of_several_documents)
{
    seqshare_json *documents[3];
    seqshare_json_pointer *pointer = NULL;

    equals(seqshare_json_prepare(&pointer, "/a"), 0);
    for (int i = 0; i < 3; i++)
        documents[i] = document_of(format("{\"a\":%d}", i));
    for (int i = 0; i < 30; i++) {
        const int which = i * i % 3 + (i % 7 == 0);

        equals(seqshare_json_integer(seqshare_json_at(documents[which], pointer), -1), which);
    }
    for (int i = 0; i < 3; i++)
        seqshare_json_destroy(documents[i]);
    seqshare_json_release(pointer);
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
