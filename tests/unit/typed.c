/* SPDX-License-Identifier: MIT */
/*
 * Typed values: a struct in, the same struct out, and an error instead of another struct's bytes.
 *
 * Shows: READ-1, and that no value is read as another type.
 */
#include "support.h"

#include <string.h>

#include "typed_cxx.h"

TestSuite(typed, .timeout = 60);

struct point {
    double x, y;
};

struct limits {
    uint32_t rate, burst;
    char name[24];
};

SEQSHARE_TYPE(point, struct point)
SEQSHARE_TYPE(limits, struct limits)
SEQSHARE_TYPE(location, struct point) /* another name for the same bytes */
SEQSHARE_TYPE(scalar, uint64_t)
SEQSHARE_TYPE(a_name_of_more_than_thirty_two_characters_as_some_projects_like_them, uint64_t)

static uint32_t tag_of(const seqshare *share)
{
    struct seqshare_stat stat;

    equals(seqshare_stat(share, &stat), 0);
    return stat.tag;
}

/* FNV-1a, written again from its definition: over the name, then over the size as 8 bytes, lowest first. */
static uint32_t fnv(const char *name, uint64_t size)
{
    uint64_t hash = 2166136261U;

    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619U % (UINT64_C(1) << 32);
    for (int i = 0; i < 8; i++, size /= 256)
        hash = (hash ^ size % 256) * 16777619U % (UINT64_C(1) << 32);
    return hash == 0 ? 1 : (uint32_t)hash;
}

Test(typed, a_struct_comes_back_as_it_was)
{
    seqshare *share = new_share(1000);
    struct limits set = {100, 20, "checkout"}, got;
    struct point corner = {1.5, -2.25}, found;

    equals(limits_set(share, &set), 0);
    memset(&got, 0x55, sizeof got);
    equals(limits_get(share, &got), 0);
    equals(memcmp(&got, &set, sizeof set), 0);
    equals(point_set(share, &corner), 0);
    equals(point_get(share, &found), 0);
    equals(memcmp(&found, &corner, sizeof corner), 0);
    equals(seqshare_version(share), 2);
    equals(seqshare_length(share, NULL), sizeof corner);
    seqshare_close(share);
}

Test(typed, the_tag_is_fnv_1a_over_name_and_size)
{
    static const char *const names[] = {
        "",
        "a",
        "ab",
        "limits",
        "point",
        "seven77",
        "eight888",
        "nine99999",
        "fifteen15151515",
        "sixteen161616161",
        "seventeen17171717",
        "twenty-four-242424242424",
        "thirty-one-3131313131313131313131",
        "thirty-two-32323232323232323232",
        "thirty-three-3333333333333333333",
        "a name much longer than what the compiler is asked to unroll, \xc3\xa4"};
    static const size_t sizes[] = {1,       8, 255, 256, 65536, (size_t)1 << 31, (size_t)0x0102030405060708,
                                   SIZE_MAX};
    seqshare *share = new_share(100);

    equals(fnv("", 0), 0x9be17165); /* a value worked out elsewhere: FNV-1a of eight zero bytes */
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
            equals(seqshare_tag(names[i], strlen(names[i]), sizes[k]), fnv(names[i], sizes[k]));
    }

    equals(point_set(share, &(struct point){1, 2}), 0);
    equals(tag_of(share), fnv("point", sizeof(struct point)));
    equals(location_set(share, &(struct point){1, 2}), 0);
    equals(tag_of(share), fnv("location", sizeof(struct point)));
    equals(a_name_of_more_than_thirty_two_characters_as_some_projects_like_them_set(share, &(uint64_t){1}),
           0);
    equals(tag_of(share),
           fnv("a_name_of_more_than_thirty_two_characters_as_some_projects_like_them", sizeof(uint64_t)));
    equals(seqshare_set(share, "x", 1), 0);
    equals(tag_of(share), 0);
    seqshare_close(share);
}

/* Names whose FNV-1a is 0 exist, and 0 means untyped. Found by search below: 1 must come out instead. */
Test(typed, a_tag_is_never_zero)
{
    char name[9] = "";
    bool found = false;

    /*
     * The size's eight bytes come last: for size 0 the tag is the name's hash times prime^8, and 0 only if
     * the name's hash is 0. Four bytes of a name are enough to get there from most beginnings.
     */
    for (uint32_t i = 0; i < 200 && !found; i++) {
        uint32_t hash;

        memcpy(name, format("%03u", i), 3);
        hash = seqshare_tag_eight(UINT32_C(2166136261), name, 3, 0);
        for (uint32_t k = 0; k < UINT32_C(1) << 24 && !found; k++) {
            uint32_t next = seqshare_tag_byte(hash, (unsigned char)(k & 255));

            next = seqshare_tag_byte(next, (unsigned char)(k >> 8 & 255));
            next = seqshare_tag_byte(next, (unsigned char)(k >> 16 & 255));
            if (next < 256) { /* the last byte takes it to 0 */
                char last[] = {(char)(k & 255), (char)(k >> 8 & 255), (char)(k >> 16 & 255), (char)next};

                memcpy(name + 3, last, sizeof last);
                found = true;
            }
        }
    }
    check(found);
    equals(seqshare_tag_eight(UINT32_C(2166136261), name, 7, 0), 0);
    equals(seqshare_tag(name, 7, 0), 1);
}

Test(typed, another_name_or_size_is_an_error_and_the_value_stands)
{
    seqshare *share = new_share(1000);
    struct point corner = {1, 2}, found = {7, 7};
    struct limits limits = {7, 7, "untouched"};
    uint64_t number;

    equals(point_get(share, &found), -ENODATA);
    equals(point_set(share, &corner), 0);
    equals(location_get(share, &found), -EBADMSG);
    equals(limits_get(share, &limits), -EBADMSG);
    equals(scalar_get(share, &number), -EBADMSG);
    equals(seqshare_get_typed(share, &found, sizeof found, 0), -EBADMSG);
    equals(found.x, 7);
    equals(limits.rate, 7);
    equals(point_get(share, &found), 0);
    equals(found.y, 2);

    /* the right tag with another length, as only a forger makes it */
    equals(seqshare_set_typed(share, &corner, 8, seqshare_tag("point", 5, sizeof corner)), 0);
    equals(point_get(share, &found), -EBADMSG);
    seqshare_close(share);
}

Test(typed, untyped_set_is_not_read_typed_but_typed_set_is_read_untyped)
{
    seqshare *share = new_share(1000);
    struct point corner = {3, 4}, found;

    equals(seqshare_set(share, &corner, sizeof corner), 0);
    equals(point_get(share, &found), -EBADMSG);
    equals(point_set(share, &corner), 0);
    equals(seqshare_get(share, &found, sizeof found, NULL), sizeof found);
    equals(memcmp(&found, &corner, sizeof corner), 0);
    equals(seqshare_set(share, &corner, sizeof corner), 0); /* the tag of before does not stick */
    equals(point_get(share, &found), -EBADMSG);
    seqshare_close(share);
}

/* ---- every size that is read inline, and those that are not ---- */

#define SIZED(n)                                                                                             \
    struct bytes##n {                                                                                        \
        unsigned char at[n];                                                                                 \
    };                                                                                                       \
    SEQSHARE_TYPE(bytes##n, struct bytes##n)                                                                 \
    static void size_##n(seqshare *share)                                                                    \
    {                                                                                                        \
        struct {                                                                                             \
            unsigned char before[16];                                                                        \
            struct bytes##n value;                                                                           \
            unsigned char after[16];                                                                         \
        } to;                                                                                                \
        struct bytes##n from;                                                                                \
        make_pattern(&from, n, n);                                                                           \
        memset(&to, 0x99, sizeof to);                                                                        \
        equals(bytes##n##_get(share, &to.value), n == 1 ? -ENODATA : -EBADMSG);                              \
        equals(bytes##n##_set(share, &from), 0);                                                             \
        equals(tag_of(share), fnv("bytes" #n, n));                                                           \
        equals(bytes##n##_get(share, &to.value), 0);                                                         \
        check(is_pattern(&to.value, n, n));                                                                  \
        for (int i = 0; i < 16; i++)                                                                         \
            check(to.before[i] == 0x99 && to.after[i] == 0x99);                                              \
    }

#define TEN(do, tens)                                                                                        \
    do                                                                                                       \
    (tens##1) do(tens##2) do(tens##3) do(tens##4) do(tens##5) do(tens##6) do(tens##7) do(tens##8) do(tens##9)
#define ALL_SIZES(do)                                                                                        \
    TEN(do, )                                                                                                \
    do                                                                                                       \
    (10) TEN(do, 1) do(20) TEN(do, 2) do(30) TEN(do, 3) do(40) TEN(do, 4) do(50) TEN(do, 5) do(60)           \
        TEN(do, 6) do(70) TEN(do, 7) do(80) do(200)

ALL_SIZES(SIZED)

#define CALL_SIZED(n) size_##n(share);

Test(typed, sizes_1_to_80_and_200_are_exact)
{
    seqshare *share = new_share(200);

    ALL_SIZES(CALL_SIZED)
    equals(seqshare_version(share), 81);
    seqshare_close(share);
}

/* The smallest capacity there can be: the inline read loads whole words of a slot that is one byte long. */
Test(typed, a_small_type_in_a_share_just_as_small)
{
    seqshare *share = new_share(1);
    struct bytes1 from = {{42}}, to = {{0}};
    struct bytes2 too_long = {{1, 2}};

    equals(bytes1_set(share, &from), 0);
    equals(bytes1_get(share, &to), 0);
    equals(to.at[0], 42);
    equals(bytes2_set(share, &too_long), -EMSGSIZE);
    seqshare_close(share);
}

/* ---- beside a writer ---- */

struct traffic {
    seqshare *share;
    int stop;
};

struct five {
    uint64_t at[5];
};

SEQSHARE_TYPE(five, struct five)

static void write_fives(void *context)
{
    struct traffic *traffic = context;

    for (uint64_t i = 1; !__atomic_load_n(&traffic->stop, __ATOMIC_RELAXED); i++)
        equals(five_set(traffic->share, &(struct five){{i, 2 * i, 3 * i, 4 * i, 5 * i}}), 0);
}

/* Fails with: an inline read that does not look at the sequence again. */
Test(typed, reads_beside_a_busy_writer_are_whole)
{
    struct traffic *traffic = shared_memory(sizeof *traffic);
    struct five got;
    uint64_t last = 0;
    pid_t writer;

    traffic->share = new_share(sizeof(struct five));
    writer = child_start(write_fives, traffic);
    while (seqshare_version(traffic->share) == 0)
        ;
    for (int i = 0; i < 300000; i++) {
        int result = five_get(traffic->share, &got);

        if (result == -EAGAIN)
            continue;
        equals(result, 0);
        for (uint64_t k = 0; k < 5; k++)
            equals(got.at[k], (k + 1) * got.at[0]);
        check(got.at[0] >= last);
        last = got.at[0];
    }
    set_flag(&traffic->stop, 1);
    equals(child_end(writer), 0);
    seqshare_close(traffic->share);
}

/* ---- the same from C++ ---- */

Test(typed, cxx_and_c_read_each_others_values)
{
    seqshare *share = new_share(1000);
    struct cxx_route route = {443, 1.25, "eu-north"}, got;

    equals(cxx_round_trip(), 0);
    equals(cxx_set(share, &route), 0);
    equals(tag_of(share), fnv("cxx_route", sizeof(struct cxx_route)));
    equals(cxx_route_get(share, &got), 0);
    check(got.port == route.port && got.weight == route.weight && strcmp(got.zone, route.zone) == 0);
    route.port = 80;
    equals(cxx_route_set(share, &route), 0);
    equals(cxx_get(share, &got), 0);
    equals(got.port, 80);
    equals(seqshare_drop_write(share), 0); /* a get that stored would end here */
    memset(&got, 0, sizeof got);
    equals(cxx_get(share, &got), 0);
    check(got.port == 80 && got.weight == route.weight && strcmp(got.zone, route.zone) == 0);
    seqshare_close(share);
}
