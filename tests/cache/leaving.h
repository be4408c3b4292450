/* SPDX-License-Identifier: MIT */
/* What C++ is needed for. */
#ifndef CACHE_LEAVING_H
#define CACHE_LEAVING_H

#ifdef __cplusplus
extern "C" {
#endif

/* Throw an exception; and run `body`, which must let one through. */
void leaving_throw(void);
void leaving_catch(void *(*body)(void *), void *context);

#ifdef __cplusplus
}
#endif

#endif
