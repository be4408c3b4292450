/* SPDX-License-Identifier: MIT */
/* JSON Pointers (RFC 6901) in a document of PHP's arrays. */
#include "php_seqshare.h"

bool pointer_is_valid(const char *pointer, size_t length)
{
    const char *end = pointer + length, *tilde = pointer;

    if (length == 0)
        return true;
    if (*pointer != '/')
        return false;
    while ((tilde = memchr(tilde, '~', (size_t)(end - tilde)))) {
        tilde++; /* at `end` there is a zero byte */
        if (*tilde != '0' && *tilde != '1')
            return false;
    }
    return true;
}

static size_t unescape(char *to, const char *from, size_t length)
{
    size_t count = 0;

    for (size_t i = 0; i < length; i++) {
        if (from[i] == '~')
            to[count++] = from[++i] == '0' ? '~' : '/';
        else
            to[count++] = from[i];
    }
    return count;
}

static zval *find_escaped(HashTable *table, const char *name, size_t length)
{
    ALLOCA_FLAG(use_heap)
    char *plain = do_alloca(length, use_heap);
    zval *found = zend_symtable_str_find(table, plain, unescape(plain, name, length));

    free_alloca(plain, use_heap);
    return found;
}

zval *pointer_find(zval *value, const char *pointer, size_t length)
{
    const char *end = pointer + length;

    while (pointer < end) {
        const char *name = pointer + 1;
        const char *slash = memchr(name, '/', (size_t)(end - name));
        size_t size;

        pointer = slash ? slash : end;
        size = (size_t)(pointer - name);
        if (Z_TYPE_P(value) != IS_ARRAY)
            return NULL;
        value = memchr(name, '~', size) ? find_escaped(Z_ARRVAL_P(value), name, size)
                                        : zend_symtable_str_find(Z_ARRVAL_P(value), name, size);
        if (!value)
            return NULL;
    }
    return value;
}
