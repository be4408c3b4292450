/* SPDX-License-Identifier: MIT */
/*
 * Codecs: from a Perl value to bytes and back. The bytes in a share carry a type tag that says which
 * codec wrote them, so that a reader with another one gets an error and not garbage.
 */
#define PERL_NO_GET_CONTEXT
#include "EXTERN.h"
#include "XSUB.h"
#include "perl.h"

#include <dlfcn.h>

#include "share.h"

static const struct {
    const char *name;
    const char *type;    /* the name in the type tag; NULL: there is none */
    bool reads_untagged; /* a format that other languages and the command line write as well */
    bool has_scalars;    /* plain scalars need not go through the codec */
} traits[CODECS] = {
    [CODEC_RAW] = {"raw", NULL, true, false},
    [CODEC_STORABLE] = {"Storable", "perl.Storable", false, true},
    [CODEC_SEREAL] = {"Sereal", "perl.Sereal", false, true},
    [CODEC_JSON] = {"JSON", "json", true, false},
    [CODEC_CBOR] = {"CBOR", "perl.CBOR", true, false},
};

/* The type tags; the last is that of plain scalars. The same in every thread. */
static uint32_t tags[CODECS + 1];
static uint32_t old_json_tag; /* the tag of earlier releases, before all languages had one for JSON */
static const char SCALAR[] = "scalar";

/* Code and encoder objects belong to an interpreter: each thread loads its own. */
typedef struct {
    struct codec_calls calls[CODECS];
} my_cxt_t;

#define MY_CXT_KEY "Seqshare::_codecs" XS_VERSION
START_MY_CXT

/* A tag of a type without a size: values of one codec have any. */
static uint32_t tag_of(const char *type)
{
    return type ? seqshare_tag(type, strlen(type), 0) : 0;
}

void codecs_boot(pTHX)
{
    MY_CXT_INIT;
    Zero(&MY_CXT, 1, my_cxt_t);
    for (int i = 0; i < CODECS; i++)
        tags[i] = tag_of(traits[i].type);
    tags[CODECS] = tag_of("perl.scalar");
    old_json_tag = tag_of("perl.JSON");
}

void codecs_clone(pTHX)
{
    MY_CXT_CLONE;
    Zero(&MY_CXT, 1, my_cxt_t); /* the parent's are not ours to use, nor to free */
}

/* ---- tags ---------------------------------------------------------------------------------------------- */

static bool is_scalar(enum codec codec, uint32_t tag)
{
    return traits[codec].has_scalars && tag == tags[CODECS];
}

const char *codec_of_tag(uint32_t tag)
{
    for (int i = 0; i < CODECS; i++)
        if (tag == tags[i])
            return traits[i].name;
    if (tag == old_json_tag)
        return traits[CODEC_JSON].name;
    if (tag == SEQSHARE_TAG_CBOR)
        return traits[CODEC_CBOR].name;
    return tag == tags[CODECS] ? SCALAR : NULL;
}

static bool may_read(enum codec codec, uint32_t tag)
{
    if (tag == tags[codec] || (tag == 0 && traits[codec].reads_untagged))
        return true;
    switch (codec) {
    case CODEC_JSON:
        return tag == old_json_tag;
    case CODEC_CBOR:
        return tag == SEQSHARE_TAG_CBOR;
    case CODEC_RAW: /* other languages read it as well; or it is another program's struct, to unpack */
        return tag == SEQSHARE_TAG_JSON || tag == SEQSHARE_TAG_CBOR || !codec_of_tag(tag);
    default:
        return false;
    }
}

static void refuse_tag(pTHX_ const char *method, enum codec codec, uint32_t tag)
{
    const char *writer = codec_of_tag(tag);

    if (writer)
        refuse_with(
            aTHX_ sv_2mortal(newSVpvf("%s: the value was written with the codec %s, but this share reads %s",
                                      method, writer, traits[codec].name)));
    refuse_with(aTHX_ sv_2mortal(
        newSVpvf("%s: another program wrote the value, as a type of its own, but this share reads %s", method,
                 traits[codec].name)));
}

/* ---- JSON ---------------------------------------------------------------------------------------------- */

/*
 * The common grammar of all languages is libseqshare-json's. That needs json-c, and this module does not. So it
 * loads the library when a share first has this codec.
 */
typedef int json_check(const char *text, size_t length, char *why);

static json_check *check_json; /* the same for all threads, whichever finds it */

bool codec_load_json(void)
{
    void *library = dlopen("libseqshare-json.so.0", RTLD_NOW | RTLD_LOCAL);
    void *check = library ? dlsym(library, "seqshare_json_check") : NULL;

    /* Relaxed: the function is there since dlopen returned, in any thread; each thread calls this first. */
    __atomic_store_n(&check_json, (json_check *)(uintptr_t)check, __ATOMIC_RELAXED);
    return check != NULL;
}

/* Is it one document by that grammar? JSON::XS reads and writes others as well. */
static void must_be_json(pTHX_ const char *method, SV *bytes)
{
    char why[160]; /* SEQSHARE_JSON_WHY_SIZE */
    STRLEN length;
    const char *text = SvPV(bytes, length);
    int error = __atomic_load_n(&check_json, __ATOMIC_RELAXED)(text, length, why);

    if (error)
        refuse(aTHX_ method, error == -EBADMSG ? why : seqshare_strerror(error));
}

/* ---- calls --------------------------------------------------------------------------------------------- */

static const struct codec_calls *calls_of(pTHX_ enum codec codec)
{
    dMY_CXT;
    struct codec_calls *calls = &MY_CXT.calls[codec];

    if (!calls->encode) {
        dSP;

        ENTER;
        SAVETMPS;
        PUSHMARK(SP);
        XPUSHs(sv_2mortal(newSVpv(traits[codec].name, 0)));
        PUTBACK;
        (void)call_pv("Seqshare::_load_codec", G_LIST); /* four values, or it croaks */
        SPAGAIN;
        calls->decoder = newSVsv(POPs);
        calls->decode = newSVsv(POPs);
        calls->encoder = newSVsv(POPs);
        calls->encode = newSVsv(POPs);
        PUTBACK;
        FREETMPS;
        LEAVE;
    }
    return calls;
}

/* A mortal: the result of `code` for `argument`. If it succeeds, its $@ does not matter. */
static SV *call(pTHX_ const char *method, SV *code, SV *invocant, SV *argument)
{
    dSP;
    SV *result;
    bool failed;

    ENTER;
    if (SvTRUE(ERRSV))
        save_scalar(PL_errgv);
    SAVETMPS;
    PUSHMARK(SP);
    EXTEND(SP, 2);
    if (SvOK(invocant))
        PUSHs(invocant);
    PUSHs(argument);
    PUTBACK;
    call_sv(code, G_SCALAR | G_EVAL);
    SPAGAIN;
    result = POPs;
    PUTBACK;
    failed = SvTRUE(ERRSV);
    if (failed)
        refuse_exception(aTHX_ method);
    result = SvTEMP(result) ? SvREFCNT_inc_simple_NN(result) : newSVsv(result);
    FREETMPS;
    LEAVE;
    return sv_2mortal(result);
}

/* ---- encode -------------------------------------------------------------------------------------------- */

static SV *raw_encode(pTHX_ const char *method, SV *value)
{
    SV *bytes;

    if (!SvOK(value) || SvROK(value))
        refuse(aTHX_ method, "the codec raw takes a string of bytes, neither a reference nor undef");
    if (SvPOK(value) && !SvUTF8(value))
        return value;
    bytes = sv_mortalcopy_flags(value, SV_DO_COW_SVSETSV | SV_NOSTEAL); /* the caller's stays as it is */
    (void)SvPV_force_nolen(bytes);
    if (!sv_utf8_downgrade(bytes, TRUE))
        refuse(aTHX_ method,
               "the codec raw takes bytes, but this string has wide characters: encode it first");
    return bytes;
}

SV *codec_encode(pTHX_ enum codec codec, const char *method, SV *value, uint32_t *tag)
{
    const struct codec_calls *calls;

    SvGETMAGIC(value);
    if (SvGMAGICAL(value))
        value =
            sv_mortalcopy_flags(value, SV_DO_COW_SVSETSV | SV_NOSTEAL); /* hooks must not fetch it again */
    if (traits[codec].has_scalars && is_plain_scalar(aTHX_ value)) {
        *tag = tags[CODECS];
        return scalar_encode(aTHX_ value);
    }
    if (traits[codec].has_scalars && !SvROK(value))
        refuse(aTHX_ method, "a glob cannot be shared");
    *tag = tags[codec];
    if (codec == CODEC_RAW)
        return raw_encode(aTHX_ method, value);
    calls = calls_of(aTHX_ codec);
    value = call(aTHX_ method, calls->encode, calls->encoder, value);
    if (codec == CODEC_JSON)
        must_be_json(aTHX_ method, value);
    return value;
}

/* ---- decode -------------------------------------------------------------------------------------------- */

SV *codec_decode(pTHX_ enum codec codec, const char *method, SV *bytes, uint32_t tag)
{
    const struct codec_calls *calls;
    SV *value;

    if (is_scalar(codec, tag)) {
        value = scalar_decode(aTHX_ bytes);
        if (!value)
            refuse_error(aTHX_ method, -EBADMSG);
        return value;
    }
    if (!may_read(codec, tag))
        refuse_tag(aTHX_ method, codec, tag);
    if (codec == CODEC_RAW)
        return bytes;
    calls = calls_of(aTHX_ codec);
    if (codec == CODEC_JSON)
        must_be_json(aTHX_ method, bytes);
    value = call(aTHX_ method, calls->decode, calls->decoder, bytes);
    if (codec == CODEC_STORABLE && !SvROK(value))
        refuse_error(aTHX_ method, -EBADMSG); /* thaw says undef where there was nothing frozen */
    return value;
}
