/* SPDX-License-Identifier: MIT */
/* What is a document, and how it gets into a share and out of it. */
#include "support.h"

#include <seqshare/json.h>
#include <string.h>

static int check_text(const char *text, char *why)
{
    return seqshare_json_check(text, strlen(text), why);
}

Test(documents, good_ones)
{
    static const char *const good[] = {
        "{}",
        "[]",
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1.5e-7",
        "\"\"",
        " [1, 2]\n",
        "{\"a\":{\"b\":[null]}}",
        "\"\\u00e9\\n\\/\"",
        "\"\xc3\xa9\"",
        "123456789",
        "{\"\":1}",
        "[[[[]]]]",
        "1E+2",
        "123456789012345678901234567890",
        "[18446744073709551616,{\"a\":-9223372036854775809}]",
    };

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char why[SEQSHARE_JSON_WHY_SIZE] = "?";

        equals(check_text(good[i], why), 0);
        equals(why[0], 0);
    }
}

/* Much of this json-c takes, strict as it may be asked to be. */
Test(documents, bad_ones)
{
    static const char *const bad[] = {
        "",           " ",           "{",      "}",         "[1,]",
        "{\"a\":1,}", "{'a':1}",     "NaN",    "[NaN]",     "Infinity",
        "-Infinity",  "'x'",         "{a:1}",  "01",        "1.",
        ".5",         "+1",          "1e",     "0x10",      "\"\t\"",
        "\"\\x\"",    "\"\\u12g4\"", "tru",    "True",      "NULL",
        "1 2",        "{} {}",       "[1 2]",  "{\"a\" 1}", "{\"a\":}",
        "\"open",     "/* c */ 1",   "1 // c", "\"\xff\"",  "\xef\xbb\xbf{}",
        "[\"a\":1]",  "{1:2}",       "nulll",  ",",         ":",
        "[,1]",
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char why[SEQSHARE_JSON_WHY_SIZE] = "";

        if (check_text(bad[i], why) != -EBADMSG)
            cr_assert_fail("taken: %s", bad[i]);
        check(strstr(why, "not JSON: ") == why);
        check(strstr(why, "line 1") != NULL);
        equals(check_text(bad[i], NULL), -EBADMSG);
    }
    equals(seqshare_json_check("{}\0", 3, NULL), -EBADMSG);
    equals(seqshare_json_check("\"\0\"", 3, NULL), -EBADMSG);
    equals(seqshare_json_check(NULL, 0, NULL), -EINVAL);
}

Test(documents, the_reason_names_the_line)
{
    char why[SEQSHARE_JSON_WHY_SIZE] = "";

    equals(check_text("{\n  \"a\": 1,\n  \"b\": nan\n}", why), -EBADMSG);
    check(strstr(why, "line 3, at byte 20") != NULL);
    equals(check_text("{\"n\": 18446744073709551616, 7}", why), -EBADMSG);
    check(strstr(why, "at byte 29") != NULL);
    equals(check_text("18446744073709551616 7", why), -EBADMSG);
    check(strstr(why, "at byte 22") != NULL);
}

Test(documents, nested_too_deeply)
{
    char text[4000];

    memset(text, '[', 2000);
    memset(text + 2000, ']', 2000);
    equals(seqshare_json_check(text, sizeof text, NULL), -EBADMSG);
    equals(seqshare_json_check(text + 1500, 1000, NULL), 0);
}

Test(documents, malformed_never_gets_in)
{
    char why[SEQSHARE_JSON_WHY_SIZE];
    seqshare *share = NULL;
    uint64_t version = 0;

    equals(seqshare_new(&share, 100), 0);
    equals(seqshare_json_publish(share, "{\"a\":1}", 7, why), 0);
    equals(seqshare_json_publish(share, "{\"a\":1", 6, why), -EBADMSG);
    check(why[0] != 0);
    equals(seqshare_version(share), 1);
    equals(seqshare_json_publish_if(share, &version, "[]", 2, why), -ESTALE);
    equals(why[0], 0);
    equals(version, 1);
    equals(seqshare_json_publish_if(share, &version, "[", 1, NULL), -EBADMSG);
    equals(version, 1);
    equals(seqshare_json_publish_if(share, &version, "[]", 2, NULL), 0);
    equals(version, 2);
    equals(seqshare_json_publish(share, NULL, 0, NULL), -EINVAL);
    equals(seqshare_json_publish(NULL, "[]", 2, NULL), -EINVAL);
    equals(seqshare_json_publish(share,
                                 "\"" /* and a hundred more */
                                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
                                 102, why),
           -EMSGSIZE);
    equals(why[0], 0);
    seqshare_close(share);
}

Test(documents, cached)
{
    struct seqshare_cache_stat stat;
    seqshare_cache *cache = NULL;
    seqshare *share = NULL;

    equals(seqshare_new(&share, 100), 0);
    equals(seqshare_cache_new(&cache, share, seqshare_json_decode, seqshare_json_destroy, NULL), 0);
    equals(seqshare_json_integer(seqshare_json_find(seqshare_cache_get(cache), "/a"), 7), 7);
    equals(seqshare_json_publish(share, "{\"a\":1}", 7, NULL), 0);
    equals(seqshare_json_integer(seqshare_json_find(seqshare_cache_get(cache), "/a"), 7), 1);
    equals(seqshare_set(share, "{\"a\":2", 6), 0); /* past the check */
    equals(seqshare_json_integer(seqshare_json_find(seqshare_cache_get(cache), "/a"), 7), 1);
    equals(seqshare_cache_stat(cache, &stat), 0);
    equals(stat.failed, 1);
    equals(stat.failed_version, 2);
    equals(stat.failed_error, -EBADMSG);
    equals(seqshare_set(share, NULL, 0), 0);
    equals(seqshare_json_integer(seqshare_json_find(seqshare_cache_get(cache), "/a"), 7), 1);
    equals(seqshare_json_publish(share, "null", 4, NULL), 0); /* a document like any other */
    equals(seqshare_json_integer(seqshare_json_find(seqshare_cache_get(cache), "/a"), 7), 7);
    check(seqshare_cache_get(cache) != NULL);
    equals(seqshare_cache_stat(cache, &stat), 0);
    equals(stat.failed, 2);
    equals(stat.version, 4);
    seqshare_cache_close(cache);
    seqshare_close(share);
}
