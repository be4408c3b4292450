/* SPDX-License-Identifier: MIT */
/* Chooses the type tag of a value, and protects values of another type. */
#include "type.h"

#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "cli.h"
#include "json.h"
#include "text.h"

/* The tag of checked JSON, and the earlier one of the Perl codec JSON. */
static bool is_json_tag(uint32_t tag)
{
    return tag == SEQSHARE_TAG_JSON || tag == SEQSHARE_TAG("perl.JSON");
}

bool type_promises_json(const struct bytes *value, uint32_t tag)
{
    const char *text = value->at;
    size_t blanks = 0;
    char why[JSON_WHY_SIZE];

    if (tag != 0)
        return is_json_tag(tag);
    while (blanks < value->length && text[blanks] && strchr(" \t\r\n", text[blanks]))
        blanks++;
    return blanks < value->length && (text[blanks] == '{' || text[blanks] == '[') &&
           json_check(text, value->length, why);
}

static char *conflict_with_json(const struct bytes *value, uint32_t tag)
{
    char why[JSON_WHY_SIZE];

    if (!json_check(value->at, value->length, why))
        return text_format("%s; the current value is JSON, and nothing was changed", why);
    if (tag != 0 && !is_json_tag(tag))
        return text_format("the current value is JSON, and type tag %08x is not a tag of JSON", tag);
    return NULL;
}

/* Why a value of type `tag` should not replace `old`, as a sentence that the caller frees; NULL: it may. */
static char *conflict(const seqshare_reading *old, const struct bytes *value, uint32_t tag, bool tag_said)
{
    const struct bytes old_value = {old->bytes, old->length};

    if (type_promises_json(&old_value, old->tag))
        return conflict_with_json(value, tag);
    if (old->tag == 0) /* which promises nothing */
        return NULL;
    if (tag != old->tag)
        return text_format("the current value has type tag %08x, and the new one would have %08x", old->tag,
                           tag);
    if (!tag_said && !text_is_plain(old->bytes, old->length) && text_is_plain(value->at, value->length))
        return text_format("the current value is binary and has type tag %08x, and the new one is text (if "
                           "it is of that type, add --tag %08x)",
                           old->tag, old->tag);
    return NULL;
}

int type_choose(const char *name, const seqshare_reading *old, const struct bytes *value,
                struct type_wish wish, uint32_t *tag)
{
    char *why = NULL;

    *tag = wish.said ? wish.tag : old->tag;
    if (old->version != 0)
        why = conflict(old, value, *tag, wish.said);
    if (!why)
        return DONE;
    if (!wish.force)
        cli_complain_that(name, "%s (--force publishes it anyway)", why);
    free(why);
    if (!wish.said)
        *tag = 0;
    return wish.force ? DONE : SAID_NO;
}
