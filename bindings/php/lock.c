/* SPDX-License-Identifier: MIT */
/* The class Seqshare\Lock: a held lock, which ends with the object, also after a fatal error. */
#include "php_seqshare.h"

struct lock_object {
    zend_object *share; /* whose handle has the lock; NULL: given back */
    bool recovered;
    zend_object std;
};

zend_class_entry *lock_class;
static zend_object_handlers handlers;

static struct lock_object *lock_of_object(zend_object *object)
{
    return (struct lock_object *)((char *)object - XtOffsetOf(struct lock_object, std));
}

static zend_object *create(zend_class_entry *class)
{
    struct lock_object *lock = zend_object_alloc(sizeof *lock, class);

    zend_object_std_init(&lock->std, class);
    object_properties_init(&lock->std, class);
    lock->std.handlers = &handlers;
    return &lock->std;
}

static void release(struct lock_object *lock)
{
    zend_object *share = lock->share;

    if (!share)
        return;
    lock->share = NULL;
    seqshare_unlock(
        share_of_object(share)->writer); /* -EPERM in a child of pcntl_fork: the lock is the parent's */
    OBJ_RELEASE(share);
}

/* When all objects are gone by themselves: the share may have been freed before this one. */
static void free_lock(zend_object *object)
{
    struct lock_object *lock = lock_of_object(object);

    if (lock->share && !(OBJ_FLAGS(lock->share) & IS_OBJ_FREE_CALLED))
        seqshare_unlock(share_of_object(lock->share)->writer);
    if (lock->share)
        OBJ_RELEASE(lock->share);
    lock->share = NULL;
    zend_object_std_dtor(object);
}

void lock_new(zval *to, struct share_object *share, bool recovered)
{
    struct lock_object *lock;

    object_init_ex(to, lock_class);
    lock = lock_of_object(Z_OBJ_P(to));
    lock->share = &share->std;
    GC_ADDREF(lock->share);
    lock->recovered = recovered;
}

ZEND_METHOD(Seqshare_Lock, __construct)
{
    ZEND_PARSE_PARAMETERS_NONE();
}

ZEND_METHOD(Seqshare_Lock, isRecovered)
{
    ZEND_PARSE_PARAMETERS_NONE();
    RETURN_BOOL(lock_of_object(Z_OBJ_P(ZEND_THIS))->recovered);
}

ZEND_METHOD(Seqshare_Lock, release)
{
    ZEND_PARSE_PARAMETERS_NONE();
    release(lock_of_object(Z_OBJ_P(ZEND_THIS)));
}

void lock_register(void)
{
    lock_class->create_object = create;
    handlers = *zend_get_std_object_handlers();
    handlers.offset = XtOffsetOf(struct lock_object, std);
    handlers.free_obj = free_lock;
    handlers.clone_obj = NULL;
}
