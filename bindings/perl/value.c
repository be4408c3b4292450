/* SPDX-License-Identifier: MIT */
/* From the share to a Perl value, and back. */
#define PERL_NO_GET_CONTEXT
#include "EXTERN.h"
#include "perl.h"

#include "share.h"

enum { SMALLEST = 64, SPARE_MAX = 65536, TRIES = 1000 };

/* ---- read ---------------------------------------------------------------------------------------------- */

/*
 * Values of more than a kilobyte make malloc tidy up at each turn, which is dear; so an object keeps one
 * string for all. A caller takes it for itself alone: decoding may run code that reads the same share.
 */
static SV *take_spare(pTHX_ struct share_object *object)
{
    SV *bytes = object->spare ? object->spare : newSV(0);

    object->spare = NULL;
    (void)SvUPGRADE(bytes, SVt_PV);
    return sv_2mortal(bytes);
}

/*
 * Unless other code has it as well. (A copy on write does no harm: SvGROW parts from it before the next value
 * comes.)
 */
static void give_spare(struct share_object *object, SV *bytes)
{
    if (object->handle && !object->spare && SvREFCNT(bytes) == 1 && SvLEN(bytes) <= SPARE_MAX)
        object->spare = SvREFCNT_inc_simple_NN(bytes);
}

/* The current value into `bytes`, its facts into *reading. False when nothing has been published. */
static bool read_bytes(pTHX_ const char *method, const seqshare *share, SV *bytes, seqshare_reading *reading)
{
    size_t room = SMALLEST;
    int error = -ENOBUFS;

    for (int i = 0; i < TRIES && error == -ENOBUFS; i++) { /* it may grow meanwhile */
        SvGROW(bytes, room + 1);
        *reading = (seqshare_reading){.bytes = SvPVX(bytes), .size = SvLEN(bytes) - 1};
        error = seqshare_read(share, reading);
        room = reading->length;
    }
    if (error == -ENODATA)
        return false;
    if (error)
        refuse_error(aTHX_ method, error);
    SvCUR_set(bytes, reading->length);
    *SvEND(bytes) = '\0';
    SvPOK_only(bytes);
    return true;
}

/* A fresh value, as a mortal; NULL when nothing has been published. */
SV *read_value(pTHX_ const char *method, struct share_object *object, uint64_t *version)
{
    seqshare_reading reading;
    SV *bytes = take_spare(aTHX_ object), *value;

    if (!read_bytes(aTHX_ method, object_share(object), bytes, &reading))
        return NULL;
    object->seen = *version = reading.version;
    value = codec_decode(aTHX_ object->codec, method, bytes, reading.tag);
    if (value != bytes)
        give_spare(object, bytes);
    return value;
}

/* ---- write --------------------------------------------------------------------------------------------- */

static void refuse_length(pTHX_ const struct share_object *object, const char *method, STRLEN length)
{
    refuse_with(aTHX_ sv_2mortal(newSVpvf("%s: the value does not fit: it needs a size of at least %" UVuf
                                          ", and the share has %" UVuf "; nothing was changed",
                                          method, (UV)length, (UV)seqshare_capacity(object->handle->share))));
}

/* The new version; 0: `expected` (if not NULL) is not the current one, *expected is. */
static uint64_t publish(pTHX_ const char *method, struct share_object *object, SV *bytes, uint32_t tag,
                        uint64_t *expected)
{
    seqshare *share = object_share(object);
    uint64_t version = 0;
    bool unlock;
    int error = 0;

    if (SvCUR(bytes) > seqshare_capacity(share))
        refuse_length(aTHX_ object, method, SvCUR(bytes));
    unlock = lock_briefly(aTHX_ method, object);
    if (!expected || *expected == seqshare_version(share)) {
        error = seqshare_set_typed(share, SvPVX(bytes), SvCUR(bytes), tag);
        version = seqshare_version(share);
    } else {
        *expected = seqshare_version(share);
    }
    if (unlock)
        (void)seqshare_unlock(share); /* it was taken in this very call */
    if (error)
        refuse_error(aTHX_ method, error);
    if (version)
        object->seen = version;
    return version;
}

/* The same from a Perl value. */
uint64_t write_value(pTHX_ const char *method, struct share_object *object, SV *value, uint64_t *expected)
{
    uint32_t tag;
    SV *bytes = codec_encode(aTHX_ object->codec, method, value, &tag);

    if (!object->handle) /* a hook of the value's class may have closed it */
        refuse(aTHX_ method, "the share is closed");
    return publish(aTHX_ method, object, bytes, tag, expected);
}
