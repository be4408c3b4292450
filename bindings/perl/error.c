/* SPDX-License-Identifier: MIT */
/* Errors: one sentence, and the line of the program that called the module. */
#define PERL_NO_GET_CONTEXT
#include "EXTERN.h"
#include "perl.h"

#include "share.h"

static bool is_of_the_module(pTHX_ const COP *line)
{
    const char *package = CopSTASHPV(line);

    return package && (strcmp(package, "Seqshare") == 0 || strcmp(package, "IPC::Mmap::Share") == 0);
}

/* Our own Perl code is not the place to report: go up to the first line that is not of these packages. */
static void blame_caller(pTHX)
{
    const COP *line = PL_curcop;
    const PERL_CONTEXT *call;

    for (I32 level = 0; is_of_the_module(aTHX_ line) && (call = caller_cx(level, NULL)); level++)
        line = call->blk_oldcop;
    PL_curcop = (COP *)line; /* perl sets it again when it unwinds */
}

void refuse_with(pTHX_ SV *sentence)
{
    blame_caller(aTHX);
    Perl_croak(aTHX_ "%" SVf, SVfARG(sentence));
}

void refuse(pTHX_ const char *method, const char *reason)
{
    refuse_with(aTHX_ sv_2mortal(newSVpvf("%s: %s", method, reason)));
}

void refuse_error(pTHX_ const char *method, ssize_t error)
{
    refuse(aTHX_ method, seqshare_strerror((int)error));
}

/* Where " at FILE line N" begins: before the first " line " that has an " at " before it. NULL: nowhere. */
static const char *find_place(const char *text)
{
    for (const char *line = strstr(text, " line "); line; line = strstr(line + 1, " line "))
        for (const char *at = line; at > text; at--)
            if (strncmp(at, " at ", 4) == 0)
                return at;
    return NULL;
}

/* "Can't store CODE items at x.pl line 7, at x.pl line 7." -> "Can't store CODE items" */
static void cut_places(SV *message)
{
    const char *text = SvPVX(message), *place = find_place(text);

    if (place)
        SvCUR_set(message, (STRLEN)(place - text));
    while (SvCUR(message) > 0 && strchr("\n., ", text[SvCUR(message) - 1]))
        SvCUR_set(message, SvCUR(message) - 1);
    *SvEND(message) = '\0';
}

SV *exception(pTHX)
{
    SV *error = sv_mortalcopy(ERRSV);

    if (!SvROK(error)) {
        (void)SvPV_force_nolen(error);
        cut_places(error);
    }
    return error;
}

void refuse_again(pTHX_ SV *exception)
{
    if (SvROK(exception))
        croak_sv(exception);
    refuse_with(aTHX_ exception);
}

void warn_with(pTHX_ SV *sentence)
{
    const COP *line = PL_curcop;

    blame_caller(aTHX);
    Perl_warn(aTHX_ "%" SVf, SVfARG(sentence));
    PL_curcop = (COP *)line;
}

void refuse_exception(pTHX_ const char *method)
{
    SV *error = exception(aTHX);

    if (SvROK(error))
        croak_sv(error);
    sv_insert(error, 0, 0, ": ", 2);
    sv_insert(error, 0, 0, method, strlen(method));
    refuse_with(aTHX_ error);
}
