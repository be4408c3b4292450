/* SPDX-License-Identifier: MIT */
/*
 * Deeply read-only values.
 *
 * Scalars and arrays have a flag for that, and perl refuses every change to them by itself. Hashes have it
 * too, but there it makes them *restricted*: looking at an absent key dies, and so would a worker that looks
 * at $config->{optional}; a dclone of one is restricted as well. So hashes get magic instead, which perl
 * consults when it changes one and passes by when it reads one:
 *
 *      store, autovivify   hv_common() offers the new element to svt_copy of every magic whose type is a
 *                          capital letter, before it goes in: refused there.
 *      delete, local       hv_delete() calls svt_clear, and local svt_local, of the magic of the *element*,
 *                          before it goes: refused there.
 *      clear, undef,       hv_clear() and hv_undef() call svt_clear of the hash, but after the elements went.
 *      assign              So each hash has a second one behind it with the same elements, from which they
 *                          come back; then it is refused.
 *
 * None of the magic has a get or set hook, so perl's fast paths for reading stay on.
 */
#define PERL_NO_GET_CONTEXT
#include "EXTERN.h"
#include "perl.h"

#include "readonly.h"

/* ---- hashes -------------------------------------------------------------------------------------------- */

static int refuse_clear(pTHX_ SV *element, MAGIC *magic)
{
    PERL_UNUSED_ARG(element);
    PERL_UNUSED_ARG(magic);
    Perl_croak_no_modify();
    return 0;
}

static int refuse_local(pTHX_ SV *element, MAGIC *magic)
{
    return refuse_clear(aTHX_ element, magic);
}

static int refuse_store(pTHX_ SV *hash, MAGIC *magic, SV *element, const char *key, I32 length)
{
    PERL_UNUSED_ARG(hash);
    PERL_UNUSED_ARG(magic);
    PERL_UNUSED_ARG(key);
    PERL_UNUSED_ARG(length);
    sv_2mortal(element); /* the hash was to own it */
    Perl_croak_no_modify();
    return 0;
}

/* perl has switched the hash's magic off while this runs. */
static int restore_and_refuse(pTHX_ SV *hash, MAGIC *magic)
{
    HV *behind = (HV *)magic->mg_obj;
    HE *entry;

    hv_iterinit(behind);
    while ((entry = hv_iternext(behind)))
        (void)hv_store_ent((HV *)hash, hv_iterkeysv(entry), SvREFCNT_inc_simple_NN(HeVAL(entry)),
                           HeHASH(entry));
    Perl_croak_no_modify();
    return 0;
}

static const MGVTBL element_magic = {.svt_clear = refuse_clear, .svt_local = refuse_local};
static const MGVTBL hash_magic = {.svt_clear = restore_and_refuse, .svt_copy = refuse_store};

static void protect_hash(pTHX_ HV *hash)
{
    HV *behind;
    HE *entry;
    MAGIC *magic;

    if (SvREADONLY(hash)) /* the application's own restricted hash: perl refuses, and may */
        return;
    behind = newHV();
    hv_iterinit(hash);
    while ((entry = hv_iternext(hash))) {
        if (SvIMMORTAL(HeVAL(entry))) /* perl's one undef cannot carry magic */
            HeVAL(entry) = newSVsv(HeVAL(entry));
        magic = sv_magicext(HeVAL(entry), NULL, PERL_MAGIC_ext, &element_magic, NULL, 0);
        magic->mg_flags |= MGf_LOCAL;
        (void)hv_store_ent(behind, hv_iterkeysv(entry), SvREFCNT_inc_simple_NN(HeVAL(entry)), HeHASH(entry));
    }
    hv_iterinit(hash);
    /* A capital letter that is the extensions' to use; what it means elsewhere needs a get hook. */
    magic = sv_magicext((SV *)hash, (SV *)behind, PERL_MAGIC_uvar, &hash_magic, NULL, 0);
    magic->mg_flags |= MGf_COPY;
    SvREFCNT_dec_NN(behind); /* the magic has it now */
}

/*
 * A hole would be filled by a store that perl takes for no change of the array; $#array goes through its
 * own scalar.
 */
static void protect_array(pTHX_ AV *array)
{
    SV **last = Perl_av_arylen_p(aTHX_ array);

    if (!*last) {
        *last = newSV_type(SVt_PVMG);
        sv_magic(*last, (SV *)array, PERL_MAGIC_arylen, NULL, 0);
    }
    SvREADONLY_on(*last);
    for (SSize_t i = 0; i <= AvFILLp(array); i++)
        if (!AvARRAY(array)[i])
            AvARRAY(array)[i] = newSV(0);
    SvREADONLY_on(array);
}

/* ---- the walk ------------------------------------------------------------------------------------------ */

/*
 * What a value consists of. A thing to which there are more references than the value itself has belongs
 * to somebody else as well (JSON's true, an object that a class's thaw hook takes from its stock): it is
 * not ours to change.
 */
struct walk {
    PTR_TBL_t *references; /* thing -> how many references the value has to it, or one of the marks */
    SV **thing;            /* found so far */
    size_t things, room;
};

static void *const FOREIGN = (void *)~(UV)0;
static void *const DONE = (void *)(~(UV)0 - 1);

static void append(pTHX_ struct walk *walk, SV *thing)
{
    if (walk->things == walk->room) {
        walk->room = walk->room ? 2 * walk->room : 64;
        Renew(walk->thing, walk->room, SV *);
    }
    walk->thing[walk->things++] = thing;
}

static bool is_tied(pTHX_ SV *thing)
{
    return SvRMAGICAL(thing) && mg_find(thing, PERL_MAGIC_tied);
}

static void for_children(pTHX_ struct walk *walk, SV *thing, void (*visit)(pTHX_ struct walk *, SV *))
{
    if (SvTYPE(thing) == SVt_PVHV && !is_tied(aTHX_ thing)) {
        HE *entry;

        hv_iterinit((HV *)thing);
        while ((entry = hv_iternext((HV *)thing)))
            visit(aTHX_ walk, HeVAL(entry));
    } else if (SvTYPE(thing) == SVt_PVAV && !is_tied(aTHX_ thing)) {
        for (SSize_t i = 0; i <= AvFILLp((AV *)thing); i++)
            if (AvARRAY((AV *)thing)[i])
                visit(aTHX_ walk, AvARRAY((AV *)thing)[i]);
    } else if (SvROK(thing) && !SvWEAKREF(thing)) {
        visit(aTHX_ walk, SvRV(thing));
    }
}

static void count(pTHX_ struct walk *walk, SV *thing)
{
    UV references = PTR2UV(ptr_table_fetch(walk->references, thing));

    if (references == 0)
        append(aTHX_ walk, thing);
    ptr_table_store(walk->references, thing, (void *)(references + 1));
}

static void protect(pTHX_ struct walk *walk, SV *thing)
{
    void *mark = ptr_table_fetch(walk->references, thing);

    if (mark == FOREIGN || mark == DONE)
        return;
    ptr_table_store(walk->references, thing, DONE);
    append(aTHX_ walk, thing);
    switch (SvTYPE(thing)) {
    case SVt_PVHV:
        if (!is_tied(aTHX_ thing))
            protect_hash(aTHX_(HV *) thing);
        break;
    case SVt_PVAV:
        if (!is_tied(aTHX_ thing))
            protect_array(aTHX_(AV *) thing);
        break;
    case SVt_PVGV: /* no codec makes these out of bytes, but a hook may */
    case SVt_PVLV:
    case SVt_PVCV:
    case SVt_PVFM:
    case SVt_PVIO:
        break;
    default:
        SvREADONLY_on(thing);
    }
}

/* Pass by pass, since protecting adds references. */
static void walk_and_protect(pTHX_ struct walk *walk, SV *value)
{
    count(aTHX_ walk, value);
    for (size_t i = 0; i < walk->things; i++)
        for_children(aTHX_ walk, walk->thing[i], count);
    for (size_t i = 0; i < walk->things; i++)
        if (SvIMMORTAL(walk->thing[i]) ||
            SvREFCNT(walk->thing[i]) > PTR2UV(ptr_table_fetch(walk->references, walk->thing[i])))
            ptr_table_store(walk->references, walk->thing[i], FOREIGN);
    walk->things = 0;
    protect(aTHX_ walk, value);
    for (size_t i = 0; i < walk->things; i++)
        for_children(aTHX_ walk, walk->thing[i], protect);
}

void make_readonly(pTHX_ SV *value)
{
    struct walk *walk;

    Newxz(walk, 1, struct walk);
    walk->references = ptr_table_new();
    walk_and_protect(aTHX_ walk, value);
    ptr_table_free(walk->references);
    Safefree(walk->thing);
    Safefree(walk);
}
