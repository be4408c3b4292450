/* SPDX-License-Identifier: MIT */
/*
 * The text of a variable's value. Every text is made when a document is decoded, so that a request finds it ready.
 *
 * A line end in a header would begin another header, and variables get everywhere. So no text here has control
 * characters; and it is only as long as headers can be, unless the configuration says otherwise.
 */
#include "ngx_http_seqshare.h"

#include <json-c/json.h>

static const ngx_str_t kinds[] = {
    [KIND_TEXT] = ngx_string("text"),       [KIND_STRING] = ngx_string("string"),
    [KIND_INTEGER] = ngx_string("integer"), [KIND_FLAG] = ngx_string("flag"),
    [KIND_SIZE] = ngx_string("size"),
};
const char SETTING_KINDS[] = "text, string, integer, flag or size";

int setting_kind(const ngx_str_t *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (name->len == kinds[i].len && ngx_memcmp(name->data, kinds[i].data, name->len) == 0)
            return (int)i;
    return -1;
}

/* As limit_rate reads it: digits, and k or m. */
static bool is_size(ngx_str_t text)
{
    return ngx_parse_size(&text) != NGX_ERROR;
}

static bool is_integer(ngx_str_t text)
{
    if (text.len > 1 && text.data[0] == '-') {
        text.data++;
        text.len--;
    }
    return ngx_atoof(text.data, text.len) != NGX_ERROR;
}

const char *setting_check_default(const struct setting *setting)
{
    ngx_str_t text = setting->otherwise;

    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == '$')
            return "a default is taken as it is, without variables: use \"map\" for those";
        else if (text.data[i] < ' ' || text.data[i] == '\x7f')
            return "a default cannot have control characters";
    if (setting->kind == KIND_INTEGER && !is_integer(text))
        return "the default is not an integer: write digits";
    if (setting->kind == KIND_SIZE && !is_size(text))
        return "the default is not a size: write digits, and k or m after them if you like";
    if (setting->kind == KIND_FLAG && text.len > 0 &&
        (text.len > 1 || (*text.data != '0' && *text.data != '1')))
        return "the default of a flag must be 0, 1 or \"\"";
    if (text.len > setting->most)
        return "the default is longer than \"max\" allows: raise that";
    return NULL;
}

/* ---- values ---------------------------------------------------------------------------------- */

/* NULL, or how it is not. */
static const char *unfit(const struct setting *setting, const seqshare_json_value *value, ngx_str_t text)
{
    enum json_type type = json_object_get_type(value);

    switch (setting->kind) {
    case KIND_STRING:
        return type == json_type_string ? NULL : "is not a string";
    case KIND_INTEGER: /* nginx computes with 64 bits */
        return type == json_type_int && is_integer(text) ? NULL : "is not an integer of 63 bits";
    case KIND_FLAG:
        return type == json_type_boolean ? NULL : "is neither true nor false";
    case KIND_SIZE:
        return (type == json_type_int || type == json_type_string) && is_size(text)
                   ? NULL
                   : "is not a size, such as 4096 or \"4k\"";
    default:
        return NULL;
    }
}

/* Without control characters: bytes of UTF-8 are none. */
static u_char *copy_plain(ngx_pool_t *pool, const u_char *bytes, size_t length)
{
    u_char *copy = ngx_pnalloc(pool, length + 1); /* a length of 0 has a place too */

    for (size_t i = 0; copy && i < length; i++)
        copy[i] = bytes[i] < ' ' || bytes[i] == '\x7f' ? ' ' : bytes[i];
    return copy;
}

static ngx_int_t take(ngx_pool_t *pool, const struct setting *setting, const seqshare_json_value *value,
                      ngx_str_t text, ngx_str_t *result, const char **why)
{
    *why = unfit(setting, value, text);
    if (!*why && text.len > setting->most)
        *why = "is longer than \"max\" allows";
    if (*why)
        return NGX_DECLINED;
    if (setting->kind == KIND_FLAG)
        text = *text.data == 't' ? (ngx_str_t)ngx_string("1") : (ngx_str_t)ngx_string("0");
    result->data = copy_plain(pool, text.data, text.len);
    result->len = text.len;
    return result->data ? NGX_OK : NGX_ERROR;
}

ngx_int_t setting_text(ngx_pool_t *pool, const struct setting *setting, const seqshare_json *json,
                       ngx_str_t *result, const char **why)
{
    const seqshare_json_value *value = seqshare_json_at(json, setting->prepared);
    char *bytes;
    ssize_t length = seqshare_json_text(value, &bytes);
    ngx_int_t rc;

    ngx_str_null(result);
    if (length == -ENODATA)
        return NGX_OK;
    if (length < 0)
        return NGX_ERROR;
    rc = take(pool, setting, value, (ngx_str_t){.len = (size_t)length, .data = (u_char *)bytes}, result, why);
    free(bytes);
    return rc;
}
