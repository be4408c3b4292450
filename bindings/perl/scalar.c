/* SPDX-License-Identifier: MIT */
/*
 * Plain scalars: undef, booleans, numbers, strings. Storable and Sereal keep them too, but at the price
 * of a structure; most shares of one flag or one rate are read far more often than that. Written as the
 * scalar's bytes and, after them, one byte for their kind: so a string can be cut out without
 * copying it again.
 */
#define PERL_NO_GET_CONTEXT
#include "EXTERN.h"
#include "perl.h"

#include "share.h"

#ifndef SvIsBOOL /* before perl 5.36 there are none */
#define SvIsBOOL(sv) false
#endif

enum {
    KIND_UNDEF = 'z',
    KIND_TRUE = 't',
    KIND_FALSE = 'f',
    KIND_INTEGER = 'i',
    KIND_UNSIGNED = 'u',
    KIND_NUMBER = 'n',
    KIND_BYTES = 'b',
    KIND_CHARACTERS = 'c'
};

bool is_plain_scalar(pTHX_ SV *value)
{
    return !SvROK(value) && SvTYPE(value) < SVt_PVAV && SvTYPE(value) != SVt_REGEXP && !isGV_with_GP(value);
}

static SV *written(pTHX_ const void *bytes, STRLEN length, char kind)
{
    SV *out = sv_2mortal(newSV(length + 1));
    char *to = SvPVX(out);

    if (length > 0)
        memcpy(to, bytes, length);
    to[length] = kind;
    SvCUR_set(out, length + 1);
    SvPOK_only(out);
    return out;
}

SV *scalar_encode(pTHX_ SV *value)
{
    if (!SvOK(value))
        return written(aTHX_ NULL, 0, KIND_UNDEF);
    if (SvIsBOOL(value))
        return written(aTHX_ NULL, 0, SvTRUE_nomg(value) ? KIND_TRUE : KIND_FALSE);
    if (SvPOKp(value)) {
        STRLEN length;
        const char *bytes = SvPV_nomg(value, length);

        return written(aTHX_ bytes, length, SvUTF8(value) ? KIND_CHARACTERS : KIND_BYTES);
    }
    if (SvIOK(value) && SvIsUV(value)) {
        UV number = SvUVX(value);

        return written(aTHX_ & number, sizeof number, KIND_UNSIGNED);
    }
    if (SvIOK(value)) {
        IV number = SvIVX(value);

        return written(aTHX_ & number, sizeof number, KIND_INTEGER);
    }
    {
        NV number = SvNV_nomg(value);

        return written(aTHX_ & number, sizeof number, KIND_NUMBER);
    }
}

static SV *string(pTHX_ SV *bytes, STRLEN length, bool characters)
{
    if (characters && !is_utf8_string((const U8 *)SvPVX(bytes), length))
        return NULL; /* perl trusts the mark; the share need not be trusted */
    SvCUR_set(bytes, length);
    *SvEND(bytes) = '\0';
    if (characters)
        SvUTF8_on(bytes);
    return bytes;
}

/* The number's own bytes, and no others. */
static bool number(void *to, size_t size, const char *from, STRLEN length)
{
    if (length != size)
        return false;
    memcpy(to, from, size);
    return true;
}

SV *scalar_decode(pTHX_ SV *bytes)
{
    const char *from = SvPVX(bytes);
    STRLEN length = SvCUR(bytes);
    IV integer;
    UV natural;
    NV real;

    if (length-- == 0)
        return NULL;
    switch (from[length]) {
    case KIND_BYTES:
    case KIND_CHARACTERS:
        return string(aTHX_ bytes, length, from[length] == KIND_CHARACTERS);
    case KIND_INTEGER:
        if (!number(&integer, sizeof integer, from, length))
            return NULL;
        sv_setiv(bytes, integer);
        return bytes;
    case KIND_UNSIGNED:
        if (!number(&natural, sizeof natural, from, length))
            return NULL;
        sv_setuv(bytes, natural);
        return bytes;
    case KIND_NUMBER:
        if (!number(&real, sizeof real, from, length))
            return NULL;
        sv_setnv(bytes, real);
        return bytes;
    case KIND_TRUE:
        sv_setsv(bytes, &PL_sv_yes);
        return bytes;
    case KIND_FALSE:
        sv_setsv(bytes, &PL_sv_no);
        return bytes;
    case KIND_UNDEF:
        sv_setsv(bytes, &PL_sv_undef);
        return bytes;
    default:
        return NULL;
    }
}
