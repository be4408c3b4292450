/* SPDX-License-Identifier: MIT */
/* The object behind a Seqshare: its life, in one thread and many, and its lock. */
#define PERL_NO_GET_CONTEXT
#include "EXTERN.h"
#include "perl.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "share.h"

enum { SLICE_NS = 50000000 };

/* ---- objects ------------------------------------------------------------------------------------------- */

bool holds_lock(const struct share_object *object)
{
    return object->locked_by != 0 && object->locked_by == getpid();
}

void give_lock_back(struct share_object *object)
{
    if (holds_lock(object) && object->handle)
        (void)seqshare_unlock(object->handle->share); /* -EPERM: another thread's clone; nothing to do */
    object->locked_by = 0;
}

static void leave_handle(struct handle *handle)
{
    /* Acquire and release: the last user comes after all uses. */
    if (!handle || __atomic_sub_fetch(&handle->users, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    seqshare_close(handle->share);
    free(handle->name);
    free(handle);
}

void let_go(pTHX_ struct share_object *object)
{
    struct handle *handle = object->handle;
    SV *spare = object->spare, *value = object->latest.value, *trouble = object->latest.trouble;

    give_lock_back(object);
    object->handle = NULL;
    object->spare = object->latest.value = object->latest.trouble = NULL;
    leave_handle(handle);
    SvREFCNT_dec(spare);
    SvREFCNT_dec(trouble);
    SvREFCNT_dec(value); /* last: its destructors may call in */
}

static int object_free(pTHX_ SV *sv, MAGIC *magic)
{
    PERL_UNUSED_ARG(sv);
    let_go(aTHX_(struct share_object *) magic->mg_ptr);
    Safefree(magic->mg_ptr);
    return 0;
}

/* A new thread gets clones of all objects: the same handle, but neither the lock nor the snapshot. */
static int object_dup(pTHX_ MAGIC *magic, CLONE_PARAMS *params)
{
    const struct share_object *old = (const struct share_object *)magic->mg_ptr;
    struct share_object *object;

    PERL_UNUSED_ARG(params);
    Newxz(object, 1, struct share_object);
    object->handle = old->handle;
    object->codec = old->codec;
    object->seen = old->seen;
    if (object->handle)
        __atomic_add_fetch(&object->handle->users, 1, __ATOMIC_RELAXED); /* the old object keeps it alive */
    magic->mg_ptr = (char *)object;
    return 0;
}

static const MGVTBL object_magic = {.svt_free = object_free, .svt_dup = object_dup};

/* Makes a path absolute: a relative one would be another after chdir. NULL: none, or no memory. */
static char *copy_of_name(const char *name)
{
    char folder[PATH_MAX], *copy = NULL;

    if (!name || !strchr(name, '/') || *name == '/')
        return name ? strdup(name) : NULL;
    if (getcwd(folder, sizeof folder) && asprintf(&copy, "%s/%s", folder, name) < 0)
        return NULL;
    return copy;
}

/* NULL: no memory. */
static struct handle *new_handle(seqshare *share, char *name, int access)
{
    struct handle *handle = malloc(sizeof *handle);

    if (handle)
        *handle = (struct handle){share, 1, name, access & SEQSHARE_ANY_OWNER};
    return handle;
}

SV *new_object(pTHX_ const char *class, seqshare *share, const char *name, int access, IV codec)
{
    HV *hash = newHV();
    struct share_object *object;
    MAGIC *magic;

    Newxz(object, 1, struct share_object);
    object->handle = new_handle(share, copy_of_name(name), access);
    if (!object->handle)
        refuse_error(aTHX_ "a share", -ENOMEM);
    object->codec = (enum codec)codec;
    magic = sv_magicext((SV *)hash, NULL, PERL_MAGIC_ext, &object_magic, (const char *)object, 0);
    magic->mg_flags |= MGf_DUP;
    return sv_bless(newRV_noinc((SV *)hash), gv_stashpv(class, GV_ADD));
}

struct share_object *object_of_hash(const SV *hash)
{
    const MAGIC *magic = SvTYPE(hash) == SVt_PVHV ? mg_findext(hash, PERL_MAGIC_ext, &object_magic) : NULL;

    return magic ? (struct share_object *)magic->mg_ptr : NULL;
}

struct share_object *find_object(SV *self)
{
    return SvROK(self) ? object_of_hash(SvRV(self)) : NULL;
}

struct share_object *open_object(pTHX_ const char *method, SV *self)
{
    struct share_object *object = find_object(self);

    if (!object)
        refuse(aTHX_ method, "this is not a share");
    if (!object->handle)
        refuse(aTHX_ method, "the share is closed");
    return object;
}

/* For methods that run the program's code: a hook, or a signal handler, may drop the last reference. */
struct share_object *hold_object(pTHX_ const char *method, SV *self)
{
    struct share_object *object = open_object(aTHX_ method, self);

    sv_2mortal(SvREFCNT_inc_simple_NN(SvRV(self)));
    return object;
}

seqshare *object_share(struct share_object *object)
{
    return object->handle->share;
}

/* Clones stay at their region until they follow by themselves: this object gets a handle of its own. */
static int leave_others(struct share_object *object)
{
    struct handle *old = object->handle, *handle;
    struct seqshare_stat stat;
    int result = old->name ? seqshare_named(old->share) : -EINVAL;
    seqshare *share;
    char *name;

    if (result != 0)
        return result < 0 ? result : 0;
    result = seqshare_stat(old->share, &stat);
    if (!result)
        result =
            seqshare_open(&share, old->name, (stat.writable ? SEQSHARE_WRITE : SEQSHARE_READ) | old->access);
    if (result)
        return result;
    name = strdup(old->name);
    handle = name ? new_handle(share, name, old->access) : NULL;
    if (!handle) {
        free(name);
        seqshare_close(share);
        return -ENOMEM;
    }
    object->handle = handle;
    leave_handle(old);
    return 1;
}

int follow_name(struct share_object *object)
{
    /* Acquire: pairs with leave_handle, so that all uses by objects that let go are over. */
    if (__atomic_load_n(&object->handle->users, __ATOMIC_ACQUIRE) > 1)
        return leave_others(object);
    return seqshare_reopen(object->handle->share);
}

SV *new_u64(pTHX_ uint64_t number)
{
    return sizeof(UV) >= sizeof number ? newSVuv((UV)number) : newSVnv((NV)number);
}

/* ---- clocks -------------------------------------------------------------------------------------------- */

int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t now_coarse_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* -1: for ever. */
int64_t ns_of(pTHX_ const char *method, SV *seconds)
{
    NV number;

    if (!seconds || !SvOK(seconds))
        return -1;
    if (!looks_like_number(seconds) || !((number = SvNV(seconds)) >= 0))
        refuse(aTHX_ method, "the time must be a number of seconds, 0 or more");
    return number > 9e9 ? -1 : (int64_t)(number * 1e9);
}

/* ---- lock ---------------------------------------------------------------------------------------------- */

/* Waits in slices, so that perl's signal handlers run meanwhile; they may die, or close the share. */
static int lock_within(pTHX_ const char *method, struct share_object *object, int64_t ns)
{
    int64_t end = ns < 0 ? INT64_MAX : now_ns() + ns, left = ns < 0 ? SLICE_NS : ns;

    for (;;) {
        int result = seqshare_lock_for(object_share(object), left < SLICE_NS ? left : SLICE_NS);

        if (result != -ETIMEDOUT)
            return result;
        left = end - now_ns();
        if (left <= 0)
            return result;
        PERL_ASYNC_CHECK();
        if (!object->handle)
            refuse(aTHX_ method, "the share is closed");
    }
}

/* For one operation: 1 it is locked now; 0 this thread had the lock before. */
bool lock_briefly(pTHX_ const char *method, struct share_object *object)
{
    int result = lock_within(aTHX_ method, object, -1);

    if (result < 0 && result != -EDEADLK)
        refuse_error(aTHX_ method, result);
    return result >= 0;
}

/* Until give_lock_back: 0, 1 after a dead owner, -ETIMEDOUT. */
int lock_and_hold(pTHX_ const char *method, struct share_object *object, int64_t ns)
{
    int result = lock_within(aTHX_ method, object, ns);

    if (result < 0 && result != -ETIMEDOUT)
        refuse_error(aTHX_ method, result);
    if (result >= 0) {
        object->lock_number++;
        object->locked_by = getpid();
    }
    return result;
}
