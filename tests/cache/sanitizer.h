/* SPDX-License-Identifier: MIT */
/* Tests leave out steps that the address sanitizer cannot do. */
#ifndef CACHE_SANITIZER_H
#define CACHE_SANITIZER_H

#include <criterion/criterion.h>

#if defined __SANITIZE_ADDRESS__
#define ADDRESS_SANITIZER 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define ADDRESS_SANITIZER 1
#endif
#endif

static inline void skip_under_address_sanitizer(const char *why)
{
#ifdef ADDRESS_SANITIZER
    cr_skip_test("the address sanitizer %s", why);
#else
    (void)why;
#endif
}

#endif
