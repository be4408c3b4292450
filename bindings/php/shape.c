/* SPDX-License-Identifier: MIT */
/*
 * Objects that stay objects. To PHP, {} and {"0": 1} are arrays, and its encoder would write [] and [1]. What update has
 * read as an object in such a case, it writes as one.
 */
#include "php_seqshare.h"

#include <ext/json/php_json.h>

/* `old`: an object or array in the document before, with stdClass for objects; NULL: there was none. */
static void keep(zval *value, zval *old);

static zval *member_of(zval *old, zend_ulong number, zend_string *name)
{
    HashTable *members = Z_TYPE_P(old) == IS_OBJECT ? Z_OBJPROP_P(old) : Z_ARRVAL_P(old);
    zend_string *digits;
    zval *found;

    if (name)
        return zend_hash_find_ind(members, name);
    if (Z_TYPE_P(old) == IS_ARRAY)
        return zend_hash_index_find(members, number);
    digits = zend_long_to_str((zend_long)number);
    found = zend_hash_find_ind(members, digits);
    zend_string_release(digits);
    return found;
}

static void keep_members(zval *value, zval *old)
{
    zend_ulong number;
    zend_string *name;
    zval *member;

    SEPARATE_ARRAY(value);
    ZEND_HASH_FOREACH_KEY_VAL(Z_ARRVAL_P(value), number, name, member)
    {
        zval *before = member_of(old, number, name);

        if (before)
            keep(member, before);
    }
    ZEND_HASH_FOREACH_END();
}

/* Would PHP's encoder write an array where the document had an object? */
static bool is_object_still(zval *value, zval *old)
{
    HashTable *names = zend_proptable_to_symtable(Z_OBJPROP_P(old), true);
    const bool were_numbers = zend_hash_num_elements(names) > 0 && zend_array_is_list(names);

    zend_array_destroy(names);
    return zend_hash_num_elements(Z_ARRVAL_P(value)) == 0 ||
           (were_numbers && zend_array_is_list(Z_ARRVAL_P(value)));
}

static void make_object(zval *value)
{
    HashTable *members = zend_symtable_to_proptable(Z_ARRVAL_P(value));
    zval object;

    if (GC_FLAGS(members) & GC_IMMUTABLE)
        members = zend_array_dup(members);
    object_and_properties_init(&object, zend_standard_class_def, members);
    zval_ptr_dtor(value);
    ZVAL_COPY_VALUE(value, &object);
}

/* A loop by reference leaves references: what they refer to is the script's. */
static void end_reference(zval *value)
{
    zval plain;

    ZVAL_COPY_DEREF(&plain, value);
    zval_ptr_dtor(value);
    ZVAL_COPY_VALUE(value, &plain);
}

static void keep(zval *value, zval *old)
{
    if (Z_ISREF_P(value))
        end_reference(value);
    if (Z_TYPE_P(value) != IS_ARRAY || (Z_TYPE_P(old) != IS_ARRAY && Z_TYPE_P(old) != IS_OBJECT))
        return;
    keep_members(value, old);
    if (Z_TYPE_P(old) == IS_OBJECT && is_object_still(value, old))
        make_object(value);
}

void shape_keep(zval *to, zval *value, const char *text, size_t length)
{
    zval old;

    ZVAL_COPY(to, value);
    if (!decode_text(text, length, 0, &old))
        return;
    keep(to, &old);
    zval_ptr_dtor(&old);
}
