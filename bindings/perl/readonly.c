/* SPDX-License-Identifier: MIT */
/*
 * Deeply read-only values.
 *
 * Scalars and arrays have a flag for that, and perl refuses every change to them by itself. Hashes have it
 * too, but there it makes them *restricted*: looking at an absent key dies, and so would a worker that looks
 * at $config->{optional}; a dclone of one is restricted as well. So hashes get magic instead, which perl
 * consults when it changes one and passes by when it reads one. (The application's own restricted hashes get it as
 * well: there perl takes a key that is allowed and absent.)
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
#include "share.h"

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

/* ---- ties ---------------------------------------------------------------------------------------------- */

/*
 * A tied thing has the values that its class gives it, and a store calls that class: nothing would refuse it. So it
 * becomes a plain thing with the values that it showed.
 */

static void untie_hash(pTHX_ HV *hash)
{
    HV *copy = (HV *)sv_2mortal((SV *)newHV());
    HE *entry;

    hv_iterinit(hash);
    while ((entry = hv_iternext(hash)))
        (void)hv_store_ent(copy, hv_iterkeysv(entry), newSVsv(hv_iterval(hash, entry)), 0);
    sv_unmagic((SV *)hash, PERL_MAGIC_tied);
    hv_clear(hash);
    hv_iterinit(copy);
    while ((entry = hv_iternext(copy)))
        (void)hv_store_ent(hash, hv_iterkeysv(entry), SvREFCNT_inc_simple_NN(HeVAL(entry)), HeHASH(entry));
}

static void untie_array(pTHX_ AV *array)
{
    AV *copy = (AV *)sv_2mortal((SV *)newAV());
    const SSize_t last = av_len(array);

    for (SSize_t i = 0; i <= last; i++) {
        SV **element = av_fetch(array, i, FALSE);

        av_push(copy, element ? newSVsv(*element) : newSV(0));
    }
    sv_unmagic((SV *)array, PERL_MAGIC_tied);
    av_clear(array);
    for (SSize_t i = 0; i <= last; i++)
        av_push(array, SvREFCNT_inc_simple_NN(AvARRAY(copy)[i]));
}

static void untie_scalar(pTHX_ SV *scalar, int how)
{
    SV *value = sv_mortalcopy(scalar);

    sv_unmagic(scalar, how);
    sv_setsv_nomg(scalar, value);
}

/* How a thing is tied, as perl's letter for it; 0: it is not. */
static int tie_of(pTHX_ SV *thing)
{
    static const char ways[] = {PERL_MAGIC_tied, PERL_MAGIC_tiedscalar, PERL_MAGIC_tiedelem};

    for (size_t i = 0; SvMAGICAL(thing) && i < sizeof ways; i++)
        if (mg_find(thing, ways[i]))
            return ways[i];
    return 0;
}

static void untie(pTHX_ SV *thing)
{
    const int how = tie_of(aTHX_ thing);

    if (SvTYPE(thing) == SVt_PVHV)
        untie_hash(aTHX_(HV *) thing);
    else if (SvTYPE(thing) == SVt_PVAV)
        untie_array(aTHX_(AV *) thing);
    else
        untie_scalar(aTHX_ thing, how);
}

/* ---- the walk ------------------------------------------------------------------------------------------ */

/*
 * The parts of a value. A thing to which there are more references than the value itself has belongs
 * to somebody else as well (JSON's true, an object that a class's thaw hook takes from its stock): it is
 * not ours to change.
 */
struct walk {
    PTR_TBL_t *references; /* thing -> how many references the value has to it, or one of the marks */
    SV **thing;            /* found so far */
    size_t things, room;
    bool has_ties;
};

enum { TIES_DEEP = 100 };

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

static void for_children(pTHX_ struct walk *walk, SV *thing, void (*visit)(pTHX_ struct walk *, SV *))
{
    if (tie_of(aTHX_ thing))
        return;
    if (SvTYPE(thing) == SVt_PVHV) {
        HE *entry;

        hv_iterinit((HV *)thing);
        while ((entry = hv_iternext((HV *)thing)))
            visit(aTHX_ walk, HeVAL(entry));
    } else if (SvTYPE(thing) == SVt_PVAV) {
        for (SSize_t i = 0; i <= AvFILLp((AV *)thing); i++)
            if (AvARRAY((AV *)thing)[i])
                visit(aTHX_ walk, AvARRAY((AV *)thing)[i]);
    } else if (SvROK(thing) && !SvWEAKREF(thing)) {
        visit(aTHX_ walk, SvRV(thing));
    }
}

/*
 * The things that a tie's object refers to are the value's own as well, or a ring through a tied thing would be
 * foreign: it goes when the thing is untied.
 */
static void count(pTHX_ struct walk *walk, SV *thing)
{
    UV references = PTR2UV(ptr_table_fetch(walk->references, thing));
    const int how = tie_of(aTHX_ thing);

    ptr_table_store(walk->references, thing, (void *)(references + 1));
    if (references > 0)
        return;
    append(aTHX_ walk, thing);
    if (how) {
        const MAGIC *magic = mg_find(thing, how);

        walk->has_ties = true;
        if (magic->mg_obj && magic->mg_flags & MGf_REFCOUNTED)
            count(aTHX_ walk, magic->mg_obj);
    }
}

/* To a thing that is the value's own? Then its children come next. */
static bool is_first_visit(pTHX_ struct walk *walk, SV *thing)
{
    void *mark = ptr_table_fetch(walk->references, thing);

    if (mark == FOREIGN || mark == DONE)
        return false;
    ptr_table_store(walk->references, thing, DONE);
    append(aTHX_ walk, thing);
    return true;
}

static void note(pTHX_ struct walk *walk, SV *thing)
{
    (void)is_first_visit(aTHX_ walk, thing);
}

static void protect(pTHX_ struct walk *walk, SV *thing)
{
    if (!is_first_visit(aTHX_ walk, thing))
        return;
    switch (SvTYPE(thing)) {
    case SVt_PVHV:
        protect_hash(aTHX_(HV *) thing);
        break;
    case SVt_PVAV:
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

static void walk_again(pTHX_ struct walk *walk, SV *value, void (*visit)(pTHX_ struct walk *, SV *))
{
    walk->things = 0;
    visit(aTHX_ walk, value);
    for (size_t i = 0; i < walk->things; i++)
        for_children(aTHX_ walk, walk->thing[i], visit);
}

static void find_foreign(pTHX_ struct walk *walk, SV *value)
{
    ptr_table_free(walk->references);
    walk->references = ptr_table_new();
    walk->has_ties = false;
    walk_again(aTHX_ walk, value, count);
    for (size_t i = 0; i < walk->things; i++)
        if (SvIMMORTAL(walk->thing[i]) ||
            SvREFCNT(walk->thing[i]) > PTR2UV(ptr_table_fetch(walk->references, walk->thing[i])))
            ptr_table_store(walk->references, walk->thing[i], FOREIGN);
}

/* Mark those that are the value's own: were there any? Then their contents come next. */
static bool untie_found(pTHX_ struct walk *walk, SV *value)
{
    bool any = false;

    walk_again(aTHX_ walk, value, note);
    ENTER;
    SAVETMPS;
    for (size_t i = 0; i < walk->things; i++)
        if (tie_of(aTHX_ walk->thing[i])) {
            untie(aTHX_ walk->thing[i]);
            any = true;
        }
    FREETMPS; /* references that are not the value's */
    LEAVE;
    return any;
}

static void free_walk(pTHX_ void *freed)
{
    struct walk *walk = freed;

    ptr_table_free(walk->references);
    Safefree(walk->thing);
    Safefree(walk);
}

/* Pass by pass, since protecting adds references. Untying runs code of the program's, which may die. */
void make_readonly(pTHX_ SV *value)
{
    struct walk *walk;
    int deep = 0;

    ENTER;
    Newxz(walk, 1, struct walk);
    walk->references = ptr_table_new();
    SAVEDESTRUCTOR_X(free_walk, walk);
    find_foreign(aTHX_ walk, value);
    while (walk->has_ties && untie_found(aTHX_ walk, value)) {
        if (++deep > TIES_DEEP)
            refuse(aTHX_ "snapshot", "the value has ties within ties, more than a hundred deep");
        find_foreign(aTHX_ walk, value);
    }
    if (walk->has_ties) /* in foreign things: the marks are used up */
        find_foreign(aTHX_ walk, value);
    walk_again(aTHX_ walk, value, protect);
    LEAVE;
}
