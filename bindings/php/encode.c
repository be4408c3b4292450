/* SPDX-License-Identifier: MIT */
/*
 * PHP values as JSON and back, by PHP's own encoder and parser. But that takes any object, and shortens numbers if php.ini says so. So a
 * walk before it refuses, with its place, what has no form in JSON.
 */
#include "php_seqshare.h"

#include <errno.h>
#include <ext/json/php_json.h>
#include <zend_exceptions.h>
#include <zend_smart_str.h>

enum {
    DEEPEST = 512,
    LEVELS_SHOWN = 8,
    OPTIONS = PHP_JSON_UNESCAPED_SLASHES | PHP_JSON_UNESCAPED_UNICODE | PHP_JSON_UNESCAPED_LINE_TERMINATORS |
              PHP_JSON_PRESERVE_ZERO_FRACTION
};

/* Where the walk is: one on each level, the innermost first. */
struct place {
    const struct place *outer;
    zend_string *name; /* NULL: `number` */
    zend_ulong number;
    int depth;
};

static void append_place(smart_str *text, const struct place *place)
{
    if (!place->outer)
        return;
    append_place(text, place->outer);
    if (place->depth > LEVELS_SHOWN + 1)
        return;
    smart_str_appendc(text, '/');
    if (place->depth > LEVELS_SHOWN)
        smart_str_appends(text, "...");
    else if (place->name)
        smart_str_append(text, place->name);
    else
        smart_str_append_long(text, (zend_long)place->number);
}

static bool refuse(const struct place *place, const char *what)
{
    smart_str text = {0};

    append_place(&text, place);
    smart_str_0(&text);
    zend_throw_exception_ex(exception_class, EINVAL, "the value%s%s %s", text.s ? " at " : "",
                            text.s ? ZSTR_VAL(text.s) : "", what);
    smart_str_free(&text);
    return false;
}

static bool may_encode(zval *value, const struct place *place);

static bool may_encode_all(HashTable *members, const struct place *place)
{
    struct place inner = {.outer = place, .depth = place->depth + 1};
    zval *member;

    if (inner.depth > DEEPEST)
        return refuse(place, "is deeper than 512 arrays, or contains itself");
    if (!members)
        return true;
    ZEND_HASH_FOREACH_KEY_VAL_IND(members, inner.number, inner.name, member)
    {
        if (!may_encode(member, &inner))
            return false;
    }
    ZEND_HASH_FOREACH_END();
    return true;
}

static bool refuse_object(const zval *value, const struct place *place)
{
    char *what;

    spprintf(&what, 0, "is an object of the class %s: only arrays and stdClass have a form in JSON",
             ZSTR_VAL(Z_OBJCE_P(value)->name));
    refuse(place, what);
    efree(what);
    return false;
}

static bool may_encode(zval *value, const struct place *place)
{
    ZVAL_DEREF(value);
    switch (Z_TYPE_P(value)) {
    case IS_ARRAY:
        return may_encode_all(Z_ARRVAL_P(value), place);
    case IS_OBJECT:
        if (Z_OBJCE_P(value) != zend_standard_class_def)
            return refuse_object(value, place);
        return may_encode_all(Z_OBJPROP_P(value), place);
    case IS_DOUBLE:
        return zend_finite(Z_DVAL_P(value)) || refuse(place, "is not a finite number");
    case IS_RESOURCE:
        return refuse(place, "is a resource, which has no form in JSON");
    default:
        return true;
    }
}

/* ---- what PHP's encoder refuses ---------------------------------------------------------------- */

static bool has_good_strings(zval *value, const struct place *place);

static bool is_utf8(zend_string *string)
{
    zend_string *text = php_json_encode_string(ZSTR_VAL(string), ZSTR_LEN(string), OPTIONS);

    if (text)
        zend_string_release(text);
    return text != NULL;
}

static bool have_good_strings(HashTable *members, const struct place *place)
{
    struct place inner = {.outer = place, .depth = place->depth + 1};
    zval *member;

    ZEND_HASH_FOREACH_KEY_VAL_IND(members, inner.number, inner.name, member)
    {
        if (inner.name && !is_utf8(inner.name))
            return refuse(place, "has a name that is not UTF-8");
        if (!has_good_strings(member, &inner))
            return false;
    }
    ZEND_HASH_FOREACH_END();
    return true;
}

static bool has_good_strings(zval *value, const struct place *place)
{
    ZVAL_DEREF(value);
    if (Z_TYPE_P(value) == IS_STRING && !is_utf8(Z_STR_P(value)))
        return refuse(place, "is a string that is not UTF-8");
    if (Z_TYPE_P(value) == IS_ARRAY)
        return have_good_strings(Z_ARRVAL_P(value), place);
    if (Z_TYPE_P(value) == IS_OBJECT)
        return have_good_strings(Z_OBJPROP_P(value), place);
    return true;
}

static zend_string *explain(zval *value, smart_str *text)
{
    const struct place root = {.outer = NULL};

    smart_str_free(text);
    if (has_good_strings(value, &root))
        refuse(&root, "has no form in JSON");
    return NULL;
}

zend_string *encode_value(zval *value)
{
    const struct place root = {.outer = NULL};
    const php_json_error_code said = JSON_G(error_code); /* json_last_error's, which is of other calls */
    const zend_long precision = PG(serialize_precision);
    zend_result result;
    smart_str text = {0};

    if (!may_encode(value, &root))
        return NULL;
    PG(serialize_precision) = -1; /* each number whole, whatever php.ini says */
    result = php_json_encode_ex(&text, value, OPTIONS, DEEPEST);
    if (JSON_G(error_code) != PHP_JSON_ERROR_NONE) /* the result does not tell of a bad name */
        result = FAILURE;
    if (result != SUCCESS)
        explain(value, &text);
    PG(serialize_precision) = precision;
    JSON_G(error_code) = said;
    if (result != SUCCESS)
        return NULL;
    return smart_str_extract(&text);
}

/* ---- decoding, for the script alone ------------------------------------------------------------- */

bool decode_text(const char *text, size_t length, int options, zval *to)
{
    const php_json_error_code said = JSON_G(error_code);
    zend_string *copy =
        zend_string_init(text, length, 0); /* with a zero byte after it, as PHP's parser wants it */

    php_json_decode_ex(to, ZSTR_VAL(copy), length, options, INT_MAX);
    zend_string_release(copy);
    JSON_G(error_code) = said;
    return !EG(exception);
}
