/* SPDX-License-Identifier: MIT */
/* One type and a few calls between typed.c and typed_cxx.cpp. */
#ifndef SEQSHARE_TEST_TYPED_CXX_H
#define SEQSHARE_TEST_TYPED_CXX_H

#include <seqshare/seqshare.h>

#ifdef __cplusplus
extern "C" {
#endif

struct cxx_route {
    int port;
    double weight;
    char zone[20];
};

SEQSHARE_TYPE(cxx_route, struct cxx_route)

int cxx_set(seqshare *share, const struct cxx_route *route);
int cxx_get(const seqshare *share, struct cxx_route *route);
int cxx_round_trip(void); /* 0, or the line of typed_cxx.cpp where it went wrong */

#ifdef __cplusplus
}
#endif

#endif
