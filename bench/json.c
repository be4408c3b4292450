/* SPDX-License-Identifier: MIT */
/* Is it JSON? A publisher that re-publishes a file while somebody edits it must not publish half of it. */
#include "json.h"

#include <stdbool.h>
#include <string.h>

enum { DEEPEST = 64 };

struct text {
    const char *at, *end;
};

static bool value(struct text *text, int depth);

static void blanks(struct text *text)
{
    while (text->at < text->end && *text->at && strchr(" \t\r\n", *text->at))
        text->at++;
}

static bool take(struct text *text, char wanted)
{
    blanks(text);
    if (text->at == text->end || *text->at != wanted)
        return false;
    text->at++;
    return true;
}

static bool word(struct text *text, const char *wanted)
{
    size_t length = strlen(wanted);

    if ((size_t)(text->end - text->at) < length || memcmp(text->at, wanted, length) != 0)
        return false;
    text->at += length;
    return true;
}

static bool string(struct text *text)
{
    if (!take(text, '"'))
        return false;
    while (text->at < text->end && *text->at != '"') {
        if ((unsigned char)*text->at < ' ')
            return false;
        text->at += *text->at == '\\' && text->at + 1 < text->end ? 2 : 1;
    }
    return take(text, '"');
}

static bool digits(struct text *text)
{
    const char *from = text->at;

    while (text->at < text->end && *text->at >= '0' && *text->at <= '9')
        text->at++;
    return text->at > from;
}

static bool number(struct text *text)
{
    word(text, "-");
    if (!digits(text) || (word(text, ".") && !digits(text)))
        return false;
    if (!word(text, "e") && !word(text, "E"))
        return true;
    return (word(text, "+") || word(text, "-") || true) && digits(text);
}

/* Members up to the closing bracket; the opening one is taken already. */
static bool members(struct text *text, char closing, int depth)
{
    if (take(text, closing))
        return true;
    do {
        if (closing == '}' && (!string(text) || !take(text, ':')))
            return false;
        if (!value(text, depth))
            return false;
    } while (take(text, ','));
    return take(text, closing);
}

static bool value(struct text *text, int depth)
{
    blanks(text);
    if (depth == DEEPEST || text->at == text->end)
        return false;
    switch (*text->at) {
    case '{':
        return take(text, '{') && members(text, '}', depth + 1);
    case '[':
        return take(text, '[') && members(text, ']', depth + 1);
    case '"':
        return string(text);
    case 't':
        return word(text, "true");
    case 'f':
        return word(text, "false");
    case 'n':
        return word(text, "null");
    default:
        return number(text);
    }
}

size_t json_wrong_line(const char *text, size_t length)
{
    struct text rest = {.at = text, .end = text + length};
    size_t line = 1;

    if (value(&rest, 0)) {
        blanks(&rest);
        if (rest.at == rest.end)
            return 0;
    }
    for (const char *at = text; at < rest.at && at < rest.end; at++)
        line += *at == '\n';
    return line;
}
