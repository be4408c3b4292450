/* SPDX-License-Identifier: MIT */
/* Seqshare and IPC::Mmap::Share: what Perl calls. */
#define PERL_NO_GET_CONTEXT
#include "EXTERN.h"
#include "perl.h"
#include "XSUB.h"

#include <unistd.h>

#include "readonly.h"
#include "share.h"

/* A wait is cut into slices, so that perl's signal handlers run in between. */
static const int64_t WAIT_SLICE_NS = 1000000000;

/* ---- update -------------------------------------------------------------------------------------------- */

static void unlock_on_exit(pTHX_ void *hash)
{
    struct share_object *object = object_of_hash((SV *)hash);

    if (object)
        give_lock_back(object);
}

/*
 * Call `code` with the current value in $_ and $_[0]: what it returns, or NULL if it returned nothing. On
 * a stack of its own: a `last` in it would otherwise leave a loop of the caller's, and this C code
 * behind.
 */
static SV *call_update(pTHX_ SV *code, SV *value)
{
    dSP;
    I32 count;
    SV *result;

    SAVE_DEFSV;
    DEFSV_set(value); /* uncounted, like the argument: it is a mortal of the caller */
    PUSHSTACKi(PERLSI_UNKNOWN);
    PUSHMARK(SP);
    XPUSHs(value);
    PUTBACK;
    count = call_sv(code, G_LIST);
    SPAGAIN;
    result = count == 1 ? SvREFCNT_inc(TOPs) : NULL;
    SP -= count;
    PUTBACK;
    POPSTACK;
    if (count > 1)
        refuse(aTHX_ "update", "the sub returned more than one value: return one (a reference for a "
                               "structure), or none to keep the old one");
    return result ? sv_2mortal(result) : NULL;
}

/* ---- stat ---------------------------------------------------------------------------------------------- */

static void store(pTHX_ HV *hash, const char *key, SV *value)
{
    (void)hv_store(hash, key, (I32)strlen(key), value, 0);
}

static SV *seconds(pTHX_ int64_t ns)
{
    return ns ? newSVnv((NV)ns / 1e9) : newSV(0);
}

static HV *stat_hash(pTHX_ const struct seqshare_stat *stat)
{
    HV *hash = newHV();
    const char *codec = codec_of_tag(stat->tag);
    char id[33];

    for (int i = 0; i < 16; i++)
        snprintf(id + 2 * i, 3, "%02x", stat->region_id[i]);
    store(aTHX_ hash, "version", new_u64(aTHX_ stat->version));
    store(aTHX_ hash, "length", new_u64(aTHX_ stat->length));
    store(aTHX_ hash, "capacity", new_u64(aTHX_ stat->capacity));
    store(aTHX_ hash, "allocated", new_u64(aTHX_ stat->allocated));
    store(aTHX_ hash, "created", seconds(aTHX_ stat->created));
    store(aTHX_ hash, "published", seconds(aTHX_ stat->published));
    store(aTHX_ hash, "retries", new_u64(aTHX_ stat->retries));
    store(aTHX_ hash, "region_id", newSVpvn(id, 32));
    store(aTHX_ hash, "codec", stat->version && codec ? newSVpv(codec, 0) : newSV(0));
    store(aTHX_ hash, "tag", newSVuv(stat->tag));
    store(aTHX_ hash, "slots", newSVuv(stat->slots));
    store(aTHX_ hash, "writer", newSViv(stat->writer));
    store(aTHX_ hash, "owner", newSViv(stat->owner));
    store(aTHX_ hash, "owner_alive", newSVsv(boolSV(stat->owner_alive)));
    store(aTHX_ hash, "retired", newSVsv(boolSV(stat->retired)));
    store(aTHX_ hash, "replaced", newSVsv(boolSV(stat->replaced)));
    store(aTHX_ hash, "unlinked", newSVsv(boolSV(stat->unlinked)));
    store(aTHX_ hash, "writable", newSVsv(boolSV(stat->writable)));
    return hash;
}

/* ---- names for the XS part ----------------------------------------------------------------------------- */

static int access_of(bool write, bool any_owner)
{
    return (write ? SEQSHARE_WRITE : SEQSHARE_READ) | (any_owner ? SEQSHARE_ANY_OWNER : 0);
}

/* A new object, or the error said. */
static SV *made(pTHX_ const char *method, const char *class, int error, seqshare *share, const char *name,
                int access, IV codec)
{
    if (error)
        refuse_error(aTHX_ method, error);
    return new_object(aTHX_ class, share, name, access, codec);
}

MODULE = Seqshare    PACKAGE = Seqshare

PROTOTYPES: DISABLE

BOOT:
    codecs_boot(aTHX);

void
CLONE(const char *class)
    CODE:
        if (strcmp(class, "Seqshare") == 0) /* perl calls it for each subclass, too */
            codecs_clone(aTHX);

bool
_load_json()
    CODE:
        RETVAL = codec_load_json();
    OUTPUT:
        RETVAL

void
_refuse(const char *sentence)
    CODE:
        refuse_with(aTHX_ sv_2mortal(newSVpv(sentence, 0)));

SV *
_new(const char *class, UV size, unsigned slots, IV codec)
    PREINIT:
        seqshare *share = NULL;
        int error;
    CODE:
        error = seqshare_new_slots(&share, size, slots);
        RETVAL = made(aTHX_ "new", class, error, share, NULL, SEQSHARE_WRITE, codec);
    OUTPUT:
        RETVAL

SV *
_create(const char *class, const char *name, UV size, UV mode, IV codec)
    ALIAS:
        _replace = 1
    PREINIT:
        seqshare *share = NULL;
        int error;
    CODE:
        error = (ix ? seqshare_replace : seqshare_create)(&share, name, size, (mode_t)mode);
        RETVAL = made(aTHX_ ix ? "replace" : "create", class, error, share, name, SEQSHARE_WRITE, codec);
    OUTPUT:
        RETVAL

SV *
_open(const char *class, const char *name, bool write, bool any_owner, IV codec)
    PREINIT:
        seqshare *share = NULL;
        int error;
    CODE:
        error = seqshare_open(&share, name, access_of(write, any_owner));
        RETVAL = made(aTHX_ "open", class, error, share, name, access_of(write, any_owner), codec);
    OUTPUT:
        RETVAL

SV *
_attach(const char *class, int fd, bool write, bool any_owner, IV codec)
    PREINIT:
        seqshare *share = NULL;
        int error;
    CODE:
        error = seqshare_attach(&share, fd, access_of(write, any_owner));
        RETVAL = made(aTHX_ "attach", class, error, share, NULL, access_of(write, any_owner), codec);
    OUTPUT:
        RETVAL

void
_unlink(const char *name)
    PREINIT:
        int error;
    CODE:
        error = seqshare_unlink(name);
        if (error)
            refuse_error(aTHX_ "unlink", error);

void
set(SV *self, ...)
    PREINIT:
        struct share_object *object;
        uint64_t version;
    PPCODE:
        object = hold_object(aTHX_ "set", self);
        if (items != 2)
            refuse(aTHX_ "set", items < 2 ? "no value given" : "give one value: a reference for a list");
        PUTBACK;
        version = write_value(aTHX_ "set", object, ST(1), NULL);
        SPAGAIN;
        mXPUSHs(new_u64(aTHX_ version));

void
get(SV *self)
    PREINIT:
        struct share_object *object;
        uint64_t version;
        SV *value;
    PPCODE:
        object = hold_object(aTHX_ "get", self);
        PUTBACK;
        value = read_value(aTHX_ "get", object, &version);
        SPAGAIN;
        XPUSHs(value ? value : sv_newmortal());

void
snapshot(SV *self)
    PREINIT:
        struct share_object *object;
        SV *value;
    PPCODE:
        object = open_object(aTHX_ "snapshot", self);
        PUTBACK;
        value = find_snapshot(aTHX_ self, object);
        SPAGAIN;
        XPUSHs(value ? sv_2mortal(SvREFCNT_inc_simple_NN(value)) : &PL_sv_undef);

void
_decode(SV *self)
    CODE:
        decode_snapshot(aTHX_ open_object(aTHX_ "snapshot", self));

void
version(SV *self)
    PPCODE:
        PUSHs(sv_2mortal(new_u64(aTHX_ seqshare_version(object_share(open_object(aTHX_ "version", self))))));

void
set_if(SV *self, SV *version, SV *value)
    PREINIT:
        struct share_object *object;
        uint64_t expected, published;
    PPCODE:
        object = hold_object(aTHX_ "set_if", self);
        if (!SvOK(version) || !looks_like_number(version) || SvNV(version) < 0)
            refuse(aTHX_ "set_if", "the version must be a number such as version() returns");
        expected = SvUV(version);
        PUTBACK;
        published = write_value(aTHX_ "set_if", object, value, &expected);
        SPAGAIN;
        mXPUSHs(published ? new_u64(aTHX_ published) : newSV(0));

void
update(SV *self, SV *code)
    PREINIT:
        struct share_object *object;
        uint64_t version = 0;
        SV *value;
    PPCODE:
        object = hold_object(aTHX_ "update", self);
        if (!SvROK(code) || SvTYPE(SvRV(code)) != SVt_PVCV)
            refuse(aTHX_ "update", "the argument must be a sub, which gets the value");
        PUTBACK;
        ENTER;
        if (!holds_lock(object) && lock_briefly(aTHX_ "update", object)) {
            object->lock_number++;
            object->locked_by = getpid();
            SAVEDESTRUCTOR_X(unlock_on_exit, SvRV(self));
        }
        value = read_value(aTHX_ "update", object, &version);
        value = call_update(aTHX_ code, value ? value : sv_newmortal());
        if (!object->handle)
            refuse(aTHX_ "update", "the share is closed");
        version = value ? write_value(aTHX_ "update", object, value, NULL) : version;
        LEAVE;
        SPAGAIN;
        mXPUSHs(new_u64(aTHX_ version));

void
_lock(SV *self, SV *seconds)
    PREINIT:
        struct share_object *object;
        int result;
    PPCODE:
        object = hold_object(aTHX_ "lock", self);
        result = lock_and_hold(aTHX_ "lock", object, ns_of(aTHX_ "lock", seconds));
        if (result < 0)
            XSRETURN_EMPTY;
        EXTEND(SP, 2);
        mPUSHu(object->lock_number);
        PUSHs(boolSV(result == 1));

bool
_unlock(SV *self, UV lock_number)
    PREINIT:
        struct share_object *object;
    CODE:
        object = find_object(self);
        RETVAL = object && object->lock_number == lock_number && holds_lock(object);
        if (RETVAL)
            give_lock_back(object);
    OUTPUT:
        RETVAL

bool
is_locked(SV *self)
    CODE:
        RETVAL = holds_lock(open_object(aTHX_ "is_locked", self));
    OUTPUT:
        RETVAL

bool
wait(SV *self, SV *seconds = NULL)
    PREINIT:
        struct share_object *object;
        int64_t end, left, ns;
        int result;
    CODE:
        object = hold_object(aTHX_ "wait", self);
        ns = ns_of(aTHX_ "wait", seconds);
        end = ns < 0 ? INT64_MAX : now_ns() + ns;
        do {
            left = ns < 0 ? WAIT_SLICE_NS : end - now_ns();
            left = left < 0 ? 0 : left < WAIT_SLICE_NS ? left : WAIT_SLICE_NS;
            result = seqshare_wait(object_share(object), object->seen, left);
            PERL_ASYNC_CHECK();
            if (!object->handle)
                refuse(aTHX_ "wait", "the share is closed");
            if (result == -EIDRM && follow_name(object) == 1) {
                begin_anew(object);
                result = -EINTR; /* look at what stands there */
            }
        } while (result == -EINTR || (result == -ETIMEDOUT && now_ns() < end));
        if (result < 0 && result != -ETIMEDOUT)
            refuse_error(aTHX_ "wait", result);
        RETVAL = result == 0;
    OUTPUT:
        RETVAL

int
_fd(SV *self, bool write)
    CODE:
        RETVAL = seqshare_fd(object_share(open_object(aTHX_ "fd", self)), access_of(write, false));
        if (RETVAL < 0)
            refuse_error(aTHX_ "fd", RETVAL);
    OUTPUT:
        RETVAL

bool
reopen(SV *self)
    PREINIT:
        struct share_object *object;
        int result;
    CODE:
        object = open_object(aTHX_ "reopen", self);
        result = follow_name(object);
        if (result < 0)
            refuse_error(aTHX_ "reopen", result);
        if (result == 1) {
            forget_snapshot(aTHX_ object);
            begin_anew(object);
        }
        RETVAL = result == 1;
    OUTPUT:
        RETVAL

bool
retired(SV *self)
    CODE:
        RETVAL = seqshare_retired(object_share(open_object(aTHX_ "retired", self)));
    OUTPUT:
        RETVAL

void
drop_write(SV *self)
    ALIAS:
        prefault = 1
    PREINIT:
        struct share_object *object;
        int error;
    CODE:
        object = open_object(aTHX_ ix ? "prefault" : "drop_write", self);
        error = ix ? seqshare_prefault(object_share(object)) : seqshare_drop_write(object_share(object));
        if (error)
            refuse_error(aTHX_ ix ? "prefault" : "drop_write", error);

UV
capacity(SV *self)
    CODE:
        RETVAL = seqshare_capacity(object_share(open_object(aTHX_ "capacity", self)));
    OUTPUT:
        RETVAL

void
stat(SV *self)
    PREINIT:
        struct seqshare_stat stat;
        int error;
    PPCODE:
        error = seqshare_stat(object_share(open_object(aTHX_ "stat", self)), &stat);
        if (error)
            refuse_error(aTHX_ "stat", error);
        mPUSHs(newRV_noinc((SV *)stat_hash(aTHX_ &stat)));

void
close(SV *self)
    PREINIT:
        struct share_object *object;
    CODE:
        object = find_object(self);
        if (!object)
            refuse(aTHX_ "close", "this is not a share");
        let_go(aTHX_ object);

MODULE = Seqshare    PACKAGE = IPC::Mmap::Share

bool
set(SV *self, ...)
    PREINIT:
        struct share_object *object;
    CODE:
        object = hold_object(aTHX_ "set", self);
        if (items < 2)
            refuse(aTHX_ "set", "no value given");
        RETVAL = write_value(aTHX_ "set", object, ST(1), NULL) != 0;
    OUTPUT:
        RETVAL

void
get(SV *self)
    PREINIT:
        uint64_t version;
        SV *value;
    PPCODE:
        PUTBACK;
        value = read_value(aTHX_ "get", hold_object(aTHX_ "get", self), &version);
        SPAGAIN;
        if (!value)
            refuse(aTHX_ "get", "nothing has been stored yet");
        XPUSHs(value);

bool
lock(SV *self)
    CODE:
        RETVAL = lock_and_hold(aTHX_ "lock", hold_object(aTHX_ "lock", self), -1) >= 0;
    OUTPUT:
        RETVAL

bool
unlock(SV *self)
    PREINIT:
        struct share_object *object;
        int error;
    CODE:
        object = open_object(aTHX_ "unlock", self);
        error = seqshare_unlock(object_share(object));
        if (error)
            refuse(aTHX_ "unlock",
                   error == -EPERM ? "this thread does not own the lock" : seqshare_strerror(error));
        object->locked_by = 0;
        RETVAL = true;
    OUTPUT:
        RETVAL

void
DESTROY(SV *self)
    PREINIT:
        struct share_object *object;
    CODE:
        object = find_object(self); /* may be called by hand; the share itself goes with the last reference */
        if (object)
            give_lock_back(object);
