/* SPDX-License-Identifier: MIT */
/* Seqshare\Share::update: read, modify and write under the lock. */
#include "php_seqshare.h"

#include <errno.h>
#include <ext/json/php_json.h>
#include <zend_exceptions.h>

/* The current text, under the lock. The caller releases it. NULL: there is none, or an exception. */
static zend_string *read_under_lock(struct share_object *share)
{
    seqshare_reading found = {.bytes = NULL};
    zend_string *text = NULL;
    char why[SEQSHARE_JSON_WHY_SIZE];
    const int error = seqshare_pread(share->writer, &found);

    if (error == 0 && follower_check(&found, why) == 0)
        text = zend_string_init(found.bytes, found.length, 0);
    else if (error == 0)
        zend_throw_exception_ex(exception_class, EBADMSG, "%s: %s", share->follower.name, why);
    else if (error != -ENODATA)
        share_throw(share, error);
    free(found.bytes);
    return text;
}

static void call(zend_fcall_info *change, zend_fcall_info_cache *cache, const zend_string *text, zval *result)
{
    zval document;

    ZVAL_NULL(&document);
    if (text)
        decode_text(ZSTR_VAL(text), ZSTR_LEN(text), PHP_JSON_OBJECT_AS_ARRAY, &document);
    change->retval = result;
    change->params = &document;
    change->param_count = 1;
    zend_call_function(change, cache);
    zval_ptr_dtor(&document);
}

static void change_and_publish(struct share_object *share, zend_fcall_info *change,
                               zend_fcall_info_cache *cache, zval *result)
{
    zend_string *text = read_under_lock(share); /* of the request: a fatal error in the call leaks nothing */
    zval shaped;
    int error;

    if (!EG(exception))
        call(change, cache, text, result);
    if (!EG(exception) && text) {
        shape_keep(&shaped, result, ZSTR_VAL(text), ZSTR_LEN(text));
        write_publish_value(share, &shaped, NULL, &error);
        zval_ptr_dtor(&shaped);
    } else if (!EG(exception)) {
        write_publish_value(share, result, NULL, &error);
    }
    if (text)
        zend_string_release(text);
}

ZEND_METHOD(Seqshare_Share, update)
{
    struct share_object *share = share_of_object(Z_OBJ_P(ZEND_THIS));
    zend_fcall_info change;
    zend_fcall_info_cache cache;
    bool is_null = true;
    double timeout = 0;
    zval lock;
    int64_t ns;
    int result;

    ZEND_PARSE_PARAMETERS_START(1, 2)
    Z_PARAM_FUNC(change, cache)
    Z_PARAM_OPTIONAL
    Z_PARAM_DOUBLE_OR_NULL(timeout, is_null)
    ZEND_PARSE_PARAMETERS_END();
    if (!timeout_to_ns(is_null, timeout, &ns))
        RETURN_THROWS();
    result = write_lock(share, ns);
    if (result < 0) {
        share_throw(share, result);
        RETURN_THROWS();
    }
    lock_new(&lock, share, result == 1); /* gives it back, also after a fatal error */
    change_and_publish(share, &change, &cache, return_value);
    zval_ptr_dtor(&lock);
}
