/* SPDX-License-Identifier: MIT */
/* Everything inline in the headers, compiled as C++11. */
#include "typed_cxx.h"

#include <cstring>

namespace rates
{
struct rate {
    double value;
    int per;
};
SEQSHARE_TYPE(rate, rate)
} // namespace rates

int cxx_set(seqshare *share, const cxx_route *route)
{
    return cxx_route_set(share, route);
}

int cxx_get(const seqshare *share, cxx_route *route)
{
    return cxx_route_get(share, route);
}

static int use(seqshare *share)
{
    rates::rate set = {2.5, 60}, got = {};
    seqshare_view view;
    struct seqshare_stat stat;

    if (seqshare_version(share) != 0 || seqshare_peek(share, &view) != -ENODATA)
        return __LINE__;
    if (rates::rate_set(share, &set) != 0 || rates::rate_get(share, &got) != 0 || got.per != 60)
        return __LINE__;
    if (seqshare_peek(share, &view) != 0 || view.length != sizeof set || view.version != 1)
        return __LINE__;
    std::memcpy(&got, view.data, sizeof got); /* members are compared: padding may be anything */
    if (got.per != set.per || !seqshare_valid(share, &view))
        return __LINE__;
    if (seqshare_retired(share) || seqshare_stat(share, &stat) != 0 || stat.version != 1)
        return __LINE__;
    if (stat.tag != seqshare_tag("rate", 4, sizeof set))
        return __LINE__;
    return 0;
}

int cxx_round_trip(void)
{
    seqshare *share = nullptr;
    int line;

    if (seqshare_new(&share, 4096) != 0)
        return __LINE__;
    line = use(share);
    seqshare_close(share);
    return line;
}
