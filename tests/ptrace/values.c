/* SPDX-License-Identifier: MIT */
/* What values.h says. */
#include "values.h"

#include <stdlib.h>
#include <string.h>

#include "pattern.h"
#include "report.h"

size_t value_length(struct kind kind, uint64_t key)
{
    return kind.size <= 16 || kind.typed ? kind.size : kind.size - key % 3;
}

void value_make(struct kind kind, uint64_t key, unsigned char *bytes)
{
    make_pattern(bytes, value_length(kind, key), key);
}

bool value_is(struct kind kind, uint64_t key, const unsigned char *bytes, size_t length)
{
    return length == value_length(kind, key) && is_pattern(bytes, length, key);
}

int value_set(seqshare *share, struct kind kind, uint64_t key)
{
    unsigned char bytes[VALUE_MOST];
    struct row row;

    value_make(kind, key, bytes);
    if (!kind.typed)
        return seqshare_set(share, bytes, value_length(kind, key));
    memcpy(&row, bytes, sizeof row);
    return row_set(share, &row);
}

int values_find(struct kind kind, const struct published *allowed, int count, uint64_t version,
                const unsigned char *bytes, size_t length)
{
    for (int i = 0; i < count; i++)
        if (allowed[i].version == version && value_is(kind, allowed[i].key, bytes, length))
            return i;
    return -1;
}

static int read_copy(const seqshare *share, struct kind kind, const struct published *allowed, int count,
                     const char *how)
{
    unsigned char bytes[VALUE_MOST];
    uint64_t version = 0;
    ssize_t length = strcmp(how, "get") == 0 ? seqshare_get(share, bytes, sizeof bytes, &version)
                                             : seqshare_try_get(share, bytes, sizeof bytes, &version);
    int found;

    if (length < 0) {
        report_wrong("%s: %s", how, seqshare_strerror((int)length));
        return -1;
    }
    found = values_find(kind, allowed, count, version, bytes, (size_t)length);
    if (found < 0)
        report_wrong("%s: version %llu, %zd bytes, is none of the %d values that were published", how,
                     (unsigned long long)version, length, count);
    return found;
}

static int read_view(const seqshare *share, struct kind kind, const struct published *allowed, int count)
{
    seqshare_view view;
    int error = seqshare_peek(share, &view), found;

    if (error) {
        report_wrong("peek: %s", seqshare_strerror(error));
        return -1;
    }
    found = values_find(kind, allowed, count, view.version, view.data, view.length);
    if (found < 0 || !seqshare_valid(share, &view)) {
        report_wrong("peek: version %llu is %s", (unsigned long long)view.version,
                     found < 0 ? "torn" : "not valid");
        return -1;
    }
    return found;
}

static int read_typed(const seqshare *share, struct kind kind, const struct published *allowed, int count)
{
    struct row row;
    int error = row_get(share, &row);

    if (error) {
        report_wrong("typed get: %s", seqshare_strerror(error));
        return -1;
    }
    for (int i = 0; i < count; i++)
        if (value_is(kind, allowed[i].key, (const unsigned char *)&row, sizeof row))
            return i;
    report_wrong("typed get: none of the %d values that were published", count);
    return -1;
}

static int read_stat(const seqshare *share, struct kind kind, const struct published *allowed, int count)
{
    struct seqshare_stat stat;
    int error = seqshare_stat(share, &stat);

    for (int i = 0; !error && i < count; i++)
        if (stat.version == allowed[i].version && stat.length == value_length(kind, allowed[i].key))
            return i;
    report_wrong("stat: %s", error ? seqshare_strerror(error) : "version and length belong to no value");
    return -1;
}

/* The versions that no read may fall behind, once one has seen them. */
static int newer(int now, int before)
{
    if (now >= 0 && now < before)
        report_wrong("an older version after a newer one");
    return now < 0 || now < before ? -1 : now;
}

int values_read(const seqshare *share, struct kind kind, const struct published *allowed, int count)
{
    int found = read_copy(share, kind, allowed, count, "get");

    if (found >= 0)
        found = newer(read_copy(share, kind, allowed, count, "try_get"), found);
    if (found >= 0)
        found = newer(read_view(share, kind, allowed, count), found);
    if (found >= 0)
        found = newer(read_stat(share, kind, allowed, count), found);
    if (found >= 0 && kind.typed)
        found = newer(read_typed(share, kind, allowed, count), found);
    if (found >= 0 && seqshare_version(share) != allowed[found].version) {
        report_wrong("version: %llu", (unsigned long long)seqshare_version(share));
        return -1;
    }
    return found;
}
