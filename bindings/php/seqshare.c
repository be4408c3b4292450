/* SPDX-License-Identifier: MIT */
/* The module, its setting in php.ini, and the functions: when PHP starts, for each request, and at its end. */
#include "php_seqshare.h"

#include <ext/spl/spl_exceptions.h>
#include <ext/standard/info.h>
#include <php_ini.h>

#include "seqshare_arginfo.h"

ZEND_DECLARE_MODULE_GLOBALS(seqshare)

/* ---- the setting ------------------------------------------------------------------------------- */

/* php-fpm hands over the settings of a pool in each worker, when it is too late for this one. */
static PHP_INI_MH(open_is_read_at_the_start)
{
    (void)entry, (void)mh_arg1, (void)mh_arg2, (void)mh_arg3;
    if (stage == PHP_INI_STAGE_STARTUP || stage == PHP_INI_STAGE_SHUTDOWN ||
        stage == PHP_INI_STAGE_DEACTIVATE)
        return SUCCESS;
    served_say_once("seqshare.open", "this setting counts in php.ini only, and not in a pool");
    return FAILURE;
}

PHP_INI_BEGIN()
PHP_INI_ENTRY("seqshare.open", "", PHP_INI_SYSTEM, open_is_read_at_the_start)
PHP_INI_END()

/* ---- the functions ----------------------------------------------------------------------------- */

static struct follower *find(zend_string *name)
{
    struct follower *follower = served_find(name);

    if (UNEXPECTED(!follower))
        php_error_docref(NULL, E_WARNING, "No share is named \"%s\" in seqshare.open", ZSTR_VAL(name));
    return follower;
}

static zval *look_up(zend_string *name, const char *pointer, size_t length)
{
    struct follower *follower = find(name);
    struct document *document = follower ? follower_document(follower) : NULL;
    zval *found;

    if (!document)
        return NULL;
    found = length > 0 ? pointer_find(&document->root, pointer, length) : &document->root;
    return found && Z_TYPE_P(found) != IS_NULL ? found : NULL;
}

ZEND_FUNCTION(seqshare_get)
{
    zend_string *name;
    char *pointer = "";
    size_t length = 0;
    zval *otherwise = NULL, *found;

    ZEND_PARSE_PARAMETERS_START(1, 3)
    Z_PARAM_STR(name)
    Z_PARAM_OPTIONAL
    Z_PARAM_STRING(pointer, length)
    Z_PARAM_ZVAL(otherwise)
    ZEND_PARSE_PARAMETERS_END();
    if (UNEXPECTED(!pointer_is_valid(pointer, length))) {
        zend_argument_value_error(2, "must be \"\" or begin with \"/\", with 0 or 1 after each \"~\"");
        RETURN_THROWS();
    }
    found = look_up(name, pointer, length);
    if (EXPECTED(found))
        RETURN_COPY(found);
    if (otherwise)
        RETURN_COPY_DEREF(otherwise);
}

ZEND_FUNCTION(seqshare_version)
{
    zend_string *name;
    struct follower *follower;
    const struct document *document;

    ZEND_PARSE_PARAMETERS_START(1, 1)
    Z_PARAM_STR(name)
    ZEND_PARSE_PARAMETERS_END();
    follower = find(name);
    document = follower ? follower_document(follower) : NULL;
    RETURN_LONG(document ? (zend_long)document->origin.version : 0);
}

ZEND_FUNCTION(seqshare_age)
{
    zend_string *name;
    struct follower *follower;

    ZEND_PARSE_PARAMETERS_START(1, 1)
    Z_PARAM_STR(name)
    ZEND_PARSE_PARAMETERS_END();
    follower = find(name);
    if (follower && follower_document(follower))
        RETURN_DOUBLE(follower_age(follower));
}

/* ---- the module -------------------------------------------------------------------------------- */

static PHP_GINIT_FUNCTION(seqshare)
{
#if defined(ZTS) && defined(COMPILE_DL_SEQSHARE)
    ZEND_TSRMLS_CACHE_UPDATE();
#endif
    memset(seqshare_globals, 0, sizeof *seqshare_globals);
}

static PHP_GSHUTDOWN_FUNCTION(seqshare)
{
    served_end_thread(seqshare_globals);
}

static PHP_MINIT_FUNCTION(seqshare)
{
    (void)type;
    REGISTER_INI_ENTRIES();
    exception_class = register_class_Seqshare_Exception(spl_ce_RuntimeException);
    share_class = register_class_Seqshare_Share();
    lock_class = register_class_Seqshare_Lock();
    share_register();
    lock_register();
    served_start(INI_STR("seqshare.open"));
    return SUCCESS;
}

static PHP_MSHUTDOWN_FUNCTION(seqshare)
{
    (void)type;
#ifndef ZTS
    served_end_thread(&seqshare_globals);
#endif
    served_stop();
    UNREGISTER_INI_ENTRIES();
    return SUCCESS;
}

static PHP_RINIT_FUNCTION(seqshare)
{
    (void)type, (void)module_number;
#if defined(ZTS) && defined(COMPILE_DL_SEQSHARE)
    ZEND_TSRMLS_CACHE_UPDATE();
#endif
    SEQSHARE_G(request)++;
    /* The master of php-fpm has a request too, to preload scripts. */
    if (!SEQSHARE_G(is_worker) && !(CG(compiler_options) & ZEND_COMPILE_PRELOAD)) {
        SEQSHARE_G(is_worker) = true;
        served_begin_worker();
    }
    return SUCCESS;
}

static PHP_RSHUTDOWN_FUNCTION(seqshare)
{
    (void)type, (void)module_number;
    SEQSHARE_G(unclean) = CG(unclean_shutdown);
    return SUCCESS;
}

/* All values of the request are gone by now. */
static ZEND_MODULE_POST_ZEND_DEACTIVATE_D(seqshare)
{
    served_end_request();
    return SUCCESS;
}

static PHP_MINFO_FUNCTION(seqshare)
{
    php_info_print_table_start();
    php_info_print_table_row(2, "seqshare", "enabled");
    php_info_print_table_row(2, "Version", PHP_SEQSHARE_VERSION);
    php_info_print_table_end();
    DISPLAY_INI_ENTRIES();
}

static const zend_module_dep dependencies[] = {ZEND_MOD_REQUIRED("json") ZEND_MOD_END};

zend_module_entry seqshare_module_entry = {
    STANDARD_MODULE_HEADER_EX,
    NULL,
    dependencies,
    "seqshare",
    ext_functions,
    PHP_MINIT(seqshare),
    PHP_MSHUTDOWN(seqshare),
    PHP_RINIT(seqshare),
    PHP_RSHUTDOWN(seqshare),
    PHP_MINFO(seqshare),
    PHP_SEQSHARE_VERSION,
    PHP_MODULE_GLOBALS(seqshare),
    PHP_GINIT(seqshare),
    PHP_GSHUTDOWN(seqshare),
    ZEND_MODULE_POST_ZEND_DEACTIVATE_N(seqshare),
    STANDARD_MODULE_PROPERTIES_EX,
};

#ifdef COMPILE_DL_SEQSHARE
#ifdef ZTS
ZEND_TSRMLS_CACHE_DEFINE()
#endif
ZEND_GET_MODULE(seqshare)
#endif
