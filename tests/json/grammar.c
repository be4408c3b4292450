/* SPDX-License-Identifier: MIT */
/*
 * The grammar of docs/json.md: what it takes, what it refuses, and where it says that the fault is.
 *
 * Shows: JSON-1.
 */
#include "support.h"

#include <json-c/json.h>
#include <seqshare/json.h>
#include <stdlib.h>
#include <string.h>

struct text {
    const char *at;
    size_t length;
};

#define TEXT(literal)                                                                                        \
    {                                                                                                        \
        literal, sizeof literal - 1                                                                          \
    }

static const struct text good[] = {
    TEXT("{}"),
    TEXT("[]"),
    TEXT("null"),
    TEXT("true"),
    TEXT("false"),
    TEXT("0"),
    TEXT("-0"),
    TEXT("1.5e-7"),
    TEXT("1E+2"),
    TEXT("0e5"),
    TEXT("-0.0"),
    TEXT("\"\""),
    TEXT(" [1, 2]\n"),
    TEXT("\t\r\n [ ] "),
    TEXT("{\"a\":{\"b\":[null]}}"),
    TEXT("{\"\":1}"),
    TEXT("[[[[]]]]"),
    TEXT("{\"a\":1,\"a\":2}"),
    TEXT("\"\\u00e9\\n\\/\\\"\\\\\\b\\f\\r\\t\""),
    TEXT("\"\x7f\""), /* no control character of JSON's */
    /* the ends of each range of UTF-8 */
    TEXT("\"\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf\""),
    TEXT("\"\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf\""),
    TEXT("{\"Gr\xc3\xb6\xc3\x9f"
         "e\":\"\xe6\x96\x99\xe9\x87\x91\"}"),
    TEXT("\"\xef\xbb\xbf\""), /* within a string, it is a character like any other */
    TEXT("\"\\ud800\\udc00\\uDBFF\\uDFFF\\ud7ff\\ue000\""),
    TEXT("{\"\\ud83d\\ude00\":1}"),
    TEXT("\"a\\u0000b\""), /* a value, and no name */
    TEXT("9223372036854775807"),
    TEXT("123456789012345678901234567890"),
    TEXT("[18446744073709551616,{\"a\":-9223372036854775809}]"),
    TEXT("1.7976931348623157e308"),
    TEXT("-179769313486231570000e288"),
    TEXT("0.17976931348623157e+308"),
    TEXT("100000e-999"),
    TEXT("1e-400"),
    TEXT("0e308"),
    TEXT("1e0000000000000000000000000308"),
    TEXT("1e-99999999999999999999"),
};

struct refusal {
    struct text text;
    int line, byte;
    const char *what;
};

static const struct refusal refusals[] = {
    /* nothing, or not enough */
    {TEXT(""), 1, 1, "a value is missing"},
    {TEXT(" \n"), 2, 3, "a value is missing"},
    {TEXT("{"), 1, 2, "a name in quotes or } is missing"},
    {TEXT("["), 1, 2, "a value or ] is missing"},
    {TEXT("[1"), 1, 3, "a comma or ] is missing"},
    {TEXT("{\"a\""), 1, 5, "a colon is missing"},
    {TEXT("{\"a\":"), 1, 6, "a value is missing"},
    {TEXT("{\"a\":1"), 1, 7, "a comma or } is missing"},
    {TEXT("\"open"), 1, 6, "the end of the text inside a string"},
    {TEXT("\"open\\"), 1, 7, "the end of the text inside a string"},
    {TEXT("\""), 1, 2, "the end of the text inside a string"},
    {TEXT("-"), 1, 2, "a digit of a number is missing"},
    /* at the wrong place */
    {TEXT("}"), 1, 1, "a value is missing"},
    {TEXT("[1,]"), 1, 4, "a value is missing"},
    {TEXT("[,1]"), 1, 2, "a value or ] is missing"},
    {TEXT("[1 2]"), 1, 4, "a comma or ] is missing"},
    {TEXT("[\"a\":1]"), 1, 5, "a comma or ] is missing"},
    {TEXT("[1}"), 1, 3, "a comma or ] is missing"},
    {TEXT("[}"), 1, 2, "a value or ] is missing"},
    {TEXT("{]"), 1, 2, "a name in quotes or } is missing"},
    {TEXT("{\"a\":1]"), 1, 7, "a comma or } is missing"},
    {TEXT("{\"a\":1,}"), 1, 8, "a name in quotes is missing"},
    {TEXT("{\"a\":}"), 1, 6, "a value is missing"},
    {TEXT("{\"a\" 1}"), 1, 6, "a colon is missing"},
    {TEXT("{1:2}"), 1, 2, "a name in quotes or } is missing"},
    {TEXT("{a:1}"), 1, 2, "a name in quotes or } is missing"},
    {TEXT("{'a':1}"), 1, 2, "a name in quotes or } is missing"},
    {TEXT("{\"a\":1,\n b:2}"), 2, 10, "a name in quotes is missing"},
    {TEXT("1 2"), 1, 3, "more than one document"},
    {TEXT("{}\n\n{}"), 3, 5, "more than one document"},
    {TEXT("{}]"), 1, 3, "more than one document"},
    {TEXT("{}\0"), 1, 3, "more than one document"},
    {TEXT("18446744073709551616 7"), 1, 22, "more than one document"},
    {TEXT(","), 1, 1, "a value is missing"},
    {TEXT(":"), 1, 1, "a value is missing"},
    {TEXT("/* c */ 1"), 1, 1, "a value is missing"},
    {TEXT("1 // c"), 1, 3, "more than one document"},
    {TEXT("[\v]"), 1, 2, "a value or ] is missing"},
    {TEXT("\0"), 1, 1, "a value is missing"},
    /* names */
    {TEXT("tru"), 1, 1, "a value is missing"},
    {TEXT("True"), 1, 1, "a value is missing"},
    {TEXT("NULL"), 1, 1, "a value is missing"},
    {TEXT("nulll"), 1, 5, "more than one document"},
    {TEXT("[nul"), 1, 2, "a value or ] is missing"},
    /* numbers */
    {TEXT("01"), 1, 1, "a leading zero"},
    {TEXT("-01"), 1, 2, "a leading zero"},
    {TEXT("1."), 1, 3, "a digit of a number is missing"},
    {TEXT("1.e5"), 1, 3, "a digit of a number is missing"},
    {TEXT(".5"), 1, 1, "a value is missing"},
    {TEXT("+1"), 1, 1, "a value is missing"},
    {TEXT("1e"), 1, 3, "a digit of a number is missing"},
    {TEXT("1e+"), 1, 4, "a digit of a number is missing"},
    {TEXT("[--1]"), 1, 3, "a digit of a number is missing"},
    {TEXT("0x10"), 1, 2, "more than one document"},
    {TEXT("[1.2.3]"), 1, 5, "a comma or ]"},
    {TEXT("NaN"), 1, 1, "infinity or NaN"},
    {TEXT("[1,nan]"), 1, 4, "infinity or NaN"},
    {TEXT("{\"rate\":inf}"), 1, 9, "infinity or NaN"},
    {TEXT("-Infinity"), 1, 1, "infinity or NaN"},
    {TEXT("[1,10e308]"), 1, 4, "a number too large"},
    {TEXT("-2e308"), 1, 1, "a number too large"},
    {TEXT("1.7976931348623158e308"), 1, 1, "a number too large"},
    {TEXT("17976931348623158000e289"), 1, 1, "a number too large"},
    {TEXT("1e309"), 1, 3, "an exponent above 308"},
    {TEXT("[-0.0e+999]"), 1, 8, "an exponent above 308"},
    {TEXT("0.000001e999999999999999999999"), 1, 10, "an exponent above 308"},
    /* strings */
    {TEXT("'x'"), 1, 1, "a value is missing"},
    {TEXT("\"a\tb\""), 1, 3, "a control character"},
    {TEXT("\"a\nb\""), 1, 3, "a control character"},
    {TEXT("\"ab\0c\""), 1, 4, "a control character"},
    {TEXT("\"a\x1f\""), 1, 3, "a control character"},
    {TEXT("\"ab\\x41\""), 1, 4, "an escape that JSON does not have"},
    {TEXT("\"\\'\""), 1, 2, "an escape that JSON does not have"},
    {TEXT("\"\\\0\""), 1, 2, "an escape that JSON does not have"},
    {TEXT("\"\\u12g4\""), 1, 6, "a hexadecimal digit of \\u is missing"},
    {TEXT("\"\\u12\""), 1, 6, "a hexadecimal digit of \\u is missing"},
    {TEXT("\"\\u12"), 1, 6, "a hexadecimal digit of \\u is missing"},
    {TEXT("\"\\u\\u0041\""), 1, 4, "a hexadecimal digit of \\u is missing"},
    {TEXT("[\"\\ud800\"]"), 1, 3, "half of a surrogate pair"},
    {TEXT("\"\\udc00\\ud800\""), 1, 2, "half of a surrogate pair"},
    {TEXT("\"ab\\ud83dx\""), 1, 4, "half of a surrogate pair"},
    {TEXT("\"\\ud83d\\u0041\""), 1, 2, "half of a surrogate pair"},
    {TEXT("\"\\ud83d\\udbff\""), 1, 2, "half of a surrogate pair"},
    {TEXT("\"\\ud83d\\ue000\""), 1, 2, "half of a surrogate pair"},
    {TEXT("\"\\ud83d\\ud83d\\ude00\""), 1, 2, "half of a surrogate pair"},
    {TEXT("\"\\ud83d\\u"), 1, 2, "half of a surrogate pair"},
    {TEXT("{\"\\ud83d\":1}"), 1, 3, "half of a surrogate pair"},
    {TEXT("{\"admin\\u0000x\":1}"), 1, 8, "a zero character in a name"},
    {TEXT("{\"\\u0000\":1}"), 1, 3, "a zero character in a name"},
    {TEXT("[{\"a\":1,\"b\\u0000\":1}]"), 1, 11, "a zero character in a name"},
    /* what is not UTF-8 */
    {TEXT("\"ab\xff\""), 1, 4, "not UTF-8"},
    {TEXT("\"\x80\""), 1, 2, "not UTF-8"},
    {TEXT("\"\xc0\xaf\""), 1, 2, "not UTF-8"},
    {TEXT("\"\xc0\x80\""), 1, 2, "not UTF-8"},
    {TEXT("\"\xc1\xbf\""), 1, 2, "not UTF-8"},
    {TEXT("\"\xe0\x80\xaf\""), 1, 2, "not UTF-8"},
    {TEXT("\"\xe0\x9f\xbf\""), 1, 2, "not UTF-8"},
    {TEXT("\"\xf0\x80\x80\xaf\""), 1, 2, "not UTF-8"},
    {TEXT("\"\xf0\x8f\xbf\xbf\""), 1, 2, "not UTF-8"},
    {TEXT("\"\xed\xa0\x80\""), 1, 2, "not UTF-8"},
    {TEXT("\"\xed\xbf\xbf\""), 1, 2, "not UTF-8"},
    {TEXT("\"\xf4\x90\x80\x80\""), 1, 2, "not UTF-8"},
    {TEXT("\"\xf5\x80\x80\x80\""), 1, 2, "not UTF-8"},
    {TEXT("\"a\xc3\""), 1, 3, "not UTF-8"},
    {TEXT("\"a\xc3"), 1, 3, "not UTF-8"},
    {TEXT("\"\xe2\x82\""), 1, 2, "not UTF-8"},
    {TEXT("\"\xf0\x9f\x98"), 1, 2, "not UTF-8"},
    {TEXT("{\"\xc3\xa9\xe9\":1}"), 1, 5, "not UTF-8"},
    {TEXT("[\xc3\xa9]"), 1, 2, "a value or ] is missing"},
    /* what editors of other systems put first */
    {TEXT("\xef\xbb\xbf{}"), 1, 1, "a byte order mark"},
    {TEXT("\xff\xfe{\0}\0"), 1, 1, "a byte order mark of UTF-16"},
    {TEXT("\xfe\xff\0{\0}"), 1, 1, "a byte order mark of UTF-16"},
    {TEXT("{}\n\xef\xbb\xbf"), 2, 4, "more than one document"},
};

/* Decoded from a copy of just that size, behind which nothing may be looked at. */
static seqshare_json *decoded(const struct text *text)
{
    char *copy = malloc(text->length + 1);
    seqshare_json *document;

    memcpy(copy, text->at, text->length);
    copy[text->length] = 0;
    document = seqshare_json_decode(copy, text->length, 1, NULL);
    free(copy);
    return document;
}

/* The same, where not even the zero byte is there that a cache puts behind a value. */
static int checked(const struct text *text, char *why)
{
    char *copy = malloc(text->length ? text->length : 1);
    int error;

    memcpy(copy, text->at, text->length);
    error = seqshare_json_check(copy, text->length, why);
    free(copy);
    return error;
}

Test(grammar, takes)
{
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char why[SEQSHARE_JSON_WHY_SIZE] = "?";
        seqshare_json *document;

        if (checked(&good[i], why) != 0)
            cr_assert_fail("refused: %s: %s", good[i].at, why);
        equals(why[0], 0);
        document = decoded(&good[i]);
        check(document != NULL);
        seqshare_json_destroy(document);
    }
}

Test(grammar, refuses_and_says_where)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *refusal = &refusals[i];
        char why[SEQSHARE_JSON_WHY_SIZE] = "";
        const char *place = format(" in line %d, at byte %d", refusal->line, refusal->byte);

        if (checked(&refusal->text, why) != -EBADMSG)
            cr_assert_fail("taken: %s", refusal->text.at);
        if (strstr(why, "not JSON: ") != why || !strstr(why, refusal->what) || !strstr(why, place))
            cr_assert_fail("%s: it says %s, and not %s%s", refusal->text.at, why, refusal->what, place);
        equals(strcmp(strstr(why, " in line "), place), 0);
        equals(checked(&refusal->text, NULL), -EBADMSG);
        errno = 0;
        check(decoded(&refusal->text) == NULL);
        equals(errno, EBADMSG);
    }
    equals(seqshare_json_check(NULL, 0, NULL), -EINVAL);
}

/* `deep` brackets of one kind, opened and closed again. */
static struct text nest(const char *open, const char *close, size_t deep)
{
    size_t room = deep * (strlen(open) + strlen(close)) + 2;
    char *text = malloc(room);
    struct text result = {text, 0};

    *text = 0;
    for (size_t i = 0; i < deep; i++)
        strcat(text, open);
    strcat(text, "0");
    for (size_t i = 0; i < deep; i++)
        strcat(text, close);
    result.length = strlen(text);
    return result;
}

Test(grammar, five_hundred_and_twelve_deep_and_no_deeper)
{
    static const char *const kinds[][2] = {{"[", "]"}, {"{\"a\":", "}"}, {"[1,{\"a\":", "}]"}};

    for (size_t i = 0; i < 3; i++) {
        const size_t most = i < 2 ? 512 : 256;
        struct text deep = nest(kinds[i][0], kinds[i][1], most);
        struct text deeper = nest(kinds[i][0], kinds[i][1], most + 1);
        seqshare_json *document = decoded(&deep);
        char why[SEQSHARE_JSON_WHY_SIZE] = "";
        const size_t byte = most * strlen(kinds[i][0]) + 1; /* of the bracket that is one too many */

        equals(checked(&deep, NULL), 0);
        check(document != NULL);
        seqshare_json_destroy(document);
        equals(checked(&deeper, why), -EBADMSG);
        check(strstr(why, format("more than 512 open brackets in line 1, at byte %zu", byte)) != NULL);
        check(decoded(&deeper) == NULL);
        free((char *)(uintptr_t)deep.at);
        free((char *)(uintptr_t)deeper.at);
    }
}

/* Closed brackets do not count. */
Test(grammar, many_brackets_beside_each_other)
{
    char text[6002];
    seqshare_json *document;
    struct text list = {text, sizeof text - 1};

    for (size_t i = 0; i < 2000; i++)
        memcpy(text + 3 * i, "[],", 3);
    memmove(text + 1, text, 5999);
    text[0] = '[';
    text[6000] = ']';
    document = decoded(&list);
    equals(json_object_array_length(seqshare_json_find(document, "")), 2000);
    seqshare_json_destroy(document);
}

Test(grammar, many_digits_and_an_exponent_that_takes_them_back)
{
    enum { ZEROS = 5000 };
    char number[ZEROS + 20];
    struct text text = {number, 0};
    seqshare_json *document;

    memset(number, '0', ZEROS + 1);
    number[0] = '1';
    strcpy(number + 1 + ZEROS, "e-5000");
    text.length = strlen(number);
    equals(checked(&text, NULL), 0);
    document = decoded(&text);
    check(seqshare_json_number(seqshare_json_find(document, ""), 0) == 1);
    seqshare_json_destroy(document);
    strcpy(number + 1 + ZEROS, "e-4691"); /* 1e309 */
    equals(checked(&text, NULL), -EBADMSG);
    strcpy(number + 1 + ZEROS, "e-4692");
    equals(checked(&text, NULL), 0);
}

/* A string of millions of bytes, each of which is looked at. */
Test(grammar, a_long_string)
{
    const size_t length = 3000000;
    char *text = malloc(2 * length + 3);
    struct text string = {text, 2 * length + 2};
    seqshare_json *document;

    text[0] = '"';
    for (size_t i = 0; i < length; i++)
        memcpy(text + 1 + 2 * i, "\xc3\xa9", 2);
    text[2 * length + 1] = '"';
    document = decoded(&string);
    equals(seqshare_json_string_length(seqshare_json_find(document, "")), 2 * length);
    seqshare_json_destroy(document);
    text[length + 1] = (char)0xff;
    equals(checked(&string, NULL), -EBADMSG);
    free(text);
}

/* ---- texts that nobody thought of ---- */

static uint64_t dice = 42; /* always the same throws */

static size_t throw_below(size_t limit)
{
    dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(dice >> 33) % limit;
}

/* A byte changed, put in, or taken away. */
static void damage(char *text, size_t *length)
{
    static const char bytes[] =
        "{}[]:,\"\\udD8c0019eE+-.tfn \n\x01\x7f\x80\xbf\xc0\xc2\xe0\xed\xa0\xf0\xf4\x90\xff";
    const char byte = bytes[throw_below(sizeof bytes)]; /* zero, too */
    const size_t at = throw_below(*length + 1), kind = throw_below(3);

    if (kind == 0 && at < *length) {
        text[at] = byte;
    } else if (kind == 1) {
        memmove(text + at + 1, text + at, *length - at);
        text[at] = byte;
        ++*length;
    } else if (at < *length) {
        memmove(text + at, text + at + 1, *length - at - 1);
        --*length;
    }
}

/* A value that is decoded, written as text and decoded again is the same: nothing was lost on the way. */
static void comes_back(const seqshare_json *document)
{
    const seqshare_json_value *value = seqshare_json_find(document, "");
    char *text, *again;
    ssize_t length;
    seqshare_json *second;

    if (!value || json_object_is_type(value, json_type_string))
        return;
    length = seqshare_json_text(value, &text);
    check(length > 0);
    second = decoded(&(struct text){text, (size_t)length});
    check(second != NULL);
    equals(seqshare_json_text(seqshare_json_find(second, ""), &again), length);
    equals(memcmp(text, again, (size_t)length), 0);
    seqshare_json_destroy(second);
    free(again);
    free(text);
}

Test(grammar, what_is_taken_is_decoded_and_what_is_refused_is_not)
{
    int taken = 0, refused = 0;

    for (int round = 0; round < 4000; round++) {
        const struct text *seed = &good[(size_t)round % (sizeof good / sizeof *good)];
        char bytes[200], why[SEQSHARE_JSON_WHY_SIZE];
        struct text text = {bytes, seed->length};
        seqshare_json *document;
        int error;

        memcpy(bytes, seed->at, seed->length);
        for (size_t i = throw_below(5); i > 0; i--)
            damage(bytes, &text.length);
        error = checked(&text, why);
        document = decoded(&text);
        equals(document != NULL, error == 0);
        check(error == 0 ? why[0] == 0 : strstr(why, " in line ") != NULL);
        if (document)
            comes_back(document);
        seqshare_json_destroy(document);
        taken += error == 0;
        refused += error == -EBADMSG;
    }
    equals(taken + refused, 4000);
    check(taken > 500 && refused > 500);
}
