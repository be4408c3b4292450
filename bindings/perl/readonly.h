/* SPDX-License-Identifier: MIT */
/*
 * Make a decoded value read-only, all of it, without making it restricted: absent keys still read as
 * undef.
 */
#ifndef SEQSHARE_PERL_READONLY_H
#define SEQSHARE_PERL_READONLY_H

#pragma GCC visibility push(hidden)

/* `value` is a fresh scalar that only the caller has. */
void make_readonly(pTHX_ SV *value);

#pragma GCC visibility pop

#endif
