/* SPDX-License-Identifier: MIT */
/* Arguments of all functions and methods, as PHP wants them. */
/* This is a generated file, edit the .stub.php file instead.
 * Stub hash: 4c8a7a62bd867f291c813a505148ad5164aebc63 */

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_seqshare_get, 0, 1, IS_MIXED, 0)
ZEND_ARG_TYPE_INFO(0, name, IS_STRING, 0)
ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, pointer, IS_STRING, 0, "\"\"")
ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, default, IS_MIXED, 0, "null")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_seqshare_version, 0, 1, IS_LONG, 0)
ZEND_ARG_TYPE_INFO(0, name, IS_STRING, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_seqshare_age, 0, 1, IS_DOUBLE, 1)
ZEND_ARG_TYPE_INFO(0, name, IS_STRING, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_INFO_EX(arginfo_class_Seqshare_Share___construct, 0, 0, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_OBJ_INFO_EX(arginfo_class_Seqshare_Share_open, 0, 1, Seqshare\\Share, 0)
ZEND_ARG_TYPE_INFO(0, name, IS_STRING, 0)
ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, write, _IS_BOOL, 1, "null")
ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, anyOwner, _IS_BOOL, 0, "false")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_OBJ_INFO_EX(arginfo_class_Seqshare_Share_create, 0, 2, Seqshare\\Share, 0)
ZEND_ARG_TYPE_INFO(0, name, IS_STRING, 0)
ZEND_ARG_TYPE_INFO(0, capacity, IS_LONG, 0)
ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, mode, IS_LONG, 0, "0600")
ZEND_ARG_TYPE_INFO(0, value, IS_MIXED, 0)
ZEND_END_ARG_INFO()

#define arginfo_class_Seqshare_Share_replace arginfo_class_Seqshare_Share_create

ZEND_BEGIN_ARG_WITH_RETURN_OBJ_INFO_EX(arginfo_class_Seqshare_Share_anonymous, 0, 1, Seqshare\\Share, 0)
ZEND_ARG_TYPE_INFO(0, capacity, IS_LONG, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_OBJ_INFO_EX(arginfo_class_Seqshare_Share_attach, 0, 1, Seqshare\\Share, 0)
ZEND_ARG_TYPE_INFO(0, descriptor, IS_LONG, 0)
ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, write, _IS_BOOL, 0, "false")
ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, anyOwner, _IS_BOOL, 0, "false")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Seqshare_Share_unlink, 0, 1, IS_VOID, 0)
ZEND_ARG_TYPE_INFO(0, name, IS_STRING, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Seqshare_Share_snapshot, 0, 0, IS_MIXED, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Seqshare_Share_get, 0, 0, IS_STRING, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Seqshare_Share_version, 0, 0, IS_LONG, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Seqshare_Share_age, 0, 0, IS_DOUBLE, 1)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Seqshare_Share_stat, 0, 0, IS_ARRAY, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Seqshare_Share_set, 0, 1, IS_VOID, 0)
ZEND_ARG_TYPE_INFO(0, value, IS_MIXED, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Seqshare_Share_setIf, 0, 2, _IS_BOOL, 0)
ZEND_ARG_TYPE_INFO(0, version, IS_LONG, 0)
ZEND_ARG_TYPE_INFO(0, value, IS_MIXED, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Seqshare_Share_setJson, 0, 1, IS_VOID, 0)
ZEND_ARG_TYPE_INFO(0, json, IS_STRING, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Seqshare_Share_setBytes, 0, 1, IS_VOID, 0)
ZEND_ARG_TYPE_INFO(0, bytes, IS_STRING, 0)
ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, tag, IS_LONG, 0, "0")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Seqshare_Share_update, 0, 1, IS_MIXED, 0)
ZEND_ARG_TYPE_INFO(0, change, IS_CALLABLE, 0)
ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, timeout, IS_DOUBLE, 1, "null")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_OBJ_INFO_EX(arginfo_class_Seqshare_Share_lock, 0, 0, Seqshare\\Lock, 0)
ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, timeout, IS_DOUBLE, 1, "null")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Seqshare_Share_wait, 0, 0, IS_LONG, 1)
ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, seen, IS_LONG, 1, "null")
ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, timeout, IS_DOUBLE, 1, "null")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Seqshare_Share_dropWrite, 0, 0, IS_VOID, 0)
ZEND_END_ARG_INFO()

#define arginfo_class_Seqshare_Lock___construct arginfo_class_Seqshare_Share___construct

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_class_Seqshare_Lock_isRecovered, 0, 0, _IS_BOOL, 0)
ZEND_END_ARG_INFO()

#define arginfo_class_Seqshare_Lock_release arginfo_class_Seqshare_Share_dropWrite

ZEND_FUNCTION(seqshare_get);
ZEND_FUNCTION(seqshare_version);
ZEND_FUNCTION(seqshare_age);
ZEND_METHOD(Seqshare_Share, __construct);
ZEND_METHOD(Seqshare_Share, open);
ZEND_METHOD(Seqshare_Share, create);
ZEND_METHOD(Seqshare_Share, replace);
ZEND_METHOD(Seqshare_Share, anonymous);
ZEND_METHOD(Seqshare_Share, attach);
ZEND_METHOD(Seqshare_Share, unlink);
ZEND_METHOD(Seqshare_Share, snapshot);
ZEND_METHOD(Seqshare_Share, get);
ZEND_METHOD(Seqshare_Share, version);
ZEND_METHOD(Seqshare_Share, age);
ZEND_METHOD(Seqshare_Share, stat);
ZEND_METHOD(Seqshare_Share, set);
ZEND_METHOD(Seqshare_Share, setIf);
ZEND_METHOD(Seqshare_Share, setJson);
ZEND_METHOD(Seqshare_Share, setBytes);
ZEND_METHOD(Seqshare_Share, update);
ZEND_METHOD(Seqshare_Share, lock);
ZEND_METHOD(Seqshare_Share, wait);
ZEND_METHOD(Seqshare_Share, dropWrite);
ZEND_METHOD(Seqshare_Lock, __construct);
ZEND_METHOD(Seqshare_Lock, isRecovered);
ZEND_METHOD(Seqshare_Lock, release);

static const zend_function_entry ext_functions[] = {ZEND_FE(seqshare_get, arginfo_seqshare_get) ZEND_FE(
    seqshare_version, arginfo_seqshare_version) ZEND_FE(seqshare_age, arginfo_seqshare_age) ZEND_FE_END};

static const zend_function_entry class_Seqshare_Exception_methods[] = {ZEND_FE_END};

static const zend_function_entry class_Seqshare_Share_methods[] = {
    ZEND_ME(Seqshare_Share, __construct, arginfo_class_Seqshare_Share___construct, ZEND_ACC_PRIVATE) ZEND_ME(
        Seqshare_Share, open, arginfo_class_Seqshare_Share_open, ZEND_ACC_PUBLIC | ZEND_ACC_STATIC)
        ZEND_ME(Seqshare_Share, create, arginfo_class_Seqshare_Share_create,
                ZEND_ACC_PUBLIC | ZEND_ACC_STATIC) ZEND_ME(Seqshare_Share, replace,
                                                           arginfo_class_Seqshare_Share_replace,
                                                           ZEND_ACC_PUBLIC | ZEND_ACC_STATIC)
            ZEND_ME(Seqshare_Share, anonymous, arginfo_class_Seqshare_Share_anonymous,
                    ZEND_ACC_PUBLIC | ZEND_ACC_STATIC) ZEND_ME(Seqshare_Share, attach,
                                                               arginfo_class_Seqshare_Share_attach,
                                                               ZEND_ACC_PUBLIC | ZEND_ACC_STATIC)
                ZEND_ME(Seqshare_Share, unlink, arginfo_class_Seqshare_Share_unlink,
                        ZEND_ACC_PUBLIC | ZEND_ACC_STATIC) ZEND_ME(Seqshare_Share, snapshot,
                                                                   arginfo_class_Seqshare_Share_snapshot,
                                                                   ZEND_ACC_PUBLIC)
                    ZEND_ME(Seqshare_Share, get, arginfo_class_Seqshare_Share_get, ZEND_ACC_PUBLIC) ZEND_ME(
                        Seqshare_Share, version, arginfo_class_Seqshare_Share_version, ZEND_ACC_PUBLIC)
                        ZEND_ME(Seqshare_Share, age, arginfo_class_Seqshare_Share_age, ZEND_ACC_PUBLIC)
                            ZEND_ME(Seqshare_Share, stat, arginfo_class_Seqshare_Share_stat, ZEND_ACC_PUBLIC)
                                ZEND_ME(Seqshare_Share, set, arginfo_class_Seqshare_Share_set,
                                        ZEND_ACC_PUBLIC) ZEND_ME(Seqshare_Share, setIf,
                                                                 arginfo_class_Seqshare_Share_setIf,
                                                                 ZEND_ACC_PUBLIC)
                                    ZEND_ME(Seqshare_Share, setJson, arginfo_class_Seqshare_Share_setJson,
                                            ZEND_ACC_PUBLIC) ZEND_ME(Seqshare_Share, setBytes,
                                                                     arginfo_class_Seqshare_Share_setBytes,
                                                                     ZEND_ACC_PUBLIC)
                                        ZEND_ME(Seqshare_Share, update, arginfo_class_Seqshare_Share_update,
                                                ZEND_ACC_PUBLIC)
                                            ZEND_ME(Seqshare_Share, lock, arginfo_class_Seqshare_Share_lock,
                                                    ZEND_ACC_PUBLIC)
                                                ZEND_ME(Seqshare_Share, wait,
                                                        arginfo_class_Seqshare_Share_wait, ZEND_ACC_PUBLIC)
                                                    ZEND_ME(Seqshare_Share, dropWrite,
                                                            arginfo_class_Seqshare_Share_dropWrite,
                                                            ZEND_ACC_PUBLIC) ZEND_FE_END};

static const zend_function_entry class_Seqshare_Lock_methods[] = {
    ZEND_ME(Seqshare_Lock, __construct, arginfo_class_Seqshare_Lock___construct, ZEND_ACC_PRIVATE)
        ZEND_ME(Seqshare_Lock, isRecovered, arginfo_class_Seqshare_Lock_isRecovered, ZEND_ACC_PUBLIC)
            ZEND_ME(Seqshare_Lock, release, arginfo_class_Seqshare_Lock_release, ZEND_ACC_PUBLIC)
                ZEND_FE_END};

static zend_class_entry *register_class_Seqshare_Exception(zend_class_entry *class_entry_RuntimeException)
{
    zend_class_entry ce, *class_entry;

    INIT_NS_CLASS_ENTRY(ce, "Seqshare", "Exception", class_Seqshare_Exception_methods);
    class_entry = zend_register_internal_class_ex(&ce, class_entry_RuntimeException);

    return class_entry;
}

static zend_class_entry *register_class_Seqshare_Share(void)
{
    zend_class_entry ce, *class_entry;

    INIT_NS_CLASS_ENTRY(ce, "Seqshare", "Share", class_Seqshare_Share_methods);
    class_entry = zend_register_internal_class_ex(&ce, NULL);
    class_entry->ce_flags |= ZEND_ACC_FINAL | ZEND_ACC_NO_DYNAMIC_PROPERTIES | ZEND_ACC_NOT_SERIALIZABLE;

    return class_entry;
}

static zend_class_entry *register_class_Seqshare_Lock(void)
{
    zend_class_entry ce, *class_entry;

    INIT_NS_CLASS_ENTRY(ce, "Seqshare", "Lock", class_Seqshare_Lock_methods);
    class_entry = zend_register_internal_class_ex(&ce, NULL);
    class_entry->ce_flags |= ZEND_ACC_FINAL | ZEND_ACC_NO_DYNAMIC_PROPERTIES | ZEND_ACC_NOT_SERIALIZABLE;

    return class_entry;
}
