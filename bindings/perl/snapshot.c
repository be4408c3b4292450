/* SPDX-License-Identifier: MIT */
/*
 * Snapshots: the newest value, decoded once a version, read-only and kept. They follow a name that moves. A value
 * that cannot be decoded is tried once and reported once, and the last good one stays, as in every host.
 */
#define PERL_NO_GET_CONTEXT
#include "EXTERN.h"
#include "perl.h"

#include "readonly.h"
#include "share.h"

static const int64_t SECOND_NS = 1000000000;

/* ---- the name ------------------------------------------------------------------------------------------ */

void begin_anew(struct share_object *object)
{
    object->seen = 0;
    object->following.is_retired = false;
    object->latest.tried = UINT64_MAX; /* no version is that high */
    object->latest.told = 0;
    object->latest.next_try = 0;
}

/* A name that is gone is not trouble: somebody unlinked it on purpose. If it is made again, the object follows it. */
static void tell_trouble(pTHX_ struct share_object *object, int error, int64_t now)
{
    if (error == -ENOENT || now < object->following.next_word)
        return;
    object->following.next_word = now + 60 * SECOND_NS;
    warn_with(
        aTHX_ sv_2mortal(newSVpvf("snapshot: the share's name cannot be followed: %s; the region that it led "
                                  "to before stays in use",
                                  seqshare_strerror(error))));
}

/*
 * Is that moment still to come? More than a second off, it is a moment of another clock: a child of fork may be in
 * another time namespace.
 */
static bool is_later(int64_t moment, int64_t now)
{
    return now < moment && moment - now <= SECOND_NS;
}

/*
 * Ask the name where it leads: at once when the region was marked, otherwise once a second, because nobody marks a
 * region whose name was moved by hand. Not under the lock, which is this region's.
 */
static void follow(pTHX_ struct share_object *object)
{
    struct following *following = &object->following;
    const bool is_retired = seqshare_retired(object_share(object));
    const int64_t now = now_coarse_ns();
    int result;

    if ((following->next_look == INT64_MAX || is_later(following->next_look, now)) &&
        is_retired <= following->is_retired)
        return;
    following->is_retired = is_retired;
    following->next_look = now + SECOND_NS;
    if (holds_lock(object))
        return;
    result = follow_name(object);
    if (result == 1)
        begin_anew(object);
    else if (result == -EINVAL)
        following->next_look = INT64_MAX;
    else if (result < 0)
        tell_trouble(aTHX_ object, result, now);
}

/* ---- values -------------------------------------------------------------------------------------------- */

void decode_snapshot(pTHX_ struct share_object *object)
{
    uint64_t version;
    SV *value;

    ENTER;
    SAVETMPS;
    value = read_value(aTHX_ "snapshot", object, &version);
    if (value) {
        value = newSVsv(value);
        SAVEMORTALIZESV(value); /* when it is over, unless somebody has it by then */
    }
    FREETMPS; /* now the value's references are those within it */
    if (value) {
        make_readonly(aTHX_ value);
        object->latest.fresh = SvREFCNT_inc_simple_NN(value);
    }
    object->latest.is_done = true;
    LEAVE;
}

/* In an eval, with $@ kept as it is: the error, as a mortal; NULL: none. */
static SV *call_decode(pTHX_ SV *self, const struct share_object *object)
{
    dSP;
    SV *error = NULL;

    ENTER;
    save_scalar(PL_errgv);
    PUSHMARK(SP);
    XPUSHs(self);
    PUTBACK;
    (void)call_pv("Seqshare::_decode", G_VOID | G_DISCARD | G_EVAL);
    if (!object->latest.is_done)
        error = exception(aTHX);
    LEAVE;
    return error;
}

static void tell_refusal(pTHX_ struct latest *latest)
{
    if (!latest->value || latest->told == latest->tried)
        return;
    latest->told = latest->tried;
    warn_with(
        aTHX_ sv_2mortal(newSVpvf("%" SVf "; version %" UVuf " is not used, and the last good value stays",
                                  SVfARG(latest->trouble), (UV)latest->tried)));
}

/* The old one goes when the statement is over: code up the stack may use it. */
static void replace(pTHX_ SV **old, SV *new)
{
    if (*old)
        sv_2mortal(*old);
    *old = new;
}

static void take_newest(pTHX_ SV *self, struct share_object *object)
{
    struct latest *latest = &object->latest;
    const uint64_t before = object->seen, version = seqshare_version(object_share(object));
    SV *error;

    object->seen = UINT64_MAX;
    latest->tried = version; /* a hook that asks for a snapshot gets the one before */
    latest->is_done = false;
    latest->fresh = NULL;
    error = call_decode(aTHX_ self, object);
    latest->tried = object->seen != UINT64_MAX ? object->seen : version;
    latest->next_try = error && object->seen == UINT64_MAX ? now_coarse_ns() + SECOND_NS : 0;
    if (object->seen == UINT64_MAX)
        object->seen = before;
    replace(aTHX_ & latest->trouble, error ? SvREFCNT_inc_simple_NN(error) : NULL);
    if (latest->fresh) /* otherwise there is none: in a new region, say, and the old one's stays in use */
        replace(aTHX_ & latest->value, latest->fresh);
    if (error)
        tell_refusal(aTHX_ latest);
}

SV *find_snapshot(pTHX_ SV *self, struct share_object *object)
{
    struct latest *latest = &object->latest;

    if (object->following.next_look != INT64_MAX)
        follow(aTHX_ object);
    if (seqshare_version(object_share(object)) != latest->tried ||
        (latest->next_try && !is_later(latest->next_try, now_coarse_ns()))) {
        (void)hold_object(aTHX_ "snapshot", self);
        take_newest(aTHX_ self, object);
    }
    if (latest->trouble && !latest->value)
        refuse_again(aTHX_ latest->trouble);
    return latest->value;
}

void forget_snapshot(pTHX_ struct share_object *object)
{
    struct latest *latest = &object->latest;

    replace(aTHX_ & latest->value, NULL);
    replace(aTHX_ & latest->trouble, NULL);
    latest->tried = 0;
}
