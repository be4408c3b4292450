/* SPDX-License-Identifier: MIT */
/* The kinds of sources that there are, and how they report. */
#include "source.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sources.h"

static bool serves(const struct source_type *type, const char *scheme)
{
    for (const char *const *known = type->schemes; *known; known++)
        if (strcmp(*known, scheme) == 0)
            return true;
    return false;
}

const struct source_type *source_find(const char *scheme)
{
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
        if (serves(sources[i], scheme))
            return sources[i];
    return NULL;
}

void source_listed(struct source *source, struct keys *keys)
{
    source->sink->listed(source->context, keys);
}

void source_changed(struct source *source, const struct source_change *changes, size_t count,
                    uint64_t revision)
{
    source->sink->changed(source->context, changes, count, revision);
}

void source_proven(struct source *source, uint64_t revision, uint64_t term)
{
    source->sink->proven(source->context, revision, term);
}

void source_contact(struct source *source)
{
    source->sink->contact(source->context);
}

enum { REASON_SIZE = 256 };

void source_refused(struct source *source, uint64_t revision, const char *format, ...)
{
    char why[REASON_SIZE];
    va_list rest;

    va_start(rest, format);
    vsnprintf(why, sizeof why, format, rest);
    va_end(rest);
    source->sink->refused(source->context, revision, why);
}

void source_away(struct source *source, int64_t wait, const char *format, ...)
{
    char why[REASON_SIZE];
    va_list rest;

    va_start(rest, format);
    vsnprintf(why, sizeof why, format, rest);
    va_end(rest);
    source->sink->away(source->context, wait, why);
}

void source_lost(struct source *source, const char *format, ...)
{
    char why[REASON_SIZE];
    va_list rest;

    va_start(rest, format);
    vsnprintf(why, sizeof why, format, rest);
    va_end(rest);
    source->sink->lost(source->context, why);
}
