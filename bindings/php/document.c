/* SPDX-License-Identifier: MIT */
/*
 * A document as PHP values in memory of the process, which many requests use.
 *
 * They have reference counts, as all values of PHP, and one reference each is ours. So nobody frees them, and whoever
 * changes one gets a copy (PHP's copy on write): they are never changed. They are not marked immutable, or interned,
 * because nobody could tell then whether a script still uses one: a script that never ends, and handles one request
 * after the other, would keep every old document for ever. So an old document goes when all of its counts are 1, or at
 * the end of the request.
 *
 * When a request ends, PHP throws its memory away without counting: references of that request stay in the counts.
 * Now and then, long before a count can overflow, the counts are set to 1 again; and after a fatal error at once,
 * because that may also leave the mark of a walk (var_dump was in the middle of it) behind.
 */
#include "php_seqshare.h"

#include <ext/json/php_json_parser.h>

#define ARRAY_INFO (GC_ARRAY | ((GC_PERSISTENT | GC_NOT_COLLECTABLE) << GC_FLAGS_SHIFT))
#define ARRAY_TYPE (IS_ARRAY | (IS_TYPE_REFCOUNTED << Z_TYPE_FLAGS_SHIFT))

/* ---- walking ---------------------------------------------------------------------------------- */

/* Does a reference to some value exist that is not ours? */
static bool is_used(const zval *value)
{
    zend_string *name;
    zval *member;

    if (!Z_REFCOUNTED_P(value))
        return false;
    if (Z_REFCOUNT_P(value) > 1)
        return true;
    if (Z_TYPE_P(value) != IS_ARRAY)
        return false;
    ZEND_HASH_FOREACH_STR_KEY_VAL(Z_ARRVAL_P(value), name, member)
    {
        if ((name && !ZSTR_IS_INTERNED(name) && GC_REFCOUNT(name) > 1) || is_used(member))
            return true;
    }
    ZEND_HASH_FOREACH_END();
    return false;
}

static void reset(zval *value)
{
    zend_string *name;
    zval *member;

    if (!Z_REFCOUNTED_P(value))
        return;
    Z_SET_REFCOUNT_P(value, 1);
    if (Z_TYPE_P(value) != IS_ARRAY)
        return;
    GC_TYPE_INFO(Z_ARRVAL_P(value)) = ARRAY_INFO;
    GC_MAKE_PERSISTENT_LOCAL(Z_ARRVAL_P(value));
    ZEND_HASH_FOREACH_STR_KEY_VAL(Z_ARRVAL_P(value), name, member)
    {
        if (name && !ZSTR_IS_INTERNED(name))
            GC_SET_REFCOUNT(name, 1);
        reset(member);
    }
    ZEND_HASH_FOREACH_END();
}

static void free_value(zval *value);

static void free_array(zend_array *array)
{
    zval *member;

    ZEND_HASH_FOREACH_VAL(array, member)
    {
        free_value(member);
    }
    ZEND_HASH_FOREACH_END();
    zend_hash_destroy(array); /* and the names */
    pefree(array, 1);
}

static void free_value(zval *value)
{
    if (!Z_REFCOUNTED_P(value))
        return;
    if (Z_TYPE_P(value) == IS_ARRAY)
        free_array(Z_ARRVAL_P(value));
    else
        pefree(Z_STR_P(value), 1);
}

/* ---- decoding --------------------------------------------------------------------------------- */

static zend_string *persistent_string(zend_string *string)
{
    zend_string *copy;

    if (ZSTR_IS_INTERNED(string)) /* of no or one character: PHP has these for good */
        return string;
    copy = zend_string_init(ZSTR_VAL(string), ZSTR_LEN(string), 1);
    zend_string_hash_val(copy);
    GC_MAKE_PERSISTENT_LOCAL(copy);
    zend_string_release(string);
    return copy;
}

/* The parser hands over what it has made in the request's memory. */
static void make_persistent(zval *value)
{
    if (Z_TYPE_P(value) == IS_STRING)
        ZVAL_STR(value, persistent_string(Z_STR_P(value)));
}

/* With a second reference, until the document is complete: a parser that fails lets go of one, and must free nothing. */
static int create_array(php_json_parser *parser, zval *array)
{
    zend_array *made = pemalloc(sizeof *made, 1);

    (void)parser;
    zend_hash_init(made, 0, NULL, NULL, 1);
    GC_TYPE_INFO(made) = ARRAY_INFO;
    GC_MAKE_PERSISTENT_LOCAL(made);
    GC_ADDREF(made);
    Z_ARR_P(array) = made;
    Z_TYPE_INFO_P(array) = ARRAY_TYPE;
    return SUCCESS;
}

static int append(php_json_parser *parser, zval *array, zval *value)
{
    (void)parser;
    make_persistent(value);
    zend_hash_next_index_insert(Z_ARRVAL_P(array), value);
    return SUCCESS;
}

/* As json_decode does: a name that is an integer becomes one, and of two members with one name the last stays. */
static int update(php_json_parser *parser, zval *object, zend_string *name, zval *value)
{
    zend_array *array = Z_ARRVAL_P(object);
    zend_ulong number;
    bool is_number = ZEND_HANDLE_NUMERIC_STR(ZSTR_VAL(name), ZSTR_LEN(name), number);
    zval *stands = is_number ? zend_hash_index_find(array, number) : zend_hash_find(array, name);

    (void)parser;
    make_persistent(value);
    if (stands) {
        free_value(stands);
        ZVAL_COPY_VALUE(stands, value);
        zend_string_release(name);
    } else if (is_number) {
        zend_hash_index_add_new(array, number, value);
        zend_string_release(name);
    } else {
        name = persistent_string(name);
        zend_hash_add_new(array, name, value);
        zend_string_release(name); /* the array has its own */
    }
    return SUCCESS;
}

/* The grammar has let the text pass, so PHP's parser, which takes more, finds nothing wrong. */
static bool parse(zval *root, const char *text, size_t length)
{
    static const php_json_parser_methods methods = {
        .array_create = create_array,
        .array_append = append,
        .object_create = create_array,
        .object_update = update,
    };
    php_json_parser parser;

    php_json_parser_init_ex(&parser, root, text, length, PHP_JSON_OBJECT_AS_ARRAY, INT_MAX, &methods);
    return php_json_parse(&parser) == 0;
}

/* The first call may give back memory that PHP keeps in hand: it says then that it has succeeded, and sets nothing. */
static zend_result limit_memory(size_t limit)
{
    zend_result result = zend_set_memory_limit(limit);

    return result == SUCCESS ? zend_set_memory_limit(limit) : result;
}

/* What strings took for a moment may keep whole chunks of memory. Then PHP would go on without a limit, for good. */
static void limit_memory_again(void)
{
    const size_t limit = (size_t)PG(memory_limit);

    if (limit_memory(limit) == SUCCESS)
        return;
    zend_mm_gc(zend_mm_get_heap());
    if (limit_memory(limit) != SUCCESS)
        limit_memory(zend_memory_usage(true));
}

struct document *document_new(const char *text, size_t length, const struct origin *origin)
{
    struct document *document = pecalloc(1, sizeof *document, 1);
    bool done;

    /* What one string takes for a moment must not end a request that is near its limit. */
    zend_set_memory_limit(SIZE_MAX >> 1);
    done = parse(&document->root, text, length);
    if (done)
        make_persistent(&document->root);
    limit_memory_again();
    if (!done) {
        pefree(document, 1);
        return NULL;
    }
    reset(&document->root);
    document->origin = *origin;
    return document;
}

/* ---- life ------------------------------------------------------------------------------------- */

void document_free(struct document *document)
{
    if (!document)
        return;
    reset(&document->root);
    free_value(&document->root);
    pefree(document, 1);
}

void document_retire(struct document *document)
{
    if (!document)
        return;
    document->next = SEQSHARE_G(old);
    SEQSHARE_G(old) = document;
    document_sweep();
}

void document_sweep(void)
{
    struct document **link = &SEQSHARE_G(old), *document;

    while ((document = *link)) {
        if (is_used(&document->root)) {
            link = &document->next;
            continue;
        }
        *link = document->next;
        document_free(document);
    }
}

/* Each reference is in a zval of the request's memory: so there were no more of them than zvals have room there. */
void document_end_request(struct document *document)
{
    if (!document)
        return;
    document->leaked += zend_memory_peak_usage(true) / sizeof(zval);
    if (!SEQSHARE_G(unclean) && document->leaked < UINT32_MAX / 2)
        return;
    reset(&document->root);
    document->leaked = 0;
}
